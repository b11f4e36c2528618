"""The voice table and the choice of a voice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import BadInput
from models import weights
from models.speech import engines
from models.speech.contract import Gender, Voice
from models.speech.voices import VOICES, choose, find, languages, voices_for


def everything(voice: Voice) -> str | None:
    return None


def kokoro_alone(voice: Voice) -> str | None:
    return None if voice.engine == "kokoro" else "pull it"


@given(language=st.sampled_from(languages()), gender=st.sampled_from([None, *Gender]), count=st.integers(1, 12))
def test_speakers_get_their_gender_and_share_voices_evenly(language: str, gender: Gender | None, count: int) -> None:
    taken: list[str] = []
    for _ in range(count):
        taken.append(choose(language, gender, taken, unavailable=everything).id)
    of_gender = [voice for voice in voices_for(language) if gender in {None, voice.gender}]
    if of_gender:
        assert {find(voice).gender for voice in taken} <= {voice.gender for voice in of_gender}
        assert len(set(taken)) == min(count, len(of_gender))
        assert max(map(taken.count, taken)) - min(taken.count(voice.id) for voice in of_gender) <= 1
    else:
        assert set(taken) <= {voice.id for voice in voices_for(language)}


def test_what_is_not_installed_is_not_chosen() -> None:
    assert choose("de", Gender.MALE, unavailable=everything).engine == "piper"
    assert choose("de", Gender.MALE, unavailable=kokoro_alone).engine == "kokoro"


def test_a_language_without_a_voice_here_names_what_to_pull() -> None:
    with pytest.raises(BadInput) as error:
        choose("fr", None, unavailable=lambda voice: f"run `redub weights pull {engines.weights_of(voice)}`")
    assert "weights pull kokoro" in error.value.remedy
    assert "weights pull piper-fr-fr-siwis" in error.value.remedy


def test_an_unknown_language_names_those_there_are() -> None:
    with pytest.raises(BadInput, match="en, fr, de"):
        choose("xx", None)


def test_an_unknown_voice_names_those_of_its_language() -> None:
    with pytest.raises(BadInput, match="it-kokoro-if-sara"):
        find("it-kokoro-nobody")


def test_every_voice_is_found_and_its_weights_are_in_the_table() -> None:
    assert len({voice.id for voice in VOICES}) == len(VOICES)
    for voice in VOICES:
        assert find(voice.id) is voice
        if name := engines.weights_of(voice):
            assert weights.find(name).capability == "speech"
            assert voice.name in {path.path.removesuffix(".onnx") for path in weights.find(name).files} | {
                path.path.removeprefix("voices/").removesuffix(".bin") for path in weights.find(name).files
            }


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(BadInput, match="kokoro, piper, mbrola"):
        engines.load("festival")
