"""From anybody's mouth to this speaker's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talking_heads import apart, mean_mouth, mouths_with, walk

from models.articulation.contract import Articulation
from models.articulation.retarget import SpeakerMouth, close_lips, learn_speaker, mouths_of
from models.articulation.shapes import RINGS, MouthModel, openings

SEEDS = st.integers(0, 2**16)


def talking(model: MouthModel, seed: int, *, count: int = 200, spread: float = 1.0) -> np.ndarray:
    return mouths_with(model, walk(count, model.size, seed, spread=spread))


@given(SEEDS, st.floats(0.0, 0.3))
def test_lips_are_brought_to_the_wanted_gap(model: MouthModel, seed: int, gap: float) -> None:
    mouths = talking(model, seed, count=6)
    gaps = np.full(6, gap, np.float32)
    moved = close_lips(mouths, gaps)
    assert openings(moved) == pytest.approx(gaps, abs=1e-5)
    assert np.array_equal(moved[:, :, [0, 2]], mouths[:, :, [0, 2]])
    lips = np.concatenate([ring for ring, _ in RINGS])
    others = np.setdiff1d(np.arange(mouths.shape[1]), lips)
    assert np.array_equal(moved[:, others], mouths[:, others]), "only lips move"


@given(SEEDS)
def test_lips_that_close_stay_in_order(model: MouthModel, seed: int) -> None:
    """From above: outer rim, middle, near inner and inner ring of the upper lip, then the lower lip's the other way."""
    mouths = talking(model, seed, count=6)
    rings = [ring for ring, _ in reversed(RINGS)]

    def depths(each: np.ndarray) -> np.ndarray:
        middle = [each[:, ring[5], 1] for ring in rings] + [each[:, ring[15], 1] for ring in reversed(rings)]
        return np.diff(np.stack(middle), axis=0)

    in_order = (depths(mouths) >= 0).all(axis=0)
    closed = close_lips(mouths, np.full(6, 0.004, np.float32))
    assert (depths(closed)[:, in_order] >= -1e-4).all()


def test_lips_that_are_where_they_should_be_do_not_move(model: MouthModel) -> None:
    mouths = talking(model, 3, count=5)
    assert apart(close_lips(mouths, openings(mouths)), mouths) < 1e-6


def test_the_range_of_a_talking_face_is_its_own(model: MouthModel) -> None:
    lively, calm = (learn_speaker(model, talking(model, 1, count=900, spread=spread)) for spread in (1.4, 0.6))
    assert lively.deviation[0] > 1.2
    assert calm.deviation[0] < 0.8
    for speaker in (lively, calm):
        assert apart(speaker.mean, mean_mouth(model)) < 0.02
        assert openings(speaker.mean[None])[0] > speaker.closed_gap
        at_rest = speaker.mean[None].copy()
        at_rest[:, :, :2] += model.offsets(speaker.rest[None])
        assert openings(at_rest)[0] < openings(speaker.mean[None])[0]


def test_a_few_frames_say_little_about_a_range(model: MouthModel) -> None:
    many, few = (learn_speaker(model, talking(model, 2, count=count, spread=1.5)) for count in (900, 8))
    assert abs(few.deviation[0] - 1) < abs(many.deviation[0] - 1)


@pytest.mark.parametrize("smile", [0.0, 0.12], ids=["closed", "smiling with the lips apart"])
def test_what_a_still_face_shows_is_its_rest(model: MouthModel, smile: float) -> None:
    shown = close_lips(mouths_with(model, model.rest[None]), np.array([smile], np.float32))
    rng = np.random.default_rng(0)
    still = np.repeat(shown, 30, axis=0) + rng.normal(0, 0.001, (30, *shown.shape[1:])).astype(np.float32)
    speaker = learn_speaker(model, still)
    assert speaker.deviation == pytest.approx(1)
    at_rest = speaker.mean[None].copy()
    at_rest[:, :, :2] += model.offsets(speaker.rest[None])
    corners_and_cheeks = np.setdiff1d(np.arange(shown.shape[1]), np.concatenate([ring for ring, _ in RINGS]))
    assert apart(at_rest[0, corners_and_cheeks], shown[0, corners_and_cheeks]) < 0.005
    assert openings(at_rest)[0] <= 0.02, "at rest lips touch"


def test_a_portrait_is_a_face_of_one_frame(model: MouthModel) -> None:
    speaker = learn_speaker(model, mean_mouth(model)[None])
    assert np.isfinite(speaker.mean).all()
    assert speaker.deviation == pytest.approx(1)


@pytest.fixture(scope="module")
def speaker(model: MouthModel) -> SpeakerMouth:
    return learn_speaker(model, talking(model, 7, count=600))


def shown(
    model: MouthModel,
    speaker: SpeakerMouth,
    heard: Articulation,
    voiced: np.ndarray | None = None,
    manner: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`mouths_of`, by default for somebody who speaks all the time, in no manner of their own."""
    count = len(heard.shapes)
    return mouths_of(
        model,
        speaker,
        heard,
        np.ones(count, np.float32) if voiced is None else voiced,
        np.zeros((count, *speaker.mean.shape), np.float32) if manner is None else manner,
    )


def gap_at_rest(model: MouthModel, speaker: SpeakerMouth) -> float:
    at_rest = speaker.mean[None].copy()
    at_rest[:, :, :2] += model.offsets(speaker.rest[None])
    return min(float(openings(at_rest)[0]), speaker.closed_gap)


@given(SEEDS)
def test_where_nothing_is_said_the_mouth_is_at_rest(model: MouthModel, speaker: SpeakerMouth, seed: int) -> None:
    rng = np.random.default_rng(seed)
    heard = Articulation(shapes=walk(30, model.size, seed), closed=rng.uniform(0, 1, 30).astype(np.float32))
    voiced = np.ones(30, np.float32)
    voiced[10:20] = 0
    shapes, mouths = shown(model, speaker, heard, voiced)
    assert openings(mouths)[10:20] == pytest.approx(gap_at_rest(model, speaker), abs=0.01)
    assert np.ptp(mouths[10:20], axis=0).max() < 1e-5, "a mouth at rest does not move"
    assert np.ptp(shapes[10:20], axis=0).max() < 1e-4
    assert apart(model.shapes(mouths, speaker.mean), shapes) < 1e-3


def test_the_manner_of_the_frame_stays(model: MouthModel, speaker: SpeakerMouth) -> None:
    """A smile that no shape tells is kept, but for the gap between the lips: that is the speech's."""
    heard = Articulation(shapes=walk(30, model.size, 4), closed=np.zeros(30, np.float32))
    crooked = np.zeros((30, *speaker.mean.shape), np.float32)
    crooked[:, :, 0] = 0.03 * np.sin(np.arange(30))[:, None]
    _, plain = shown(model, speaker, heard)
    _, smiling = shown(model, speaker, heard, manner=crooked)
    assert apart(smiling - plain, crooked) < 1e-5
    parted = np.zeros_like(crooked)
    for ring, _ in RINGS:
        parted[:, ring[11:], 1] = 0.1
    unvoiced = np.zeros(30, np.float32)
    _, quiet = shown(model, speaker, heard, voiced=unvoiced, manner=parted)
    assert openings(quiet) == pytest.approx(min(speaker.closed_gap, float(openings(quiet).max())), abs=1e-4)


def test_an_open_mouth_opens_as_far_as_this_speakers_does(model: MouthModel, speaker: SpeakerMouth) -> None:
    shapes = walk(200, model.size, 11)
    never_closed = Articulation(shapes=shapes, closed=np.zeros(200, np.float32))
    _, mouths = shown(model, speaker, never_closed)
    plain = mouths_with(model, shapes * speaker.deviation) + speaker.mean - mean_mouth(model)
    wide = openings(plain) > speaker.closed_gap + 0.01
    assert openings(mouths)[wide] == pytest.approx(openings(plain)[wide], abs=1e-4)


@given(SEEDS)
def test_a_closure_brings_the_lips_together(model: MouthModel, speaker: SpeakerMouth, seed: int) -> None:
    shapes = walk(40, model.size, seed)
    closed = np.zeros(40, np.float32)
    closed[18:22] = 1
    _, mouths = shown(model, speaker, Articulation(shapes=shapes, closed=closed))
    assert (openings(mouths)[18:22] <= speaker.closed_gap + 1e-4).all()
    _, open_ = shown(model, speaker, Articulation(shapes=shapes, closed=0 * closed))
    others = [*range(18), *range(22, 40)]
    assert apart(mouths[others], open_[others]) < 1e-5, "nothing else is closed by it"


@given(SEEDS)
def test_lips_never_cross(model: MouthModel, speaker: SpeakerMouth, seed: int) -> None:
    heard = Articulation(shapes=walk(30, model.size, seed, spread=2.5), closed=np.zeros(30, np.float32))
    _, mouths = shown(model, speaker, heard)
    least = min(speaker.closed_gap, float(openings(mouths).max()))
    assert (openings(mouths) >= least - 1e-4).all()


def test_nothing_heard_is_no_mouth(model: MouthModel, speaker: SpeakerMouth) -> None:
    none = Articulation(shapes=np.zeros((0, model.size), np.float32), closed=np.zeros(0, np.float32))
    shapes, mouths = shown(model, speaker, none)
    assert len(shapes) == len(mouths) == 0
