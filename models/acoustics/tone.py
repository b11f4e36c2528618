"""Room tone: the steady sound of a room in which nobody speaks, made as noise of the pauses' own spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
import numpy.typing as npt

from models.acoustics.levels import Waveform

BANDS = 513
"""How many values a spectrum has, from 0 Hz to half the sampling rate."""
_WINDOW = 2 * (BANDS - 1)
_HOP = _WINDOW // 2
_QUIET_SHARE = 0.2
# The power of noise in a band is exponentially distributed: what its quiet fifth stays under, against its mean.
_QUIET_OF_MEAN = -log(1 - _QUIET_SHARE)


def tone_spectrum(parts: Sequence[Waveform]) -> npt.NDArray[np.float64] | None:
    """The power (full scale squared) in each of `BANDS` bands of what is steady in `parts`; None where all are short.

    Taken from the quiet fifth of every band, so breaths, clicks and notes leave no trace.
    """
    frames = [
        np.abs(np.fft.rfft(part[start : start + _WINDOW] * _window())) ** 2
        for part in parts
        for start in range(0, len(part) - _WINDOW + 1, _HOP)
    ]
    if not frames:
        return None
    quiet = np.quantile(np.array(frames), _QUIET_SHARE, axis=0) if len(frames) > 1 / _QUIET_SHARE else frames[0]
    scale = _QUIET_OF_MEAN if len(frames) > 1 / _QUIET_SHARE else 1.0
    return np.asarray(quiet / scale / np.square(_window()).sum())


def room_tone(spectrum: npt.NDArray[np.float64], length: int, seed: int) -> Waveform:
    """`length` samples of noise with `spectrum` (from `tone_spectrum`, for the same rate); the same for a seed."""
    from scipy.signal import firwin2, oaconvolve

    if length <= 0:
        return np.zeros(0, dtype=np.float32)
    gain = np.sqrt(np.maximum(spectrum, 0.0))
    peak = gain.max()
    if peak <= 0:
        return np.zeros(length, dtype=np.float32)
    taps = firwin2(_WINDOW + 1, np.linspace(0, 1, BANDS), gain / peak) * peak
    noise = np.random.default_rng(seed).standard_normal(length + _WINDOW)
    return np.asarray(oaconvolve(noise, taps, mode="valid"), dtype=np.float32)


def _window() -> npt.NDArray[np.float64]:
    return np.hanning(_WINDOW + 1)[:-1]
