"""Levels: how loud and how long a finished file is, measured after it was encoded, as a whole and line by line."""

from __future__ import annotations

from dataclasses import dataclass

from infra.media.audio import read_waveform
from infra.media.loudness import measure
from infra.media.probe import picture_span
from infra.store import Store
from manifests.records import Blob
from manifests.time import Span
from models.metrics.loudness import integrated_lufs
from tasks.stage import Stage

_SAMPLE_RATE = 48_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsWork:
    """A finished `file`, whose first audio track is measured, and the spans of its lines on its own clock."""

    file: Blob
    lines: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Loudness of the whole and of each line, and the highest true peak; None where it is silent.

    `picture` is the time from the first frame to the end of the last.
    """

    picture: Span
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    lines: tuple[float | None, ...]


def measure_levels(work: LevelsWork, store: Store) -> Levels:
    """Measure the whole track as a stream, then each line by itself. BadInput where the file has no sound."""
    path = store.path(work.file)
    whole = measure(path)
    # Two channels are mixed down at -3 dB each, so a voice in the middle of them keeps the loudness that a meter gives.
    levels = [
        integrated_lufs(read_waveform(path, sample_rate=_SAMPLE_RATE, span=span), _SAMPLE_RATE) for span in work.lines
    ]
    return Levels(
        picture=picture_span(path),
        loudness_lufs=whole.integrated_lufs,
        true_peak_dbtp=whole.true_peak_dbtp,
        lines=tuple(levels),
    )


LEVELS: Stage[LevelsWork, Levels] = Stage("levels", 1, Levels, measure_levels)
