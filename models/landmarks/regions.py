"""Where to look for a face's landmarks: from a detector's box and eyes, or from the frame before."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from models.landmarks.contract import Points, Region
from models.landmarks.topology import LEFT_EYE_OUTER, RIGHT_EYE_OUTER

MARGIN = 1.5
"""Side of the region over the longer side of the face in it, as in MediaPipe's own pipeline."""


def region_of_box(box: npt.NDArray[np.float32], landmarks: npt.NDArray[np.float32] | None = None) -> Region:
    """The region for a detected face: `box` (4,) x, y, width, height; `landmarks` (5, 2) eyes first, where known."""
    x, y, width, height = (float(value) for value in box)
    angle = 0.0
    if landmarks is not None and np.isfinite(landmarks[:2]).all():
        (right_x, right_y), (left_x, left_y) = landmarks[:2].astype(float)
        angle = math.atan2(left_y - right_y, left_x - right_x)
    return Region(centre_x=x + width / 2, centre_y=y + height / 2, side_px=MARGIN * max(width, height), angle_rad=angle)


def region_of_points(points: Points) -> Region:
    """The region for a face whose mesh was just found, for the next frame or a second, nearer look."""
    dx, dy = (points[LEFT_EYE_OUTER] - points[RIGHT_EYE_OUTER])[:2].astype(float)
    angle = math.atan2(dy, dx)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    upright = points[:, :2].astype(np.float64) @ turn.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    centre = turn.T @ ((low + high) / 2)
    return Region(
        centre_x=float(centre[0]),
        centre_y=float(centre[1]),
        side_px=MARGIN * float((high - low).max()),
        angle_rad=angle,
    )
