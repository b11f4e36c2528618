"""What a report shows and measures of a finished file: a video with two audio tracks, made here."""

from __future__ import annotations

import dataclasses
import io
import shutil
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from made_up_reports import plain_report
from PIL import Image

from infra.media.loudness import measure
from infra.store import Store
from manifests.clock import Hold
from manifests.errors import BadInput
from manifests.report import DubReport
from manifests.time import Span, flicks
from tasks.illustrations import Illustrations, illustrate, lines_to_show
from tasks.kept_pictures import keeping
from tasks.levels import LEVELS, LevelsWork

SIX_S = Span.of_seconds(0, 6)


def make(target: Path, *inputs: str, seconds: float) -> Path:
    """A video whose grey grows brighter by 20 levels a second, with a sound for each of `inputs`."""
    shade = "color=black:s=64x48:r=25,format=gray,geq=lum='20*floor(T)+20'"
    arguments = ["-f", "lavfi", "-i", f"{shade},format=yuv420p"]
    for each in inputs:
        arguments += ["-f", "lavfi", "-i", each]
    maps = [part for index in range(len(inputs) + 1) for part in ("-map", f"{index}")]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments, *maps, "-t", str(seconds), "-g", "25"]
    subprocess.run([*command, "-c:a", "aac", "-b:a", "128k", str(target)], check=True)
    return target


@pytest.fixture(scope="module")
def dub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The voice is loud from 1 to 2 s and half as loud from 4 to 5 s; the original is a steady tone."""
    voice = "aevalsrc='sin(880*PI*t)*(0.4*between(t,1,2)+0.2*between(t,4,5))':s=48000"
    return make(tmp_path_factory.mktemp("dub") / "dub.mp4", voice, "sine=f=300:r=48000", seconds=6)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("source") / "source.mp4", "sine=f=300:r=48000", seconds=5)


@pytest.fixture
def report() -> DubReport:
    """Of six seconds, one of which the picture waits at 3 s."""
    plain = plain_report()
    spans = (Span.of_seconds(1, 2), Span.of_seconds(4, 5))
    lines = tuple(dataclasses.replace(line, dub_span=span) for line, span in zip(plain.lines, spans, strict=True))
    return dataclasses.replace(
        plain, span=Span.of_seconds(0, 5), lines=lines, holds=(Hold(flicks(3), flicks(1)),), changed=()
    )


def brightness(jpeg: bytes | None) -> float:
    assert jpeg is not None
    return float(np.asarray(Image.open(io.BytesIO(jpeg)).convert("L")).mean())


def test_source_and_dub_are_shown_at_the_same_moment_of_the_lecture(report: DubReport, dub: Path, source: Path) -> None:
    """At 4.5 s of the dub the picture has waited for a second: the source shows what it showed at 3.5 s."""
    first, second = illustrate(report, dub, source).stills
    assert brightness(first.source) == pytest.approx(brightness(first.dub), abs=2)
    assert brightness(second.dub) - brightness(second.source) == pytest.approx(20, abs=4)
    assert brightness(second.dub) - brightness(first.dub) == pytest.approx(60, abs=8)


def test_what_is_gone_is_left_out(report: DubReport, dub: Path, source: Path) -> None:
    alone = illustrate(report, dub, None)
    assert all(still.source is None and still.dub is not None for still in alone.stills)
    assert len(alone.source) == len(alone.dub) > 0
    one_track = illustrate(report, source, None)
    assert len(one_track.source) == 0 < len(one_track.dub)
    nothing = illustrate(report, None, None)
    assert len(nothing.dub) == 0
    assert Illustrations().stills == ()


def test_lines_with_new_lips_are_shown_before_others() -> None:
    plain = plain_report()
    many = [
        dataclasses.replace(plain.lines[0], id=f"{index:03d}", dub_span=Span.of_seconds(index, index + 1), warnings=())
        for index in range(50)
    ]
    report = dataclasses.replace(plain, lines=tuple(many), holds=(), changed=(Span.of_seconds(30, 50),))
    shown = lines_to_show(report)
    assert len(shown) == 12
    assert sum(int(line.id) >= 30 for line in shown) == 8
    assert list(shown) == sorted(shown, key=lambda line: line.dub_span)


def test_a_finished_file_is_measured_as_a_whole_and_by_line(dub: Path, tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.scratch() as folder:
        blob = store.put(Path(shutil.copy(dub, folder / "dub.mp4")))
    lines = (Span.of_seconds(1, 2), Span.of_seconds(4, 5), Span.of_seconds(2.5, 3.5))
    levels = LEVELS.perform(LevelsWork(file=blob, lines=lines), store).value
    assert levels.picture == SIX_S
    assert levels.loudness_lufs == measure(dub).integrated_lufs
    loud, soft, silent = levels.lines
    assert loud is not None
    assert soft is not None
    assert loud - soft == pytest.approx(6, abs=0.5)
    assert loud == pytest.approx(20 * np.log10(0.4) - 3.7, abs=0.7)  # a tone of 0.4 at 440 Hz
    assert silent is None


def test_a_voice_in_two_channels_is_as_loud_as_the_meter_says(tmp_path: Path) -> None:
    file = make(tmp_path / "stereo.mp4", "aevalsrc=0.2*sin(880*PI*t)|0.2*sin(880*PI*t):s=48000", seconds=2)
    store = Store(tmp_path / "store")
    with store.scratch() as folder:
        blob = store.put(Path(shutil.copy(file, folder / "dub.mp4")))
    levels = LEVELS.perform(LevelsWork(file=blob, lines=(Span.of_seconds(0, 2),)), store).value
    assert levels.lines[0] == pytest.approx(levels.loudness_lufs, abs=0.3)


def test_a_file_that_is_no_video_is_refused(report: DubReport, tmp_path: Path) -> None:
    (tmp_path / "dub.mp4").write_text("no video", encoding="utf-8")
    with pytest.raises(BadInput):
        illustrate(report, tmp_path / "dub.mp4", None)


def test_what_was_taken_of_a_file_is_not_taken_again(
    report: DubReport, dub: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = illustrate(report, dub, source)
    names = {dub: "d" * 64, source: "5" * 64}
    shoot, trace = keeping(Store(tmp_path), names)
    first = illustrate(report, dub, source, shoot=shoot, trace=trace)

    def gone(*_: object) -> bytes:
        raise AssertionError("it was decoded again")

    monkeypatch.setattr("tasks.kept_pictures.shoot_stills", gone)
    monkeypatch.setattr("tasks.kept_pictures.trace_sound", gone)
    again = illustrate(report, dub, source, shoot=shoot, trace=trace)
    assert plain.stills == first.stills == again.stills
    assert np.array_equal(plain.dub, again.dub)
    assert np.array_equal(plain.source, again.source)
    other, _ = keeping(Store(tmp_path), {dub: "e" * 64, source: "5" * 64})
    with pytest.raises(AssertionError, match="decoded again"):
        illustrate(report, dub, source, shoot=other, trace=trace)
