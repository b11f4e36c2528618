"""Which speakers a network learns from, and on which unseen ones it is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

Split = Literal["train", "validation", "test"]


def split_speakers(speakers: Iterable[str], *, validation: float, test: float) -> dict[str, Split]:
    """Each of `speakers` with its split, `validation` and `test` being shares of them.

    A speaker's place depends on a hash of its name alone, so that it stays where it is while a corpus grows. Only where
    no hash falls into a split is the nearest speaker moved there: of one speaker that is trained on, of two one
    validates, of three one tests. ValueError for shares that leave nothing to train on.
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise ValueError(f"validation {validation} and test {test} must be shares that leave some to train on")
    places = sorted((_place(speaker), speaker) for speaker in set(speakers))
    splits: dict[str, Split] = {
        speaker: "validation" if place < validation else "test" if place < validation + test else "train"
        for place, speaker in places
    }
    ordered = [speaker for _, speaker in places]
    if validation and len(ordered) >= 2 and "validation" not in splits.values():
        splits[ordered[0]] = "validation"
    if test and len(ordered) >= 3 and "test" not in splits.values():
        splits[next(each for each in ordered if _spare(splits, each, "validation"))] = "test"
    if ordered and "train" not in splits.values():
        splits[ordered[-1]] = "train"
    return splits


def _spare(splits: dict[str, Split], speaker: str, needed: Split) -> bool:
    """Whether `speaker` can be moved without leaving the split `needed` empty."""
    return splits[speaker] != needed or sum(split == needed for split in splits.values()) > 1


def _place(name: str) -> float:
    """Where `name` lies in 0..1: the first 52 bits of its SHA-256."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:13], 16) / 16**13
