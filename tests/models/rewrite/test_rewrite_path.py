import itertools
from dataclasses import replace

import numpy as np
import pytest
from drawn_face import library_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.rewrite.path import PathSettings, blends, choose, path_cost

FRAME = 28_224_000
numbers = st.floats(-3, 3, width=32)
seeds = st.integers(0, 2**31)


def still_head(count: int) -> np.ndarray:
    return np.zeros((count, 3), np.float32)


def no_breaks(count: int) -> np.ndarray:
    return np.zeros(count, np.bool_)


@settings(max_examples=15, deadline=None)
@given(
    rows=hnp.arrays(np.float32, (3, 2), elements=numbers),
    wanted=hnp.arrays(np.float32, (4, 2), elements=numbers),
    follows=hnp.arrays(np.bool_, 3),
    breaks=hnp.arrays(np.bool_, 4),
)
def test_with_all_rows_as_candidates_no_path_is_cheaper(
    rows: np.ndarray, wanted: np.ndarray, follows: np.ndarray, breaks: np.ndarray
) -> None:
    library = library_of(3, rows, follows=follows)
    chosen = choose(wanted, still_head(4), breaks, library)

    def cost(path: tuple[int, ...]) -> float:
        return path_cost(np.array(path), wanted, still_head(4), breaks, library)

    best = min(cost(path) for path in itertools.product(range(3), repeat=4))
    assert cost(tuple(chosen)) <= best + 1e-6 * max(best, 1)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, reach=st.integers(0, 25), neighbours=st.integers(1, 12))
def test_a_row_is_never_shown_where_it_is_barred(seed: int, reach: int, neighbours: int) -> None:
    rng = np.random.default_rng(seed)
    library = library_of(60, rng.normal(size=(60, 3)))
    own = np.arange(50) * FRAME
    barred = np.stack([own - reach * FRAME, own + reach * FRAME], axis=1)
    wanted = library.shapes[:50]
    settings = PathSettings(neighbours=neighbours)
    chosen = choose(wanted, still_head(50), no_breaks(50), library, settings, barred=barred)
    times = library.times[chosen]
    assert not ((times >= barred[:, 0]) & (times < barred[:, 1])).any()
    assert np.isfinite(path_cost(chosen, wanted, still_head(50), no_breaks(50), library, settings, barred=barred))


@settings(max_examples=20, deadline=None)
@given(seed=seeds, start=st.integers(0, 250))
def test_a_sequence_that_the_library_holds_is_found(seed: int, start: int) -> None:
    rng = np.random.default_rng(seed)
    library = library_of(300, rng.normal(size=(300, 6)).cumsum(axis=0))
    wanted = library.shapes[start : start + 50]
    assert choose(wanted, still_head(50), no_breaks(50), library, PathSettings(neighbours=5)).tolist() == list(
        range(start, start + 50)
    )


def test_few_candidates_cost_little_more_than_all() -> None:
    rng = np.random.default_rng(3)
    library = library_of(400, rng.normal(size=(400, 4)).cumsum(axis=0) % 4)
    wanted = (rng.normal(size=(80, 4)).cumsum(axis=0) % 4).astype(np.float32)
    few, every = (
        path_cost(
            choose(wanted, still_head(80), no_breaks(80), library, PathSettings(neighbours=neighbours)),
            wanted,
            still_head(80),
            no_breaks(80),
            library,
        )
        for neighbours in (40, 400)
    )
    assert every <= few <= 1.05 * every


def test_source_runs_are_kept_together_where_shapes_are_as_good() -> None:
    rng = np.random.default_rng(0)
    library = library_of(200, rng.normal(size=(200, 3)))
    wanted = (library.shapes[50:110] + 0.5 * rng.normal(size=(60, 3))).astype(np.float32)
    together = choose(wanted, still_head(60), no_breaks(60), library)
    alone = choose(wanted, still_head(60), no_breaks(60), library, PathSettings(joint=0, joint_distance=0, stay=0))
    assert (np.diff(together) != 1).sum() < (np.diff(alone) != 1).sum()


def test_head_size_and_light_choose_between_equal_mouths() -> None:
    library = library_of(3, np.zeros((3, 2)), follows=np.zeros(3, np.bool_))
    poses = np.array([[0, 0, 0], [0.4, 0, 0], [-0.4, 0, 0]], np.float32)
    light = np.array([[150] * 3, [90] * 3, [220] * 3], np.float32)
    points = library.points * np.array([1, 2, 3], np.float32)[:, None, None]
    one = np.zeros((1, 2), np.float32), no_breaks(1)

    def choice(changed: object, pose: np.ndarray, **wanted: np.ndarray) -> int:
        return int(choose(one[0], pose, one[1], changed, **wanted)[0])  # type: ignore[arg-type]

    assert choice(replace(library, poses=poses), poses[2:]) == 2
    assert choice(replace(library, light=light), still_head(1), wanted_light=light[1:2]) == 1
    sized = replace(library, points=points)
    assert choice(sized, still_head(1), wanted_sizes_px=sized.sizes_px[2:]) == 2


def test_nothing_joins_at_a_break() -> None:
    # Row 1 follows row 0; the second frame would rather be row 2, which is far off at a joint.
    library = library_of(3, np.array([[0, 0], [1.2, 0], [1, 30]]), follows=np.array([False, True, False]))
    wanted = np.array([[0, 0], [1, 30]], np.float32)
    wanted[1, 1] = 15.7
    joined, apart = (
        choose(wanted, still_head(2), np.array([False, broken]), library).tolist() for broken in (False, True)
    )
    assert joined == [0, 1]
    assert apart == [0, 2]


def test_dissolves_lie_at_joints_alone_and_know_their_sources_neighbours() -> None:
    library = library_of(30, np.zeros((30, 2)))
    rows = np.array([3, 4, 5, 20, 21, 21, 22, 9])
    breaks = no_breaks(8)
    breaks[7] = True
    found = blends(rows, breaks, library)
    assert [blend.row for blend in found] == rows.tolist()
    assert [blend.other for blend in found] == [-1, -1, 19, 6, -1, -1, -1, -1]
    assert [blend.share > 0 for blend in found] == [False, False, True, True, False, False, False, False]


def test_what_cannot_be_chosen_from_is_refused() -> None:
    library = library_of(5, np.zeros((5, 2)))
    wanted = np.zeros((3, 2), np.float32)
    with pytest.raises(ValueError, match="no row"):
        choose(wanted, still_head(3), no_breaks(3), library, barred=np.array([[0, 0], [0, 10 * FRAME], [0, 0]]))
    with pytest.raises(ValueError, match="do not fit"):
        choose(np.zeros((3, 4), np.float32), still_head(3), no_breaks(3), library)
    with pytest.raises(ValueError, match="breaks"):
        choose(wanted, still_head(3), no_breaks(2), library)
    assert choose(wanted[:0], still_head(0), no_breaks(0), library).shape == (0,)
