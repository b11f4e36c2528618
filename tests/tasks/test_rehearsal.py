"""A line spoken at once is the clip that the dub's own stage makes, under the key that it looks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from infra.media.audio import read_wav
from infra.store import Store
from manifests.errors import BadInput
from manifests.records import Hypothesis, Translation
from models.speech import engines as speech
from models.speech.contract import Speaker, SpeechRequest
from models.speech.voices import find
from models.speech.waveform import Waveform
from tasks import engines
from tasks.rehearsal import say
from tasks.speak import LineToSpeak, SpeakWork, speak

VOICE = find("fr-kokoro-ff-siwis")


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[SpeechRequest]:
    """What was asked of the engines; stands in for trained voices: a buzz as long as the text, over the rate."""
    asked: list[SpeechRequest] = []

    def speak_all(requests: Sequence[SpeechRequest], *, others: Mapping[str, Speaker]) -> Iterator[Waveform]:
        for each in requests:
            asked.append(each)
            yield np.full(round(len(each.text) * 1_000 / each.rate), 0.1, np.float32)

    monkeypatch.setattr(speech, "speak_all", speak_all)
    monkeypatch.setattr(engines, "speaking_weights", lambda voice: "w1")
    return asked


def dubbed(text: str, rate: float, store: Store) -> Path:
    """The same line as a dub speaks it."""
    translation = Translation(
        id="t", utterance_id="u", language="fr", text=text, hypotheses=(Hypothesis(text=text, score=0),)
    )
    (clip,) = speak(
        SpeakWork(lines=(LineToSpeak(translation=translation, voice=VOICE, weights="w1", rate=rate),)), store
    )
    return store.path(clip.audio)


def test_the_dub_finds_what_was_spoken_at_once(tmp_path: Path, spoken: list[SpeechRequest]) -> None:
    store = Store(tmp_path)
    heard = say("Bonjour, 12 personnes.", VOICE.id, "fr", store, rate=1.1)
    assert not heard.recalled
    assert (heard.rate, heard.text) == (1.1, "Bonjour, 12 personnes.")
    assert dubbed("Bonjour, 12 personnes.", 1.1, store) == heard.audio
    assert len(spoken) == 1, "the dub spoke it again"
    samples, rate = read_wav(heard.audio)
    assert heard.duration_s == pytest.approx(len(samples) / rate, abs=0.001)


def test_what_the_dub_spoke_is_heard_without_speaking(tmp_path: Path, spoken: list[SpeechRequest]) -> None:
    store = Store(tmp_path)
    audio = dubbed("Bonjour.", 1.0, store)
    heard = say("Bonjour.", VOICE.id, "fr", store)
    assert (heard.recalled, heard.audio, len(spoken)) == (True, audio, 1)


def test_nothing_to_say_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoken: list[SpeechRequest]) -> None:
    monkeypatch.setattr(speech, "speak_all", lambda requests, *, others: iter([np.zeros(0, np.float32)]))
    with pytest.raises(BadInput, match="nothing in it that can be said"):
        say("…", VOICE.id, "fr", Store(tmp_path))
    with pytest.raises(BadInput, match="nobody"):
        say("Bonjour.", "nobody", "fr", Store(tmp_path))
