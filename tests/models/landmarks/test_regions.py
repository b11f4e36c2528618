"""Where a face is looked for."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.landmarks.regions import region_of_box, region_of_points
from models.landmarks.topology import COUNT, LEFT_EYE_OUTER, RIGHT_EYE_OUTER

BOX = np.array([100, 50, 80, 120], np.float32)


def test_the_region_of_a_box_lies_about_its_middle_and_holds_it() -> None:
    region = region_of_box(BOX)
    assert (region.centre_x, region.centre_y, region.angle_rad) == (140, 110, 0)
    assert region.side_px > BOX[3]


def test_a_tilted_face_is_looked_at_upright() -> None:
    eyes = np.full((5, 2), np.nan, np.float32)
    eyes[:2] = [(120, 90), (160, 130)]  # the person's right eye first: on the left, and higher
    assert region_of_box(BOX, eyes).angle_rad == pytest.approx(math.pi / 4)


def test_eyes_that_were_not_seen_tilt_nothing() -> None:
    assert region_of_box(BOX, np.full((5, 2), np.nan, np.float32)) == region_of_box(BOX)


def some_face(seed: int) -> npt.NDArray[np.float32]:
    points = np.random.default_rng(seed).uniform(-50, 50, (COUNT, 3)).astype(np.float32)
    points[RIGHT_EYE_OUTER, :2], points[LEFT_EYE_OUTER, :2] = (-30, -20), (30, -20)
    return points


@given(
    st.integers(0, 1000), st.floats(-1.5, 1.5), st.floats(0.2, 8), st.tuples(st.floats(-900, 900), st.floats(-900, 900))
)
def test_the_region_of_a_mesh_moves_with_it(seed: int, angle: float, scale: float, shift: tuple[float, float]) -> None:
    points = some_face(seed)
    still = region_of_points(points)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = points.copy()
    moved[:, :2] = scale * points[:, :2] @ turn.T + shift
    region = region_of_points(moved)
    centre = scale * turn @ (still.centre_x, still.centre_y) + shift
    assert (region.centre_x, region.centre_y) == pytest.approx(tuple(centre), abs=0.01 * scale * 50)
    assert region.side_px == pytest.approx(scale * still.side_px, rel=0.01)
    assert region.angle_rad == pytest.approx(angle, abs=0.01)


@given(st.integers(0, 1000))
def test_every_point_of_the_mesh_lies_in_its_region(seed: int) -> None:
    points = some_face(seed)
    region = region_of_points(points)
    away = np.abs(points[:, :2] - (region.centre_x, region.centre_y)).max()
    assert away < region.side_px / 2
