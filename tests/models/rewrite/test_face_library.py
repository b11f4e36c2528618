import io

import cv2
import numpy as np
import pytest
from drawn_face import SIDE, draw, face_points, library_of
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import BadInput
from models.rewrite import library
from models.rewrite.library import FaceLibrary, follows_among, pack_crop, select, sharpness, skin_light

FRAME = 28_224_000


def packed(count: int = 3, *, most_px: int = library.MOST_PX) -> tuple[FaceLibrary, list[np.ndarray]]:
    points = np.stack([face_points(10.0 * row) + np.float32(row) for row in range(count)])
    frames = [draw(each, seed=row) for row, each in enumerate(points)]
    crops = [pack_crop(frame, each, most_px=most_px) for frame, each in zip(frames, points, strict=True)]
    made = FaceLibrary(
        times=np.arange(count, dtype=np.int64) * FRAME,
        follows=np.arange(count) > 0,
        points=points,
        shapes=np.arange(2 * count, dtype=np.float32).reshape(count, 2),
        poses=np.zeros((count, 3), np.float32),
        light=np.stack([skin_light(frame, each) for frame, each in zip(frames, points, strict=True)]),
        origins=np.array([origin for _, origin, _ in crops], np.float32),
        scales=np.array([scale for *_, scale in crops], np.float32),
        jpegs=[jpeg for jpeg, *_ in crops],
    )
    return made, frames


def test_a_library_survives_being_stored() -> None:
    made, _ = packed()
    file = io.BytesIO()
    np.savez(file, **made.to_arrays())
    file.seek(0)
    with np.load(file) as arrays:
        read = FaceLibrary.from_arrays(arrays)
    for name in ("times", "follows", "points", "shapes", "poses", "light", "origins", "scales"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    assert list(read.jpegs) == list(made.jpegs)


def test_a_crop_shows_the_frames_pixels_where_its_landmarks_say() -> None:
    made, frames = packed()
    crop = made.crop(1)
    x0, y0 = made.origins[1].astype(int)
    height, width = crop.pixels.shape[:2]
    cut = frames[1][y0 : y0 + height, x0 : x0 + width].astype(float)
    assert np.abs(crop.pixels - cut).mean() < 3
    np.testing.assert_allclose(crop.points[:, :2] + made.origins[1], made.points[1, :, :2], atol=1e-4)


def test_a_large_region_is_stored_smaller_with_its_landmarks() -> None:
    (whole, _), (small, _) = packed(), packed(most_px=120)
    assert max(small.crop(1).pixels.shape[:2]) == 120
    crop, reference = small.crop(1), whole.crop(1)
    corner = crop.points[:, :2].min(axis=0), reference.points[:, :2].min(axis=0)
    spots = np.stack([crop.points[40:, :2], reference.points[40:, :2]])
    assert not np.allclose(*corner)
    # The same landmark shows the same colour, away from edges.
    soft, sharp = (cv2.GaussianBlur(each.pixels, (0, 0), 3) for each in (crop, reference))
    colours = [
        picture[np.clip(places[:, 1].astype(int), 0, picture.shape[0] - 1), places[:, 0].astype(int)].astype(float)
        for picture, places in zip((soft, sharp), spots, strict=True)
    ]
    assert np.median(np.abs(colours[0] - colours[1])) < 6


def test_light_is_the_skins_and_not_that_of_what_covers_some_of_it() -> None:
    points = face_points()
    frame = draw(points)
    plain = skin_light(frame, points)
    covered = frame.copy()
    covered[:, : SIDE // 2 - 30] = 0
    np.testing.assert_allclose(plain, (200, 150, 130), atol=12)
    assert np.abs(skin_light(covered, points) - plain).max() < 25


def test_blur_lowers_sharpness_and_brightness_does_not_matter() -> None:
    points = face_points()
    frame = draw(points)
    assert sharpness(cv2.GaussianBlur(frame, (0, 0), 2), points) < 0.6 * sharpness(frame, points)
    assert sharpness((frame * 0.6).astype(np.uint8), points) == pytest.approx(sharpness(frame, points), rel=0.1)


def test_a_spoilt_file_is_named() -> None:
    made = library_of(2, np.zeros((2, 2)))
    with pytest.raises(BadInput, match="row 1"):
        made.crop(1)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="shapes"):
        library_of(3, np.zeros((2, 2)))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 400),
    most=st.integers(20, 300),
    spoilt=st.floats(0, 0.3),
)
def test_a_selection_is_bounded_usable_and_made_of_runs(seed: int, count: int, most: int, spoilt: float) -> None:
    rng = np.random.default_rng(seed)
    follows = rng.random(count) > 0.01
    follows[0] = False
    quality = np.where(rng.random(count) < spoilt * 0.1, 0, rng.random(count)).astype(np.float32)
    shapes = rng.normal(size=(count, 8)).astype(np.float32)
    rows = select(
        np.arange(count, dtype=np.int64) * FRAME, follows, shapes, np.zeros((count, 3), np.float32), quality, most=most
    )
    assert len(rows) <= most
    assert (np.diff(rows) > 0).all()
    assert (quality[rows] > 0).all()
    next_to = follows_among(rows, follows)
    runs = np.diff(np.flatnonzero(np.append(~next_to, True)))
    longest = np.diff(np.flatnonzero(np.append(~(follows & (quality > 0)), True))).max()
    if longest >= 14:
        assert (runs >= 12).all()


def test_rare_mouths_are_kept() -> None:
    rng = np.random.default_rng(1)
    count = 6000
    shapes = 0.3 * rng.normal(size=(count, 6)).astype(np.float32)
    rare = np.arange(3000, 3025)
    shapes[rare] += 8
    rows = select(
        np.arange(count, dtype=np.int64) * FRAME,
        np.arange(count) > 0,
        shapes,
        np.zeros((count, 3), np.float32),
        np.ones(count, np.float32),
        most=600,
    )
    assert len(rows) > 500
    assert np.isin(rare, rows).mean() > 0.9


def test_sharp_frames_are_kept_before_blurred_ones() -> None:
    rng = np.random.default_rng(2)
    count = 3000
    quality = np.where((np.arange(count) // 100) % 2, 1.0, 0.3).astype(np.float32)
    rows = select(
        np.arange(count, dtype=np.int64) * FRAME,
        np.arange(count) > 0,
        rng.normal(size=(count, 6)).astype(np.float32),
        np.zeros((count, 3), np.float32),
        quality,
        most=1000,
    )
    assert (quality[rows] == 1).mean() > 0.75
