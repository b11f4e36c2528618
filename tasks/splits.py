"""Which speakers a network learns from, and on which unseen ones it is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

Split = Literal["train", "validation", "test"]


def split_speakers(speakers: Iterable[str], *, validation: float, test: float) -> dict[str, Split]:
    """Each of `speakers` with its split, `validation` and `test` being shares of them.

    A speaker's place depends on a hash of its name alone, so that it stays where it is while a corpus grows. Only where
    no hash falls into a split are the borders moved to the nearest speaker: a single one is trained on, the second
    validates, the third tests. ValueError for shares that leave nothing to train on.
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise ValueError(f"validation {validation} and test {test} must be shares that leave some to train on")
    places = sorted((_place(speaker), speaker) for speaker in set(speakers))
    count = len(places)
    validating = sum(place < validation for place, _ in places)
    testing = sum(validation <= place < validation + test for place, _ in places)
    validating = max(validating, int(count >= 2 and validation > 0))
    testing = max(testing, int(count >= 3 and test > 0))
    while count and validating + testing >= count:
        if validating > testing:
            validating -= 1
        else:
            testing -= 1
    return {speaker: _of_rank(rank, validating, testing) for rank, (_, speaker) in enumerate(places)}


def _of_rank(rank: int, validating: int, testing: int) -> Split:
    if rank < validating:
        return "validation"
    return "test" if rank < validating + testing else "train"


def _place(name: str) -> float:
    """Where `name` lies in 0..1: the first 52 bits of its SHA-256."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:13], 16) / 16**13
