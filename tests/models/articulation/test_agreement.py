"""Whether a mouth and a voice belong together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talking_heads import walk

from models.articulation.agreement import agreement


def opening(seed: int, count: int = 120) -> np.ndarray:
    return walk(count, 1, seed)[:, 0]


@given(st.integers(0, 500), st.integers(-3, 3), st.floats(0.1, 9), st.floats(-5, 5))
def test_the_same_movement_agrees_though_it_is_late_smaller_or_shifted(
    seed: int, lag: int, scale: float, shift: float
) -> None:
    mouth = opening(seed)
    late = np.roll(mouth, lag)
    assert agreement(mouth, np.float32(scale) * late + np.float32(shift)) > 0.93


@given(st.integers(0, 200))
def test_it_is_the_same_whichever_is_seen(seed: int) -> None:
    one, other = opening(seed), opening(seed + 1)
    assert agreement(one, other) == pytest.approx(agreement(other, one), abs=1e-5)
    assert 0 <= agreement(one, other) <= 1 + 1e-6


def test_another_movement_agrees_less() -> None:
    others = [agreement(opening(seed, 250), opening(seed + 1000, 250)) for seed in range(20)]
    assert np.mean(others) < 0.3
    assert max(others) < 0.6


@pytest.mark.parametrize(
    ("seen", "heard"),
    [
        (np.zeros(50, np.float32), opening(1, 50)),
        (opening(1, 50), np.full(50, 0.3, np.float32)),
        (opening(1, 8), opening(1, 8)),
        (np.zeros(0, np.float32), np.zeros(0, np.float32)),
    ],
    ids=["a still mouth", "a hum", "a moment", "nothing"],
)
def test_what_cannot_be_told_is_no_agreement(seen: np.ndarray, heard: np.ndarray) -> None:
    assert agreement(seen, heard) == pytest.approx(0, abs=1e-6)
