"""What the workers wrote down, as figures. Pure but for reading.

Times are seconds of the machine's clock, which all processes share.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of declared work as a worker did it, in `took_s` from `began` on."""

    worker: str
    process: int
    stage: str
    began: float
    declared_s: float
    took_s: float

    @property
    def ended(self) -> float:
        """When it was done."""
        return self.began + self.took_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything that was written down. `loaded` is when each process had its flow, `peaks_mb` its most memory.

    `cpu_s` is its CPU time, the last second left out.
    """

    pieces: tuple[Piece, ...]
    loaded: dict[int, float]
    peaks_mb: dict[int, int]
    cpu_s: dict[int, float]


def read_ledger(folder: Path) -> Ledger:
    """The ledger in `folder`."""
    pieces, loaded, peaks, cpu = [], {}, {}, {}
    for file in sorted(folder.glob("*.jsonl")):
        worker, process = file.name.split(".")[0], int(file.name.split(".")[1])
        for line in file.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            if "stage" in said:
                pieces.append(Piece(worker=worker, process=process, **said))
            elif "loaded" in said:
                loaded[process] = said["loaded"]
            else:
                peaks[process], cpu[process] = said["peak_mb"], said["cpu_s"]
    ordered = tuple(sorted(pieces, key=lambda each: each.began))
    return Ledger(pieces=ordered, loaded=loaded, peaks_mb=peaks, cpu_s=cpu)


def overhead(pieces: Sequence[Piece], workers: int, wall_s: float) -> float:
    """What the workers' time holds beside declared work, as a share of the declared work.

    `wall_s` is what passed between asking for the archive and its end, starts and the last lecture's tail included.
    """
    declared = sum(each.declared_s for each in pieces)
    return (wall_s * workers - declared) / declared


def steady(pieces: Sequence[Piece], workers: int) -> tuple[float, float]:
    """From when every worker has begun to when the first of them has done its last piece: no start, no tail.

    ValueError where some worker did nothing.
    """
    names = {each.worker for each in pieces}
    if len(names) != workers:
        raise ValueError(f"{workers} workers were started, and {len(names)} worked")
    first = [min(each.began for each in pieces if each.worker == name) for name in names]
    last = [max(each.ended for each in pieces if each.worker == name) for name in names]
    return max(first), min(last)


def busy(pieces: Iterable[Piece], workers: int, window: tuple[float, float]) -> float:
    """The share of the workers' time within `window` in which their devices did declared work."""
    begin, end = window
    worked = sum(max(0.0, min(each.ended, end) - max(each.began, begin)) for each in pieces)
    return worked / (workers * (end - begin))


def occupied(pieces: Sequence[Piece], workers: int, window: tuple[float, float]) -> float:
    """The share of the workers' time within `window` in which they had a lecture between its first and last piece."""
    begin, end = window
    spans: dict[str, list[tuple[float, float]]] = {}
    for process in {each.process for each in pieces}:
        own = [each for each in pieces if each.process == process]
        spans.setdefault(own[0].worker, []).append((own[0].began, max(each.ended for each in own)))
    held = 0.0
    for own_spans in spans.values():
        at = begin
        for first, last in sorted(own_spans):
            held += max(0.0, min(last, end) - max(first, at))
            at = max(at, min(last, end))
    return held / (workers * (end - begin))


def idle_by_cause(pieces: Sequence[Piece], window: tuple[float, float]) -> dict[str, float]:
    """Seconds without work within `window`, over all workers, by what stood between which stages.

    "next lecture" is from the last piece of one to the first of the next; a lecture's own gaps are by their stages.
    """
    begin, end = window
    gaps: dict[str, float] = {}
    for name in sorted({each.worker for each in pieces}):
        own = [each for each in pieces if each.worker == name]
        free_from, before = begin, None
        for each in own:
            gap = min(each.began, end) - free_from
            if gap > 0 and before is not None:
                cause = "next lecture" if before.process != each.process else f"{before.stage} - {each.stage}"
                gaps[cause] = gaps.get(cause, 0.0) + gap
            if each.ended >= free_from:
                free_from, before = max(each.ended, begin), each
    return dict(sorted(gaps.items(), key=lambda entry: -entry[1]))
