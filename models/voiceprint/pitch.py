"""How high a voice is: the fundamental frequency by YIN (de Cheveigne and Kawahara 2002), all frames at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.voiceprint.contract import SAMPLE_RATE, Floats

LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
_HOP = SAMPLE_RATE // 100
_WINDOW = 512  # 32 ms: two periods of a low man's voice
_LONGEST = int(SAMPLE_RATE / LOWEST_HZ) + 1
_SHORTEST = int(SAMPLE_RATE / HIGHEST_HZ)
_DIP = 0.15
"""The first dip of the difference below this is the period: a later one is a multiple of it."""
_RANGE_DB = 25.0
_SILENT = 1e-4
_LEAST_VOICED = 8
"""Frames: of fewer than these no pitch is told."""
_BLOCK = 2_000


@dataclass(frozen=True, slots=True)
class Pitch:
    """The median fundamental frequency in Hz, None where hardly anything is voiced, and the seconds that are."""

    median_hz: float | None
    voiced_s: float


def median_pitch(waveform: Floats) -> Pitch:
    """The pitch of `waveform` (n,), mono at `SAMPLE_RATE`; by the median, so that some wrong frames do not matter."""
    found = pitches(waveform)
    found = found[np.isfinite(found)]
    voiced_s = len(found) * _HOP / SAMPLE_RATE
    return Pitch(float(np.median(found)) if len(found) >= _LEAST_VOICED else None, voiced_s)


def pitches(waveform: Floats) -> Floats:
    """The fundamental frequency of every hundredth of a second, Hz, NaN where nothing is voiced: (frames,)."""
    length = _WINDOW + _LONGEST
    if len(waveform) < length:
        return np.zeros(0, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, length)[::_HOP]
    level = np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1))
    loud = level > max(float(np.percentile(level, 98)) * 10 ** (-_RANGE_DB / 20), _SILENT)
    found = np.full(len(frames), np.nan, np.float32)
    at = np.flatnonzero(loud)
    for first in range(0, len(at), _BLOCK):  # an hour of speech at once would not fit into memory
        block = at[first : first + _BLOCK]
        found[block] = _pitches(frames[block].astype(np.float64))
    return found


def _pitches(frames: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Floats:
    """YIN over `frames` (N, window + longest lag): (N,) Hz or NaN."""
    size = 1 << int(np.ceil(np.log2(frames.shape[1] + _WINDOW)))
    spectrum = np.fft.rfft(frames, size)
    # The first window against the same one later, for every lag at once.
    products = np.fft.irfft(np.conj(np.fft.rfft(frames[:, :_WINDOW], size)) * spectrum, size)[:, : _LONGEST + 1]
    energy = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    later = energy[:, _WINDOW : _WINDOW + _LONGEST + 1] - energy[:, : _LONGEST + 1]
    difference = later[:, :1] + later - 2 * products
    difference[:, 0] = 0
    lags = np.arange(_LONGEST + 1)
    normal = difference * lags / np.maximum(np.cumsum(difference, axis=1), 1e-12)
    normal[:, :_SHORTEST] = 1.0

    # The first local minimum below the threshold; none: unvoiced.
    lower = normal[:, 1:-1]
    dip = (lower < _DIP) & (lower <= normal[:, :-2]) & (lower < normal[:, 2:])
    voiced = dip.any(axis=1)
    lag = dip.argmax(axis=1) + 1
    rows = np.arange(len(frames))
    before, here, after = normal[rows, lag - 1], normal[rows, lag], normal[rows, np.minimum(lag + 1, _LONGEST)]
    bend = before - 2 * here + after
    shift = np.where(bend > 1e-9, 0.5 * (before - after) / np.maximum(bend, 1e-9), 0.0)
    return np.where(voiced, SAMPLE_RATE / (lag + np.clip(shift, -0.5, 0.5)), np.nan).astype(np.float32)
