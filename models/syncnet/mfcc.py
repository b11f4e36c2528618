"""The 13 mel-frequency cepstral coefficients at 100 Hz that SyncNet was trained on.

Davis and Mermelstein (1980) as parametrised by the package `python_speech_features` that the release used: frames of
25 ms with no window function, pre-emphasis 0.97, a 512-point power spectrum, 26 triangles from 0 to 8 kHz whose corners
are whole bins, orthonormal DCT-II, sinusoidal lifter of 22, the first coefficient replaced by the log energy.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
FRAME = 400
HOP = 160
FFT_SIZE = 512
TRIANGLES = 26
COEFFICIENTS = 13
LIFTER = 22
PREEMPHASIS = 0.97

_EPSILON = np.finfo(np.float64).eps
_BLOCK_FRAMES = 8192


def mfcc(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """`samples` (mono, `SAMPLE_RATE` Hz, 16-bit) as (T, 13) float32, one row every 10 ms.

    The scale matters: the network expects the energy of 16-bit samples, not of samples in -1..1. The last frame is
    filled with silence; sound shorter than a frame gives one row.
    """
    count = 1 + max(0, -(-(len(samples) - FRAME) // HOP))
    padded = np.zeros((count - 1) * HOP + FRAME, np.float64)
    body = padded[: len(samples)]
    body[:] = samples
    body[1:] -= PREEMPHASIS * samples[:-1].astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    rows = [_coefficients(frames[start : start + _BLOCK_FRAMES]) for start in range(0, count, _BLOCK_FRAMES)]
    return np.concatenate(rows).astype(np.float32)


def _coefficients(frames: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    power = np.abs(np.fft.rfft(frames, FFT_SIZE)) ** 2 / FFT_SIZE
    energy = power.sum(axis=1)
    bands = power @ _filters().T
    coefficients = np.log(np.where(bands == 0, _EPSILON, bands)) @ _liftered_dct().T
    coefficients[:, 0] = np.log(np.where(energy == 0, _EPSILON, energy))
    return np.asarray(coefficients)


@cache
def _filters() -> npt.NDArray[np.float64]:
    """(26, 257) triangles, evenly spaced in mel = 2595 log10(1 + Hz / 700)."""
    edges_mel = np.linspace(0, 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700), TRIANGLES + 2)
    edges = np.floor((FFT_SIZE + 1) * 700 * (10 ** (edges_mel / 2595) - 1) / SAMPLE_RATE)
    bins = np.arange(FFT_SIZE // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.asarray(np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))))


@cache
def _liftered_dct() -> npt.NDArray[np.float64]:
    """(13, 26): the first rows of the orthonormal DCT-II, each times its lifter."""
    row, column = np.arange(COEFFICIENTS)[:, None], np.arange(TRIANGLES)
    basis = np.cos(np.pi * row * (2 * column + 1) / (2 * TRIANGLES)) * np.sqrt(2 / TRIANGLES)
    basis[0] /= np.sqrt(2)
    return np.asarray(basis * (1 + LIFTER / 2 * np.sin(np.pi * row / LIFTER)))
