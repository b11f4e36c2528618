"""Whether the border of what was redrawn can be seen: steps across it that the source does not have there."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Opacities of the mask along whose contours is looked: a soft border may show anywhere between its ends."""

_LEAST_PIXELS = 8
_FLOOR = 1.0
"""Grey levels a pixel that are added to the source's gradient, so that flat skin does not divide by nothing."""


def seam_visibility(source: npt.NDArray[np.uint8], result: npt.NDArray[np.uint8], mask: Floats) -> float:
    """By how much the step across the mask's border exceeds the source's there, over the latter; 0 for no seam.

    `source` and `result` (H, W, 3) RGB, `mask` (H, W) in 0..1, the opacity of what was redrawn. Along the contours of
    five opacities the mean gradient in the mask's direction is compared; the worst contour counts, below 0 is 0.
    ValueError where the mask has no border in the picture.
    """
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)
    across_x, across_y = _gradient(smooth)
    length = np.sqrt(across_x**2 + across_y**2)
    steps = [_step(each, across_x, across_y, length) for each in (source, result)]
    excesses = []
    for level in _LEVELS:
        contour = _contour(mask, level) & (length > 1e-5)
        if np.count_nonzero(contour) >= _LEAST_PIXELS:
            before, after = (float(step[contour].mean()) for step in steps)
            excesses.append((after - before) / (before + _FLOOR))
    if not excesses:
        raise ValueError("the mask has no border in this picture")
    return max(0.0, *excesses)


def soft_mask(changed: npt.NDArray[np.bool_], *, reach_px: float) -> Floats:
    """A mask for a region of which only its pixels are known: 0 outside, 1 from `reach_px` inside its border on.

    Holes in the region (pixels that happen to be alike) are closed first; of several regions the largest counts.
    """
    closed = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(changed.shape, np.uint8)
    if outlines:
        largest = max(outlines, key=cv2.contourArea)
        cv2.drawContours(filled, [largest], -1, 1, thickness=cv2.FILLED)
    inside = cv2.distanceTransform(np.pad(filled, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray(np.clip(inside / max(reach_px, 1.0), 0, 1), np.float32)


def _step(picture: npt.NDArray[np.uint8], across_x: Floats, across_y: Floats, length: Floats) -> Floats:
    """The gradient of the brightness along the mask's, grey levels a pixel."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY).astype(np.float32)
    dx, dy = _gradient(grey)
    return np.asarray(np.abs(dx * across_x + dy * across_y) / np.maximum(length, 1e-6), np.float32)


def _gradient(values: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """Change a pixel to the right and downwards."""
    dx = cv2.Sobel(values, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    dy = cv2.Sobel(values, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.asarray(dx, np.float32), np.asarray(dy, np.float32)


def _contour(mask: Floats, level: float) -> npt.NDArray[np.bool_]:
    """The pixels on either side of where the mask passes `level`."""
    above = (mask >= level).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(cv2.dilate(above, cross) != cv2.erode(above, cross), np.bool_)
