"""Where the generator looks: from a face's box to the square picture that it takes.

Wav2Lip was trained on S3FD's boxes, which end at the chin; its release adds 10 pixels below so that a falling jaw
stays inside. Here that margin is a share of the face's height, so a face gets the same framing at every size. The
crop is squeezed to a square whatever the box's proportions, as in the release.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.lipsync.resampling import resample

CHIN_MARGIN = 0.05
"""Share of the box's height that is added below it: 10 pixels for a face of 200."""


def crop_box(box: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    """x, y, width, height of the crop for a face's `box` (4,) x, y, width, height; both in pixels of the picture.

    The crop may reach beyond the picture. ValueError for a box that is not finite or has no area.
    """
    x, y, width, height = (float(value) for value in box)
    if not np.isfinite((x, y, width, height)).all() or width <= 0 or height <= 0:
        raise ValueError(f"not the box of a face: {box}")
    return x, y, width, height * (1 + CHIN_MARGIN)


def crop_face(frame: npt.NDArray[np.uint8], box: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.uint8]:
    """The face in `frame` (H, W, 3) uint8 as (size, size, 3) uint8; `box` (4,) is the face's x, y, width, height.

    Sub-pixel and free of aliasing, so a smoothed track gives a steady crop. Where it reaches beyond the picture, the
    picture's edge goes on.
    """
    x, y, width, height = crop_box(box)
    return resample(frame, (y, height / size, size), (x, width / size, size))
