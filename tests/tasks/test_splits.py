"""Does every speaker stay on one side, and stay there?"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.splits import split_speakers

NAMES = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=60, unique=True)
SHARES = st.floats(0, 0.45)


@settings(max_examples=50)
@given(NAMES, SHARES, SHARES, st.randoms())
def test_the_order_of_speakers_does_not_matter(
    names: list[str], validation: float, test: float, random: Random
) -> None:
    shuffled = [*names, *names]
    random.shuffle(shuffled)
    splits = split_speakers(names, validation=validation, test=test)
    assert splits == split_speakers(shuffled, validation=validation, test=test)
    assert set(splits) == set(names)


@given(NAMES, st.floats(0.01, 0.45), st.floats(0.01, 0.45))
def test_no_split_is_empty_while_there_are_speakers_for_it(names: list[str], validation: float, test: float) -> None:
    splits = set(split_speakers(names, validation=validation, test=test).values())
    wanted = {1: {"train"}, 2: {"train", "validation"}}.get(len(names), {"train", "validation", "test"})
    assert wanted <= splits


@settings(max_examples=30)
@given(NAMES, NAMES)
def test_speakers_stay_where_they_are_while_a_corpus_grows(names: list[str], more: list[str]) -> None:
    """But for those that are moved into an empty split of a small corpus: here there are enough of each."""
    base = [f"base{index}" for index in range(200)]
    before = split_speakers([*base, *names], validation=0.1, test=0.1)
    after = split_speakers([*base, *names, *more], validation=0.1, test=0.1)
    assert all(after[name] == split for name, split in before.items())


def test_shares_are_kept_in_a_large_corpus() -> None:
    splits = list(split_speakers((f"speaker {index}" for index in range(4000)), validation=0.1, test=0.2).values())
    assert splits.count("validation") / 4000 == pytest.approx(0.1, abs=0.02)
    assert splits.count("test") / 4000 == pytest.approx(0.2, abs=0.02)
    with pytest.raises(ValueError, match="train"):
        split_speakers(["a"], validation=0.5, test=0.5)
