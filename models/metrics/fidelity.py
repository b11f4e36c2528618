"""How near a picture is to the true one: PSNR, and SSIM (Wang et al., 2004) as scikit-image computes it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""

LEAST_PX = 11
"""The shortest side that SSIM's Gaussian window (sigma 1.5, cut off at 3.5 sigma) fits into."""


def ssim(picture: Picture, reference: Picture) -> float:
    """Structural similarity, 1 for equal pictures; the paper's Gaussian window, averaged over the channels.

    ValueError for pictures of different shapes, or with a side below `LEAST_PX`.
    """
    from skimage.metrics import structural_similarity

    _require_alike(picture, reference)
    if min(picture.shape[:2]) < LEAST_PX:
        raise ValueError(f"SSIM needs sides of {LEAST_PX} px or more, not {picture.shape[:2]}")
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            picture, reference, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )
    )  # fmt: skip


def psnr(picture: Picture, reference: Picture) -> float:
    """Peak signal to noise ratio in dB; infinite for equal pictures. ValueError for different shapes."""
    _require_alike(picture, reference)
    error = float(np.mean((picture.astype(np.float64) - reference) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _require_alike(picture: Picture, reference: Picture) -> None:
    if picture.shape != reference.shape:
        raise ValueError(f"pictures of {picture.shape} and {reference.shape} cannot be compared")
