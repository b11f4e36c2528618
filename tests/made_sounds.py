"""Sounds whose properties are known: a voice of syllables, noise, a room."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]


def syllables(length: int, sample_rate: int, *, level: float = 0.1, seed: int = 1, whispered: bool = False) -> Sound:
    """A buzz that opens and closes some four times a second, unevenly, down to nothing between; `level` RMS.

    `whispered`: noise in place of the buzz.
    """
    random = np.random.default_rng(seed)
    at = np.arange(length) / sample_rate
    buzz = sum(np.sin(2 * np.pi * 120 * k * at + k) / k for k in range(1, 20))
    if whispered:
        buzz = random.standard_normal(length)
    opened = np.zeros(length)
    start = 0
    while start < length:
        size = int(sample_rate * random.uniform(0.12, 0.3))
        shape = np.hanning(size)[: length - start]
        opened[start : start + size] = shape**2 * random.uniform(0.5, 1)
        start += size + int(sample_rate * random.uniform(0.02, 0.1))
    voice = buzz * opened
    return np.asarray(level * voice / voice.std(), dtype=np.float32)


def noise(length: int, level: float, *, seed: int = 2) -> Sound:
    return np.asarray(level * np.random.default_rng(seed).standard_normal(length), dtype=np.float32)


def in_a_room(sound: Sound, sample_rate: int, rt60_s: float, direct_db: float) -> Sound:
    """`sound` with a tail of plain decaying noise, made otherwise than `models.acoustics.room` makes it."""
    from scipy.signal import fftconvolve

    at = np.arange(int(1.2 * rt60_s * sample_rate)) / sample_rate
    tail = np.random.default_rng(3).standard_normal(len(at)) * np.exp(-6.91 * at / rt60_s)
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    return np.asarray(fftconvolve(sound, tail)[: len(sound)], dtype=np.float32)
