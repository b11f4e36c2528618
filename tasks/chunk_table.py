"""The chunks of a run as a table to look at: where each is, what was done of it, how long each stage took."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from manifests.time import Span, seconds
from tasks.journal import Entry

Row = dict[str, str | float | int]

SHARED = ""
"""The table of what all languages share."""

_CHUNKED = ("faces", "listen")
"""The stages that come first and have a piece for each chunk, and so tell where they are."""


@dataclass(slots=True)
class _Cell:
    pieces: int = 0
    done: int = 0
    seconds: float = 0.0
    hits: int = 0
    failure: str = ""

    def text(self) -> str:
        if not self.pieces:
            return ""
        if self.done < self.pieces:
            return "…"
        if self.failure:
            return "failed"
        return "cached" if self.hits == self.done else f"{self.seconds:.1f} s"


@dataclass(slots=True)
class ChunkTable:
    """Collects what was handed over and what was done, from any thread.

    A piece belongs to the chunk in which its middle lies. What is done for the whole lecture at once is no chunk's.
    """

    _chunks: tuple[Span, ...] = ()
    _cells: dict[str, dict[str, dict[int, _Cell]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handed_over(self, stage: str, spans: Sequence[Span], language: str | None) -> None:
        """A stage was given pieces, one a span."""
        with self._lock:
            if stage in _CHUNKED and not self._chunks:
                self._chunks = tuple(sorted(spans))
            for span in spans:
                cell = self._cell(stage, language, span)
                if cell is not None:
                    cell.pieces += 1

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """Nothing: where the pieces are is told by `handed_over`."""

    def performed(self, entry: Entry) -> None:
        """A piece is done."""
        with self._lock:
            cell = self._cell(entry.stage, entry.language, entry.span)
            if cell is None:
                return
            cell.done += 1
            cell.pieces = max(cell.pieces, cell.done)
            cell.seconds += entry.seconds
            cell.hits += entry.hit
            cell.failure = cell.failure or entry.failure

    def tables(self, *, ended: bool = False) -> Mapping[str, list[Row]]:
        """A row a chunk, in order, by language; `SHARED` is what all share. Empty before the chunks are known.

        `ended`: nothing more comes, so what is not done now stays so.
        """
        with self._lock:
            return {
                name: [_row(index, span, by_stage, ended=ended) for index, span in enumerate(self._chunks)]
                for name, by_stage in self._cells.items()
                if self._chunks
            }

    def _cell(self, stage: str, language: str | None, span: Span) -> _Cell | None:
        index = self._index(span)
        if index is None:
            return None
        by_stage = self._cells.setdefault(language or SHARED, {})
        return by_stage.setdefault(stage, {}).setdefault(index, _Cell())

    def _index(self, span: Span) -> int | None:
        """Which chunk a piece about `span` belongs to; None where it is about all of them, or none is known."""
        first, last = self._chunks[:1], self._chunks[-1:]
        if not first or (first != last and span.start <= first[0].start and span.end >= last[0].end):
            return None
        at = bisect_right(self._chunks, (span.start + span.end) // 2, key=lambda chunk: chunk.start) - 1
        return at if at >= 0 else None


def _row(index: int, span: Span, by_stage: Mapping[str, Mapping[int, _Cell]], *, ended: bool) -> Row:
    cells = {stage: cells.get(index, _Cell()) for stage, cells in by_stage.items()}
    return {
        "chunk": index + 1,
        "from": clock_time(seconds(span.start)),
        "to": clock_time(seconds(span.end)),
        "state": _state(cells, ended=ended),
        **{stage: cell.text() for stage, cell in cells.items()},
        "in all": f"{sum(cell.seconds for cell in cells.values()):.1f} s",
    }


def _state(cells: Mapping[str, _Cell], *, ended: bool) -> str:
    failures = {stage: cell.failure for stage, cell in cells.items() if cell.failure}
    if failures:
        return "; ".join(f"original kept ({stage}: {why})" for stage, why in failures.items())
    due = [stage for stage, cell in cells.items() if cell.done < cell.pieces]
    if due:
        return ("stopped before " if ended else "") + ", ".join(due)
    return "done" if ended else "waiting"


def clock_time(time_s: float) -> str:
    """Seconds as people write them: 1:02:03, or 2:03 below an hour."""
    whole = int(time_s)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
