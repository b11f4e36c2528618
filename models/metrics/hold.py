"""The baseline that every engine must beat: the speaker's own closed mouth, held, whatever is said."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models.faces.geometry import similarity
from models.landmarks import topology
from models.metrics.mouth import Floats

_DRAWN = [topology.kept(point) for point in (*topology.LIPS_OUTER, *topology.CHIN_AREA)]
_STABLE = list(range(topology.KEPT_STABLE.start, topology.KEPT_STABLE.stop))
_SOFT = 0.06
"""Width of the mask's soft border as a share of the face's width."""


def hold_mouth(
    frame: npt.NDArray[np.uint8], points: Floats, closed: npt.NDArray[np.uint8], closed_points: Floats
) -> npt.NDArray[np.uint8]:
    """A copy of `frame` (H, W, 3) with mouth and chin of the frame `closed`, brought over by the stable points.

    `points` and `closed_points` (202, 3) are the landmarks of the two. Beyond a soft hull of lips and chin the pixels
    are those of `frame`.
    """
    height, width = frame.shape[:2]
    to_frame = similarity(closed_points[_STABLE, :2], points[_STABLE, :2])
    moved = cv2.warpAffine(closed, to_frame, (width, height), borderMode=cv2.BORDER_REPLICATE)
    both = np.concatenate([points[_DRAWN, :2], closed_points[_DRAWN, :2] @ to_frame[:, :2].T + to_frame[:, 2]])
    soft = max(1.0, _SOFT * float(np.ptp(points[:, 0])))
    hull = np.zeros((height, width), np.float32)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(both).astype(np.int32)), 1.0)
    mask = cv2.GaussianBlur(hull, (0, 0), soft / 2)[..., None]
    mask = np.where(mask < 0.02, 0, mask)
    return np.asarray(np.rint(frame + mask * (moved.astype(np.float32) - frame)), np.uint8)
