from __future__ import annotations

import io
import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from media_recipes import Make, ffmpeg

from infra.media.probe import inspect, picture_span, probe
from manifests.errors import BadInput
from manifests.time import Span


def test_a_plain_video(media: Make) -> None:
    video = probe(media("h264_b.mp4"))
    assert (video.codec, video.pixel_format, video.width, video.height) == ("h264", "yuv420p", 320, 180)
    assert (video.frame_rate, video.variable_frame_rate, video.frame_count) == (Fraction(25), False, 100)
    assert video.span == Span.of_seconds(0, 4)
    assert [(track.index, track.codec, track.sample_rate, track.channels) for track in video.audio_tracks] == [
        (0, "aac", 48_000, 1)
    ]


@pytest.mark.parametrize(
    ("name", "codec", "frames"),
    [
        ("h264_b.mkv", "h264", 100),
        ("h264_b.mov", "h264", 100),
        ("h264_b.ts", "h264", 100),
        ("hevc.mp4", "hevc", 100),
        ("vp9_odd.webm", "vp9", 25),
        ("mpeg4.avi", "mpeg4", 100),
        ("mpeg1.mpg", "mpeg1video", 100),
    ],
)
def test_every_container_gives_its_frames(media: Make, name: str, codec: str, frames: int) -> None:
    video = probe(media(name))
    assert (video.codec, video.frame_count, video.variable_frame_rate) == (codec, frames, False)


@pytest.mark.parametrize("name", ["h264_b.mp4", "h264_b.mkv", "h264_vfr.mp4", "mpeg4.avi", "late_sound.mkv"])
def test_how_long_a_picture_lasts_is_the_same_without_decoding_it(media: Make, name: str) -> None:
    assert picture_span(media(name)) == probe(media(name)).span


def test_a_file_that_is_replaced_is_looked_at_again(media: Make, tmp_path: Path) -> None:
    file = tmp_path / "lecture.mp4"
    shutil.copyfile(media("h264_b.mp4"), file)
    assert inspect(file).codec == "h264"
    shutil.copyfile(media("hevc.mp4"), file)
    assert inspect(file).codec == "hevc"
    file.unlink()
    with pytest.raises(BadInput, match="no such file"):
        inspect(file)


def test_variable_rate_is_told_from_constant(media: Make) -> None:
    vfr = probe(media("h264_vfr.mp4"))
    assert vfr.variable_frame_rate
    assert vfr.frame_count == 83
    assert abs(vfr.span.duration_s - 4) < 0.1
    assert probe(media("h264_ntsc.mp4")).frame_rate == Fraction(24000, 1001)


def test_rotation_gives_upright_size(rotated: Path) -> None:
    video = probe(rotated)
    assert (video.rotation_deg, video.width, video.height) == (90, 180, 320)


def test_languages_of_all_tracks(media: Make) -> None:
    tracks = probe(media("two_tracks.mp4")).audio_tracks
    assert [track.language for track in tracks] == ["eng", "fra"]
    assert probe(media("surround.mkv")).audio_tracks[0].channels == 6
    assert probe(media("h264_no_b.mp4")).audio_tracks == ()


def test_the_id_is_of_the_content(media: Make, tmp_path: Path) -> None:
    copy = tmp_path / "a \"strange\" 'name' محاضرة %d.mp4"
    copy.write_bytes(media("h264_b.mp4").read_bytes())
    assert probe(copy).id == probe(media("h264_b.mp4")).id


def rejected(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        probe(path)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.where == str(path)
    return caught.value


def test_what_is_no_video_is_named(tmp_path: Path, media: Make) -> None:
    assert "no such file" in str(rejected(tmp_path / "missing.mp4"))
    assert "folder" in str(rejected(tmp_path))
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "empty" in str(rejected(empty))
    text = tmp_path / "text.mp4"
    text.write_text("Dear diary,\nthis is no video.\n" * 20)
    assert "text" in str(rejected(text))
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(bytes(range(256)) * 40)
    assert "no audio or video" in str(rejected(noise))
    assert "redub lipsync" in str(rejected(media("sound_only.m4a")))


def test_cover_art_is_no_picture(tmp_path: Path, media: Make) -> None:
    image, song = tmp_path / "cover.png", tmp_path / "song.m4a"
    ffmpeg("-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1", image)
    ffmpeg("-i", media("sound_only.m4a"), "-i", image, "-map", "0", "-map", "1", "-c:a", "copy", "-c:v", "png",
           "-disposition:v", "attached_pic", song)  # fmt: skip
    assert "cover art" in str(rejected(song))
    assert "single picture" in str(rejected(image))


@pytest.mark.parametrize("name", ["h264_b.mp4", "h264_b.mkv"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_cut_off_video_is_told(tmp_path: Path, media: Make, name: str, kept: float) -> None:
    whole = tmp_path / ("whole" + Path(name).suffix)
    ffmpeg("-i", media(name), "-c", "copy", "-movflags", "+faststart", whole)
    cut = tmp_path / ("cut" + whole.suffix)
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * kept)])
    error = rejected(cut)
    assert "cut off" in str(error)
    assert error.remedy


def test_an_mp4_without_its_index_is_told(tmp_path: Path, media: Make) -> None:
    late_index, cut = tmp_path / "late.mp4", tmp_path / "cut.mp4"
    ffmpeg("-i", media("h264_b.mp4"), "-c", "copy", late_index)
    cut.write_bytes(late_index.read_bytes()[:20_000])
    assert "moov" in str(rejected(cut))


def test_a_title_in_another_encoding_is_no_fault(tmp_path: Path, media: Make) -> None:
    told, odd = tmp_path / "told.mp4", tmp_path / "odd.mp4"
    ffmpeg("-i", media("h264_b.mp4"), "-c", "copy", "-metadata", "title=Th?orie", told)
    data = told.read_bytes()
    assert b"Th?orie" in data
    odd.write_bytes(data.replace(b"Th?orie", "Théorie".encode("latin-1")))
    assert probe(odd).frame_count == 100


def test_an_unreadable_file_is_told(tmp_path: Path, media: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, whom permissions do not stop.
    import av

    def refuse(*_: object, **__: object) -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / "lecture.mp4"  # one that was not looked at before
    shutil.copyfile(media("h264_b.mp4"), file)
    monkeypatch.setattr(av, "open", refuse)
    assert "may not be read" in str(rejected(file))
