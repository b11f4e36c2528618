"""The report's figures: shares of time, what a line warns of, what a whole dub comes to."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_reports import facts, placement, plain_report, utterance

from manifests.clock import Hold
from manifests.time import Span, flicks
from tasks.heard_back import HeardLine
from tasks.levels import Levels
from tasks.lip_scores import LipScore
from tasks.report import common, concern, length, write_up

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda each: Span(each[0], each[0] + each[1])))


@given(spans, spans)
def test_time_in_common_is_counted_once(left: list[Span], right: list[Span]) -> None:
    both = sum(any(at in span for span in left) and any(at in span for span in right) for at in range(60))
    assert common(left, right) == both == common(right, left)
    assert length(left) == common(left, left)


def test_a_dub_in_its_place_fills_the_source() -> None:
    said = utterance(0, 2, 6)
    report = write_up(facts([said], [placement(said, 2, 6)]))
    line = report.lines[0]
    assert (line.overlap, line.unfilled_s, line.length_ratio, line.warnings) == (1, 0, 1, ())
    assert (report.totals.overlap, report.totals.unfilled) == (1, 0)
    assert (line.speaker, line.voice) == ("speaker1", "fr-kokoro-ff-siwis")


def test_what_is_beside_the_source_counts_against_both_shares() -> None:
    said = utterance(0, 2, 6)
    report = write_up(facts([said], [placement(said, 4, 9)]))
    assert report.totals.overlap == pytest.approx(2 / 5)
    assert report.totals.unfilled == pytest.approx(2 / 4)
    line = report.lines[0]
    assert line.unfilled_s == pytest.approx(2)
    assert line.length_ratio == pytest.approx(5 / 4)
    assert "most of it is heard where the speaker is silent" in line.warnings
    assert "silent for 2.0 s in which the speaker speaks" in line.warnings


def test_what_is_said_while_the_picture_waits_has_no_source() -> None:
    said = utterance(0, 2, 6)
    report = write_up(facts([said], [placement(said, 2, 8, held_s=2)], holds=[Hold(flicks(6), flicks(2))]))
    assert (report.totals.overlap, report.totals.unfilled) == (pytest.approx(4 / 6), 0)
    assert (report.lines[0].overlap, report.lines[0].unfilled_s) == (pytest.approx(4 / 6), 0)
    assert (report.lines[0].held_s, report.totals.held_s) == (2, 2)
    assert report.lines[0].length_ratio == pytest.approx(1.5)


def test_a_line_filled_by_its_neighbours_dub_is_not_unfilled() -> None:
    first, second = utterance(0, 2, 6), utterance(1, 6, 8)
    report = write_up(facts([first, second], [placement(first, 2, 7), placement(second, 7, 8)]))
    assert report.totals.unfilled == 0
    assert report.lines[1].unfilled_s == 0


def test_a_line_of_which_nothing_is_spoken_says_so() -> None:
    first, second = utterance(0, 2, 6), utterance(1, 8, 10)
    report = write_up(facts([first, second], [placement(first, 2, 6)]))
    line = report.lines[1]
    assert not line.spoken
    assert (line.rate, line.overlap, line.length_ratio, line.voice) == (None, None, None, None)
    assert line.warnings == ("nothing is spoken",)
    assert (report.totals.lines, report.totals.spoken, report.totals.within_rate) == (2, 1, 1)


def test_what_deserves_a_look_is_said() -> None:
    said = [utterance(index, 10 * index, 10 * index + 4) for index in range(4)]
    placed = [
        placement(each, each.span.start_s, each.span.end_s, rate=1.25 if not index else 1.0)
        for index, each in enumerate(said)
    ]
    placed[1] = dataclasses.replace(placed[1], overrun=flicks(0.4))
    made = facts(said, placed, errors=[0.0, 0.0, 0.3, 0.0])
    lips = [LipScore(utterance_id=said[3].id, agreement=agreement, frames=40) for agreement in (0.6, 0.1)]
    levels = Levels(picture=made.video.span, loudness_lufs=-16, true_peak_dbtp=-1, lines=(-16, -16, -16, -25.0))
    report = write_up(dataclasses.replace(made, real_lips=(lips[0],), dubbed_lips=(lips[1],), levels=levels))
    assert [line.warnings for line in report.lines] == [
        ("spoken at 1.25 times the voice's own rate",),
        ("0.4 s longer than its place",),
        ("30% of its characters are heard otherwise",),
        ("the mouth follows the dub less than it followed the speaker", "softer than the rest"),
    ]
    assert max(report.lines, key=concern) is report.lines[3]
    assert report.totals.within_rate == pytest.approx(3 / 4)
    assert report.totals.lip_ratio == pytest.approx(0.1 / 0.6)
    assert report.totals.worst_cer == 0.3


@pytest.mark.parametrize(
    ("rate", "within"), [(0.85, True), (1.2, True), (1.2 + 1e-12, True), (1.21, False), (0.84, False)]
)
def test_the_borders_of_the_rate_are_within(rate: float, within: bool) -> None:
    said = utterance(0, 2, 6)
    assert write_up(facts([said], [placement(said, 2, 6, rate=rate)])).lines[0].within_rate is within


def test_what_was_not_measured_is_none() -> None:
    said = utterance(0, 2, 6)
    made = dataclasses.replace(
        facts([said], [placement(said, 2, 6)]), heard_back=(), real_lips=(), dubbed_lips=(), levels=None
    )
    totals = write_up(made).totals
    assert (totals.mean_cer, totals.lip_ratio, totals.loudness_lufs, totals.true_peak_dbtp) == (None,) * 4
    assert write_up(made).notes == ()
    nothing = write_up(facts([], [])).totals
    assert (nothing.within_rate, nothing.overlap, nothing.unfilled, nothing.mean_cer) == (None,) * 4


def test_a_text_that_cannot_be_heard_has_no_error() -> None:
    said = utterance(0, 2, 6)
    made = facts([said], [placement(said, 2, 6)])
    heard = (HeardLine(utterance_id=said.id, text="", cer=None),)
    assert write_up(dataclasses.replace(made, heard_back=heard)).totals.mean_cer is None


def test_drift_is_what_the_picture_ends_off_its_clock() -> None:
    said = utterance(0, 2, 6)
    made = facts([said], [placement(said, 2, 6)], holds=[Hold(flicks(30), flicks(1))])
    assert write_up(made).totals.drift_frames == 0
    assert made.levels is not None
    late = dataclasses.replace(made.levels, picture=Span(0, flicks(61.08)))
    assert write_up(dataclasses.replace(made, levels=late)).totals.drift_frames == 2


def test_speech_that_ends_late_is_drift_too() -> None:
    said = [utterance(index, 10 * index, 10 * index + 4) for index in range(3)]
    late = [placement(each, each.span.start_s + 0.4, each.span.end_s + 0.4) for each in said]
    assert write_up(facts(said, late)).totals.drift_frames == 10
    late[1] = placement(said[1], 10, 14)
    assert write_up(facts(said, late)).totals.drift_frames == 0  # a pause gave it back


def test_stages_of_other_languages_are_not_counted() -> None:
    assert [(each.stage, each.pieces, each.hits, each.seconds) for each in plain_report().stages] == [
        ("listen", 1, 1, 0.1),
        ("speak", 1, 0, 4.0),
    ]


def test_the_share_that_was_left_alone_is_of_the_lectures_time() -> None:
    assert plain_report().totals.degraded == pytest.approx(1 / 60)
