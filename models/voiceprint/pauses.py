"""Leaving out what is not voice, so that a voice print is of the voice and not of the room."""

from __future__ import annotations

import numpy as np

from models.voiceprint.contract import SAMPLE_RATE, Floats

_FRAME = SAMPLE_RATE // 100
_RANGE_DB = 30.0
_KEPT = 5
"""Frames that are kept on either side of sound: consonants are soft."""
_SILENT = 1e-5


def without_pauses(waveform: Floats) -> Floats:
    """What of `waveform` (n,) is within 30 dB of its loudest hundredths of a second, with 50 ms around it."""
    count = len(waveform) // _FRAME
    if count == 0:
        return waveform[:0]
    frames = waveform[: count * _FRAME].reshape(count, _FRAME)
    level = np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1))
    loudest = float(np.percentile(level, 98))  # a click is no measure of a voice
    sounding = level > max(loudest * 10 ** (-_RANGE_DB / 20), _SILENT)
    kept = np.convolve(sounding, np.ones(2 * _KEPT + 1), mode="same") > 0.5
    return np.asarray(frames[kept[:count]].reshape(-1), np.float32)
