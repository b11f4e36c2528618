"""Whether the lips close on p, b and m: the sounds that cannot be made with an open mouth.

A word's letters stand for its sounds, spread evenly over its time: a rule of thumb for English that needs no
pronouncing dictionary. Silent letters (lamb, psalm, debt) and ph are left out, doubled letters count once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from manifests.records import Word
from manifests.time import Span, flicks
from models.metrics.mouth import Floats

_SLACK_S = 0.08
"""By how much a closure may come before or after its letter's share of the word."""

_SILENT = re.compile(r"^p(?=[nst])|p(?=h)|(?<=m)b(?=$|s$|ing$|ed$)|b(?=t$|ts$|ted$)|^m(?=n)")

_CLOSED_PERCENTILE, _OPEN_PERCENTILE = 5, 95
_SHARE_OF_RANGE, _LEAST_RANGE = 0.2, 0.02


def closure_windows(words: Iterable[Word]) -> list[Span]:
    """Where the lips should meet: a window for each p, b and m of `words`, within its word give or take 80 ms."""
    windows = []
    for word in words:
        letters = re.sub(r"[^a-z]", "", word.text.lower())
        silent = {match.start() for match in _SILENT.finditer(letters)}
        at = 0
        for letter, run in groupby(letters):
            length = len(list(run))
            if letter in "pbm" and not silent & set(range(at, at + length)):
                share = word.span.duration / len(letters)
                start, end = (round(word.span.start + share * place) for place in (at, at + length))
                windows.append(Span(start, end).widen(flicks(_SLACK_S)))
            at += length
    return windows


def closed_threshold(opening: Floats) -> float:
    """The inner-lip opening, in eye distances, below which this speaker's mouth counts as closed.

    `opening` (F,) is of the speaker's own video: its lowest twentieth is the closed mouth, and a fifth of the range up
    to the widest twentieth (at least 0.02 eye distances) is allowed above it.
    """
    closed, wide = np.percentile(opening, [_CLOSED_PERCENTILE, _OPEN_PERCENTILE])
    return float(closed + max(_SHARE_OF_RANGE * (wide - closed), _LEAST_RANGE))


def closed_share(
    opening: Floats, times: npt.NDArray[np.int64], windows: Sequence[Span], threshold: float
) -> tuple[float, int]:
    """The share of `windows` in which the opening falls below `threshold`, and how many windows were judged.

    `opening` (F,) at `times` (F,) flicks; a window that holds no frame is not judged. ValueError where none is.
    """
    lowest = [
        float(opening[inside].min()) for each in windows if (inside := (times >= each.start) & (times < each.end)).any()
    ]
    if not lowest:
        raise ValueError("no p, b or m is said while the face shows")
    return sum(each < threshold for each in lowest) / len(lowest), len(lowest)
