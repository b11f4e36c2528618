"""Terms are said as a person told: found in the text, carried past the numbers' reading, and heard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import BadInput
from models import weights
from models.speech import engines
from models.speech.contract import Pronunciation, Voice
from models.speech.phonemes import phonemize
from models.speech.pronunciation import apply, ipa_of, occurring, place
from models.speech.voices import find

if TYPE_CHECKING:
    from collections.abc import Sequence

KOKORO, PIPER, MBROLA = find("en-kokoro-af-heart"), find("en-piper-joe"), find("ar-mbrola-ar2")


def told(**terms: str) -> list[Pronunciation]:
    return [Pronunciation(term=term, spoken=spoken) for term, spoken in terms.items()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Laplace, laplace and LAPLACE.", "laplass, laplass and laplass."),
        ("Laplaces and de-Laplace", "Laplaces and de-laplass"),
        ("l'Laplace's", "l'laplass's"),
        ("in 1998 Laplace had 3 sons", "in nineteen ninety-eight laplass had three sons"),
    ],
)
def test_a_respelling_replaces_whole_words_whatever_their_case(text: str, said: str) -> None:
    assert engines.spoken(text, KOKORO, told(Laplace="laplass")) == said


def test_the_longest_term_wins_and_spaces_are_any() -> None:
    terms = told(**{"gradient descent": "graddient dessent", "gradient": "graydient", "descent": "X"})
    assert engines.spoken("a gradient  descent, a gradient", KOKORO, terms) == "a graddient dessent, a graydient"


def test_terms_of_signs_and_digits_are_found_before_these_are_read() -> None:
    terms = told(**{"C++": "see plus plus", "O(n)": "order n", "MP3": "em pee three"})
    assert engines.spoken("C++ is O(n), MP3s not MP3.", KOKORO, terms) == (
        "see plus plus is order n, MP three s not em pee three."
    )


def test_what_is_said_is_not_replaced_again() -> None:
    assert engines.spoken("a b", KOKORO, told(a="b", b="a")) == "b a"


def test_ipa_becomes_a_block_where_the_engine_takes_it_and_the_term_where_it_does_not() -> None:
    terms = told(Laplace="/la'plas/")
    assert engines.spoken("Laplace, 2 times.", PIPER, terms) == "[[laplˈas]], two times."
    assert "Laplace" in engines.spoken("Laplace", MBROLA, terms)


def test_brackets_of_the_text_are_no_ipa() -> None:
    portuguese = find("pt-kokoro-pf-dora")
    assert "[[" not in engines.spoken("x = [[1, 2], [[[3]]]]", portuguese)


@given(text=st.text(max_size=60), term=st.sampled_from(["Laplace", "C++", "ß", "ſ", "İ", "x y"]))
@settings(max_examples=150, deadline=None)
def test_any_text_comes_through(text: str, term: str) -> None:
    said, blocks = apply(f"{text} {term} {text}", "en", [Pronunciation(term=term, spoken="/la/")], ipa=True)
    assert len(blocks) >= 1
    placed = place(said, blocks)
    assert placed.count("[[la]]") == len(blocks)
    assert not re.search("[\ue000-\uf8ff]", placed)


def test_only_terms_of_the_text_occur() -> None:
    terms = told(Laplace="/laplas/", Fourier="/fuʁje/", Gauss="gowss")
    assert [each.term for each in occurring(terms, "By laplace, not Gaussian; and Gauss.")] == ["Laplace", "Gauss"]


@pytest.mark.parametrize(
    ("spoken", "said"),
    [
        ("", "letters to speak"),
        ("//", "letters to speak"),
        ("/la", "ends in a slash"),
        ("/la[s/", r"'\[' is no sound"),
        ("/l4/", "'4' is no sound"),
    ],
)
def test_what_cannot_be_spoken_is_refused_and_named(spoken: str, said: str) -> None:
    with pytest.raises(BadInput, match=rf"pronunciation of 'Laplace'.*{said}"):
        ipa_of(Pronunciation(term="Laplace", spoken=spoken))


@pytest.mark.parametrize(("written", "taken"), [("/gaː/", "ɡaː"), ("/'ʃats.ɪ:/", "ʃˈatsɪː"), ("/ɛ̃ç/", "ɛ\u0303ç")])
def test_ipa_is_taken_as_the_voices_were_taught(written: str, taken: str) -> None:
    assert ipa_of(Pronunciation(term="x", spoken=written)) == taken


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("[[laplˈas]] is here.", "laplˈas ɪz hˈɪɹ."),
        ("See [[laplˈas]], and go.", "sˈi laplˈas, ænd ɡˈO."),
        ("See [[laplˈas]]. Then [[tʃat]]?", "sˈi laplˈas. ðˈɛn ʧat?"),
        ("[[laplˈas]]", "laplˈas"),
    ],
)
def test_phonemes_hold_the_block_and_its_punctuation(text: str, phonemes: str) -> None:
    assert phonemize(text, "en-us") == phonemes


def heard(voice: Voice, text: str, terms: Sequence[Pronunciation]) -> str:
    import scipy.signal
    from faster_whisper import WhisperModel

    if reason := engines.available(voice):
        pytest.skip(f"{voice.id} cannot speak here: {reason}")
    if not weights.present("whisper-base"):
        pytest.skip("the weights whisper-base are absent: run `redub weights pull whisper-base`")
    listener = WhisperModel(str(weights.locate("whisper-base")), device="cpu", compute_type="int8", cpu_threads=2)
    waveform = engines.load(voice.engine).speak(engines.spoken(text, voice, terms), voice)
    quiet = np.zeros(3_200, np.float32)
    at_16_khz = scipy.signal.resample_poly(waveform, 16_000, voice.sample_rate).astype(np.float32)
    segments, _ = listener.transcribe(np.concatenate([quiet, at_16_khz, quiet]), language=voice.language)
    return " ".join(segment.text for segment in segments).lower()


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("voice", [KOKORO, PIPER], ids=lambda voice: voice.id)
@pytest.mark.parametrize("spoken", ["/bəˈnænə/", "banana"])
def test_a_listener_hears_what_was_told(voice: Voice, spoken: str) -> None:
    said = heard(voice, "The word is qxzt, and nothing else.", told(qxzt=spoken))
    assert "banana" in said, said
