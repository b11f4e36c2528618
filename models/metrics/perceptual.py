"""LPIPS of pictures as arrays (see `models.perceptual.lpips`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SIDE_PX = 128
"""Pictures are brought to this square first, so that faces of every size are judged at one scale."""

_BATCH = 8


def lpips(pictures: Sequence[npt.NDArray[np.uint8]], references: Sequence[npt.NDArray[np.uint8]]) -> list[float]:
    """The distance of each picture (H, W, 3) RGB from its reference; 0 for equal ones.

    MissingWeights where "lpips-vgg" is not on this machine.
    """
    import torch

    from models.perceptual import load_lpips

    measure = load_lpips()
    distances: list[float] = []
    with torch.inference_mode():
        for start in range(0, len(pictures), _BATCH):
            left, right = (
                torch.from_numpy(np.stack([_square(each) for each in some[start : start + _BATCH]])).permute(0, 3, 1, 2)
                for some in (pictures, references)
            )
            distances += measure(left.float() / 255, right.float() / 255).tolist()
    return distances


def _square(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    import cv2

    shrinking = min(picture.shape[:2]) > SIDE_PX
    how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), (SIDE_PX, SIDE_PX), interpolation=how), np.uint8)
