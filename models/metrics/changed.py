"""Which pixels of a frame are no longer the source's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def changed_pixels(
    source: npt.NDArray[np.uint8], result: npt.NDArray[np.uint8], *, tolerance: int = 0
) -> npt.NDArray[np.bool_]:
    """(H, W): where any channel differs by more than `tolerance` levels. ValueError for frames of different shapes.

    0 is for frames that were kept without loss; a lossy codec alone moves most pixels by a few levels.
    """
    if source.shape != result.shape:
        raise ValueError(f"frames of {source.shape} and {result.shape} cannot be compared")
    apart = np.maximum(source, result) - np.minimum(source, result)
    return np.asarray((apart > tolerance).any(axis=2))


def share_changed_outside(changed: npt.NDArray[np.bool_], allowed: npt.NDArray[np.bool_]) -> float:
    """The share of the pixels outside `allowed` (H, W) that are `changed` (H, W); 0 where all are the source's."""
    outside = ~allowed
    count = np.count_nonzero(outside)
    return float(np.count_nonzero(changed & outside) / count) if count else 0.0
