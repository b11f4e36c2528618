"""Putting a drawn face back: only the mouth's region, with soft edges, in the colours of the skin around it.

The region is a superellipse inside the lower half of the crop, from below the eyes' half down to the chin and
narrower than the face, so that hair, ears and background stay the source's.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from models.lipsync.crop import crop_box
from models.lipsync.resampling import resample

Floats = npt.NDArray[np.float32]

# The region in shares of the crop: its centre, and half its width and height.
_CENTRE_X, _CENTRE_Y = 0.5, 0.74
_HALF_WIDTH, _HALF_HEIGHT = 0.36, 0.24
_POWER = 2.5
_OPAQUE = 0.3
"""Level of the superellipse (0 at its centre, 1 at its rim) up to which the drawn face alone shows."""
_RING = 1.25
"""Level up to which, from `_OPAQUE` on, the colours of source and drawn face are compared."""

_GAIN_RANGE = (0.8, 1.25)
_MAX_SHIFT = 24.0
"""Bounds of the match of contrast and of brightness: what differs more is no difference of light."""
_LEAST_RING_PIXELS = 32


def mask_bounds(box: npt.NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 (half-open) of the pixels that `paste_face` may change, within a picture of `width` x `height`.

    `box` (4,) is the face's x, y, width, height, the one that the face was cropped by. Outside the picture the
    rectangle is empty: x0 == x1 or y0 == y1.
    """
    return _bounds(box, width, height, 1.0)


def paste_face(
    frame: npt.NDArray[np.uint8], box: npt.NDArray[np.float32], face: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """A copy of `frame` (H, W, 3) uint8 that shows the mouth of `face` (S, S, 3) uint8.

    `box` (4,) is the one that `crop_face` was given for the crop from which `face` was drawn. The same arguments give
    the same pixels. Pixels outside the mask, so all outside `mask_bounds`, are the source's.
    """
    changed = frame.copy()
    height, width = frame.shape[:2]
    # The ring of skin that the colours are matched to reaches further than the mask.
    x0, y0, x1, y1 = _bounds(box, width, height, _RING ** (1 / _POWER))
    if x0 == x1 or y0 == y1:
        return changed
    level = _levels(box, (x0, y0, x1, y1))
    opacity = _opacity(level)
    source = frame[y0:y1, x0:x1].astype(np.float32)
    drawn = _placed(face, box, (x0, y0, x1, y1))
    drawn = _matched(drawn, source, (level > _OPAQUE) & (level < _RING))
    blended = source + opacity[:, :, None] * (drawn - source)
    changed[y0:y1, x0:x1] = np.clip(np.rint(blended), 0, 255)
    return changed


def mask(box: npt.NDArray[np.float32], width: int, height: int) -> Floats:
    """How much of the drawn face shows at each pixel of a picture of `width` x `height`, (H, W) float32 in 0..1."""
    whole = np.zeros((height, width), np.float32)
    x0, y0, x1, y1 = mask_bounds(box, width, height)
    whole[y0:y1, x0:x1] = _opacity(_levels(box, (x0, y0, x1, y1)))
    return whole


def _bounds(box: npt.NDArray[np.float32], width: int, height: int, reach: float) -> tuple[int, int, int, int]:
    x, y, crop_width, crop_height = crop_box(box)
    half_width, half_height = _HALF_WIDTH * reach, _HALF_HEIGHT * reach
    x0 = math.floor(x + (_CENTRE_X - half_width) * crop_width)
    x1 = math.ceil(x + (_CENTRE_X + half_width) * crop_width)
    y0 = math.floor(y + (_CENTRE_Y - half_height) * crop_height)
    y1 = math.ceil(y + (_CENTRE_Y + half_height) * crop_height)
    x0, y0 = min(max(x0, 0), width), min(max(y0, 0), height)
    return x0, y0, min(max(x1, x0), width), min(max(y1, y0), height)


def _levels(box: npt.NDArray[np.float32], bounds: tuple[int, int, int, int]) -> Floats:
    """The superellipse's level at the centres of the pixels in `bounds`: 1 on its rim, more outside."""
    x, y, width, height = crop_box(box)
    x0, y0, x1, y1 = bounds
    across = ((np.arange(x0, x1) + 0.5 - x) / width - _CENTRE_X) / _HALF_WIDTH
    down = ((np.arange(y0, y1) + 0.5 - y) / height - _CENTRE_Y) / _HALF_HEIGHT
    level: Floats = np.add.outer(np.abs(down) ** _POWER, np.abs(across) ** _POWER).astype(np.float32)
    return level


def _opacity(level: Floats) -> Floats:
    """1 inside, falling smoothly to 0 at the rim."""
    inwards = np.clip((1 - level) / np.float32(1 - _OPAQUE), 0, 1)
    return np.asarray(inwards * inwards * (3 - 2 * inwards))


def _placed(face: npt.NDArray[np.uint8], box: npt.NDArray[np.float32], bounds: tuple[int, int, int, int]) -> Floats:
    """`face` as it falls on the pixels in `bounds`."""
    x, y, width, height = crop_box(box)
    x0, y0, x1, y1 = bounds
    down, across = face.shape[0] / height, face.shape[1] / width
    placed = resample(face, ((y0 - y) * down, down, y1 - y0), ((x0 - x) * across, across, x1 - x0))
    return placed.astype(np.float32)


def _matched(drawn: Floats, source: Floats, ring: npt.NDArray[np.bool_]) -> Floats:
    """`drawn` with mean and spread over `ring` moved to those of `source` (Reinhard et al., 2001), within bounds."""
    import cv2

    if np.count_nonzero(ring) < _LEAST_RING_PIXELS:
        return drawn
    where = ring.astype(np.uint8)
    mean, spread = (statistic.ravel() for statistic in cv2.meanStdDev(drawn, mask=where))
    wanted_mean, wanted_spread = (statistic.ravel() for statistic in cv2.meanStdDev(source, mask=where))
    gain = np.clip(wanted_spread / np.maximum(spread, 1.0), *_GAIN_RANGE).astype(np.float32)
    shift = mean + np.clip(wanted_mean - mean, -_MAX_SHIFT, _MAX_SHIFT) - mean * gain
    return np.asarray(drawn * gain + shift.astype(np.float32))
