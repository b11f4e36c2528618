"""`redub show`: a run, stage by stage."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable

from flows.cli.layout import hung
from flows.cli.output import Output
from manifests.records import Degradation
from manifests.time import Span
from tasks.journal import Entry
from tasks.runs import FINISHED, GOING, RunRecord, read_record

_MOST_PLACES = 6


def show_run(run: str | None, output: Output) -> None:
    """Show the run of that name or folder, the latest where None."""
    from rich.markup import escape

    record = read_record(run)
    lines = [
        f"[bold]{escape(record.name)}[/]  {_outcome(record)}",
        f"[dim]{escape(record.source)} ({record.source_duration_s:.1f} s)[/]",
        f"[dim]started {record.started}, took {record.seconds:.1f} s[/]",
        "",
        f"{'stage':<12}{'language':<10}{'pieces':>7}{'cached':>8}{'seconds':>9}{'share':>7}",
    ]
    worked = sum(entry.seconds for entry in record.entries) or 1.0
    for (stage, language), entries in _by_stage(record).items():
        seconds = sum(entry.seconds for entry in entries)
        hits = sum(entry.hit for entry in entries)
        lines.append(
            f"{stage:<12}{language or '':<10}{len(entries):>7}{hits:>8}{seconds:>9.2f}{seconds / worked:>7.0%}"
        )
    for each in record.languages:
        lines += ["", f"[bold]{each.language}[/]  {escape(each.files[0])}"]
        loudness = "silent" if each.loudness_lufs is None else f"{each.loudness_lufs:.1f} LUFS"
        lines.append(
            f"  {each.copied_frames} frames copied, {each.rendered_frames} rendered, "
            f"{each.lip_frames} with new lips; {loudness}"
        )
        lines += _degraded(each.degradations)
    output.result(dataclasses.asdict(record), "\n".join(lines))


def _degraded(degradations: Iterable[Degradation]) -> list[str]:
    """Each reason once, with where it holds."""
    spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for each in degradations:
        spans[each.stage, each.reason].append(each.span)
    lines = []
    for (stage, reason), where in spans.items():
        total = sum(span.duration_s for span in where)
        places = ", ".join(f"{span.start_s:.2f} to {span.end_s:.2f} s" for span in where[:_MOST_PLACES])
        more = f", and {len(where) - _MOST_PLACES} more (--json lists all)" if len(where) > _MOST_PLACES else ""
        lines.append(f"  [yellow]degraded[/]  {hung(f'{stage}: {reason}', 12)}")
        lines.append(f"{'':<12}{hung(f'{total:.2f} s in all: {places}{more}', 12)}")
    return lines


def _outcome(record: RunRecord) -> str:
    from rich.markup import escape

    if record.outcome == GOING:
        return "[yellow]going on, or ended without a word[/]"
    return "[green]finished[/]" if record.outcome == FINISHED else f"[red]failed:[/] {escape(record.outcome)}"


def _by_stage(record: RunRecord) -> dict[tuple[str, str | None], list[Entry]]:
    grouped: dict[tuple[str, str | None], list[Entry]] = defaultdict(list)
    for entry in record.entries:
        grouped[entry.stage, entry.language].append(entry)
    return grouped
