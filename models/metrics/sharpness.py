"""How sharp a picture is: the variance of its Laplacian (Pech-Pacheco et al., ICPR 2000)."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def sharpness(picture: npt.NDArray[np.uint8]) -> float:
    """The variance of the Laplacian of the brightness of `picture` (H, W, 3) RGB; 0 for a flat one.

    It grows with the picture's contrast and with its size, so it means something only over that of another picture of
    the same region at the same size.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey.astype(np.float32), cv2.CV_32F).var())
