"""How well a mouth that is seen fits a voice that is heard."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def agreement(seen: Floats, heard: Floats, most_lag: int = 3) -> float:
    """The highest correlation, -1..1, of a mouth's opening `seen` (N,) with the one that is `heard` (N,).

    Either may lead by at most `most_lag` frames: sound and picture of a recording are seldom exactly together. 0
    where one of them does not move, or the two are too short to tell (under 12 frames).
    """
    best = 0.0
    for lag in range(-most_lag, most_lag + 1):
        one = seen[max(lag, 0) : len(seen) + min(lag, 0)]
        other = heard[max(-lag, 0) : len(heard) + min(-lag, 0)]
        best = max(best, _correlation(one, other))
    return best


def _correlation(one: Floats, other: Floats) -> float:
    if len(one) < 12:
        return 0.0
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 1e-9 else 0.0
