from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_recipes import Make, ffmpeg

from infra.media.burn import burn_subtitles
from infra.media.frames import frame_at, read_frames
from infra.media.pixels import Rgb
from infra.media.probe import probe
from infra.media.splice import assemble_picture, plan_groups
from infra.subtitles import Cue
from manifests.clock import HeldClock, Hold
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Span, flicks

SECOND = FLICKS_PER_SECOND
CUES = [Cue(span=Span.of_seconds(0.4, 1.2), lines=(r"C:\new {\b1} <i>", "كان البحر هادئا."))]


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of grey, so that whatever is not grey is a letter."""
    path = tmp_path_factory.mktemp("grey") / "it's [grey], 'now'; here.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=0x607080:size=320x180:rate=25:duration=2", "-f", "lavfi", "-i",
           "sine=frequency=440:duration=2", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
           "-metadata", "comment=It is synthetic.", "-metadata:s:a:0", "language=fra", path)  # fmt: skip
    return path


def written(frame: Rgb) -> float:
    """The share of white in the picture."""
    return float((frame.min(axis=2) > 200).mean())


def test_letters_show_while_their_cue_lasts(grey: Path, tmp_path: Path) -> None:
    out = tmp_path / "it's [burned], 'now'; here.mp4"
    burn_subtitles(grey, CUES, out, frame_rate=Fraction(25))
    for time, frame in read_frames(out):
        assert (written(frame) > 0) == (time in CUES[0].span), time / SECOND
    _, frame = frame_at(out, flicks(0.8))
    white = frame.min(axis=2) > 200
    assert not white[:120].any(), "at the bottom of the picture"
    assert abs(float(np.argwhere(white)[:, 1].mean()) - 160) < 8, "in the middle"
    made = probe(out)
    assert (made.frame_count, made.codec, made.pixel_format) == (50, "h264", "yuv420p")
    with av.open(str(out)) as container, av.open(str(grey)) as source:
        assert container.metadata["comment"] == "It is synthetic."
        assert container.streams.audio[0].language == "fra"
        old = [bytes(packet) for packet in source.demux(source.streams.audio[0]) if packet.size]
        assert [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size] == old
    again = tmp_path / "again.mp4"
    burn_subtitles(grey, CUES, again, frame_rate=Fraction(25))
    assert again.read_bytes() == out.read_bytes()


def test_cues_change_while_the_picture_waits(grey: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.mp4"
    assemble_picture(grey, plan_groups(grey), {}, held, HeldClock((Hold(SECOND, 2 * SECOND),)))
    cues = [Cue(span=Span.of_seconds(start, start + 0.5), lines=("Waiting",)) for start in (1.2, 2.2)]
    burn_subtitles(held, cues, tmp_path / "out.mp4", frame_rate=Fraction(5))
    frames = list(read_frames(tmp_path / "out.mp4"))
    assert len(frames) == 4 * 25
    for time, frame in frames:
        assert (written(frame) > 0) == any(time in cue.span for cue in cues), time / SECOND


@pytest.mark.slow
def test_a_turned_picture_is_turned_before_it_is_written_on(rotated: Path, tmp_path: Path) -> None:
    burn_subtitles(rotated, CUES, tmp_path / "out.mp4", frame_rate=Fraction(25))
    made = probe(tmp_path / "out.mp4")
    assert (made.width, made.height, made.rotation_deg) == (180, 320, 0)


def test_letters_that_no_font_has_are_named(media: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fonts").mkdir()
    config = tmp_path / "fonts.conf"
    config.write_text(
        f"<fontconfig><dir>{tmp_path / 'fonts'}</dir><cachedir>{tmp_path / 'cache'}</cachedir></fontconfig>"
    )
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    with pytest.raises(BadInput, match=r"no fonts|no font on this machine has the letters"):
        burn_subtitles(media("h264_b.mp4"), CUES, tmp_path / "out.mp4", frame_rate=Fraction(25))
    assert not (tmp_path / "out.mp4").exists()
