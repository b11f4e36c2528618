"""`redub data`: training data from talking videos."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import interrupt
from flows.cli.output import Output, choose_output
from manifests.errors import BadInput

if TYPE_CHECKING:
    from tasks.dataset import DatasetSettings, Prepared

app = typer.Typer(
    help="Training data for lip sync: talking videos made into face crops and sound.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Json = Annotated[bool, typer.Option("--json", help="Write one JSON object a line to standard output, for machines.")]

_AUTO = "auto"


@app.callback()
def _group() -> None:
    """Training data for lip sync: talking videos made into face crops and sound."""


@app.command(
    epilog="""
Examples:
  redub data prepare lectures/ --out data/
  redub data prepare grid/ --out data/ --layout grid --limit 100
  redub data prepare lecture.mp4 --out data/ --min-face 80

Layouts (auto finds out which):
  folder    any videos; the folder that a video lies in is its speaker
  grid      s1/*.mpg or s1/video/mpg_6000/*.mpg, or one speaker's flat folder
  lombard   front/s2_l_bbim3a.mov, sound in audio/; side views are left out
  lrs2      main/ID/00001.mp4 and pretrain/, with train.txt, val.txt, test.txt
  vidtimit  fadg0/video/sa1/001 (JPEG files) and fadg0/audio/sa1.wav

It writes shard-0000/, shard-0001/, ... and, last of all, clips.parquet: a row
for each clip, kept or dropped and why, with its speaker and split. A clip is
dropped that has no sound, is silent, shorter than a second or cannot be
decoded; that shows no face for half its time, a small one, or several; and
one whose lips and sound do not go together. Sound that is a few frames off is
moved into place. A single video, or one of more than a minute in a folder, is
taken in stretches, and each face that speaks in a stretch is a clip.

All clips of a speaker are in one split; of a single speaker, each clip is by
itself. Interrupted, even by kill -9, the same command goes on with the shards
that are missing and ends with the same bytes.
"""
)
def prepare(
    source: Annotated[
        Path, typer.Argument(help="A corpus, a folder of talking videos, or one video.", metavar="SOURCE")
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to write to; another run's is gone on with.")],
    layout: Annotated[
        str, typer.Option("--layout", help="How SOURCE is laid out: auto, folder, grid, lombard, lrs2 or vidtimit.")
    ] = _AUTO,
    size: Annotated[int, typer.Option("--size", help="Side of the stored face crops, in pixels.")] = 128,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Take this many clips only, evenly spread over SOURCE.")
    ] = None,
    min_face: Annotated[
        float, typer.Option("--min-face", help="Least height of a face in the source, in pixels.")
    ] = 96.0,
    max_offset: Annotated[
        int, typer.Option("--max-offset", help="By how many frames of 1/25 s lips and sound may be apart.")
    ] = 5,
    min_confidence: Annotated[
        float, typer.Option("--min-confidence", help="How clear that offset must be, 0 (take any) to 2.")
    ] = 0.2,
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="Processes, of some 400 MB each; default: one a core.")
    ] = None,
    json: Json = False,
) -> None:
    """Make training data: face crops, landmarks and sound in shards, and a manifest of what became of each clip."""
    from tasks.clips import ClipSettings
    from tasks.dataset import DatasetSettings
    from tasks.layouts import LAYOUTS

    chosen = next((each for each in LAYOUTS if each == layout), None)
    if chosen is None and layout != _AUTO:
        raise BadInput(f"no layout is called {layout!r}.", where="--layout", remedy=f"Use one of {(_AUTO, *LAYOUTS)}.")
    settings = DatasetSettings(
        clip=ClipSettings(size_px=size, min_face_px=min_face, most_offset=max_offset, least_confidence=min_confidence),
        layout=chosen,
        limit=limit,
        jobs=jobs if jobs is not None else _cores(),
    )
    run_prepare(source, out, settings, choose_output(as_json=json))


def run_prepare(source: Path, out: Path, settings: DatasetSettings, output: Output) -> None:
    """Prepare, with a progress bar, and tell what came of it."""
    from tasks.dataset import prepare as prepare_data

    with _Progress(output) as progress, interrupt.leaving_soon(progress.last_words):
        prepared = prepare_data(source, out, settings, progress.told)
    _tell(prepared, output)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Progress:
    """A bar for people on a terminal, lines in a log, events for machines."""

    def __init__(self, output: Output) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._output = output
        console = Console(stderr=True)
        self._shows = console.is_terminal
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("looking at the videos", total=None)
        self._said = ("", -1)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *why: object) -> None:
        self._bar.stop()

    def last_words(self) -> None:
        """Give the terminal its cursor back, and say why it ends."""
        self._bar.stop()
        self._output.failed(interrupt.MESSAGE, "Interrupted", interrupt.EXIT_CODE)

    def told(self, what: str, done: int, total: int) -> None:
        """See `tasks.dataset.Report`."""
        name = {"looking": "looking at the videos", "preparing": "preparing clips"}[what]
        self._bar.update(self._task, description=name, completed=done, total=total)
        tenth = (what, done * 10 // max(total, 1))
        if tenth != self._said:
            self._said = tenth
            self._output.event("preparing", what=what, done=done, total=total)
            if not self._shows:
                self._output.say(f"{name}: {done} of {total}")


def _tell(prepared: Prepared, output: Output) -> None:
    from rich.markup import escape

    kept = prepared.kept
    reasons = Counter(clip.reason.split(":")[0] for clip in prepared.clips if not clip.kept)
    splits = Counter(clip.split for clip in kept)
    minutes = sum(clip.frame_count for clip in kept) / 25 / 60
    speakers = len({clip.speaker for clip in kept})
    folder = escape(str(prepared.folder))
    people = f"{speakers} speaker{'s' if speakers != 1 else ''}"
    counts = f"{len(kept)} of {len(prepared.clips)} clips kept, {minutes:.1f} minutes, {people}"
    lines = [f"[bold green]{folder}[/]  {counts} (layout {prepared.layout})"]
    if kept:
        lines.append("  " + ", ".join(f"{name} {count}" for name, count in sorted(splits.items())))
    lines += [f"  [yellow]dropped {count}:[/] {escape(reason)}" for reason, count in reasons.most_common()]
    shards = f"{prepared.shards_made} shards made, {prepared.shards_found} found"
    lines.append(f"[dim]{shards}; what became of each clip is in {folder}/clips.parquet[/]")
    output.result(
        {
            "folder": str(prepared.folder),
            "layout": prepared.layout,
            "clips": len(prepared.clips),
            "kept": len(kept),
            "minutes": round(minutes, 2),
            "speakers": speakers,
            "splits": dict(sorted(splits.items())),
            "dropped": dict(reasons.most_common()),
            "shards_made": prepared.shards_made,
            "shards_found": prepared.shards_found,
        },
        "\n".join(lines),
    )
