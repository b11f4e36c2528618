"""Arabic is given its short vowels before any engine speaks it; the network for it lies in piper-tts."""

from __future__ import annotations

import unicodedata

import pytest

from models.speech import arabic, engines
from models.speech.contract import Pronunciation, Voice
from models.speech.voices import VOICES, find, voices_for

TEXT = "درس الطلاب تاريخ العلوم في الجامعة."
VOWELS = {chr(code) for code in range(0x064B, 0x0653)}


def without_vowels(text: str) -> str:
    return "".join(letter for letter in text if letter not in VOWELS)


@pytest.mark.parametrize("voice", voices_for("ar"), ids=lambda voice: voice.id)
def test_every_arabic_voice_is_given_the_vowels(voice: Voice) -> None:
    said = engines.spoken(TEXT, voice)
    assert without_vowels(said) == TEXT
    letters = sum(unicodedata.category(letter) == "Lo" for letter in said)
    assert sum(letter in VOWELS for letter in said) > letters / 2


def test_vowels_are_hints_and_stay() -> None:
    once = arabic.vocalise(TEXT)
    assert arabic.vocalise(once) == once


def test_numbers_get_theirs_and_ipa_is_left_alone() -> None:
    terms = [Pronunciation(term="Laplace", spoken="/laplas/")]
    said = engines.spoken("قرأ Laplace 5 كتب", find("ar-piper-kareem"), terms)
    assert "[[laplas]]" in said
    assert "خَمْسَ" in said


def test_a_long_text_is_taken_in_parts() -> None:
    words = " ".join([TEXT] * 60)
    assert without_vowels(arabic.vocalise(words)) == words


def test_other_languages_stay_as_they_are() -> None:
    assert all(engines.spoken("Hello.", voice) == "Hello." for voice in VOICES if voice.language == "en")
