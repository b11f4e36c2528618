"""The face crop that is stored for training, and a mouth's opening as its landmarks tell it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.landmarks.topology import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, kept
from models.lipsync.crop import crop_box
from models.lipsync.resampling import resample
from models.training.shards import MARGIN

Floats = npt.NDArray[np.float32]

# Upper and lower edge of the opening at its middle and to both sides.
_UPPER, _LOWER = tuple(map(kept, (13, 82, 312))), tuple(map(kept, (14, 87, 317)))
_EYES = kept(RIGHT_EYE_OUTER), kept(LEFT_EYE_OUTER)


def stored_box(box: Floats) -> tuple[float, float, float, float]:
    """x, y, width, height of the stored crop for a face's `box` (4,), in pixels: `crop_box` widened by `MARGIN`."""
    x, y, width, height = crop_box(box)
    more = (MARGIN - 1) / 2
    return x - more * width, y - more * height, width * MARGIN, height * MARGIN


def stored_crop(frame: npt.NDArray[np.uint8], box: Floats, size: int) -> npt.NDArray[np.uint8]:
    """The stored crop of the face at `box` in `frame` (H, W, 3): (size, size, 3) uint8."""
    x, y, width, height = stored_box(box)
    return resample(frame, (y, height / size, size), (x, width / size, size))


def in_shares(points: Floats, box: Floats) -> Floats:
    """`points` (N, 2 or more) in pixels of the frame as (N, 2) shares 0..1 of the stored crop for `box`."""
    x, y, width, height = stored_box(box)
    return np.asarray((points[:, :2] - np.array([x, y])) / np.array([width, height]), np.float32)


def mouth_opening(points: Floats) -> Floats:
    """How far the lips are apart, over the distance of the eyes' outer corners: (F,) from `points` (F, 202, 2 or 3).

    `points` are the landmarks `KEPT` in pixels, or in any unit that is the same along both axes.
    """
    flat = points[:, :, :2].astype(np.float64)
    lips = np.linalg.norm(flat[:, _UPPER] - flat[:, _LOWER], axis=2).mean(axis=1)
    eyes = np.linalg.norm(flat[:, _EYES[0]] - flat[:, _EYES[1]], axis=1)
    return np.asarray(lips / np.maximum(eyes, 1e-6), np.float32)
