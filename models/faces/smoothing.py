"""Smoothing over time without lag."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from manifests.time import FLICKS_PER_SECOND

_SIGMAS = 2.0
"""Half the window, in standard deviations of its weights."""


def smooth(times: npt.NDArray[np.int64], values: npt.NDArray[np.float32], window_s: float) -> npt.NDArray[np.float32]:
    """`values` (N, ...) at `times` (N,) flicks, rising, each replaced by a line fitted to what lies within the window.

    The line is fitted with Gaussian weights of standard deviation `window_s` / 4, centred on the time itself (local
    linear regression; Cleveland, 1979), so there is no lag, movement at constant speed stays as it is up to both ends,
    and uneven frame times do no harm. A `window_s` of 0 leaves the values alone.
    """
    if window_s < 0:
        raise ValueError("a window cannot be negative")
    if window_s == 0 or len(times) < 3:
        return np.array(values, np.float32)
    count = len(times)
    at = (times - times[0]) / FLICKS_PER_SECOND
    flat = np.asarray(values, np.float64).reshape(count, -1)
    weight, first, second = np.zeros(count), np.zeros(count), np.zeros(count)
    level, slope = np.zeros_like(flat), np.zeros_like(flat)
    for step in _outwards(at, window_s / 2):
        here = slice(max(0, -step), count - max(0, step))
        there = slice(max(0, step), count - max(0, -step))
        distance = at[there] - at[here]
        near = np.abs(distance) <= window_s / 2
        kernel = np.where(near, np.exp(-0.5 * (2 * _SIGMAS * distance / window_s) ** 2), 0)
        weight[here] += kernel
        first[here] += kernel * distance
        second[here] += kernel * distance**2
        level[here] += kernel[:, None] * flat[there]
        slope[here] += (kernel * distance)[:, None] * flat[there]
    spread = weight * second - first**2
    alone = spread <= 1e-12 * weight**2
    fitted = (second[:, None] * level - first[:, None] * slope) / np.where(alone, 1, spread)[:, None]
    result = np.where(alone[:, None], level / weight[:, None], fitted)
    return result.reshape(np.shape(values)).astype(np.float32)


def _outwards(at: npt.NDArray[np.float64], reach: float) -> list[int]:
    """The index differences, negative ones included, at which some two of the rising times `at` lie within `reach`."""
    furthest = int((np.searchsorted(at, at + reach, side="right") - np.arange(len(at))).max())
    furthest = min(furthest, len(at) - 1)
    return list(range(-furthest, furthest + 1))
