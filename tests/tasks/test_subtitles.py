from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from manifests.records import Word
from manifests.time import Span, flicks
from tasks.subtitles import LINE_CHARACTERS, LINES, Spoken, cues_of_text, cues_of_words

texts = st.lists(
    st.sampled_from(["a", "the", "moon,", "pulls", "water.", "Gezeitenkräfte", "والماء"]), min_size=1, max_size=80
)


@given(texts, st.integers(0, 10**12), st.integers(1, 10**11))
def test_cues_say_everything_in_lines_that_fit_and_share_the_time(words: list[str], start: int, length: int) -> None:
    span = Span(start, start + length)
    cues = cues_of_text(Spoken(span=span, text=" ".join(words)))
    assert " ".join(line for cue in cues for line in cue.lines).split() == words
    assert all(len(cue.lines) <= LINES and max(map(len, cue.lines)) <= LINE_CHARACTERS for cue in cues)
    assert cues[0].span.start == span.start
    assert cues[-1].span.end == span.end
    assert all(a.span.end == b.span.start for a, b in pairwise(cues))


@given(texts)
def test_cues_of_heard_words_lie_on_them(texts_heard: list[str]) -> None:
    words = [
        Word(text=text, span=Span(flicks(i * 0.5), flicks(i * 0.5 + 0.4)), confidence=1.0)
        for i, text in enumerate(texts_heard)
    ]
    cues = cues_of_words(words)
    assert " ".join(line for cue in cues for line in cue.lines).split() == texts_heard
    assert cues[0].span.start == words[0].span.start
    assert cues[-1].span.end == words[-1].span.end
    borders = {word.span.start for word in words} | {word.span.end for word in words}
    assert all({cue.span.start, cue.span.end} <= borders for cue in cues)


def test_a_word_longer_than_a_line_stands_alone() -> None:
    [cue] = cues_of_text(Spoken(span=Span(0, 9), text="x" * 60))
    assert cue.lines == ("x" * 60,)


def test_a_clause_ends_a_line_where_it_can() -> None:
    [cue] = cues_of_text(Spoken(span=Span(0, 9), text="When the moon is near the earth, the water rises high."))
    assert cue.lines == ("When the moon is near the earth,", "the water rises high.")
