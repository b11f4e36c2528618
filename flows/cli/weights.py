"""`redub weights`: what is here, and bringing what is not."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from flows.cli.layout import hung
from flows.cli.output import Output
from flows.mirrored_weights import VARIABLE, bring_weights, remote_weights
from manifests.errors import BadInput
from manifests.languages import language as known_language


def list_weights(output: Output) -> None:
    """A table of all weights that redub knows."""
    from tasks import installed

    bring_weights()
    rows = installed.weights_table()
    width = max(len(row.name) for row in rows)
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    lines = [
        f"{'[green]here[/]  ' if row.present else '[dim]absent[/]'} {row.name:<{width}} {row.capability:<11} "
        + hung(row.licence + (f" [{notes.index(row.note) + 1}]" if row.note else ""), width + 20)
        for row in rows
    ]
    lines.append("")
    lines += [f"[dim]{escape(f'[{number}]')} {hung(note, 4)}[/]" for number, note in enumerate(notes, start=1)]
    output.result(
        {
            "weights": [
                {
                    "name": row.name,
                    "capability": row.capability,
                    "present": row.present,
                    "licence": row.licence,
                    "revision": row.revision,
                    "note": row.note,
                }
                for row in rows
            ]
        },
        "\n".join(lines),
    )


def pull_weights(names: tuple[str, ...], language: str | None, source: Path | None, output: Output) -> None:
    """Bring the named weights, or all that a language needs."""
    from tasks import installed

    if (place := remote_weights()) is not None:
        remedy = f"pull with {VARIABLE}=FOLDER, then copy what is in the folder there"
        raise BadInput("weights are pulled into a folder, not into a store;", where=str(place), remedy=remedy)
    wanted = list(names)
    if language is not None:
        language = known_language(language).code
        wanted += [name for name in installed.needed_for("en", language) if name not in wanted]
    if not wanted:
        raise BadInput("no weights were named.", remedy="Name some, or a language: redub weights pull --for fr")
    if source is not None and len(wanted) != 1:
        raise BadInput("--from goes with exactly one NAME.", remedy="As in: redub weights pull wav2lip --from FILE")
    folders = {}
    for name in wanted:
        if source is None and installed.present(name):
            output.say(f"[green]here[/]    {name}")
        else:
            output.say(f"pulling {name} ...")
            folders[name] = installed.pull(name, source, _Progress(name, output))
            output.say(f"[green]pulled[/]  {name}")
    output.result({"pulled": sorted(folders)}, "")


class _Progress:
    """Says what is fetched, at most once for every tenth of it."""

    def __init__(self, name: str, output: Output) -> None:
        self._name, self._output = name, output
        self._said: tuple[str, int] = ("", -1)

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of `total` bytes of `what` (0 where unknown)."""
        tenth = done * 10 // total if total else -1
        if (what, tenth) != self._said:
            self._said = (what, tenth)
            share = f" {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else ""
            self._output.say(f"[dim]  {what}{share}[/]")
            self._output.event("pulling", name=self._name, what=what, done_bytes=done, total_bytes=total)
