"""How long a project may take: by what was measured, on this machine where it dubbed before, else on another one."""

from __future__ import annotations

import math
import os
import statistics
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from infra.places import state_folder
from manifests.errors import BadInput
from studio.records import Project
from tasks.runs import RunRecord, read_record

# docs/benchmarks.md: 2.7 times its length for one language with lips on two cores without a GPU, start-up included.
_START_S = 12.0
_SHARED, _SHARED_LOOKING = 0.65, 0.55
_EACH, _EACH_LIPS = 0.95, 0.55
_MEASURED_CORES = 2
_MOST_RECORDS = 30
_ENOUGH_S, _FRESH = 5.0, 0.9
_CHARACTERS_PER_S = 14.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds of work, None where the length of what is to be made is not known; and what it is based on."""

    seconds: float | None
    basis: str


def estimated(project: Project, records: Path | None = None) -> Estimate:
    """How long the project would take if nothing of it was done yet; `records` are those of this machine's runs."""
    length_s = length_of(project)
    if length_s is None:
        return Estimate(None, "its length is not known yet")
    expected = expected_s(
        project.kind == "dub", length_s, max(1, len(project.to)), lips=project.lips != "none", cores=cores()
    )
    ratio, count = pace(project.kind == "dub", records or state_folder() / "runs")
    if count:
        runs = f"{count} earlier run{'s' if count > 1 else ''}"
        return Estimate(round(expected * ratio), f"by {runs} on this machine")
    return Estimate(round(expected), f"by figures from another machine, for {cores()} cores")


def length_of(project: Project) -> float | None:
    """How long what is made will be, in seconds, as far as that is known."""
    if project.kind == "text":
        return len(project.text or "") / _CHARACTERS_PER_S
    return project.audio.duration_s if project.audio is not None else project.source.duration_s


def expected_s(dubs: bool, length_s: float, languages: int, *, lips: bool, cores: int) -> float:  # noqa: FBT001
    """Seconds that making `length_s` in so many languages takes on so many cores, by the measured ratios."""
    shared = (_SHARED if dubs else 0.0) + (_SHARED_LOOKING if lips else 0.0)
    each = (_EACH if dubs else 0.6) + (_EACH_LIPS if lips else 0.0)
    return _START_S + length_s * (shared + each * languages) * math.sqrt(_MEASURED_CORES / cores)


def pace(dubs: bool, folder: Path) -> tuple[float, int]:  # noqa: FBT001
    """How much longer than expected this machine's latest runs took (the median), and how many of them tell."""
    try:
        files = sorted(((entry.stat().st_mtime_ns, entry.path) for entry in os.scandir(folder)), reverse=True)
    except FileNotFoundError:
        return 1.0, 0
    return _pace(dubs, tuple(files[:_MOST_RECORDS]))


@lru_cache(maxsize=8)
def _pace(dubs: bool, files: tuple[tuple[int, str], ...]) -> tuple[float, int]:  # noqa: FBT001
    ratios = [ratio for _, file in files if (ratio := _ratio(Path(file), dubs)) is not None]
    return (statistics.median(ratios), len(ratios)) if ratios else (1.0, 0)


def _ratio(file: Path, dubs: bool) -> float | None:  # noqa: FBT001
    """Of a finished run that did nearly all of its work itself; None for any other."""
    try:
        record = read_record(str(file))
    except (BadInput, OSError):  # of another version of redub
        return None
    return _ratio_of(record) if (record.command == "dub") == dubs else None


def _ratio_of(record: RunRecord) -> float | None:
    fresh = sum(not entry.hit for entry in record.entries) / max(1, len(record.entries))
    if record.outcome != "finished" or fresh < _FRESH or record.source_duration_s < _ENOUGH_S or not record.languages:
        return None
    lips = any(entry.stage == "lips" for entry in record.entries)
    expected = expected_s(
        record.command == "dub", record.source_duration_s, len(record.languages), lips=lips, cores=cores()
    )
    return record.seconds / expected


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
