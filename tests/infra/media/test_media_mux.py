from __future__ import annotations

from pathlib import Path

import av
import pytest
from media_recipes import Make, ffmpeg, frame_hashes

from infra.media.audio import read_waveform
from infra.media.mux import AudioOut, Chapter, SubtitleOut, mux
from infra.media.probe import probe
from manifests.errors import BadInput, NoSpace
from manifests.time import Span

SRT = "1\n00:00:00,500 --> 00:00:01,200\nBonjour مرحبا\n\n2\n00:00:03,000 --> 00:00:03,800\nAu revoir\n\n"


@pytest.fixture
def srt(tmp_path: Path) -> Path:
    path = tmp_path / "it's.srt"
    path.write_text(SRT, encoding="utf-8")
    return path


def lecture(media: Make, srt: Path, out: Path, original: str = "h264_b.mp4") -> Path:
    mux(
        picture=media("h264_b.mp4"),
        audio=[
            AudioOut(source=media("tone.wav"), language="fr", title="Français", default=True),
            AudioOut(source=media(original), language="en", title="English (original)"),
        ],
        subtitles=[
            SubtitleOut(srt=srt, language="fr", title="Français"),
            SubtitleOut(srt=srt, language="ar", title="العربية"),
        ],
        chapters=[
            Chapter(span=Span.of_seconds(0, 1.5), title='One = "1"; #\\'),
            Chapter(span=Span.of_seconds(1.5, 4), title="فصل"),
        ],
        metadata={"title": "A = B; C", "redub:provenance": '{"lips": "synthetic"}\nsecond line'},
        out=out,
    )
    return out


def test_one_file_holds_everything(media: Make, tmp_path: Path, srt: Path) -> None:
    out = lecture(media, srt, tmp_path / "out \"of\" 'محاضرة'.mp4")
    assert len(frame_hashes(out)) == 100
    with av.open(str(out)) as made:
        assert [(s.language, bool(s.disposition & av.stream.Disposition.default)) for s in made.streams.audio] == [
            ("fra", True),
            ("eng", False),
        ]
        assert [s.metadata["handler_name"] for s in made.streams.audio] == ["Français", "English (original)"]
        assert [(s.language, s.codec_context.name) for s in made.streams.subtitles] == [
            ("fra", "mov_text"),
            ("ara", "mov_text"),
        ]
        assert [c["metadata"]["title"] for c in made.chapters()] == ['One = "1"; #\\ ', "فصل"]
        assert made.metadata["title"] == "A = B; C"
        assert made.metadata["redub:provenance"] == '{"lips": "synthetic"}\nsecond line'
        assert "creation_time" not in made.metadata
        assert "encoder" not in made.metadata
    shown = tmp_path / "shown.srt"
    ffmpeg("-i", out, "-map", "0:s:0", shown)
    assert shown.read_text(encoding="utf-8").split() == SRT.split()


def test_matroska_holds_the_same(media: Make, tmp_path: Path, srt: Path) -> None:
    out, again = lecture(media, srt, tmp_path / "out.mkv"), lecture(media, srt, tmp_path / "again.mkv")
    assert out.read_bytes() == again.read_bytes()
    assert [row[1] for row in frame_hashes(out)] == [row[1] for row in frame_hashes(media("h264_b.mp4"))]
    with av.open(str(out)) as made:
        tracks = [*made.streams.audio, *made.streams.subtitles]
        assert [
            (s.language, s.metadata["title"], bool(s.disposition & av.stream.Disposition.default)) for s in tracks
        ] == [
            ("fra", "Français", True),
            ("eng", "English (original)", False),
            ("fra", "Français", False),
            ("ara", "العربية", False),
        ]
        assert [s.codec_context.name for s in made.streams.subtitles] == ["srt", "srt"]
        assert [c["metadata"]["title"] for c in made.chapters()] == ['One = "1"; #\\ ', "فصل"]
        tags = {key.lower(): value for key, value in made.metadata.items()}
        assert tags["redub:provenance"] == '{"lips": "synthetic"}\nsecond line'
    shown = tmp_path / "shown.srt"
    ffmpeg("-i", out, "-map", "0:s:0", shown)
    assert shown.read_text(encoding="utf-8").split() == SRT.split()
    with pytest.raises(BadInput, match=r"\.mp4 or \.mkv"):
        lecture(media, srt, tmp_path / "out.avi")


def test_picture_and_original_sound_are_copied_packet_for_packet(media: Make, tmp_path: Path, srt: Path) -> None:
    out = lecture(media, srt, tmp_path / "out.mp4")
    assert frame_hashes(out) == frame_hashes(media("h264_b.mp4"))
    with av.open(str(out)) as made, av.open(str(media("h264_b.mp4"))) as source:
        old = [bytes(packet) for packet in source.demux(source.streams.audio[0]) if packet.size]
        new = [bytes(packet) for packet in made.demux(made.streams.audio[1]) if packet.size]
        assert old == new


def test_the_index_comes_first_and_bytes_are_equal(media: Make, tmp_path: Path, srt: Path) -> None:
    one, other = lecture(media, srt, tmp_path / "1.mp4"), lecture(media, srt, tmp_path / "2.mp4")
    data = one.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert data == other.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.mp4", "2.mp4", "it's.srt"]


def test_sound_stays_with_its_picture_whatever_the_container_starts_at(media: Make, tmp_path: Path, srt: Path) -> None:
    # MPEG-TS starts at 1.4 s; Matroska's PCM must be encoded, and its tone starts at 1.5 s.
    late = lecture(media, srt, tmp_path / "late.mp4", "late_sound.mkv")
    sound = read_waveform(late, sample_rate=16_000, track=1)
    assert abs(next(i for i, v in enumerate(abs(sound)) if v > 0.02) / 16_000 - 1.5) < 0.03
    stream = lecture(media, srt, tmp_path / "ts.mp4", "h264_b.ts")
    with av.open(str(stream)) as made, av.open(str(media("h264_b.ts"))) as source:
        picture, audio = source.streams.video[0], source.streams.audio[0]
        wanted = float(audio.start_time * audio.time_base - picture.start_time * picture.time_base)
        second = made.streams.audio[1]
        assert float(second.start_time * second.time_base) == pytest.approx(max(wanted, 0), abs=0.03)


def test_no_sound_no_subtitles(media: Make, tmp_path: Path) -> None:
    mux(picture=media("h264_b.mp4"), audio=[], out=tmp_path / "silent.mp4")
    video = probe(tmp_path / "silent.mp4")
    assert (video.frame_count, video.audio_tracks) == (100, ())


def test_rotation_stays(rotated: Path, media: Make, tmp_path: Path) -> None:
    mux(picture=rotated, audio=[AudioOut(source=media("tone.wav"))], out=tmp_path / "turned.mp4")
    assert probe(tmp_path / "turned.mp4").rotation_deg == 90


def test_failures_carry_the_reason(media: Make, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no audio track 3"):
        mux(picture=media("h264_b.mp4"), audio=[AudioOut(source=media("tone.wav"), track=3)], out=tmp_path / "x.mp4")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing" * 100)
    with pytest.raises(BadInput, match=r"ffmpeg failed: .*[a-z]"):
        mux(picture=broken, audio=[], out=tmp_path / "x.mp4")
    assert not (tmp_path / "x.mp4").exists()
    file = tmp_path / "file"
    file.touch()
    with pytest.raises((NoSpace, OSError)):
        mux(picture=media("h264_b.mp4"), audio=[], out=file / "x.mp4")
