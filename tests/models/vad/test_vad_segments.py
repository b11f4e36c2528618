"""The segment logic alone, on made-up probabilities."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.time import FLICKS_PER_SECOND, Span, flicks, gaps
from models.vad.segments import SegmentSettings, active_runs, speech_spans

WINDOW = 512 * FLICKS_PER_SECOND // 16_000
SETTINGS = SegmentSettings()
probability = st.lists(st.floats(0, 1), max_size=120)


def spans(values: list[float], settings: SegmentSettings = SETTINGS, cut: int = 0) -> list[Span]:
    runs = active_runs(values, window=WINDOW, settings=settings)
    return speech_spans(runs, duration=max(len(values) * WINDOW - cut, 0), settings=settings)


@given(probability, st.integers(0, WINDOW - 1))
def test_spans_are_disjoint_ascending_and_inside_the_recording(values: list[float], cut: int) -> None:
    found = spans(values, cut=cut)
    assert all(0 <= span.start < span.end <= len(values) * WINDOW - cut for span in found)
    assert all(before.end < after.start for before, after in itertools.pairwise(found))


@given(probability)
def test_every_span_holds_min_speech_and_reaches_the_threshold(values: list[float]) -> None:
    for span in spans(values):
        assert span.duration >= flicks(SETTINGS.min_speech_s)
        assert any(
            p >= SETTINGS.threshold for i, p in enumerate(values) if Span(0, WINDOW).shift(i * WINDOW).overlaps(span)
        )


@given(probability)
def test_a_span_holds_no_silence_of_min_silence(values: list[float]) -> None:
    loud = [Span(i * WINDOW, (i + 1) * WINDOW) for i, p in enumerate(values) if p >= SETTINGS.exit_threshold]
    for span in spans(values):
        inner = span.widen(-flicks(SETTINGS.pad_s))
        assert all(gap.duration < flicks(SETTINGS.min_silence_s) for gap in gaps(loud, inner))


@given(probability, st.floats(0.5, 1))
def test_a_higher_threshold_never_finds_speech_elsewhere(values: list[float], threshold: float) -> None:
    base = spans(values, SegmentSettings(min_speech_s=0, pad_s=0))
    strict = spans(values, SegmentSettings(threshold=threshold, min_speech_s=0, pad_s=0))
    assert all(any(outer.start <= span.start and span.end <= outer.end for outer in base) for span in strict)


def test_hysteresis_keeps_a_dip_and_silence_ends_speech() -> None:
    dip = [0.9] * 10 + [0.4] * 10 + [0.9] * 10
    assert spans(dip, SegmentSettings(pad_s=0)) == [Span(0, 30 * WINDOW)]
    short_pause = [0.9] * 10 + [0.0] * 3 + [0.9] * 10
    assert len(spans(short_pause)) == 1
    pause = [0.9] * 10 + [0.0] * 4 + [0.9] * 10
    assert spans(pause, SegmentSettings(pad_s=0)) == [Span(0, 10 * WINDOW), Span(14 * WINDOW, 24 * WINDOW)]


def test_a_click_is_no_speech_and_padding_stays_outside_pauses() -> None:
    assert spans([0.0] * 10 + [0.9] * 7 + [0.0] * 10) == []
    first, second = spans([0.0] * 5 + [0.9] * 10 + [0.0] * 10 + [0.9] * 10)
    pad = flicks(SETTINGS.pad_s)
    assert first == Span(5 * WINDOW - pad, 15 * WINDOW + pad)
    assert second == Span(25 * WINDOW - pad, 35 * WINDOW)


def test_thresholds_that_cross_are_refused() -> None:
    with pytest.raises(ValueError, match="threshold"):
        SegmentSettings(threshold=0.3, exit_threshold=0.5)
