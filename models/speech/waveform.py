"""What is done to a spoken waveform before it leaves: silence at its ends cut, parts joined, peak kept within 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Waveform = npt.NDArray[np.float32]

EDGE_S = 0.04
"""Silence left before and after speech, in seconds: enough for a soft onset below the threshold to be kept."""

SILENCE_DB = -42.0
"""A window this far below the loudest one is silence, in dB: below the softest consonants, above the vocoders' hiss."""

_WINDOW_S = 0.005


def trim(waveform: Waveform, sample_rate: int, *, edge_s: float = EDGE_S) -> Waveform:
    """`waveform` (mono, -1..1) without the silence before and after, but for `edge_s` seconds where there were so many.

    Silence is judged in windows of 5 ms against the loudest one. A waveform of nothing but silence becomes empty.
    """
    window = max(1, round(_WINDOW_S * sample_rate))
    power = window_power(waveform, window)
    if power.size == 0 or power.max() <= 0:
        return waveform[:0]
    loud = np.flatnonzero(power > power.max() * 10 ** (SILENCE_DB / 10))
    edge = int(edge_s * sample_rate)
    start = max(0, int(loud[0]) * window - edge)
    end = min(len(waveform), (int(loud[-1]) + 1) * window + edge)
    return waveform[start:end]


def window_power(waveform: Waveform, window: int) -> npt.NDArray[np.float64]:
    """Mean square of each `window` samples; the last window is padded with silence."""
    count = -(-len(waveform) // window)
    padded = np.zeros(count * window, np.float64)
    padded[: len(waveform)] = waveform
    mean: npt.NDArray[np.float64] = np.square(padded).reshape(count, window).mean(axis=1)
    return mean


def join(parts: Sequence[Waveform], pauses_s: Sequence[float], sample_rate: int) -> Waveform:
    """`parts` one after another, `pauses_s[i]` seconds of silence after part i; the last pause is not used."""
    pieces: list[Waveform] = []
    for index, part in enumerate(parts):
        if index:
            pieces.append(np.zeros(round(pauses_s[index - 1] * sample_rate), np.float32))
        pieces.append(part)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def within_peak(waveform: Waveform) -> Waveform:
    """`waveform` scaled down where its peak is above 1, as it is elsewhere."""
    peak = float(np.abs(waveform).max(initial=0.0))
    return waveform if peak <= 1.0 else (waveform / np.float32(peak)).astype(np.float32)
