from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.subtitles import Cue
from manifests.records import Word
from manifests.time import FLICKS_PER_SECOND, Span, flicks
from tasks.phrases import break_costs, columns, pieces, right_to_left_line
from tasks.subtitles import (
    CHARACTERS_PER_SECOND,
    GAP_FRAMES,
    LINE_CHARACTERS,
    LINES,
    SHORTEST,
    Manner,
    Pair,
    Spoken,
    Subtitles,
    bilingual,
    subtitles,
)

FRAME = FLICKS_PER_SECOND // 25
WORDS = [
    "a",
    "the",
    "moon,",
    "pulls",
    "water.",
    "Gezeitenkräfte",
    "والماء",
    "12",
    "km",
    "?",
    "月の引力が",
    "（水）、",
    "C++",
]
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=40)


@st.composite
def talks(draw: st.DrawFn) -> list[Spoken]:
    """Utterances one after the other, with pauses or at once, with words' times or without."""
    spoken, at = [], 0
    for words in draw(st.lists(texts, min_size=0, max_size=6)):
        at += draw(st.integers(-FLICKS_PER_SECOND // 2, 4 * FLICKS_PER_SECOND))
        span = Span(max(at, 0), max(at, 0) + draw(st.integers(1, 20 * FLICKS_PER_SECOND)))
        if draw(st.booleans()):
            length = span.duration // len(words)
            spoken.append(
                Spoken(
                    span=span,
                    words=tuple(
                        Word(
                            text=word, confidence=1.0, span=Span(span.start + i * length, span.start + (i + 1) * length)
                        )
                        for i, word in enumerate(words)
                    ),
                )
            )
        else:
            spoken.append(Spoken(span=span, text=" ".join(words)))
        at = span.end
    return spoken


def bare(text: str) -> str:
    return "".join(c for c in text if not c.isspace() and c not in "\u202a\u202b\u202c\u2066\u2067\u2069")


def lies_well(made: Subtitles) -> None:
    for cue in made.cues:
        assert cue.span.duration > 0
    for before, after in pairwise(made.cues):
        assert before.span.end + GAP_FRAMES * FRAME <= after.span.start


def too_fast(cue: Cue, between_lines: str) -> bool:
    width = columns(between_lines.join(cue.lines))
    return width * FLICKS_PER_SECOND > CHARACTERS_PER_SECOND * cue.span.duration + FLICKS_PER_SECOND // 20


@settings(deadline=None, max_examples=80)
@given(talks(), st.sampled_from(["en", "fr", "ar", "ja", None]))
def test_everything_is_said_once_in_lines_that_fit_and_cues_that_never_overlap(
    spoken: list[Spoken], language: str | None
) -> None:
    spoken.sort(key=lambda each: each.span)
    made = subtitles(spoken, Manner(language=language))
    said = bare("".join(each.text or "".join(word.text for word in each.words) for each in spoken))
    assert bare("".join(line for cue in made.cues for line in cue.lines)) == said
    assert all(1 <= len(cue.lines) <= LINES and max(map(columns, cue.lines)) <= LINE_CHARACTERS for cue in made.cues)
    lies_well(made)
    # A break of lines stands for a space, but in scripts that have none.
    fewest, most = (sum(too_fast(cue, between) for cue in made.cues) for between in ("", " "))
    assert fewest <= made.fast <= most


@settings(deadline=None, max_examples=40)
@given(talks())
def test_speech_with_room_around_it_is_never_too_fast_nor_too_short(spoken: list[Spoken]) -> None:
    roomy, at = [], 0
    for each in spoken:
        text = each.text or " ".join(word.text for word in each.words)
        need = flicks(columns(text) / 8) + SHORTEST
        at += flicks(2.5)
        roomy.append(Spoken(span=Span(at, at + need), text=text))
        at += 2 * need
    made = subtitles(roomy, Manner(language="en"))
    assert made.fast == 0
    assert all(cue.span.duration >= SHORTEST for cue in made.cues)
    assert all(any(each.span.start <= cue.span.start < each.span.end for each in roomy) for cue in made.cues), (
        "a cue starts while it is said"
    )


def lines_of(text: str, language: str, seconds: float = 30, terms: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    made = subtitles([Spoken(span=Span.of_seconds(0, seconds), text=text)], Manner(language=language, terms=terms))
    return [cue.lines for cue in made.cues]


def test_a_clause_ends_a_line_where_it_can() -> None:
    assert lines_of("When the moon is near the earth, the water rises high.", "en", 5) == [
        ("When the moon is near the earth,", "the water rises high.")
    ]


def test_a_word_longer_than_a_line_stands_alone() -> None:
    assert lines_of("x" * 60, "en") == [("x" * 60,)]


@pytest.mark.parametrize(
    ("language", "text", "together"),
    [
        ("en", "This is a very long line about how the gravity of the moon pulls at the water in all of the oceans.",
         ["the gravity", "the moon", "the water", "the oceans.", "of the"]),
        ("fr", "Nous avons mesuré une distance de près de 384 400 km entre la Terre et la Lune, n'est-ce pas ?",
         ["400 km", "une distance", "la Terre", "la Lune", "pas ?"]),
        ("de", "Die Entfernung zwischen der Erde und dem Mond beträgt ungefähr 384.400 Kilometer im Mittel.",
         ["der Erde", "dem Mond", "384.400 Kilometer"]),
        ("en", "We asked Dr. Marie Curie and her colleague what the half-life of the sample was in the year of 1911.",
         ["Dr. Marie", "Marie Curie", "the half-life", "the year"]),
    ],
)  # fmt: skip
def test_what_belongs_together_stays_on_a_line(language: str, text: str, together: list[str]) -> None:
    for seconds in (3, 6, 12, 40):
        lines = [line for cue in lines_of(text, language, seconds) for line in cue]
        for phrase in together:
            assert any(phrase in line for line in lines), (phrase, lines)


def test_a_term_is_never_parted() -> None:
    text = "What we would like to look at today is the fast Fourier transform of a signal that was sampled once."
    lines = [line for cue in lines_of(text, "en", 30, ("fast Fourier transform",)) for line in cue]
    assert any("fast Fourier transform" in line for line in lines)


def test_short_answers_share_a_cue_and_a_long_pause_parts_them() -> None:
    def said(*spans: tuple[float, float]) -> list[tuple[str, ...]]:
        spoken = [
            Spoken(span=Span.of_seconds(*span), text=text)
            for span, text in zip(spans, ("Yes.", "And why is that so?"), strict=True)
        ]
        return [cue.lines for cue in subtitles(spoken, Manner(language="en")).cues]

    assert said((0, 0.3), (0.4, 1.8)) == [("Yes. And why is that so?",)]
    assert said((0, 0.3), (4, 5.4)) == [("Yes.",), ("And why is that so?",)]


def test_a_cue_lasts_into_the_silence_until_it_can_be_read() -> None:
    fast = Spoken(span=Span.of_seconds(1, 2), text="Forty-two characters said in one second!!!")
    late = Spoken(span=Span.of_seconds(9, 10), text="Later.")
    first, second = subtitles([fast, late], Manner(language="en")).cues
    assert first.span == Span(flicks(1), flicks(1) + flicks(42 / 17) + (first.span.end - flicks(1) - flicks(42 / 17)))
    assert first.span.duration == pytest.approx(flicks(42 / 17), abs=2)
    assert second.span.duration == flicks(1)
    dense = [fast, Spoken(span=Span.of_seconds(2, 3), text="Forty-two characters said in one second!!!")]
    made = subtitles(dense, Manner(language="en", end=flicks(3)))
    assert made.fast == len(made.cues) > 0
    assert made.cues[-1].span.end <= flicks(3)


def test_wide_characters_count_twice_and_lines_start_and_end_as_they_may() -> None:
    assert columns("月a") == 3
    assert columns("هُوَ") == 2
    text = (
        "月の引力が海の水を引き上げるので、潮の満ち引きが起こります。"
        "「潮汐」と呼ばれるこの現象は、地球と月と太陽の位置によって変わります。"
    )
    for seconds in (5, 12, 30):
        lines = [line for cue in lines_of(text, "ja", seconds) for line in cue]
        assert max(map(columns, lines)) <= LINE_CHARACTERS
        assert not any(line[0] in "、。」ー" or line[-1] == "「" for line in lines)


def test_arabic_lines_run_right_to_left_with_latin_terms_as_they_are_written() -> None:
    assert right_to_left_line("كان البحر هادئا.") == "\u202bكان البحر هادئا.\u202c"
    assert "\u2066C++\u2069" in right_to_left_line("نستخدم لغة C++ في هذا الدرس.")
    assert "\u2066x = 3 + 4\u2069." in right_to_left_line("إذن x = 3 + 4.")
    assert "Python" in right_to_left_line("لغة Python سهلة")
    assert "\u2066" not in right_to_left_line("لغة Python سهلة (2024) 12%")
    [lines] = lines_of("هل هذا هو القمر؟", "ar", 3)
    assert lines == ("\u202bهل هذا هو القمر؟\u202c",)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(texts, texts, st.integers(1, 12)), max_size=4))
def test_two_languages_show_at_the_same_time_each_within_the_limits(
    given_pairs: list[tuple[list[str], list[str], int]],
) -> None:
    pairs, at = [], 0
    for upper, lower, length in given_pairs:
        span = Span.of_seconds(at, at + length)
        pairs.append(Pair(span=span, text=" ".join(upper), original=" ".join(lower)))
        at += length + 1
    made = bilingual(pairs, Manner(language="fr"), "en")
    lies_well(made)
    shown = bare("".join(line for cue in made.cues for line in cue.lines))
    assert sorted(shown) == sorted(bare("".join(pair.text + pair.original for pair in pairs)))
    assert all(len(cue.lines) <= 2 * LINES for cue in made.cues)
    assert all(columns(line) <= LINE_CHARACTERS for cue in made.cues for line in cue.lines)


def test_a_bilingual_cue_puts_the_source_under_the_dub() -> None:
    pairs = [
        Pair(span=Span.of_seconds(0, 3), text="كان البحر هادئا.", original="The sea was calm."),
        Pair(
            span=Span.of_seconds(4, 12),
            text="La Lune attire l'eau des océans, et c'est ainsi que naissent les marées de chaque jour.",
            original="The moon pulls the water of the oceans, and that is how the tides are born twice a day.",
        ),
    ]
    made = bilingual(pairs, Manner(language="ar"), "en")
    assert made.cues[0].lines == ("\u202bكان البحر هادئا.\u202c", "The sea was calm.")
    made = bilingual(pairs[1:], Manner(language="fr"), "en")
    assert [len(cue.lines) for cue in made.cues] in ([2, 2, 2], [4, 2], [2, 4], [4, 4], [3, 3])
    assert all(cue.lines[0] in pairs[1].text and cue.lines[-1] in pairs[1].original for cue in made.cues)


def test_costs_name_what_may_part() -> None:
    words = pieces("the moon , 12 km away")
    costs = break_costs(words, "en")
    assert costs[0] == 0
    assert costs[2] >= 1000  # a comma by itself never starts a line
    assert costs[1] > costs[5]
    assert costs[4] > costs[5]
