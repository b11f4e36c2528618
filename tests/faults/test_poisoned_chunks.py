"""A lecture of which one chunk is poisoned: the rest is dubbed, that chunk stays as it is, and the dub says so."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from made_up_networks import RATE
from short_lectures import PAUSE_S, SAID_S, SENTENCES, Out, dub_here, dub_in_process, dubbed, redub

from infra.media.audio import read_waveform
from manifests.report import read_report
from tasks.gate import judge
from tasks.settings import preset

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def likeness(dub: Path, lecture: Path, start_s: float, end_s: float) -> float:
    """The correlation of a stretch of the dub with what the lecture has there."""
    parts = []
    for file in (dub, lecture):
        samples = read_waveform(file, sample_rate=RATE)
        parts.append(samples[round(start_s * RATE) : round(end_s * RATE)])
    count = min(map(len, parts))
    return float(np.corrcoef(parts[0][:count], parts[1][:count])[0, 1])


def spoken_in(out: Out, start_s: float, end_s: float) -> int:
    return sum(start_s <= each.span.start_s < end_s for each in out.spoken())


def test_the_lecture_has_several_chunks_and_the_whole_of_it_is_dubbed(undisturbed: Out, lecture: Path) -> None:
    assert len(undisturbed.chunks()) >= 4
    assert undisturbed.failed == []
    assert len(undisturbed.spoken()) == SENTENCES
    assert abs(likeness(undisturbed.video, lecture, 0, SENTENCES * (SAID_S + PAUSE_S))) < 0.2


@pytest.mark.parametrize("fault", ["listen 1 raise", "translate 1 memory", "speak 1 raise", "mix 1 raise"])
def test_a_chunk_that_cannot_be_spoken_keeps_its_own_sound(
    fault: str, undisturbed: Out, lecture: Path, tmp_path: Path
) -> None:
    poisoned = dub_in_process(lecture, tmp_path, fault)
    span = undisturbed.chunks()[1].span
    stage = fault.split(maxsplit=1)[0]
    assert poisoned.failed == [(stage, span.start_s, span.end_s)]
    assert spoken_in(poisoned, span.start_s, span.end_s) == 0
    assert len(poisoned.spoken()) == SENTENCES - spoken_in(undisturbed, span.start_s, span.end_s)
    inside = span.start_s + 0.1, span.end_s - 0.1
    assert likeness(poisoned.video, lecture, *inside) > 0.95
    after = undisturbed.chunks()[2].span
    assert abs(likeness(poisoned.video, lecture, after.start_s + 0.1, after.end_s - 0.1)) < 0.3
    assert poisoned.report["totals"]["failed"] == pytest.approx(span.duration / poisoned.whole.duration, abs=0.001)


@pytest.mark.parametrize("fault", ["voice_samples 1 raise", "background 1 raise"])
def test_a_chunk_of_which_less_is_known_is_dubbed_all_the_same(
    fault: str, undisturbed: Out, lecture: Path, tmp_path: Path
) -> None:
    poisoned = dub_in_process(lecture, tmp_path, fault)
    assert [each[0] for each in poisoned.failed] == [fault.split(maxsplit=1)[0]]
    assert len(poisoned.spoken()) == SENTENCES


def test_what_could_not_be_measured_is_a_note_and_no_flaw_of_the_dub(
    undisturbed: Out, lecture: Path, tmp_path: Path
) -> None:
    poisoned = dub_in_process(lecture, tmp_path, "heard_back 1 raise")
    assert poisoned.failed == []
    assert sum("heard_back failed" in note for note in poisoned.report["notes"]) == 1
    assert poisoned.video.read_bytes() == undisturbed.video.read_bytes()


def test_the_gate_lets_a_poisoned_chunk_pass_or_not_as_the_preset_says(lecture: Path, tmp_path: Path) -> None:
    poisoned = read_report(
        dub_in_process(lecture, tmp_path, "translate 1 raise").folder / "lecture.redub" / "report.fr.json"
    )
    measure = "lecture time left as it was because work on it failed"
    assert measure in {each.measure for each in judge(poisoned, preset("lecture").gate).failures}
    assert measure not in {each.measure for each in judge(poisoned, preset("draft").gate).failures}


def test_once_the_bug_is_mended_the_next_run_gives_what_it_should_have(
    undisturbed: Out, lecture: Path, tmp_path: Path
) -> None:
    poisoned = dub_in_process(lecture, tmp_path, "listen 1 raise,speak 3 raise")
    assert {each[0] for each in poisoned.failed} == {"listen", "speak"}
    mended = dub_in_process(lecture, tmp_path)
    assert mended.failed == []
    assert mended.dub() == undisturbed.dub()


def test_a_stage_that_fails_on_every_chunk_ends_the_run_with_the_reason(lecture: Path, tmp_path: Path) -> None:
    done = dub_here(redub(tmp_path, REDUB_FAULT="mix * raise"), lecture, tmp_path / "out")
    assert done.returncode == 1
    assert "mix failed on" in done.stderr
    assert "this chunk is poisoned" in done.stderr
    assert not list(tmp_path.glob("out/*.mp4"))


def test_a_chunk_that_kills_the_process_is_left_out_by_the_second_run(
    undisturbed: Out, lecture: Path, tmp_path: Path
) -> None:
    command = redub(tmp_path, REDUB_FAULT="listen 1 kill")
    assert dub_here(command, lecture, tmp_path / "out").returncode == -signal.SIGKILL
    again = dub_in_process(lecture, tmp_path, "listen 1 kill")
    assert [each[0] for each in again.failed] == ["listen"]
    mended = dub_in_process(lecture, tmp_path)
    assert mended.dub() == undisturbed.dub()


def test_the_command_dubs_the_rest_and_says_what_it_left(lecture: Path, tmp_path: Path) -> None:
    """Through Prefect, and what `redub show` tells of it."""
    command = redub(tmp_path, REDUB_FAULT="speak 1 raise")
    done = dubbed(command, lecture, tmp_path / "out")
    assert done.ended.result["degraded"]["fr"] == 1
    failures = [each["failure"] for each in done.ended.of_kind("performed") if "failure" in each]
    assert ["this chunk is poisoned" in each for each in failures] == [True]
    shown = command.run("show").result
    assert [each["stage"] for each in shown["languages"][0]["degradations"] if each["failed"]] == ["speak"]
    mended = dubbed(redub(tmp_path), lecture, tmp_path / "out")
    assert mended.ended.result["degraded"]["fr"] == 0
