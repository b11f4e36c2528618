from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_recipes import Make, ffmpeg, frame_hashes

from infra.media.frames import read_frames
from infra.media.probe import probe
from infra.media.still import breathing_video, extract_still, fit_duration, read_image, video_from_image
from manifests.errors import BadInput
from manifests.time import Span, flicks


def picture(path: Path, size: str = "161x91") -> Path:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180", "-frames:v", "1", "-vf", f"scale={size.replace('x', ':')}",
           "-update", "1", "-q:v", "2", path)  # fmt: skip
    return path


def with_exif(jpeg: Path, orientation: int) -> Path:
    """The JPEG with an EXIF block that holds nothing but an orientation."""
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0\0\0\0"
    body = b"Exif\0\0" + tiff
    data = jpeg.read_bytes()
    out = jpeg.with_name(f"exif{orientation}.jpg")
    out.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:])
    return out


# EXIF 2.32, 4.6.5: where row 0 and column 0 of the stored image are seen.
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", sorted(TURNS))
def test_images_are_upright_by_their_exif(tmp_path: Path, orientation: int) -> None:
    jpeg = picture(tmp_path / "plain.jpg", "64x48")
    turned = read_image(with_exif(jpeg, orientation))
    assert np.array_equal(turned, TURNS[orientation](read_image(jpeg)))


def test_a_still_becomes_a_video(tmp_path: Path) -> None:
    image, out = picture(tmp_path / "100%d فيس.png"), tmp_path / "still.mp4"
    video_from_image(image, flicks(2.01), out)
    video = probe(out)
    assert (video.width, video.height, video.pixel_format, video.frame_count) == (160, 90, "yuv420p", 51)
    assert video.span == Span(0, flicks(2.04))
    original = read_image(image).astype(int)
    frames = [rgb for _, rgb in read_frames(out)]
    assert np.abs(frames[-1].astype(int).mean(axis=2) - original[:90, :160].mean(axis=2)).mean() < 6
    assert len(frame_hashes(out)) == 51
    again = tmp_path / "again.mp4"
    video_from_image(image, flicks(2.01), again)
    assert again.read_bytes() == out.read_bytes()


def test_a_still_may_breathe(tmp_path: Path) -> None:
    """It starts as the image, moves all the time but by little, shows no edge, and is the same every time."""
    image, out = picture(tmp_path / "still.png", "320x240"), tmp_path / "breathes.mp4"
    breathing_video(image, flicks(4.2), out)
    original = read_image(image).astype(int)
    frames = [rgb.astype(int) for _, rgb in read_frames(out)]
    assert len(frames) == 105
    from_start = [np.abs(frame - original).mean() for frame in frames]
    assert from_start[0] < 6
    assert max(from_start) > 1.5 * from_start[0]
    assert from_start[-1] < 1.2 * from_start[0] + 1, "after a breath it is back, but for the sway"
    for frame in frames:  # nothing from beyond the picture: no dark rim
        assert min(frame[0].max(), frame[-1].max(), frame[:, 0].max(), frame[:, -1].max()) > 100
    again = tmp_path / "again.mp4"
    breathing_video(image, flicks(4.2), again)
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize(("size", "wanted"), [("3000x1500", (1920, 960)), ("1000x3000", (640, 1920))])
def test_large_images_fit_1080p_either_way_up(tmp_path: Path, size: str, wanted: tuple[int, int]) -> None:
    out = tmp_path / "still.mp4"
    video_from_image(picture(tmp_path / "large.jpg", size), flicks(0.08), out)
    video = probe(out)
    assert (video.width, video.height) == wanted


def test_what_is_no_image_is_told(tmp_path: Path, media: Make) -> None:
    (tmp_path / "text.png").write_text("no image" * 10)
    for path in (tmp_path / "text.png", tmp_path / "missing.png", tmp_path, media("h264_b.mp4"), media("tone.wav")):
        with pytest.raises(BadInput) as caught:
            read_image(path)
        assert caught.value.where == str(path)


def test_a_video_is_cut_or_played_back_and_forth(media: Make, tmp_path: Path) -> None:
    step = flicks(1 / 25)
    source = [rgb.astype(int) for _, rgb in read_frames(media("h264_b.mp4"))]
    for seconds in (1.0, 9.0):
        out = tmp_path / f"{seconds}.mp4"
        fit_duration(media("h264_b.mp4"), flicks(seconds), out)
        made = list(read_frames(out))
        assert [time for time, _ in made] == [number * step for number in range(round(seconds * 25))]
        for number in range(0, len(made), 7):
            place = number % 198  # 0..99 forwards, then 98..1 backwards
            shown = place if place < 100 else 198 - place
            assert np.abs(made[number][1] - source[shown]).mean() < 6, number


def test_a_still_of_a_video(media: Make, tmp_path: Path) -> None:
    out = tmp_path / "still.png"
    extract_still(media("h264_b.mp4"), flicks(2.01), out)
    _, rgb = next(iter(read_frames(media("h264_b.mp4"), Span.of_seconds(2, 2.02))))
    assert np.array_equal(read_image(out), rgb)


@given(st.integers(1, 5))
def test_durations_are_rounded_up_to_a_frame(frames: int) -> None:
    assert -(-(frames * flicks(1 / 25) - 1) * 25 // flicks(1)) == frames
