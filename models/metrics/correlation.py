"""Whether two mouths open together: Pearson's r."""

from __future__ import annotations

import numpy as np

from models.metrics.mouth import Floats

_STILL = 1e-4
"""A deviation, in eye distances, below which a mouth does not move at all."""


def pearson(left: Floats, right: Floats) -> float:
    """Pearson's r of two curves (F,) on one clock, -1..1; 0 where one of them stands still: it follows nothing.

    ValueError for different lengths or fewer than two frames.
    """
    if left.shape != right.shape or len(left) < 2:
        raise ValueError(f"curves of {left.shape} and {right.shape} frames cannot be correlated")
    a, b = (each.astype(np.float64) - each.mean(dtype=np.float64) for each in (left, right))
    if min(a.std(), b.std()) < _STILL:
        return 0.0
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
