"""Resampling between a sub-pixel rectangle of a picture and a grid, in either direction.

Where the picture grows, a bicubic warp; where it shrinks, a bilinear warp onto a grid that is a whole number of times
finer, averaged over each cell, so that nothing aliases. OpenCV's kernels rather than matrix products: these are small
pictures, for which a BLAS that wakes its threads loses milliseconds on a busy machine.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def resample(
    picture: npt.NDArray[np.uint8], rows: tuple[float, float, int], columns: tuple[float, float, int]
) -> npt.NDArray[np.uint8]:
    """`picture` (H, W, 3) on a grid of rows and columns: (n, m, 3) uint8, none of n and m 0.

    `rows` and `columns` are (start, step, count): cell i of the grid covers start + i step .. start + (i + 1) step,
    where pixel i of the picture covers i .. i + 1. Beyond its edges the picture goes on as its last row or column.
    """
    import cv2

    (top, down, height), (left, across, width) = rows, columns
    finer_y, finer_x = max(1, math.ceil(down)), max(1, math.ceil(across))
    down, across = down / finer_y, across / finer_x
    # To the centre of the picture's pixel, from the centre of the grid's cell.
    to_picture = np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]])
    shrinks = finer_x > 1 or finer_y > 1
    fine = cv2.warpAffine(
        picture,
        to_picture,
        (width * finer_x, height * finer_y),
        flags=(cv2.INTER_LINEAR if shrinks else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA) if shrinks else fine, np.uint8)
