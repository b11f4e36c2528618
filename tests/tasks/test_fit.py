from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from manifests.time import Span, flicks
from tasks.fit import FitSettings, ToPlace, place

SETTINGS = FitSettings()


@st.composite
def lectures(draw: st.DrawFn) -> tuple[list[ToPlace], Span]:
    """Utterances that do not overlap, each with a clip of any length, within a lecture that holds them."""
    clips, at = [], 0
    for index in range(draw(st.integers(0, 12))):
        start = at + flicks(draw(st.floats(0, 4)))
        end = start + flicks(draw(st.floats(0.2, 10)))
        length = flicks(draw(st.floats(0.1, 15)))
        clips.append(
            ToPlace(clip_id=f"c{index}", utterance_id=f"u{index}", span=Span(start, end), duration=length, earliest=0)
        )
        at = end
    return clips, Span(0, at + flicks(draw(st.floats(0.1, 5))))


@given(lectures())
def test_placements_keep_order_stay_apart_and_stay_inside(lecture: tuple[list[ToPlace], Span]) -> None:
    clips, within = lecture
    placed = place(clips, within, SETTINGS)
    assert [each.clip_id for each in placed] == [clip.clip_id for clip in clips]
    assert all(before.span.end <= after.span.start for before, after in pairwise(placed))
    assert all(within.start <= each.span.start and each.span.end <= within.end for each in placed)


@given(lectures())
def test_rates_stay_in_range_unless_the_lecture_itself_is_too_short(lecture: tuple[list[ToPlace], Span]) -> None:
    clips, within = lecture
    shortest = sum(clip.duration / SETTINGS.fastest + flicks(SETTINGS.gap_s) for clip in clips)
    for each in place(clips, within, SETTINGS):
        assert each.rate >= SETTINGS.slowest - 1e-6
        if shortest < within.duration:
            assert each.rate <= SETTINGS.fastest + 1e-6
        elif each.rate > SETTINGS.fastest + 1e-6:
            assert each.overrun > 0


@given(lectures())
def test_speech_that_fits_starts_with_what_it_says_and_has_no_overrun(lecture: tuple[list[ToPlace], Span]) -> None:
    clips, within = lecture
    fitting = [replace(clip, duration=min(clip.duration, clip.span.duration)) for clip in clips]
    for clip, each in zip(fitting, place(fitting, within, SETTINGS), strict=True):
        assert each.span.start == clip.span.start
        assert each.span.end <= clip.span.end
        assert each.overrun == 0


def clip(start_s: float, end_s: float, duration_s: float, earliest_s: float = 0) -> ToPlace:
    return ToPlace(
        clip_id=f"{start_s}",
        utterance_id=f"{start_s}",
        span=Span.of_seconds(start_s, end_s),
        duration=flicks(duration_s),
        earliest=flicks(earliest_s),
    )


def test_slack_comes_before_rate() -> None:
    [placed] = place([clip(1, 3, 4)], Span.of_seconds(0, 10), SETTINGS)
    assert placed.span == Span.of_seconds(1, 5)
    assert placed.rate == 1


def test_rate_comes_when_the_slack_is_used_up() -> None:
    first, second = place([clip(1, 3, 2.5, 1), clip(3.3, 5, 1.5)], Span.of_seconds(0, 10), SETTINGS)
    assert first.span.end_s <= 3.3 - SETTINGS.gap_s + 1e-6
    assert 1 < first.rate < SETTINGS.fastest
    assert first.overrun == 0
    assert second.span.start_s == 3.3


def test_lead_is_taken_only_as_far_as_it_is_needed_and_allowed() -> None:
    free, _ = place([clip(1, 3, 2.3), clip(3.2, 5, 1)], Span.of_seconds(0, 10), SETTINGS)
    bound, _ = place([clip(1, 3, 2.3, 1), clip(3.2, 5, 1)], Span.of_seconds(0, 10), SETTINGS)
    assert 1 - SETTINGS.lead_s <= free.span.start_s < 1
    assert free.rate == 1
    assert bound.span.start_s == 1
    assert bound.rate > 1


def test_what_does_not_fit_is_recorded_and_pushes_the_next() -> None:
    first, second = place([clip(0, 2, 6), clip(2.2, 4, 1)], Span.of_seconds(0, 10), SETTINGS)
    assert first.overrun > 0
    assert second.span.start >= first.span.end


def test_too_much_speech_for_the_whole_lecture_is_hurried_not_cut() -> None:
    placed = place([clip(0, 2, 9), clip(2, 4, 9)], Span.of_seconds(0, 4), SETTINGS)
    assert placed[-1].span.end_s <= 4
    assert all(each.rate > SETTINGS.fastest and each.overrun > 0 for each in placed)
