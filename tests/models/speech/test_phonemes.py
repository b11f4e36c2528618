"""Kokoro's alphabet and the cutting of long phoneme strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.phonemes import phonemize, respell, split

words = st.tuples(st.text(alphabet="abəɪˈ", min_size=1, max_size=40), st.sampled_from(["", "", "", ",", ".", "?"]))
spoken = st.lists(words.map("".join), min_size=1, max_size=60).map(" ".join)


@given(text=spoken, limit=st.integers(20, 120))
def test_parts_keep_every_phoneme_and_the_limit(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(text=spoken)
def test_words_that_fit_are_never_cut(text: str) -> None:
    assert " ".join(split(text, 60)).split() == text.split()


def test_a_long_text_is_cut_at_its_sentences_and_evenly() -> None:
    sentence = "ə" * 90 + "."
    parts = split(" ".join([sentence] * 8), 510)
    assert [part.count(".") for part in parts] == [4, 4]


def test_nothing_gives_no_part() -> None:
    assert split("  ", 510) == []


@pytest.mark.parametrize(
    ("ipa", "accent", "spelled"),
    [
        ("lˈɜːnɪŋ ɡˌo͡ʊ wˈɔːɾɚ", "en-us", "lˈɜɹnɪŋ ɡˌO wˈɔTəɹ"),
        ("hˈə͡ʊm ðe͡əɹ t͡ʃˈɜːt͡ʃ", "en-gb", "hˈQm ðɛːɹ ʧˈɜːʧ"),
        ("hˈɔ͡øtə p͡fˈɛfɜ kˈʏçə", "de", "hˈYtə pfˈɛfɐ kˈyçə"),
        ("bˈʌʔn̩, bˈɔ͡ɪ", "en-us", "bˈʌtᵊn, bˈY"),
        ("¿kˈe?", "es", "kˈe?"),
    ],
)
def test_espeak_ipa_in_kokoros_letters(ipa: str, accent: str, spelled: str) -> None:
    assert respell(ipa, accent) == spelled


@pytest.mark.parametrize(
    ("accent", "text"),
    [
        ("en-us", "The water of the church bottle, a button, joy and measure: through thirsty years?"),
        ("en-gb", "There are near homes, a vision of pure fire — bottle!"),
        ("de", "Häuser, Küche, fünf Äpfel, Zwölf, Rhythmus, Übung, Restaurant, Genie, Pflanze, Ähre."),
        ("fr-fr", "Un bon vin blanc, les yeux, la montagne, puis huit œufs ; « jadis » ?"),
        ("es", "¿El perro, la niña, el jamón, la calle, la guerra y la lluvia?"),
        ("it", "Gli zii, la pizza, gnocchi, cielo, giorno, scienza."),
    ],
)
def test_every_sound_has_a_letter(accent: str, text: str) -> None:
    from kokoro_onnx.config import DEFAULT_VOCAB

    assert {letter for letter in phonemize(text, accent) if letter not in DEFAULT_VOCAB} == set()


def test_a_word_of_another_language_leaves_no_mark() -> None:
    assert "(" not in phonemize("le machine learning moderne", "fr-fr")
