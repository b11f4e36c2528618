"""Doubts: what kind they are, that the worst line comes first, and that a report and they say the same."""

from __future__ import annotations

import dataclasses

import pytest
from made_up_reports import plain_report

from manifests.report import DubReport, LineReport
from manifests.time import Span
from tasks.doubts import KINDS, doubtful, measured

FINE = dataclasses.replace(
    plain_report().lines[0],
    back_asr_cer=0.0,
    rate=1.0,
    overlap=1.0,
    unfilled_s=0.0,
    overrun_s=0.0,
    sync=0.6,
    real_sync=0.6,
    loudness_lufs=-16.0,
    warnings=(),
)


def report(*lines: LineReport) -> DubReport:
    plain = plain_report()
    totals = dataclasses.replace(plain.totals, loudness_lufs=-16.0)
    named = (dataclasses.replace(line, id=f"line{index}") for index, line in enumerate(lines))
    return dataclasses.replace(plain, totals=totals, lines=tuple(named), holds=())


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("nothing spoken", {"dub_span": Span(0, 0)}),
        ("misheard", {"back_asr_cer": 0.3}),
        ("rate", {"rate": 1.25}),
        ("rate", {"rate": 0.8}),
        ("overrun", {"overrun_s": 0.4}),
        ("apart", {"overlap": 0.2}),
        ("unfilled", {"unfilled_s": 2.0}),
        ("lips", {"sync": 0.2}),
        ("loudness", {"loudness_lufs": -28.0}),
        ("translation", {"warnings": ("the number 12 is lost",)}),
    ],
)
def test_each_measure_gives_its_own_doubt(kind: str, changes: dict[str, object]) -> None:
    line = dataclasses.replace(FINE, **changes)  # type: ignore[arg-type]
    (found,) = doubtful(report(FINE, line))
    assert found.id == "line1"
    assert [doubt.kind for doubt in found.doubts] == [kind]
    assert kind in KINDS
    assert found.weight > 0


def test_the_worst_line_comes_first_and_its_worst_doubt() -> None:
    slightly = dataclasses.replace(FINE, unfilled_s=1.5)
    badly = dataclasses.replace(FINE, unfilled_s=1.5, back_asr_cer=0.9, warnings=("the number 12 is lost",))
    found = doubtful(report(slightly, FINE, badly))
    assert [line.id for line in found] == ["line2", "line0"]
    assert [doubt.kind for doubt in found[0].doubts] == ["misheard", "translation", "unfilled"]


def test_a_report_warns_of_what_is_doubted_and_of_nothing_else() -> None:
    whole = plain_report()
    doubts = {line.id: {doubt.text for doubt in line.doubts} for line in doubtful(whole)}
    assert doubts == {line.id: set(line.warnings) for line in whole.lines if line.warnings}
    for line in whole.lines:
        assert {doubt.text for doubt in measured(line, whole.totals.loudness_lufs)} <= set(line.warnings)


def test_times_are_given_on_the_source_s_clock() -> None:
    plain = plain_report()
    for line in doubtful(plain):
        held = sum(hold.duration for hold in plain.holds if hold.at < line.span.start)
        assert line.span.start <= line.dub_span.start <= line.span.start + held + 1
