"""What the duration model promises of any samples, and how well it predicts a voice that really speaks."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.time import Flicks, samples_duration, seconds
from models.speech import engines
from models.speech.contract import SpeechRequest
from models.speech.duration import FEATURES, DurationModel, calibrated, counts, features, prior
from models.speech.voices import VOICES, find

FRENCH = (
    "Bonjour à tous, et bienvenue.",
    "La chaleur traverse le mur de la salle.",
    "Si la pente est forte, la chaleur passe vite ; sinon, il ne se passe presque rien.",
    "Combien de puissance faut-il pour garder cette pièce au chaud ?",
    "Cette idée est plus ancienne que les ordinateurs, et vous la retrouverez bien des fois.",
    "Merci.",
)


def model() -> DurationModel:
    return prior(find("fr-kokoro-ff-siwis"))


def counted(phonemes: str) -> dict[str, float]:
    return dict(zip(FEATURES, counts(phonemes), strict=True))


def test_sounds_stresses_words_and_inner_pauses_are_counted() -> None:
    assert counted("bɔ̃ʒˈuʁ, a tˈus. mɛʁsˈi!") == {
        "edges": 1,
        "vowels": 6,
        "consonants": 8,
        "stresses": 3,
        "words": 4,
        "clauses": 1,
        "sentences": 1,
    }


def test_marks_at_the_end_are_no_pause_and_a_run_of_them_is_one() -> None:
    assert counted("abˈa, — abˈa…”")["clauses"] == 1
    assert counted("abˈa?!")["sentences"] == 0


@pytest.mark.parametrize("text", ["", "  ", "…", "?!", "—"])
def test_nothing_to_say_takes_no_time(text: str) -> None:
    assert not features(text, "fr-fr").any()
    assert model().predict(text) == 0


def test_every_voice_has_a_prior_that_grows_with_the_text() -> None:
    for voice in VOICES:
        if voice.language == "ar":
            short, long = "هذا مثال", "هذا مثال بسيط قبل أن نكمل الدرس"
        else:
            short, long = "la la", "la la la la, la la la la"
        known = prior(voice)
        assert 0 < known.predict(short) < known.predict(long)


samples = st.lists(st.tuples(st.sampled_from(FRENCH), st.floats(0.5, 2.0)), max_size=8)


def clips(drawn: list[tuple[str, float]]) -> list[tuple[str, Flicks]]:
    return [(text, round(model().predict(text) * factor)) for text, factor in drawn]


@settings(max_examples=30, deadline=None)
@given(samples, st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_matter(drawn: list[tuple[str, float]], shuffler: random.Random) -> None:
    heard = clips(drawn)
    shuffled = list(heard)
    shuffler.shuffle(shuffled)
    assert calibrated(model(), shuffled) == calibrated(model(), heard)


@settings(max_examples=30, deadline=None)
@given(samples)
def test_calibration_stays_between_the_prior_and_what_was_heard(drawn: list[tuple[str, float]]) -> None:
    if not drawn:
        assert calibrated(model(), []) == model()
        return
    factors = [factor for _, factor in drawn]
    least, most = min(1.0, *factors), max(1.0, *factors)
    moved = calibrated(model(), clips(drawn))
    for text in FRENCH:
        ratio = moved.predict(text) / model().predict(text)
        assert 0.7 * least <= ratio <= 1.3 * most


@pytest.mark.parametrize("pace", [0.8, 1.3])
def test_a_voice_of_another_pace_is_learnt_from_a_few_clips(pace: float) -> None:
    slow = replace(model(), weights=tuple(weight * pace for weight in model().weights))
    moved = calibrated(model(), [(text, slow.predict(text)) for text in FRENCH[:4]])
    for text in FRENCH[4:]:
        assert moved.predict(text) == pytest.approx(slow.predict(text), rel=0.03)


def test_samples_without_words_teach_nothing() -> None:
    assert calibrated(model(), [("…", 1000), ("Bonjour.", 0)]) == model()


@pytest.mark.slow
@pytest.mark.weights
def test_what_kokoro_says_lasts_about_as_long_as_predicted() -> None:
    voice = find("fr-kokoro-ff-siwis")
    if reason := engines.available(voice):
        pytest.skip(f"{voice.id} cannot speak here: {reason}")
    texts = FRENCH[:5]
    spoken = engines.speak_all([SpeechRequest(text=text, voice=voice) for text in texts])
    lengths = [samples_duration(len(waveform), voice.sample_rate) for waveform in spoken]
    errors = [abs(model().predict(text) / length - 1) for text, length in zip(texts, lengths, strict=True)]
    assert all(seconds(length) > 1 for length in lengths)
    assert np.mean(errors) < 0.1
