from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from manifests.time import Span, flicks, samples_duration
from models.asr.contract import SAMPLE_RATE, HeardWord
from models.asr.words import RawWord, clip_stretched, is_silent, tidy_words

anything = st.floats(-5, 40) | st.sampled_from([float("nan"), float("inf"), float("-inf")])
raw_words = st.lists(
    st.builds(RawWord, st.text(alphabet="ab -.,'7\n\u00a0é的", max_size=6), anything, anything, anything), max_size=12
)


@given(raw_words, st.integers(0, flicks(30)))
def test_whatever_comes_in_words_are_clean_in_order_apart_and_within(raw: list[RawWord], duration: int) -> None:
    words = tidy_words(raw, duration)
    at = 0
    for word in words:
        assert word.text
        assert not any(letter.isspace() for letter in word.text)
        assert any(letter.isalnum() for letter in word.text)
        assert 0 <= word.confidence <= 1
        assert at <= word.span.start <= word.span.end <= duration
        at = word.span.end
    if duration >= flicks(1):
        assert all(word.span.duration > 0 for word in words)
        spoken = "".join(letter for word in raw for letter in word.text if letter.isalnum())
        assert "".join(letter for word in words for letter in word.text if letter.isalnum()) == spoken


def test_good_words_pass_unchanged() -> None:
    raw = [RawWord(" Had", 0.5, 0.8, 0.9), RawWord(" he,", 0.8, 1.0, 0.8), RawWord(" then", 1.5, 1.75, 1.0)]
    assert tidy_words(raw, flicks(2)) == [
        HeardWord(text="Had", span=Span.of_seconds(0.5, 0.8), confidence=0.9),
        HeardWord(text="he,", span=Span.of_seconds(0.8, 1.0), confidence=0.8),
        HeardWord(text="then", span=Span.of_seconds(1.5, 1.75), confidence=1.0),
    ]


def test_of_two_overlapping_words_the_first_ends_where_the_second_starts() -> None:
    first, second = tidy_words([RawWord("one", 0.0, 1.0, 1.0), RawWord("two", 0.5, 1.5, 1.0)], flicks(2))
    assert first.span == Span.of_seconds(0, 0.5)
    assert second.span == Span.of_seconds(0.5, 1.5)


def texts(*raw: str) -> list[str]:
    return [
        word.text
        for word in tidy_words([RawWord(text, 0.1 * i, 0.1 * i + 0.1, 1.0) for i, text in enumerate(raw)], flicks(9))
    ]


def test_hyphens_and_marks_join_the_word_before_but_a_minus_stays_a_word() -> None:
    assert texts(" ill", "-disposed", ",", " young", " —", " man", ".") == ["ill-disposed,", "young—", "man."]
    assert texts(" about", " -5", " degrees") == ["about", "-5", "degrees"]
    assert texts(" D", ".C.", " has", " 1", ",000", " (or", " 3", ".5)") == ["D.C.", "has", "1,000", "(or", "3.5)"]
    assert texts(" 'tis", "「日", "本") == ["'tis", "「日", "本"]
    assert texts("...", " so") == ["so"]


def test_two_words_in_one_share_its_time_by_their_letters() -> None:
    first, second = tidy_words([RawWord(" a big", 1.0, 2.0, 0.7)], flicks(3))
    assert (first.text, second.text) == ("a", "big")
    assert first.span == Span.of_seconds(1.0, 1.25)
    assert second.span.end == flicks(2.0)


def sound(*pieces: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Noise of the given (seconds, amplitude), one after the other."""
    rng = np.random.default_rng(7)
    parts = [amplitude * rng.standard_normal(round(length_s * SAMPLE_RATE)) for length_s, amplitude in pieces]
    return np.concatenate(parts).astype(np.float32)


def words_at(*times: tuple[str, float, float]) -> list[HeardWord]:
    return [HeardWord(text=text, span=Span.of_seconds(start, end), confidence=1.0) for text, start, end in times]


def test_a_word_stretched_over_a_pause_ends_where_it_is_no_longer_heard() -> None:
    waveform = sound((1.0, 0.2), (1.5, 0.0005), (0.5, 0.2))
    words = words_at(("we", 0.0, 0.2), ("wait", 0.2, 0.6), ("here", 0.6, 2.5), ("now", 2.5, 2.9))
    clipped = clip_stretched(words, waveform)
    assert clipped[:2] + clipped[3:] == words[:2] + words[3:]
    assert clipped[2].span.start == words[2].span.start
    assert abs(clipped[2].span.end_s - 1.0) < 0.03


def test_a_word_that_starts_in_the_pause_starts_where_it_is_heard() -> None:
    waveform = sound((0.6, 0.2), (1.4, 0.0005), (1.0, 0.2))
    words = words_at(("we", 0.0, 0.2), ("wait", 0.2, 0.6), ("here", 0.6, 2.4), ("now", 2.4, 2.8))
    assert abs(clip_stretched(words, waveform)[2].span.start_s - 2.0) < 0.03


def test_over_music_a_word_is_cut_to_a_plausible_length() -> None:
    words = words_at(("we", 0.0, 0.2), ("wait", 0.2, 0.6), ("here", 0.6, 3.0), ("now", 3.0, 3.4))
    assert clip_stretched(words, sound((3.5, 0.2)))[2].span.duration_s < 1.7


def test_a_year_in_digits_may_take_its_time() -> None:
    words = words_at(("in", 0.0, 0.2), ("the", 0.2, 0.45), ("year", 0.45, 0.8), ("1984", 0.8, 2.1))
    assert clip_stretched(words, sound((2.2, 0.2))) == words


@given(st.lists(st.tuples(st.text(alphabet="abc1", min_size=1, max_size=9), st.floats(0.01, 4)), max_size=12))
def test_clipping_never_moves_a_word_out_of_its_span(lengths: list[tuple[str, float]]) -> None:
    at, times = 0.0, []
    for text, length_s in lengths:
        times.append((text, at, at + length_s))
        at += length_s
    words = words_at(*times)
    for before, after in zip(words, clip_stretched(words, sound((at / 2, 0.1), (at / 2, 0.0))), strict=True):
        assert before.text == after.text
        assert before.span.start <= after.span.start < after.span.end <= before.span.end


def test_silence_is_what_no_ten_milliseconds_break() -> None:
    assert is_silent(np.zeros(0, dtype=np.float32))
    assert is_silent(np.zeros(SAMPLE_RATE, dtype=np.float32))
    assert is_silent(sound((1.0, 0.0003)))
    assert not is_silent(sound((1.0, 0.0), (0.02, 0.1), (1.0, 0.0)))


def test_a_waveform_too_short_for_its_words_still_orders_them() -> None:
    duration = samples_duration(10, SAMPLE_RATE)
    words = tidy_words([RawWord(" a", 0, 1, 1), RawWord(" b", 0, 1, 1)], duration)
    assert words[0].span.end <= words[1].span.start < words[1].span.end <= duration
