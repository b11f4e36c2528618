import dataclasses

import cv2
import numpy as np
import pytest

from models.landmarks.topology import KEPT, KEPT_MOUTH
from models.training import augment, shape
from models.training.augment_sound import change_sound, warp_frequency
from models.training.batches import lower_faces
from models.training.config import NO_PICTURE_AUGMENT, NO_SOUND_AUGMENT, PictureAugment, SoundAugment
from models.training.shards import MARGIN

STORED, FACE = 128, 96


def picture() -> np.ndarray:
    """Smooth, so that resampling hardly changes it."""
    coarse = np.random.default_rng(3).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return cv2.resize(coarse, (STORED, STORED), interpolation=cv2.INTER_CUBIC)


def random_points(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.3, 0.7, (5, len(KEPT), 2)).astype(np.float32)


def test_without_changes_the_face_is_the_middle_of_the_stored_crop() -> None:
    stored = np.stack([picture()] * 5)
    faces, flipped = lower_faces(stored, random_points(), np.random.default_rng(0), NO_PICTURE_AUGMENT, face_px=FACE)
    middle = STORED / MARGIN
    places = (STORED - middle) / 2 + (np.arange(FACE) + 0.5) * middle / FACE - 0.5
    x, y = (each.astype(np.float32) for each in np.meshgrid(places, places[FACE // 2 :]))
    expected = cv2.remap(stored[0], x, y, cv2.INTER_LINEAR)[:, :, ::-1]
    assert not flipped
    assert faces.shape == (5, FACE // 2, FACE, 3)
    assert np.abs(faces[0].astype(int) - expected).max() <= 2


def test_a_flip_exchanges_left_and_right() -> None:
    stored = np.stack([picture()])
    plain, mirrored = (
        lower_faces(
            stored,
            random_points()[:1],
            np.random.default_rng(0),
            dataclasses.replace(NO_PICTURE_AUGMENT, flip_chance=chance),
            face_px=FACE,
        )
        for chance in (0, 1)
    )
    assert mirrored[1]
    assert np.abs(mirrored[0][:, :, ::-1].astype(int) - plain[0]).max() <= 2


def test_all_frames_of_a_window_are_changed_alike() -> None:
    settings = dataclasses.replace(PictureAugment(), jitter=0, noise_chance=0)
    for seed in range(8):
        faces, _ = lower_faces(
            np.stack([picture()] * 3), random_points()[:3], np.random.default_rng(seed), settings, face_px=FACE
        )
        assert (faces[0] == faces[1]).all()
        assert (faces[0] == faces[2]).all()


def test_windows_differ() -> None:
    faces = [
        lower_faces(
            np.stack([picture()]), random_points()[:1], np.random.default_rng(seed), PictureAugment(), face_px=FACE
        )[0]
        for seed in range(6)
    ]
    pairs = [(a, b) for i, a in enumerate(faces) for b in faces[:i]]
    assert min(np.abs(a.astype(int) - b).mean() for a, b in pairs) > 5


def test_nothing_is_held_before_the_lips() -> None:
    points = np.full((1, len(KEPT), 2), 0.5, np.float32)
    points[:, KEPT_MOUTH] = np.random.default_rng(0).uniform(
        (0.4, 0.65), (0.6, 0.75), (1, KEPT_MOUTH.stop - KEPT_MOUTH.start, 2)
    )
    settings = dataclasses.replace(NO_PICTURE_AUGMENT, patch_chance=1)
    hidden = 0
    for seed in range(40):
        flat = np.full((1, STORED, STORED, 3), 100, np.uint8)
        random = np.random.default_rng(seed)
        geometry = augment.draw_geometry(random, settings, stored_px=STORED, face_px=FACE, first_row=FACE // 2)
        lips = augment.lips_in_face(points, geometry, stored_px=STORED, first_row=FACE // 2)
        faces = augment.degrade(augment.warp(flat, geometry), random, settings, lips)
        (left, top), (right, bottom) = lips.min(axis=0).astype(int), lips.max(axis=0).astype(int) + 1
        assert (faces[0, top:bottom, left:right] == 100).all()
        hidden += int((faces != 100).any())
    assert hidden > 20


def test_lips_are_placed_where_the_picture_shows_them() -> None:
    """A dot drawn at a landmark is found where the landmark is said to be, whatever the geometry."""
    settings = dataclasses.replace(PictureAugment(), mesh=0, shift=0.02)
    points = np.full((1, len(KEPT), 2), 0.55, np.float32)
    stored = np.zeros((1, STORED, STORED, 3), np.uint8)
    cv2.circle(stored[0], (round(0.55 * STORED - 0.5),) * 2, 2, (255, 255, 255), -1)
    for seed in range(10):
        geometry = augment.draw_geometry(np.random.default_rng(seed), settings, stored_px=STORED, face_px=FACE)
        face = augment.warp(stored, geometry)[0, :, :, 0].astype(float)
        rows, columns = np.indices(face.shape)
        found = (columns * face).sum() / face.sum(), (rows * face).sum() / face.sum()
        assert augment.lips_in_face(points, geometry, stored_px=STORED)[0] == pytest.approx(found, abs=0.8)


def test_higher_frequencies_come_from_lower_ones() -> None:
    mel = np.full((80, 4), -4, np.float32)
    mel[40] = 4
    assert int(warp_frequency(mel, 1.15)[:, 0].argmax()) > 40
    assert int(warp_frequency(mel, 0.85)[:, 0].argmax()) < 40
    np.testing.assert_allclose(warp_frequency(mel, 1.0), mel, atol=1e-5)


def test_sounds_stay_in_range_and_without_changes_as_they_are() -> None:
    mel = np.random.default_rng(0).uniform(-4, 4, (80, 16)).astype(np.float32)
    assert (change_sound(mel, np.random.default_rng(0), NO_SOUND_AUGMENT) == mel).all()
    for seed in range(20):
        changed = change_sound(mel, np.random.default_rng(seed), SoundAugment())
        assert changed.shape == mel.shape
        assert changed.dtype == np.float32
        assert np.abs(changed).max() <= 4


def test_a_gain_is_in_decibels() -> None:
    settings = dataclasses.replace(NO_SOUND_AUGMENT, level_db=12.5)
    mel = np.zeros((80, 16), np.float32)
    levels = [float(change_sound(mel, np.random.default_rng(seed), settings)[0, 0]) for seed in range(50)]
    assert max(levels) <= 1
    assert max(levels) > 0.8
    assert min(levels) < -0.8


def test_the_mouths_shape_does_not_know_where_the_head_is() -> None:
    still = np.random.default_rng(0).uniform(0.3, 0.7, (1, len(KEPT), 2))
    points = np.repeat(still, 6, axis=0)
    points[:, KEPT_MOUTH] += np.random.default_rng(1).normal(0, 0.01, points[:, KEPT_MOUTH].shape)
    moved = np.empty_like(points)
    for frame, (angle, scale) in enumerate(np.random.default_rng(2).uniform((-0.3, 0.8), (0.3, 1.2), (6, 2))):
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved[frame] = points[frame] @ turn.T + 0.1 * frame
    shapes = shape.mouth_shapes(points.astype(np.float32))
    assert np.abs(shapes).mean() > 0.1
    # Equal up to one turn and scale of the whole clip, which the mean of the stable points carries.
    other = shape.mouth_shapes(moved.astype(np.float32))
    a, b = (each.reshape(6, -1, 2) @ np.array([1, 1j]) for each in (shapes, other))
    factor = (a.conj() * b).sum() / (np.abs(a) ** 2).sum()
    assert np.abs(factor * a - b).max() < 0.02 * np.abs(a).max()


def test_mirrored_shapes_are_those_of_a_mirrored_face() -> None:
    shapes = np.random.default_rng(0).normal(size=(3, shape.SIZE)).astype(np.float32)
    assert (shape.mirrored(shape.mirrored(shapes)) == shapes).all()
    corner = np.zeros((1, shape.SIZE), np.float32)
    corner[0, 0] = -1  # the right corner of the lips, to the picture's left
    left = shape.mirrored(corner).reshape(-1, 2)
    assert left[10, 0] == 1  # the left corner, to the right
    assert np.abs(left).sum() == 1
