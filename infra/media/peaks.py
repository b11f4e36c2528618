"""Peaks of a sound, a few dozen a second: what a waveform is drawn from, read as a stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.media.audio import stream_waveform

Peaks = npt.NDArray[np.float32]

_SAMPLE_RATE = 8_000
_BLOCK_S = 60


def read_peaks(path: Path, *, track: int = 0, per_s: float = 50.0) -> Peaks:
    """The highest sample of each of `per_s` columns a second of an audio track, from time 0; 1 is full scale.

    Memory is a minute of sound and four bytes a column. BadInput where the file has no such track or cannot be read.
    ValueError for a `per_s` that is not above 0 and below 8,000.
    """
    if not 0 < per_s < _SAMPLE_RATE:
        raise ValueError(f"columns a second are above 0 and below {_SAMPLE_RATE}, not {per_s}")
    found: list[Peaks] = []
    columns_done = at = 0
    for block in stream_waveform(path, sample_rate=_SAMPLE_RATE, track=track, block=_BLOCK_S * _SAMPLE_RATE):
        first = int(at * per_s / _SAMPLE_RATE)
        columns = ((at + np.arange(len(block))) * (per_s / _SAMPLE_RATE)).astype(np.int64) - first
        highest = np.zeros(int(columns[-1]) + 1, np.float32)
        np.maximum.at(highest, columns, np.abs(block))
        if first < columns_done:  # a column that two blocks share
            found[-1][-1] = max(found[-1][-1], highest[0])
            highest = highest[1:]
        found.append(highest)
        columns_done += len(highest)
        at += len(block)
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def relative(peaks: Peaks) -> Peaks:
    """The same with 1 for the loudest; silence stays silence."""
    loudest = float(peaks.max(initial=0.0))
    return np.asarray(peaks / loudest if loudest > 0 else peaks, np.float32)


def compact(peaks: Peaks) -> bytes:
    """One byte a column, 0 to 255 for the loudest: an hour at 50 a second is 180 kB."""
    return np.rint(relative(peaks) * 255).astype(np.uint8).tobytes()
