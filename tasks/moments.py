"""Moments and spans: which of many frame times fall where, and the stretches in which a flag holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from manifests.time import Span


def within(times: npt.NDArray[np.int64], spans: Sequence[Span]) -> npt.NDArray[np.bool_]:
    """Which of `times` (N,) flicks lie in any of `spans`, (N,)."""
    inside = np.zeros(len(times), np.bool_)
    for span in spans:
        inside |= (times >= span.start) & (times < span.end)
    return inside


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The stretches, first and end (half-open), in which `flags` (N,) holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]
