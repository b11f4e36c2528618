"""What the runs of this machine came to, added up from their records: the same after a restart, and never less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from manifests.errors import BadInput
from tasks.runs import FINISHED, GOING, INTERRUPTED, RunRecord, read_record, record_files

_MADE_BY = "assemble"
"""The stage that makes a dub's file: one that came out of the cache was dubbed before, and counts no second time."""

Sums: TypeAlias = dict[tuple[str, ...], float]
"""By labels: a stage and its language ("" where all languages share it), a command and an outcome, a language."""


def _sums() -> Sums:
    return defaultdict(float)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTally:
    """A run in numbers. `outcome` is finished, failed, interrupted, or going; `from_s` and `to_s` are Unix, in s."""

    command: str
    outcome: str
    from_s: float
    to_s: float
    pieces: Sums
    hits: Sums
    failures: Sums
    seconds: Sums
    dubbed_s: Sums


@dataclass(slots=True)
class Totals:
    """All runs together; `busy_s` is the time in which at least one of them went on."""

    runs: Sums = field(default_factory=_sums)
    begun: Sums = field(default_factory=_sums)
    pieces: Sums = field(default_factory=_sums)
    hits: Sums = field(default_factory=_sums)
    failures: Sums = field(default_factory=_sums)
    seconds: Sums = field(default_factory=_sums)
    dubbed_s: Sums = field(default_factory=_sums)
    busy_s: float = 0.0
    unreadable: int = 0


def tally(record: RunRecord) -> RunTally:
    """A record in numbers."""
    pieces, hits, failures, seconds, dubbed_s = _sums(), _sums(), _sums(), _sums(), _sums()
    made = set()
    for entry in record.entries:
        at = (entry.stage, entry.language or "")
        pieces[at] += 1
        hits[at] += entry.hit
        failures[at] += bool(entry.failure)
        seconds[at] += entry.seconds
        if entry.stage == _MADE_BY and not entry.hit:
            made.add(entry.language)
    if record.outcome == FINISHED:
        for each in record.languages:
            if each.language in made or None in made:
                dubbed_s[each.language,] += record.source_duration_s
    known = record.outcome if record.outcome in (FINISHED, GOING, INTERRUPTED) else "failed"
    from_s = datetime.fromisoformat(record.started).timestamp()
    return RunTally(
        command=record.command,
        outcome=known,
        from_s=from_s,
        to_s=from_s + record.seconds,
        pieces=pieces,
        hits=hits,
        failures=failures,
        seconds=seconds,
        dubbed_s=dubbed_s,
    )


@dataclass(slots=True)
class Records:
    """The records of the state folder, each read again only where it was written since.

    One that is removed still counts until the exporter is started again, so that no counter falls for it.
    """

    files: Callable[[], Iterable[Path]] = record_files
    _known: dict[Path, tuple[tuple[int, int], RunTally | None]] = field(default_factory=dict)

    def totals(self) -> Totals:
        """What all runs came to until now."""
        for file in self.files():
            self._look(file)
        totals = Totals()
        spans = []
        for _, each in self._known.values():
            if each is None:
                totals.unreadable += 1
                continue
            totals.begun[each.command,] += 1
            if each.outcome != GOING:
                totals.runs[each.command, each.outcome] += 1
            _add(totals.pieces, each.pieces)
            _add(totals.hits, each.hits)
            _add(totals.failures, each.failures)
            _add(totals.seconds, each.seconds)
            _add(totals.dubbed_s, each.dubbed_s)
            spans.append((each.from_s, each.to_s))
        totals.busy_s = covered_s(spans)
        return totals

    def _look(self, file: Path) -> None:
        try:
            facts = file.stat()
        except FileNotFoundError:
            return
        mark = (facts.st_mtime_ns, facts.st_size)
        before = self._known.get(file)
        if before is not None and before[0] == mark:
            return
        try:
            self._known[file] = (mark, tally(read_record(str(file))))
        except BadInput:  # of another version of redub; what it was before still holds
            self._known[file] = (mark, before[1] if before else None)


def _add(sums: Sums, more: Sums) -> None:
    for at, value in more.items():
        sums[at] += value


def covered_s(spans: Iterable[tuple[float, float]]) -> float:
    """How many seconds at least one of the spans covers."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
