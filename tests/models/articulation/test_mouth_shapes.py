"""A mouth in a few numbers: what goes in comes out again, however the head is held."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talking_heads import apart, mean_mouth, mouths_with, posed, walk

from models.articulation.shapes import (
    INNER,
    OUTER,
    RINGS,
    MouthModel,
    learn_mouth_model,
    openings,
    outer_openings,
    widths,
)
from models.landmarks.pose import HeadPose
from models.landmarks.topology import KEPT_MOUTH, LEFT_EYE_OUTER, MOUTH, RIGHT_EYE_OUTER, kept

coefficients = st.lists(st.floats(-3, 3), min_size=10, max_size=10)


@given(st.lists(coefficients, min_size=1, max_size=4))
def test_shapes_round_trip(model: MouthModel, given_shapes: list[list[float]]) -> None:
    shapes = np.array(given_shapes, np.float32)
    assert apart(model.shapes(mouths_with(model, shapes), mean_mouth(model)), shapes) < 2e-3


@given(
    coefficients, st.floats(-0.7, 0.7), st.floats(-0.4, 0.4), st.floats(20, 400), st.tuples(*[st.floats(-500, 900)] * 3)
)
def test_a_mouth_is_the_same_however_the_head_is_held(
    model: MouthModel,
    shape: list[float],
    yaw: float,
    roll: float,
    scale: float,
    shift: tuple[float, float, float],
) -> None:
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    held = HeadPose(rotation=about_z @ about_y, scale=scale, shift=np.array(shift))
    mouths = mouths_with(model, np.array([shape], np.float32))
    assert apart(model.mouths(posed(model, mouths, held)), mouths) < 2e-3


def test_no_frames_have_no_mouths(model: MouthModel) -> None:
    none = np.zeros((0, 202, 3), np.float32)
    mouths = model.mouths(none)
    assert mouths.shape == (0, len(MOUTH), 3)
    assert model.shapes(mouths, mean_mouth(model)).shape == (0, model.size)
    assert openings(mouths).shape == widths(mouths).shape == (0,)


def drawn_mouth(inner: float, outer: float, width: float) -> np.ndarray:
    """A mouth (1, M, 3) whose rings are rhombs: `inner` and `outer` high in their middle, `width` wide."""
    mouth = np.zeros((1, len(MOUTH), 3), np.float32)
    across = np.array([*np.linspace(0, 1, 11), *np.linspace(1, 0, 11)[1:-1]])
    for ring, high in ((OUTER, outer), (INNER, inner)):
        mouth[0, ring, 0] = (across - 0.5) * width
        sign = np.array([-1] * 11 + [1] * 9)
        mouth[0, ring, 1] = sign * high / 2
    return mouth


@given(st.floats(0, 0.5), st.floats(0.1, 0.8), st.floats(0.2, 1))
def test_openings_and_widths_of_constructed_mouths(inner: float, outer: float, width: float) -> None:
    mouth = drawn_mouth(inner, outer, width)
    assert openings(mouth) == pytest.approx([inner], abs=1e-5)
    assert outer_openings(mouth) == pytest.approx([outer], abs=1e-5)
    assert widths(mouth) == pytest.approx([width], abs=1e-5)


def test_lips_that_cross_have_a_negative_opening() -> None:
    assert openings(drawn_mouth(-0.1, 0.2, 0.5)) == pytest.approx([-0.1], abs=1e-6)


def test_the_shipped_model_knows_a_mouth(model: MouthModel) -> None:
    """The first coefficient is the jaw's: along it the mouth opens; the canonical face looks into the camera."""
    eyes = model.canonical[[kept(RIGHT_EYE_OUTER), kept(LEFT_EYE_OUTER)]]
    assert eyes == pytest.approx(np.array([[-0.5, 0, 0], [0.5, 0, 0]]), abs=1e-3)
    assert model.canonical[KEPT_MOUTH, 1].min() > 0.1, "the mouth is below the eyes"
    along_jaw = np.zeros((3, model.size), np.float32)
    along_jaw[:, 0] = (-2, 0, 2)
    gaps = openings(mouths_with(model, along_jaw))
    assert (np.diff(gaps) > 0).all() or (np.diff(gaps) < 0).all()
    assert np.ptp(gaps) > 0.05
    assert model.visibility[0] == 1
    assert (model.visibility > 0).all()
    assert (model.visibility[1:] < 1).all()
    rest = openings(mouths_with(model, model.rest[None]))[0]
    assert rest < openings(mouths_with(model, np.zeros((1, model.size), np.float32)))[0], "at rest the mouth is closed"


def test_a_model_is_learned_from_meshes(model: MouthModel) -> None:
    size = 4
    clips = []
    for seed in range(5):
        shapes = np.zeros((120, model.size), np.float32)
        shapes[:, :size] = walk(120, size, seed)
        # Each is another person, sitting elsewhere: what differs between clips is no part of a shape.
        other = mouths_with(model, shapes) + 0.02 * np.float32(seed)
        held = HeadPose(rotation=np.eye(3), scale=60.0 + 20 * seed, shift=np.array([100.0 * seed, 50.0, 0.0]))
        clips.append(posed(model, other, held))
    learned = learn_mouth_model(clips, size)
    assert learned.size == size
    mouths = [learned.mouths(clip) for clip in clips]
    shapes = np.concatenate([learned.shapes(each, each.mean(axis=0)) for each in mouths])
    assert shapes.mean(axis=0) == pytest.approx(0, abs=0.02)
    assert shapes.std(axis=0) == pytest.approx(1, abs=0.1)
    # Four numbers made these mouths, so four numbers say all.
    for each, own in zip(mouths, np.split(shapes, 5), strict=True):
        again = each.mean(axis=0)[:, :2] + learned.offsets(own)
        assert apart(again, each[:, :, :2]) < 3e-3


def test_rings_follow_the_inner_lips_the_less_the_further_out() -> None:
    follows = [follow for _, follow in RINGS]
    assert follows == sorted(follows, reverse=True)
    assert all(0 < follow <= 1 for follow in follows)
