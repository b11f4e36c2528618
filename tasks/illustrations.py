"""What a report shows beside its figures: stills of source and dub, and how loud each is from moment to moment.

Everything is taken from the finished files, so a report can be illustrated again as long as they are there. How much
is taken does not grow with the lecture.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from infra.media.audio import require_sound
from infra.media.frames import frames_at
from infra.media.peaks import Peaks, read_peaks, relative
from infra.media.pixels import Rgb
from manifests.clock import HeldClock
from manifests.errors import BadInput
from manifests.report import DubReport, LineReport
from manifests.time import Flicks, seconds
from tasks.report import concern

STILLS = 12
STILLS_UNCHANGED = 4
"""At most so many, and of them so many where no mouth was changed: those show that nothing else was."""
STILL_PX = 480
_JPEG_QUALITY = 78

_COLUMNS_PER_S = 16.0
_MOST_COLUMNS = 48_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """The picture in the middle of a line, `at` on the dub's clock: `source` and `dub` are JPEGs, None if absent."""

    line: str
    at: Flicks
    source: bytes | None
    dub: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Illustrations:
    """`source` and `dub` (N,) float32 are peaks 0..1, `per_s` a second, from the dub's time 0; empty if not there."""

    stills: tuple[Still, ...] = ()
    per_s: float = _COLUMNS_PER_S
    source: Peaks = field(default_factory=lambda: np.zeros(0, np.float32))
    dub: Peaks = field(default_factory=lambda: np.zeros(0, np.float32))


Shoot = Callable[[Path, Sequence[Flicks]], Sequence[bytes]]
"""Takes the frames of a file that are on show at some times, each as a JPEG."""

Trace = Callable[[Path, int, float], Peaks]
"""Gives the peaks of an audio track of a file, so many a second, 1 for the loudest; empty where there is none."""


def illustrate(
    report: DubReport,
    dub: Path | None,
    source: Path | None,
    *,
    shoot: Shoot | None = None,
    trace: Trace | None = None,
) -> Illustrations:
    """Stills of both files, and peaks of the first two audio tracks of `dub`: the dubbed voice and the original.

    Either may be None where it is gone: what it would have shown is left out. `shoot` and `trace` may know what was
    taken before. BadInput for a file that cannot be read.
    """
    clock, shoot, trace = HeldClock(report.holds), shoot or shoot_stills, trace or trace_sound
    lines = lines_to_show(report)
    middles = [_middle(line) for line in lines]
    # One after the other: of a long file each open one takes tens of megabytes for its index.
    dubbed = shoot(dub, middles) if dub else None
    filmed = shoot(source, [clock.source_time(at) for at in middles]) if source else None
    stills = tuple(
        Still(
            line=line.id,
            at=middles[place],
            source=filmed[place] if filmed else None,
            dub=dubbed[place] if dubbed else None,
        )
        for place, line in enumerate(lines)
    )
    if dub is None:
        return Illustrations(stills=stills)
    per_s = min(_COLUMNS_PER_S, _MOST_COLUMNS / max(seconds(clock.dub_span(report.span).end), 1.0))
    return Illustrations(stills=stills, per_s=per_s, source=trace(dub, 1, per_s), dub=trace(dub, 0, per_s))


def lines_to_show(report: DubReport) -> Sequence[LineReport]:
    """The lines worth a still, in their order: of those with new lips, then of the others, what most wants a look."""
    clock = HeldClock(report.holds)
    ranked = sorted(
        (line for line in report.lines if line.spoken),
        key=lambda line: (*(-each for each in concern(line)), line.source_span.start),
    )
    changed: list[LineReport] = []
    others: list[LineReport] = []
    for line in ranked:
        middle = clock.source_time(_middle(line))
        (changed if any(middle in span for span in report.changed) else others).append(line)
    shown = changed[: STILLS - min(len(others), STILLS_UNCHANGED)] + others[:STILLS_UNCHANGED]
    return sorted(shown, key=lambda line: line.dub_span)


def _middle(line: LineReport) -> Flicks:
    return (line.dub_span.start + line.dub_span.end) // 2


def shoot_stills(path: Path, times: Sequence[Flicks]) -> list[bytes]:
    """The frames of `path` that are on show at `times`, small, as JPEGs. BadInput for a file that cannot be read."""
    return [_jpeg(picture) for _, picture in frames_at(path, times, width=STILL_PX)]


def trace_sound(path: Path, track: int, per_s: float) -> Peaks:
    """The peaks of an audio track of `path`, 1 for the loudest; empty where it has no such track."""
    return relative(read_peaks(path, track=track, per_s=per_s)) if _has_track(path, track) else np.zeros(0, np.float32)


def _has_track(path: Path, track: int) -> bool:
    try:
        require_sound(path, track)
    except BadInput:
        return False
    return True


def _jpeg(picture: Rgb) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return file.getvalue()
