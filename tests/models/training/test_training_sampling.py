import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training import sampling
from models.training.sampling import IGNORED, IN_SYNC, OTHER, SHIFTED, WINDOW_FRAMES

LEAST = sampling.least_frames(reference_gap=5)
counts = st.lists(st.integers(LEAST, 200), min_size=1, max_size=9)
steps = st.integers(0, 10_000)


@settings(deadline=None, max_examples=40)
@given(counts, st.integers(1, 6), st.integers(1, 4), st.integers(0, 9), steps)
def test_expert_windows_lie_inside_their_clips(
    frame_counts: list[int], clips: int, windows: int, extra: int, step: int
) -> None:
    rows = sampling.expert_rows(frame_counts, clips=clips, windows=windows, extra_sounds=extra, seed=1, step=step)
    assert len(rows) == clips
    for row in rows:
        assert len(row.faces) == windows
        assert len(row.sounds) == windows + extra
        assert row.sounds[:windows] == row.faces
        assert all(first > 0 and first + WINDOW_FRAMES < frame_counts[row.clip] for first in row.sounds)


@settings(deadline=None, max_examples=40)
@given(counts, steps, st.integers(0, 5))
def test_references_lie_away_from_what_is_drawn(frame_counts: list[int], step: int, gap: int) -> None:
    for row in sampling.generator_rows(frame_counts, windows=4, reference_gap=gap, seed=0, step=step):
        assert abs(row.target - row.reference) >= gap
        assert max(row.target, row.reference) + WINDOW_FRAMES <= frame_counts[row.clip]


@settings(deadline=None, max_examples=40)
@given(steps, st.integers(0, 5))
def test_a_batch_depends_on_seed_and_step_alone(step: int, seed: int) -> None:
    def rows(step: int) -> object:
        return sampling.expert_rows([60] * 20, clips=4, windows=4, extra_sounds=2, seed=seed, step=step)

    before = rows(step)
    rows(step + 1)
    assert rows(step) == before


def test_seeds_and_steps_differ() -> None:
    def rows(seed: int, step: int) -> object:
        return sampling.expert_rows([60] * 20, clips=4, windows=4, extra_sounds=2, seed=seed, step=step)

    assert rows(0, 0) != rows(0, 1)
    assert rows(0, 0) != rows(1, 0)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 50))
def test_every_clip_comes_once_an_epoch(clip_count: int, rows: int, seed: int) -> None:
    steps = range(clip_count)  # a whole number of epochs
    drawn = [clip for step in steps for clip in sampling.clips_of(seed, step, clip_count=clip_count, rows=rows)]
    for epoch in range(rows):
        assert sorted(drawn[epoch * clip_count : (epoch + 1) * clip_count]) == list(range(clip_count))


def test_a_clip_that_is_too_short_is_told() -> None:
    with pytest.raises(ValueError, match="holds no window"):
        sampling.generator_row(0, 5, 0, np.random.default_rng(0))


def test_pairs_are_told_apart_by_clip_and_shift() -> None:
    kinds = sampling.pair_kinds(
        np.array([0, 0, 7]), np.array([10, 14, 10]), np.array([0, 0, 0, 7]), np.array([10, 12, 14, 10])
    )
    assert kinds.tolist() == [
        [IN_SYNC, IGNORED, SHIFTED, OTHER],
        [SHIFTED, IGNORED, IN_SYNC, OTHER],
        [OTHER, OTHER, OTHER, IN_SYNC],
    ]
