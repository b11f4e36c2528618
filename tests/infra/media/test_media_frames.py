from __future__ import annotations

import gc
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_recipes import Make, ffmpeg

from infra.media.frames import frame_at, frames_at, read_frames
from infra.media.streams import Orientation
from manifests.errors import BadInput
from manifests.time import Span, flicks


@pytest.mark.parametrize(
    "name", ["h264_b.mp4", "h264_b.mkv", "h264_b.ts", "h264_open.mp4", "hevc_open.mkv", "mpeg1.mpg"]
)
@pytest.mark.parametrize(("start", "end"), [(0.0, 0.2), (1.62, 1.9), (3.9, 9.0)])
def test_a_span_gives_the_frames_that_a_full_read_gives(media: Make, name: str, start: float, end: float) -> None:
    span = Span.of_seconds(start, end)
    everything = [(time, rgb) for time, rgb in read_frames(media(name)) if time in span]
    seeked = list(read_frames(media(name), span))
    assert [time for time, _ in seeked] == [time for time, _ in everything] != []
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(seeked, everything, strict=True))


@pytest.mark.parametrize(
    "name", ["h264_b.mp4", "h264_b.mkv", "h264_b.ts", "h264_b.avi", "h264_open.mp4", "hevc_open.mkv", "mpeg1.mpg"]
)
def test_of_several_times_each_has_the_frame_that_is_on_show_then(media: Make, name: str) -> None:
    everything = list(read_frames(media(name)))
    wanted = [flicks(at) for at in (1.63, 0.0, 3.9, -1.0, 1.63, 1.5999, 99.0, 0.02)]
    shown = list(frames_at(media(name), wanted))
    for at, (time, rgb) in zip(wanted, shown, strict=True):
        earlier = [each for each in everything if each[0] <= at]
        expected = earlier[-1] if earlier else everything[0]
        assert time == expected[0]
        assert np.array_equal(rgb, expected[1])


def test_times_are_on_the_pictures_own_clock(media: Make) -> None:
    times = [time for time, _ in read_frames(media("h264_b.ts"))]  # a stream that starts at 1.4 s or so
    assert times == [flicks(number / 25) for number in range(100)]


def test_reordered_frames_of_avi_come_with_rising_times(media: Make) -> None:
    times = [time for time, _ in read_frames(media("h264_b.avi"))]
    assert len(times) == 100
    assert {after - before for before, after in itertools.pairwise(times)} == {flicks(1 / 25)}


def test_width_scales_in_proportion_and_only_down(media: Make) -> None:
    span = Span.of_seconds(0, 0.04)
    assert next(iter(read_frames(media("h264_b.mp4"), span, width=160)))[1].shape == (90, 160, 3)
    assert next(iter(read_frames(media("h264_b.mp4"), span, width=1000)))[1].shape == (180, 320, 3)


def test_a_rotated_video_is_read_upright(media: Make, rotated: Path) -> None:
    _, plain = next(iter(read_frames(media("h264_b.mp4"))))
    _, turned = next(iter(read_frames(rotated)))
    # 90 counter-clockwise is what the file asks players for, as numpy turns.
    assert np.array_equal(turned, np.rot90(plain))
    _, small = next(iter(read_frames(rotated, width=90)))
    assert small.shape == (160, 90, 3)


def test_colours_come_by_the_tagged_matrix_and_range(tmp_path: Path) -> None:
    for matrix, colour_range in (("bt709", "tv"), ("bt709", "pc"), ("smpte170m", "tv")):
        path = tmp_path / f"{matrix}_{colour_range}.mp4"
        ffmpeg("-f", "lavfi", "-i", "color=0xC03020:size=64x64:rate=5:duration=1", "-vf",
               f"scale=out_color_matrix={matrix}:out_range={colour_range},format=yuv420p", "-c:v", "libx264",
               "-qp", "0", "-colorspace", matrix, "-color_range", colour_range, path)  # fmt: skip
        _, rgb = next(iter(read_frames(path)))
        assert np.abs(rgb[32, 32].astype(int) - (0xC0, 0x30, 0x20)).max() <= 5, (matrix, colour_range)


def test_the_frame_on_show(media: Make) -> None:
    step = flicks(1 / 25)
    assert frame_at(media("h264_b.mp4"), 10 * step + 5)[0] == 10 * step
    assert frame_at(media("h264_b.mp4"), -5)[0] == 0
    assert frame_at(media("h264_b.mp4"), flicks(1000))[0] == 99 * step


def test_frames_are_freed_as_they_pass(media: Make) -> None:
    # A reference cycle a frame would hold megabytes until the collector comes by: 800 MB on a minute of 720p.
    def cycles_a_frame() -> float:
        gc.collect()
        gc.disable()
        try:
            count = sum(1 for _ in read_frames(media("h264_b.mp4")))
            return gc.collect() / count
        finally:
            gc.enable()

    # Threads that other tests left running make some of their own now and then; a cycle a frame is there each time.
    assert min(cycles_a_frame() for _ in range(4)) < 0.5


def test_no_picture_is_bad_input(media: Make) -> None:
    with pytest.raises(BadInput, match="no picture"):
        next(iter(read_frames(media("sound_only.m4a"))))


@given(st.integers(0, 3), st.booleans(), st.integers(1, 9), st.integers(1, 9), st.data())
def test_a_patch_finds_its_place_in_the_coded_picture(
    turns: int, mirrored: bool, width: int, height: int, data: st.DataObject
) -> None:
    orientation = Orientation(turns, mirrored)
    coded = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    seen = orientation.upright(coded)
    assert np.array_equal(orientation.coded(seen), coded)
    assert orientation.upright_size(width, height) == (seen.shape[1], seen.shape[0])
    x, y = data.draw(st.integers(0, seen.shape[1] - 1)), data.draw(st.integers(0, seen.shape[0] - 1))
    w, h = data.draw(st.integers(1, seen.shape[1] - x)), data.draw(st.integers(1, seen.shape[0] - y))
    patch = orientation.coded(seen[y : y + h, x : x + w])
    cx, cy = orientation.coded_corner(x, y, w, h, (seen.shape[1], seen.shape[0]))
    assert np.array_equal(coded[cy : cy + patch.shape[0], cx : cx + patch.shape[1]], patch)
