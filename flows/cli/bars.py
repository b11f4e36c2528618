"""Progress bars of a run: one a stage, with pieces done, time passed and time left."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tasks.journal import Entry
from tasks.stage_names import said


class Bars:
    """Shows a run's stages; on something that is no terminal, one plain line as each stage ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("[dim]{task.fields[cached]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bars: dict[tuple[str, str | None], TaskID] = {}
        self._hits: dict[tuple[str, str | None], int] = {}

    def __enter__(self) -> Bars:
        """Show the bars."""
        self._progress.start()
        return self

    def __exit__(self, *why: object) -> None:
        """Leave the bars as they are."""
        self._progress.stop()

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """Add a bar, or lengthen the stage's own."""
        at = (stage, language)
        if at in self._bars:
            known = self._progress.tasks[self._bars[at]].total or 0
            self._progress.update(self._bars[at], total=known + pieces)
            return
        self._bars[at] = self._progress.add_task(f"{said(stage, language):<22}", total=pieces, cached="")
        self._hits[at] = 0

    def performed(self, entry: Entry) -> None:
        """Move the stage's bar on."""
        at = (entry.stage, entry.language)
        if at not in self._bars:
            self.began(entry.stage, 1, entry.language)
        self._hits[at] += entry.hit
        cached = f"{self._hits[at]} cached" if self._hits[at] else ""
        self._progress.update(self._bars[at], advance=1, cached=cached)
        bar = self._progress.tasks[self._bars[at]]
        if not self._console.is_terminal and bar.finished:
            took = f"{bar.elapsed or 0:.1f} s"
            self._console.print(
                f"{bar.description.strip()}: {int(bar.completed)} done, {cached or 'none cached'}, {took}"
            )
