"""Which point is which."""

from __future__ import annotations

import numpy as np
import pytest
from real_face import face, frames, real

from models.landmarks.contract import Points
from models.landmarks.engines import load_detector
from models.landmarks.following import MeshFollower
from models.landmarks.topology import (
    CHIN,
    COUNT,
    JAW,
    KEPT,
    KEPT_MOUTH,
    KEPT_STABLE,
    LIPS_INNER,
    LIPS_MIDDLE,
    LIPS_NEAR_INNER,
    LIPS_OUTER,
    MOUTH,
    STABLE,
    kept,
)

RINGS = (LIPS_OUTER, LIPS_MIDDLE, LIPS_NEAR_INNER, LIPS_INNER)


def test_no_point_is_kept_twice() -> None:
    assert len(set(KEPT)) == len(KEPT)
    assert all(0 <= index < COUNT for index in KEPT)
    assert (KEPT[KEPT_STABLE], KEPT[KEPT_MOUTH]) == (STABLE, MOUTH)


def test_kept_points_are_found_by_their_number() -> None:
    assert all(KEPT[kept(index)] == index for index in KEPT)
    with pytest.raises(ValueError, match="not in"):
        kept(next(index for index in range(COUNT) if index not in KEPT))


@pytest.fixture(scope="module")
def mesh() -> Points:
    return MeshFollower(load_detector()).follow(frames()[0], face().box, face().landmarks).points


class TestOnARealFace:
    pytestmark = real

    @pytest.mark.parametrize("ring", RINGS, ids=["outer", "middle", "near inner", "inner"])
    def test_a_ring_runs_along_the_upper_lip_and_back_along_the_lower_one(
        self, mesh: Points, ring: tuple[int, ...]
    ) -> None:
        points = mesh[list(ring)]
        upper, lower = points[:11], np.concatenate([points[10:], points[:1]])
        assert (np.diff(upper[:, 0]) > 0).all(), "from the right corner, on the left of the picture, to the left one"
        assert (np.diff(lower[:, 0]) < 0).all()
        assert (upper[3:8, 1] < lower[3:8, 1][::-1]).all(), "the upper lip is above"

    def test_rings_lie_within_each_other(self, mesh: Points) -> None:
        tops = [mesh[ring[5], 1] for ring in RINGS]
        bottoms = [mesh[ring[15], 1] for ring in RINGS]
        assert tops == sorted(tops)
        assert bottoms == sorted(bottoms, reverse=True)
        widths = [mesh[ring[10], 0] - mesh[ring[0], 0] for ring in RINGS]
        assert widths == sorted(widths, reverse=True)

    def test_the_jaw_runs_from_ear_to_ear_over_the_chin(self, mesh: Points) -> None:
        jaw = mesh[list(JAW)]
        assert (np.diff(jaw[:, 0]) > 0).all()
        assert JAW[int(jaw[:, 1].argmax())] == CHIN

    def test_the_eyes_are_the_persons_own_left_and_right(self, mesh: Points) -> None:
        right_outer, right_inner, left_inner, left_outer = mesh[list(STABLE[:4]), 0]
        assert right_outer < right_inner < left_inner < left_outer
