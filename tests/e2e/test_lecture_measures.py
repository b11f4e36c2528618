"""The team's lecture (45 s: slides with a narrator, two talking heads) dubbed into French, and how good that is.

The figures are printed (`-s` shows them). What is measured of the picture is where it changed; how well lips fit is
what `redub evaluate` tells.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pysubs2
import pytest
from changed_picture import compare_pictures, drawn_mouths, rendered_frames
from error_rates import error_rate, normalised
from media_checks import decoded_frames, duration_s, groups, loudness, picture_duration_s, waveform
from redub_command import Dubbed, Redub

from manifests.records import Placement, Translation, Utterance
from manifests.time import seconds
from models import weights

LECTURE = Path(__file__).parents[2] / ".." / "shared" / "data" / "lecture" / "lecture_en.mp4"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.weights,
    pytest.mark.shared_data,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not LECTURE.is_file(), reason="the team's sample lecture is not on this machine"),
]

WHISPER_HZ = 16_000
SILENT_DBFS = -50.0
STEP_S = 0.02


@pytest.fixture(scope="module")
def dubbed(usual_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Dubbed:
    folder = tmp_path_factory.mktemp("lecture")
    redub = Redub(folder / "cache", folder / "state", usual_weights)
    return redub.dub(LECTURE.resolve(), folder / "out")


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    def print_at_once(figure: str) -> None:
        with capsys.disabled():
            print(f"\n  {figure}")  # noqa: T201 (the figures are what this suite is for)

    return print_at_once


def test_time(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    result = dubbed.ended.result
    length = duration_s(dubbed.source)
    tell(f"{result['seconds']:.0f} s for {length:.1f} s of lecture ({result['seconds'] / length:.1f} times as long)")
    for event in dubbed.ended.of_kind("performed"):
        tell(f"{event['stage']:<10} {event['start_s']:6.2f} - {event['end_s']:6.2f} s: {event['seconds']:.1f} s")


def test_picture_outside_changed_groups(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    source, frames = decoded_frames(dubbed.source), decoded_frames(dubbed.video)
    assert [frame.time for frame in frames] == [frame.time for frame in source]
    mouths = drawn_mouths(dubbed)
    rendered = rendered_frames(groups(dubbed.source), mouths)
    differ = {index for index, (one, other) in enumerate(zip(source, frames, strict=True)) if one != other}
    tell(f"{len(source)} frames: {len(mouths)} with new lips, {len(rendered)} in changed groups, {len(differ)} differ")
    assert differ <= rendered
    assert len(rendered) < len(source)


def test_picture_inside_changed_groups(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    compared = compare_pictures(dubbed.source, dubbed.video, drawn_mouths(dubbed))
    outside_db = [each.outside_db for each in compared]
    inside_db = [each.inside_db for each in compared if each.inside_db is not None]
    tell(f"outside the mask: PSNR {min(outside_db):.1f} dB at least, {np.mean(outside_db):.1f} dB on average")
    tell(f"inside the mask: PSNR {max(inside_db):.1f} dB at most, {np.median(inside_db):.1f} dB in the middle")
    assert min(outside_db) >= 45
    assert np.median(inside_db) <= 40


def test_length(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    frame_s = 1 / 25
    source, made = picture_duration_s(dubbed.source), picture_duration_s(dubbed.video)
    whole, made_whole = duration_s(dubbed.source), duration_s(dubbed.video)
    tell(f"picture {made:.3f} s of {source:.3f} s, file {made_whole:.3f} s of {whole:.3f} s")
    assert made == pytest.approx(source, abs=frame_s)
    assert made_whole == pytest.approx(whole, abs=frame_s)


def test_loudness(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    measured = loudness(dubbed.video)
    tell(f"loudness {measured.integrated_lufs:.2f} LUFS, true peak {measured.true_peak_dbtp:.2f} dBTP")
    assert measured.integrated_lufs == pytest.approx(-16, abs=0.5)
    assert measured.true_peak_dbtp <= -1.0


def test_words_of_the_source(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    truth = json.loads(LECTURE.with_suffix(".json").read_text(encoding="utf-8"))
    meant = normalised(" ".join(shot["words"] for shot in truth["shots"]), "en")
    heard = normalised(" ".join(each.text for each in dubbed.rows(Utterance, "utterances")), "en")
    rate = error_rate(meant.split(), heard.split())
    tell(f"source words: WER {rate:.3f} of {len(meant.split())}\n    meant: {meant}\n    heard: {heard}")
    assert rate <= 0.10


def test_french_that_is_heard(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    meant = normalised(" ".join(each.text for each in dubbed.rows(Translation, "translations")), "fr")
    heard = normalised(transcribed(waveform(dubbed.video, WHISPER_HZ), "fr"), "fr")
    rate = error_rate(meant, heard)
    tell(f"French heard back: CER {rate:.3f} of {len(meant)}\n    meant: {meant}\n    heard: {heard}")
    assert rate <= 0.10


def transcribed(samples: npt.NDArray[np.float32], language: str) -> str:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(weights.locate("whisper-base")), device="cpu", compute_type="int8", local_files_only=True)
    segments, _ = model.transcribe(samples, language=language, beam_size=5, condition_on_previous_text=False)
    return " ".join(segment.text for segment in segments)


def test_subtitles_lie_on_the_speech(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    cues = pysubs2.load(str(dubbed.video.with_suffix(".srt")))
    samples = waveform(dubbed.video, WHISPER_HZ)
    step = round(STEP_S * WHISPER_HZ)
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    sounding = 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-12) > SILENT_DBFS
    times = (np.arange(len(blocks)) + 0.5) * STEP_S
    shown = np.zeros(len(blocks), bool)
    for cue in cues:
        during = (times >= cue.start / 1000) & (times < cue.end / 1000)
        shown |= during
        # A short word shows for longer than it is heard.
        assert sounding[during].mean() > 0.3, f"little is heard while {cue.plaintext!r} shows"
    covered = float((sounding & shown).sum() / sounding.sum())
    tell(f"{len(cues)} French cues; {covered:.1%} of the speech has one")
    assert covered >= 0.95  # cues are two frames apart
    assert float((sounding & shown).sum() / shown.sum()) >= 0.7


def test_timing(dubbed: Dubbed, tell: Callable[[str], None]) -> None:
    utterances = {each.id: each for each in dubbed.rows(Utterance, "utterances")}
    placements = dubbed.rows(Placement, "placements")
    rates = [placed.rate for placed in placements]
    starts = [placed.span.start_s - utterances[placed.utterance_id].span.start_s for placed in placements]
    overruns = [seconds(placed.overrun) for placed in placements if placed.overrun]
    tell(f"{len(placements)} utterances: rates {min(rates):.2f} to {max(rates):.2f}, "
         f"starts {min(starts):+.2f} to {max(starts):+.2f} s off, {len(overruns)} overruns {overruns}")  # fmt: skip
    assert all(not one.span.overlaps(other.span) for one, other in pairwise(placements))
    assert max(rates) <= 1.25 + 1e-6
