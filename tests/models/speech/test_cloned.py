"""A voice imitated from a recording: what every speaker promises, with an engine that stands in for trained weights."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import BadInput, MissingWeights
from models.speech import cloned, engines
from models.speech.cloned import SAMPLE_RATE, ClonedSpeaker, PocketTts, voice_of
from models.speech.contract import Gender, SpeechRequest
from models.speech.waveform import Waveform

VOICE = voice_of("speaker1", "fr", Gender.FEMALE)
RECORDING = np.concatenate([np.zeros(SAMPLE_RATE), 0.3 * np.sin(np.arange(40 * SAMPLE_RATE) * 0.05)]).astype("f4")


class Hum:
    """Stands in for a trained engine: noise from the seed, as long as the text, between silences."""

    def __init__(self) -> None:
        self.references: list[Waveform] = []

    def imitate(self, text: str, reference: Waveform, *, seed: int) -> Waveform:
        self.references.append(reference)
        noise = np.random.default_rng(seed).uniform(-1.5, 1.5, 2_000 * len(text))
        return np.concatenate([np.zeros(SAMPLE_RATE), noise, np.zeros(SAMPLE_RATE)])


def test_it_speaks_like_any_speaker() -> None:
    speaker = ClonedSpeaker(Hum(), RECORDING)
    first = speaker.speak("Un exemple.", VOICE)
    assert (first.dtype, first.ndim) == (np.float32, 1)
    assert 0.5 < np.abs(first).max() <= 1.0
    assert len(first) < 2_000 * len("Un exemple.") + 0.1 * SAMPLE_RATE
    speaker.speak("Autre chose.", VOICE)
    assert np.array_equal(speaker.speak("Un exemple.", VOICE), first)
    assert speaker.speak(" … ", VOICE).shape == (0,)


def test_the_reference_is_the_voice_alone_and_no_longer_than_needed() -> None:
    hum = Hum()
    ClonedSpeaker(hum, RECORDING).speak("Un.", VOICE)
    (heard,) = hum.references
    assert len(heard) == cloned.REFERENCE_S * SAMPLE_RATE
    assert np.abs(heard[: SAMPLE_RATE // 10]).max() > 0.1


@pytest.mark.parametrize("recording", [np.zeros(5 * SAMPLE_RATE, "f4"), RECORDING[: int(1.5 * SAMPLE_RATE)]])
def test_too_little_voice_is_refused(recording: Waveform) -> None:
    with pytest.raises(BadInput, match="less than a second"):
        ClonedSpeaker(Hum(), recording)


def test_it_has_one_rate_and_says_so() -> None:
    assert not engines.paces(VOICE)
    assert not engines.takes_ipa(VOICE)
    with pytest.raises(BadInput, match="at its own rate only"):
        ClonedSpeaker(Hum(), RECORDING).speak("Un.", VOICE, rate=1.1)


def test_it_speaks_among_others() -> None:
    request = SpeechRequest(text="Un.", voice=VOICE)
    speakers = {VOICE.id: ClonedSpeaker(Hum(), RECORDING)}
    first, second = engines.speak_all([request, request], workers=2, others=speakers)
    assert np.array_equal(first, second)


def test_its_name_tells_whose_voice_it_is() -> None:
    assert cloned.is_clone(VOICE.id)
    assert not cloned.is_clone("fr-kokoro-ff-siwis")
    assert cloned.speaker_of(VOICE.id) == "speaker1"


def test_a_language_that_it_lacks_is_refused() -> None:
    with pytest.raises(BadInput, match="do not speak 'ar'"):
        voice_of("speaker1", "ar", Gender.MALE)


def test_the_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloned, "installed", lambda: False)
    assert engines.available(VOICE) == "run `pip install pocket-tts`"
    with pytest.raises(BadInput, match="pip install pocket-tts"):
        engines.revision(VOICE)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for the library: what it was asked to load."""
    loaded: list[str] = []
    config = tmp_path / "pocket_tts" / "config"
    config.mkdir(parents=True)
    (config / "french.yaml").write_text(
        "weights_path: hf://some/where\nweights_path_without_voice_cloning: hf://else/where\n"
        "flow_lm:\n  lookup_table:\n    tokenizer_path: hf://third/place\n  #weights_path: commented\n"
    )
    module = types.ModuleType("pocket_tts")
    module.__file__ = str(config.parent / "__init__.py")
    module.TTSModel = types.SimpleNamespace(load_model=lambda config: loaded.append(Path(config).read_text()))
    monkeypatch.setitem(sys.modules, "pocket_tts", module)
    return loaded


def test_the_library_is_given_files_and_no_address(library: list[str], tmp_path: Path) -> None:
    for name in ("model.safetensors", "tokenizer.json"):
        with pytest.raises(MissingWeights, match=name):
            PocketTts(tmp_path, "fr")
        (tmp_path / name).touch()
    PocketTts(tmp_path, "fr")
    assert "hf://" not in library[0]
    assert f'    tokenizer_path: "{tmp_path}/tokenizer.json"' in library[0]
