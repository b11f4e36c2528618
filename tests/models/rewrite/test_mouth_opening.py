import numpy as np
import pytest
from drawn_face import draw, face_points, mouth
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.rewrite import mesh, paint
from models.rewrite.library import cut, face_size_px
from models.rewrite.opening import INTERVALS, Shown, heights, landing, shown

shares = st.floats(0, 1, width=32)
COLUMNS = mesh.OPENING_COLUMNS


@given(
    wanted=hnp.arrays(np.float32, COLUMNS, elements=st.floats(0, 80, width=32)),
    own=hnp.arrays(np.float32, COLUMNS, elements=st.floats(0, 80, width=32)),
    dark=hnp.arrays(np.float32, (INTERVALS, COLUMNS), elements=shares),
)
def test_levels_rise_from_lip_to_lip(wanted: np.ndarray, own: np.ndarray, dark: np.ndarray) -> None:
    come, to = landing(wanted, Shown(heights_px=own, dark=dark))
    np.testing.assert_allclose(to[[0, -1]], [[0] * COLUMNS, [1] * COLUMNS], atol=1e-9)
    assert (np.diff(to, axis=0) > 0).all()
    assert (np.diff(come, axis=0) >= 0).all()
    assert (come >= 0).all()
    assert (come <= 1).all()


def test_an_opening_of_the_sources_height_is_left_alone() -> None:
    dark = np.linspace(0, 1, INTERVALS, dtype=np.float32)[:, None].repeat(COLUMNS, axis=1)
    height = np.full(COLUMNS, 20, np.float32)
    come, to = landing(height, Shown(heights_px=height, dark=dark))
    np.testing.assert_allclose(come, to, atol=0.01)


@pytest.mark.parametrize("wanted", [18.0, 30.0])
def test_the_gap_gives_way_before_the_teeth_do(wanted: float) -> None:
    dark = np.zeros((INTERVALS, 1), np.float32)
    dark[3:5] = 1
    _, to = landing(np.array([wanted]), Shown(heights_px=np.array([24], np.float32), dark=dark))
    parts = np.diff(to[:, 0]) * wanted / (24 / INTERVALS)
    assert np.abs(parts[[0, 1, 2, 5, 6, 7]] - 1).max() < 0.12
    assert np.abs(parts[3:5] - 1).min() > 0.7


def test_teeth_keep_their_height_while_the_mouth_opens() -> None:
    """White rows under both lips, dark between: in a mouth that opens further, only the dark grows."""
    source, wanted, teeth_px = face_points(30), face_points(40), 8
    frame = draw(source)
    top, bottom = (int(source[mesh.places(index)[0], 1]) for index in (13, 14))
    inside = (slice(top + 1, bottom - 1), slice(150, 211))
    frame[inside] = 25
    frame[top + 1 : top + 1 + teeth_px, 150:211] = 240
    frame[bottom - 1 - teeth_px : bottom - 1, 150:211] = 240
    changed = paint.compose(frame, source, cut(frame, source), mouth(wanted)).onto(frame)

    def bright(picture: np.ndarray) -> float:
        return float((picture[top : top + 45, 170:190].min(axis=2) > 150).sum(axis=0).mean())

    def dark(picture: np.ndarray) -> float:
        return float((picture[top : top + 45, 170:190].max(axis=2) < 80).sum(axis=0).mean())

    assert bright(changed) == pytest.approx(bright(frame), abs=2.5)
    assert dark(changed) > dark(frame) + 6


def test_what_shows_is_measured_in_the_frame_that_it_goes_into() -> None:
    points = face_points(30)
    crop = cut(draw(points), points)
    size = float(face_size_px(points))
    own, twice = shown(crop, size), shown(crop, 2 * size)
    np.testing.assert_allclose(own.heights_px, heights(points), atol=1e-3)
    np.testing.assert_allclose(twice.heights_px, 2 * own.heights_px, rtol=1e-5)
