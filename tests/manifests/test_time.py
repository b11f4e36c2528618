from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.time import FLICKS_PER_SECOND, Span, flicks, gaps, merge, sample_index, samples_duration

times = st.integers(min_value=-(10**15), max_value=10**15)
spans = st.tuples(times, times).map(lambda pair: Span(min(pair), max(pair)))
rates = st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000])


@pytest.mark.parametrize(
    "rate", [24, 25, 30, 50, 60, Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)]
)
def test_frames_of_usual_rates_are_whole_flicks(rate: int | Fraction) -> None:
    assert (Fraction(FLICKS_PER_SECOND) / Fraction(rate)).denominator == 1


@given(times, rates)
def test_a_sample_has_one_time_and_a_time_one_sample(time: int, rate: int) -> None:
    index = sample_index(time, rate)
    assert sample_index(samples_duration(index, rate), rate) == index
    assert abs(samples_duration(index, rate) - time) * 2 <= FLICKS_PER_SECOND // rate + 1


@given(spans, times)
def test_shifting_there_and_back_changes_nothing(span: Span, by: int) -> None:
    assert span.shift(by).shift(-by) == span
    assert span.shift(by).duration == span.duration


@given(spans, spans)
def test_overlap_is_symmetric_and_agrees_with_intersection(one: Span, other: Span) -> None:
    shared = one.intersection(other)
    assert one.overlaps(other) == other.overlaps(one) == (shared is not None)
    if shared is not None:
        assert one.start <= shared.start <= shared.end <= one.end
        assert shared == other.intersection(one)


@given(spans, st.integers(min_value=0, max_value=10**12))
def test_widening_keeps_the_middle_inside(span: Span, margin: int) -> None:
    middle = (span.start + span.end) // 2
    assert span.widen(margin).duration == span.duration + 2 * margin
    narrowed = span.widen(-margin)
    assert narrowed.start <= middle <= narrowed.end
    assert narrowed.duration <= span.duration


@given(st.lists(spans, max_size=12), st.integers(min_value=0, max_value=1000))
def test_merged_spans_are_apart_and_cover_the_same(given_spans: list[Span], gap: int) -> None:
    merged = merge(given_spans, gap=gap)
    assert all(after.start - before.end > gap for before, after in pairwise(merged))
    assert all(any(m.start <= s.start and s.end <= m.end for m in merged) for s in given_spans)
    if gap == 0:
        assert sum(m.duration for m in merged) <= sum(s.duration for s in given_spans)


@given(st.lists(spans, max_size=8), spans)
def test_gaps_and_spans_tile_the_whole(given_spans: list[Span], within: Span) -> None:
    free = gaps(given_spans, within)
    held = [part for span in merge(given_spans) if (part := span.intersection(within)) is not None]
    assert sum(each.duration for each in free) + sum(each.duration for each in held) == within.duration
    assert all(not gap.overlaps(span) for gap in free for span in given_spans)


def test_a_span_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        Span(5, 4)


def test_seconds_come_out_as_they_went_in() -> None:
    span = Span.of_seconds(1.5, Fraction(10, 3))
    assert span.start == flicks(1.5) == 1_058_400_000
    assert span.end_s == pytest.approx(10 / 3, abs=1e-9)
