"""Separable resampling between a sub-pixel rectangle of a picture and a grid, in either direction.

Keys' cubic (1981, a = -1/2), widened by the scale where the picture shrinks so that it does not alias. A pixel is a
unit square: pixel i covers i..i + 1. Beyond its edges a picture goes on as its last row or column.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def resample(
    picture: npt.NDArray[np.uint8], rows: tuple[float, float, int], columns: tuple[float, float, int]
) -> Floats:
    """`picture` (H, W, 3) at a grid of rows and columns, (n, m, 3) float32, not clipped to 0..255.

    `rows` and `columns` are (start, step, count): the grid's cell i covers start + i step .. start + (i + 1) step.
    """
    top, vertical = _weights(*rows, picture.shape[0])
    left, horizontal = _weights(*columns, picture.shape[1])
    part = picture[top : top + vertical.shape[1], left : left + horizontal.shape[1]].astype(np.float32)
    squeezed = (vertical @ part.reshape(part.shape[0], -1)).reshape(-1, *part.shape[1:])
    return np.asarray(np.matmul(horizontal, squeezed), np.float32)


def _weights(start: float, step: float, count: int, length: int) -> tuple[int, Floats]:
    """The first pixel that counts, and how much each from it on counts for each cell: (count, pixels)."""
    scale = max(1.0, step)
    centres = start + (np.arange(count) + 0.5) * step
    first = math.floor(centres[0] - 2 * scale - 0.5)
    last = math.ceil(centres[-1] + 2 * scale - 0.5)
    pixels = np.arange(first, last + 1)
    weights = _keys(np.abs(pixels + 0.5 - centres[:, None]) / scale)
    weights /= weights.sum(axis=1, keepdims=True)
    # Pixels beyond the picture repeat its edge, so their weight is the edge pixel's.
    low, high = min(max(first, 0), length - 1), min(max(last, 0), length - 1)
    inside = np.zeros((count, high - low + 1), np.float32)
    before, after = int(np.clip(low - first, 0, len(pixels))), int(np.clip(last - high, 0, len(pixels)))
    if before < len(pixels) - after:
        inside[:] = weights[:, before : len(pixels) - after]
    inside[:, 0] += weights[:, :before].sum(axis=1)
    inside[:, -1] += weights[:, len(pixels) - after :].sum(axis=1)
    return low, inside


def _keys(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
