"""Loudness of a stretch of sound by ITU-R BS.1770-4: K-weighted, in blocks of 400 ms that overlap by three quarters.

For a few seconds at a time, where a meter that reads files (`infra.media.loudness`) would be too slow. The coefficients
are the standard's filters worked out for any sampling rate by the bilinear transform (BS.1770-4, tables 1 and 2, give
them for 48 kHz).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_BLOCK_S, _STEP_S = 0.4, 0.1
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_OFFSET = -0.691
_RINGING_S = 0.5


def integrated_lufs(samples: npt.NDArray[np.float32], sample_rate: int) -> float | None:
    """The gated loudness of mono `samples` at `sample_rate` Hz, in LUFS; None where nothing passes the gate.

    A sound shorter than a block is taken as one block.
    """
    if not len(samples):
        return None
    weighted = k_weighted(samples, sample_rate)
    size, step = min(round(_BLOCK_S * sample_rate), len(samples)), round(_STEP_S * sample_rate)
    sums = np.concatenate([[0.0], np.cumsum(weighted**2)])
    starts = np.arange(0, len(samples) - size + 1, step)
    power = (sums[starts + size] - sums[starts]) / size
    gated = power[_lufs(power) > _ABSOLUTE_GATE_LUFS]
    if not len(gated):
        return None
    gated = gated[_lufs(gated) > float(_lufs(gated.mean())) + _RELATIVE_GATE_LU]
    return float(_lufs(gated.mean()))


def k_weighted(samples: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float64]:
    """Mono `samples` as the ear weighs them, float64, as many.

    Filtered by way of the spectrum, with silence behind it for the filters to ring out in: the recursive form needs
    scipy.signal, whose import alone takes longer than a chunk's speech takes here.
    """
    length = len(samples) + round(_RINGING_S * sample_rate)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(length))
    spectrum = np.fft.rfft(samples.astype(np.float64), length)
    for section in _k_weighting(sample_rate):
        spectrum *= np.polyval(section[2::-1], turn) / np.polyval(section[:2:-1], turn)
    return np.asarray(np.fft.irfft(spectrum, length)[: len(samples)])


def _lufs(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(_OFFSET + 10 * np.log10(np.maximum(power, 1e-12)))


def _k_weighting(sample_rate: int) -> npt.NDArray[np.float64]:
    """A high shelf for the head, then a high pass, as second-order sections (2, 6)."""
    gain, quality, centre = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k = math.tan(math.pi * centre / sample_rate)
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    scale = 1 + k / quality + k * k
    shelf = [
        (high + band * k / quality + k * k) / scale,
        2 * (k * k - high) / scale,
        (high - band * k / quality + k * k) / scale,
        1.0,
        2 * (k * k - 1) / scale,
        (1 - k / quality + k * k) / scale,
    ]
    quality, centre = 0.5003270373238773, 38.13547087602444
    k = math.tan(math.pi * centre / sample_rate)
    scale = 1 + k / quality + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]
    return np.array([shelf, high_pass])
