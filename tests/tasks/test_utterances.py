from hypothesis import given
from hypothesis import strategies as st

from manifests.records import Word
from manifests.time import Span, flicks
from tasks.utterances import UtteranceSettings, split_into_utterances

SETTINGS = UtteranceSettings()


def words(*timed: tuple[str, float, float]) -> list[Word]:
    return [Word(text=text, span=Span.of_seconds(start, end), confidence=1.0) for text, start, end in timed]


def texts(groups: list[tuple[Word, ...]]) -> list[str]:
    return [" ".join(word.text for word in group) for group in groups]


@st.composite
def spoken(draw: st.DrawFn) -> list[Word]:
    at, said = 0.0, []
    for _ in range(draw(st.integers(0, 60))):
        at += draw(st.floats(0, 1.5))
        end = at + draw(st.floats(0.05, 0.9))
        said.append((draw(st.sampled_from(["so", "we,", "see.", "Dr.", "x", "why?", "e.g.", "3.5"])), at, end))
        at = end
    return words(*said)


@given(spoken(), st.lists(st.floats(0, 60), max_size=5), st.booleans())
def test_every_word_is_in_exactly_one_utterance_in_order(
    said: list[Word], cuts_s: list[float], punctuated: bool
) -> None:
    groups = split_into_utterances(said, sorted(map(flicks, cuts_s)), SETTINGS, punctuated=punctuated)
    assert [word for group in groups for word in group] == said
    assert all(groups)


@given(spoken())
def test_no_utterance_is_far_too_long(said: list[Word]) -> None:
    for group in split_into_utterances(said, [], SETTINGS):
        if Span.hull(word.span for word in group).duration > flicks(SETTINGS.max_s):
            assert len(group) < 4


def test_sentences_end_at_full_stops_but_not_at_abbreviations_or_decimals() -> None:
    said = words(
        ("Dr.", 0, 0.3),
        ("Who", 0.3, 0.6),
        ("has", 0.6, 0.8),
        ("3.5", 0.8, 1.2),
        ("hearts.", 1.2, 1.6),
        ("Really?", 1.7, 2),
    )
    assert texts(split_into_utterances(said, [], SETTINGS)) == ["Dr. Who has 3.5 hearts.", "Really?"]


def test_a_long_pause_ends_an_utterance() -> None:
    said = words(("so", 0, 0.3), ("then", 1.5, 1.8))
    assert texts(split_into_utterances(said, [], SETTINGS)) == ["so", "then"]


def test_a_cut_in_a_pause_ends_an_utterance_and_a_cut_in_a_word_does_not() -> None:
    said = words(("slide", 0, 0.5), ("face", 0.8, 1.2), ("talks", 1.2, 1.6))
    assert texts(split_into_utterances(said, [flicks(0.7)], SETTINGS)) == ["slide", "face talks"]
    assert texts(split_into_utterances(said, [flicks(1.2)], SETTINGS)) == ["slide face talks"]


def test_without_punctuation_shorter_pauses_end_utterances() -> None:
    said = words(("so", 0, 0.3), ("then", 0.9, 1.2))
    assert len(split_into_utterances(said, [], SETTINGS, punctuated=True)) == 1
    assert len(split_into_utterances(said, [], SETTINGS, punctuated=False)) == 2
