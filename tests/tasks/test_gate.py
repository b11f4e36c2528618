"""The gate: what fails it, and what is said then."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest
from made_up_reports import facts, plain_report, utterance

from manifests.errors import GateFailed
from manifests.report import DubReport
from tasks.gate import GateSettings, judge, told
from tasks.report import write_up

SETTINGS = GateSettings()


def with_totals(**changes: Any) -> DubReport:
    report = plain_report()
    return dataclasses.replace(report, totals=dataclasses.replace(report.totals, **changes))


def test_a_good_dub_passes() -> None:
    result = judge(plain_report(), SETTINGS)
    assert result.passed
    assert result.preset == "lecture"


@pytest.mark.parametrize(
    ("changes", "measure"),
    [
        ({"mean_cer": 0.13}, "mean character error of what is heard"),
        ({"worst_cer": 0.6}, "character error of the worst line"),
        ({"within_rate": 0.9}, "lines at an unhurried rate"),
        ({"overlap": 0.5}, "dubbed speech on the source's speech"),
        ({"unfilled": 0.4}, "speech of the source left unfilled"),
        ({"overrun_s": 2.0}, "speech longer than its place"),
        ({"drift_frames": -1}, "drift at the end"),
        ({"loudness_lufs": -16.6}, "distance from the wanted loudness"),
        ({"loudness_lufs": -15.4}, "distance from the wanted loudness"),
        ({"true_peak_dbtp": -0.5}, "true peak"),
        ({"degraded": 0.5}, "lecture time left as it was"),
        ({"lip_ratio": 0.5}, "lips over the real ones"),
    ],
)
def test_each_measure_can_fail_and_no_other_does_with_it(changes: dict[str, float], measure: str) -> None:
    assert [each.measure for each in judge(with_totals(**changes), SETTINGS).failures] == [measure]


@pytest.mark.parametrize(
    "changes",
    [{"mean_cer": 0.12}, {"overlap": 0.75}, {"unfilled": 0.2}, {"loudness_lufs": -16.5}, {"lip_ratio": 0.7}],
)
def test_the_threshold_itself_passes(changes: dict[str, float]) -> None:
    assert judge(with_totals(**changes), SETTINGS).passed


def test_what_had_to_be_measured_and_was_not_fails() -> None:
    failures = judge(with_totals(mean_cer=None, loudness_lufs=None), SETTINGS).failures
    assert [told(each) for each in failures] == [
        "mean character error of what is heard could not be measured",
        "distance from the wanted loudness could not be measured",
    ]


def test_lips_are_not_asked_for_where_no_face_speaks() -> None:
    assert judge(with_totals(lip_lines=0, lip_ratio=None), SETTINGS).passed
    assert not judge(with_totals(lip_lines=1, lip_ratio=None), SETTINGS).passed


def test_a_dub_that_says_nothing_leaves_the_source_unfilled() -> None:
    silent = write_up(facts([utterance(0, 2, 6)], []))
    assert [each.measure for each in judge(silent, SETTINGS).failures] == ["speech of the source left unfilled"]


def test_a_threshold_of_none_asks_nothing() -> None:
    open_gate = GateSettings(
        preset="draft",
        **{entry.name: None for entry in dataclasses.fields(GateSettings) if entry.name.startswith(("most", "least"))},
    )
    bad = with_totals(mean_cer=1.0, overlap=0.0, loudness_lufs=None, degraded=1.0, within_rate=0.0)
    assert judge(bad, open_gate).passed


def test_the_worst_lines_are_named_worst_first() -> None:
    report = plain_report()
    lines = tuple(
        dataclasses.replace(line, back_asr_cer=error) for line, error in zip(report.lines, (0.2, 0.9), strict=True)
    )
    totals = dataclasses.replace(report.totals, mean_cer=0.55, worst_cer=0.9)
    failures = judge(dataclasses.replace(report, lines=lines, totals=totals), SETTINGS).failures
    assert [each.lines for each in failures] == [(lines[1].id, lines[0].id)] * 2


def test_a_failure_is_told_with_figure_and_threshold() -> None:
    (failure,) = judge(with_totals(overlap=0.512), SETTINGS).failures
    assert told(failure) == "dubbed speech on the source's speech: 51.2%, where at least 75.0% is asked for"
    (failure,) = judge(with_totals(overrun_s=2.0), SETTINGS).failures
    assert told(failure) == "speech longer than its place: 2 s, where at most 1 s is asked for"


def test_the_error_says_what_and_what_to_do_and_survives_another_process() -> None:
    error = GateFailed(
        ("drift at the end: 3 frames, where at most 0 frames is asked for",), "out/lecture.redub/report.html"
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (again.exit_code, str(again)) == (6, str(error))
    assert "drift at the end: 3 frames" in str(again)
    assert "out/lecture.redub/report.html" in str(again)
