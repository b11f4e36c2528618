from __future__ import annotations

import numpy as np
import pytest
from metric_faces import EYES_PX, carried, speaking, still_face

from models.landmarks import topology
from models.metrics.correlation import pearson
from models.metrics.landmark_distance import mouth_landmark_distance
from models.metrics.mouth import mouth_shapes
from models.metrics.silence import motion_in_silence

OPENING = 6 + 5 * np.sin(np.arange(60) / 3)


def test_the_opening_is_measured_in_eye_distances_whatever_the_head_does() -> None:
    for points in (speaking(OPENING), carried(speaking(OPENING))):
        shapes = mouth_shapes(points)
        np.testing.assert_allclose(shapes.inner_opening, OPENING / EYES_PX, atol=2e-3)
        np.testing.assert_allclose(shapes.width, 50 / EYES_PX, atol=2e-3)


def test_the_same_motion_correlates_and_a_frozen_mouth_follows_nothing() -> None:
    real = mouth_shapes(speaking(OPENING))
    same = mouth_shapes(carried(speaking(0.6 * OPENING + 3, seed=5)))
    frozen = mouth_shapes(speaking(np.full(60, 4.0)))
    assert pearson(same.inner_opening, real.inner_opening) > 0.99
    assert pearson(frozen.inner_opening, real.inner_opening) == 0
    late = mouth_shapes(speaking(np.roll(OPENING, 9)))
    assert pearson(late.inner_opening, real.inner_opening) < 0


def test_curves_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be correlated"):
        pearson(np.zeros(4, np.float32), np.zeros(5, np.float32))


def test_landmark_distance_is_nothing_for_the_same_mouth_on_a_head_held_otherwise() -> None:
    real = speaking(OPENING)
    assert mouth_landmark_distance(real, real) == pytest.approx(0, abs=1e-5)
    assert mouth_landmark_distance(real * 1.5 + 20, real) == pytest.approx(0, abs=1e-5)
    wrong = real.copy()
    wrong[:, topology.KEPT_MOUTH, 0] += 8
    assert mouth_landmark_distance(wrong, real) == pytest.approx(8 / EYES_PX, rel=1e-3)


def test_landmark_distance_needs_the_same_frames() -> None:
    with pytest.raises(ValueError, match="same frames"):
        mouth_landmark_distance(speaking(OPENING), speaking(OPENING[:-1]))


def test_a_mouth_that_rests_in_silence_has_no_motion_there() -> None:
    speech = np.arange(60) < 30
    clear = np.arange(60) >= 33
    rests = mouth_shapes(carried(speaking(np.where(speech, OPENING, 0))))
    chatters = mouth_shapes(carried(speaking(OPENING)))
    assert motion_in_silence(rests, clear, speech, frame_rate=25) < 0.02
    assert motion_in_silence(chatters, clear, speech, frame_rate=25) == pytest.approx(1, abs=0.25)
    frozen = mouth_shapes(np.repeat(still_face()[None], 60, axis=0))
    assert motion_in_silence(frozen, clear, speech, frame_rate=25) == pytest.approx(0, abs=1e-3)


def test_too_little_silence_is_no_sample() -> None:
    shapes = mouth_shapes(speaking(OPENING))
    nothing = np.zeros(60, np.bool_)
    with pytest.raises(ValueError, match="fewer than"):
        motion_in_silence(shapes, nothing, ~nothing, frame_rate=25)
