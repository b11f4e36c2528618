"""Sample strips: what the generator was shown, what it drew, and what was true, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def strips(columns: Sequence[Bytes]) -> Bytes:
    """Pictures BGR, one array (n, S, S, 3) a column, as one (n * S, columns * S, 3) RGB sheet, a strip a row."""
    sheet = np.concatenate([np.concatenate(list(column)) for column in columns], axis=1)
    return np.ascontiguousarray(sheet[:, :, ::-1])


def masked(faces: Bytes) -> Bytes:
    """`faces` (n, S, S, 3) as the generator is shown them: the lower half black."""
    hidden = faces.copy()
    hidden[:, faces.shape[1] // 2 :] = 0
    return hidden
