from __future__ import annotations

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.lipsync.crop import crop_box, crop_face
from models.lipsync.paste import mask, mask_bounds, paste_face

WIDTH, HEIGHT = 161, 121


def box(x: float, y: float, width: float, height: float) -> npt.NDArray[np.float32]:
    return np.array([x, y, width, height], np.float32)


boxes = st.builds(box, st.floats(-300, 300), st.floats(-300, 300), st.floats(2, 400), st.floats(2, 400))


def smooth_picture(width: int = WIDTH, height: int = HEIGHT) -> npt.NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    planes = (x * 120 / width + y * 60 / height + 20, y * 180 / height + 30, (x + y) * 90 / (width + height) + 90)
    return np.stack(planes, axis=2).astype(np.uint8)


def noise(side: int = 96) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (side, side, 3), dtype=np.uint8)


@given(face_box=boxes)
@settings(max_examples=150, deadline=None)
def test_paste_changes_nothing_outside_the_mask_and_leaves_its_input_alone(face_box: npt.NDArray[np.float32]) -> None:
    frame = smooth_picture()
    frame.flags.writeable = False
    changed = paste_face(frame, face_box, noise())
    assert changed.shape == frame.shape
    assert changed.dtype == np.uint8
    opacity = mask(face_box, WIDTH, HEIGHT)
    assert (changed == frame)[opacity == 0].all()
    x0, y0, x1, y1 = mask_bounds(face_box, WIDTH, HEIGHT)
    assert 0 <= x0 <= x1 <= WIDTH
    assert 0 <= y0 <= y1 <= HEIGHT
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[y0:y1, x0:x1] = False
    assert (changed == frame)[outside].all()
    assert (paste_face(frame, face_box, noise()) == changed).all()


@given(face_box=boxes)
@settings(max_examples=100, deadline=None)
def test_the_mask_lies_in_the_lower_half_of_the_crop(face_box: npt.NDArray[np.float32]) -> None:
    x, y, width, height = crop_box(face_box)
    shown = np.argwhere(mask(face_box, WIDTH, HEIGHT) > 0)
    if len(shown):
        rows, columns = shown.min(axis=0), shown.max(axis=0)
        assert rows[0] >= np.floor(y + height / 2)
        assert columns[0] <= np.ceil(y + height)
        assert rows[1] >= np.floor(x)
        assert columns[1] <= np.ceil(x + width)


def test_the_mouth_shows_the_drawn_face_and_the_edge_is_soft() -> None:
    opacity = mask(box(30, 20, 90, 90), WIDTH, HEIGHT)
    assert opacity.max() == 1
    mouth = opacity[20 + 70, 30 + 45]
    assert mouth == 1
    steps = max(np.abs(np.diff(opacity, axis=axis)).max() for axis in (0, 1))
    assert steps < 0.2, "a seam would show"


@given(face_box=boxes)
@settings(max_examples=100, deadline=None)
def test_a_crop_holds_only_colours_of_the_picture(face_box: npt.NDArray[np.float32]) -> None:
    frame = smooth_picture()
    crop = crop_face(frame, face_box, 96)
    assert crop.shape == (96, 96, 3)
    assert crop.dtype == np.uint8
    low, high = frame.min(axis=(0, 1)).astype(int), frame.max(axis=(0, 1)).astype(int)
    assert (crop >= low - 2).all()
    assert (crop <= high + 2).all()


@pytest.mark.parametrize("scale", [0.31, 0.5, 1.0, 1.7, 3.3])
def test_a_crop_samples_where_the_box_says(scale: float) -> None:
    """On a plane whose value is its position, each cell reads its own centre's."""
    y, x = np.mgrid[:480, :640]
    frame = np.stack((x * 255 / 640, y * 255 / 480, x * 0), axis=2).round().astype(np.uint8)
    face_box = box(100.3, 50.8, 96 * scale, 96 * scale / 1.05)
    crop = crop_face(frame, face_box, 96).astype(float)
    x0, y0, width, height = crop_box(face_box)
    cells = (np.arange(96) + 0.5) / 96
    np.testing.assert_allclose(crop[..., 0], np.tile((x0 + cells * width - 0.5) * 255 / 640, (96, 1)), atol=1.2)
    np.testing.assert_allclose(crop[..., 1].T, np.tile((y0 + cells * height - 0.5) * 255 / 480, (96, 1)), atol=1.2)


def test_a_moving_box_moves_the_crop_by_less_than_a_pixel() -> None:
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[:] = np.clip(np.arange(200) - 95, 0, 10)[:, None] * 20
    edges = [crop_face(frame, box(60 + shift, 60, 80, 80), 96)[48, :, 0].astype(float).sum() for shift in (0, 0.5, 1)]
    step = 200 * 96 / 80
    assert edges[1] - edges[0] == pytest.approx(step / 2, rel=0.1)
    assert edges[2] - edges[0] == pytest.approx(step, rel=0.1)


@pytest.mark.parametrize("face_box", [box(40.4, 10.2, 60, 70), box(20, -8, 130, 120), box(-30.5, 40, 100.25, 99.75)])
def test_a_face_pasted_where_it_was_cropped_stays_as_it_was(face_box: npt.NDArray[np.float32]) -> None:
    frame = smooth_picture()
    changed = paste_face(frame, face_box, crop_face(frame, face_box, 96))
    assert np.abs(changed.astype(int) - frame).max() <= 3


def test_a_drawn_face_takes_the_light_of_the_skin_around_it() -> None:
    frame = smooth_picture()
    face_box = box(40, 10, 80, 90)
    darker = np.clip(crop_face(frame, face_box, 96).astype(int) - 18, 0, 255).astype(np.uint8)
    changed = paste_face(frame, face_box, darker)
    assert np.abs(changed.astype(int) - frame).mean(where=(mask(face_box, WIDTH, HEIGHT) > 0)[..., None]) < 3


def test_what_differs_by_more_than_light_is_not_matched_away() -> None:
    frame = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    changed = paste_face(frame, box(40, 10, 80, 90), np.full((96, 96, 3), 20, np.uint8))
    assert changed.min() < 60


@pytest.mark.parametrize("wrong", [box(0, 0, 0, 10), box(0, 0, 10, -1), box(np.nan, 0, 10, 10), box(0, np.inf, 1, 1)])
def test_what_is_no_box_is_refused(wrong: npt.NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="not the box"):
        crop_face(smooth_picture(), wrong, 96)
    with pytest.raises(ValueError, match="not the box"):
        mask_bounds(wrong, WIDTH, HEIGHT)


def test_cropping_and_pasting_need_no_torch() -> None:
    code = (
        "import sys, models.lipsync.crop, models.lipsync.paste, models.lipsync.engines; print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.split() == [b"False"]
