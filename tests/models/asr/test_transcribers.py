"""What every transcriber does: Whisper with its trained weights, the others as tiny untrained networks.

An untrained network hears words in anything, which is what the contract's clock is tried on; that it hears the
right ones is only asserted of Whisper.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from manifests.errors import BadInput, MissingWeights
from manifests.time import samples_duration
from models.asr import engines
from models.asr.contract import SAMPLE_RATE, HeardWord, Transcriber
from models.asr.wav2vec2 import Wav2Vec2Transcriber
from models.asr.whisper import WhisperTranscriber


def whisper() -> WhisperTranscriber:
    try:
        loaded = engines.load("whisper")
    except MissingWeights as missing:
        pytest.skip(str(missing))
    assert isinstance(loaded, WhisperTranscriber)
    return loaded


@pytest.fixture(params=[pytest.param("whisper", marks=pytest.mark.weights), "wav2vec2"])
def transcriber(request: pytest.FixtureRequest, tiny_wav2vec2: Path) -> Transcriber:
    return whisper() if request.param == "whisper" else Wav2Vec2Transcriber(tiny_wav2vec2, device="cpu")


def assert_keeps_the_contract(words: list[HeardWord], samples: int, *, punctuates: bool) -> None:
    at = 0
    for word in words:
        assert word.text == "".join(word.text.split())
        assert 0 <= word.confidence <= 1
        assert at <= word.span.start < word.span.end <= samples_duration(samples, SAMPLE_RATE)
        at = word.span.end
        assert punctuates or word.text.lower().strip(".,?!") == word.text


def test_words_are_clean_in_order_and_within_and_the_same_again(
    transcriber: Transcriber, lecture: npt.NDArray[np.float32]
) -> None:
    waveform = lecture[: 8 * SAMPLE_RATE]
    words = transcriber.transcribe(waveform, "en")
    assert len(words) > 3
    assert_keeps_the_contract(words, waveform.size, punctuates=transcriber.punctuates)
    assert transcriber.transcribe(waveform, "en") == words


@pytest.mark.parametrize("samples", [0, 1, 160, 5 * SAMPLE_RATE])
def test_silence_has_no_words(transcriber: Transcriber, samples: int) -> None:
    assert transcriber.transcribe(np.zeros(samples, dtype=np.float32), "en") == []


@pytest.mark.parametrize("samples", [1, 700])
def test_a_click_is_no_reason_to_fail(transcriber: Transcriber, samples: int) -> None:
    words = transcriber.transcribe(np.full(samples, 0.3, dtype=np.float32), "en")
    assert_keeps_the_contract(words, samples, punctuates=transcriber.punctuates)


def test_a_language_it_does_not_hear_is_refused(transcriber: Transcriber) -> None:
    assert transcriber.languages is not None
    assert all(len(code) == 2 for code in transcriber.languages)
    with pytest.raises(BadInput, match="does not hear"):
        transcriber.transcribe(np.zeros(SAMPLE_RATE, dtype=np.float32), "xx")


def test_wav2vec2_hears_long_audio_in_windows_on_one_clock(
    tiny_wav2vec2: Path, lecture: npt.NDArray[np.float32]
) -> None:
    transcriber = Wav2Vec2Transcriber(tiny_wav2vec2, device="cpu")
    words = transcriber.transcribe(lecture, "en")
    assert_keeps_the_contract(words, lecture.size, punctuates=False)
    # Words in every window, and none lost at the seams of 16 s.
    starts = np.array([word.span.start_s for word in words])
    assert np.diff(starts, prepend=0.0, append=lecture.size / SAMPLE_RATE).max() < 3


def plain_words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower().replace(".", "").replace("mister", "mr"))


def word_errors(reference: list[str], heard: list[str]) -> int:
    row = list(range(len(heard) + 1))
    for i, expected in enumerate(reference, 1):
        above, row[0] = row[:], i
        for j, word in enumerate(heard, 1):
            row[j] = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (expected != word))
    return row[-1]


@pytest.mark.weights
@pytest.mark.shared_data
def test_whisper_hears_the_lecture_and_when_each_shot_is_spoken(
    lecture: npt.NDArray[np.float32], spoken: list[tuple[float, str]]
) -> None:
    half = round(26.5 * SAMPLE_RATE)
    heard: list[tuple[float, str]] = []
    for first, waveform in ((0, lecture[:half]), (half, lecture[half:])):
        for word in whisper().transcribe(waveform, "en"):
            middle_s = first / SAMPLE_RATE + (word.span.start_s + word.span.end_s) / 2
            heard.extend((middle_s, plain) for plain in plain_words(word.text))
    reference = [word for _, words in spoken for word in plain_words(words)]
    assert word_errors(reference, [word for _, word in heard]) <= 0.1 * len(reference)
    starts = [start_s for start_s, _ in spoken]
    for start_s, end_s, (_, words) in zip(starts, [*starts[1:], 60.0], spoken, strict=True):
        inside = [word for middle_s, word in heard if start_s <= middle_s < end_s]
        assert word_errors(plain_words(words), inside) <= 0.2 * len(plain_words(words))


@pytest.mark.weights
@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("sound", ["noise", "hum"])
def test_whisper_makes_up_no_words_over_noise_and_hum(sound: str, seconds: int) -> None:
    time_s = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    noise = 0.05 * np.random.default_rng(1).standard_normal(time_s.size)
    hum = 0.1 * np.sin(2 * np.pi * 50 * time_s) + 0.05 * np.sin(2 * np.pi * 150 * time_s)
    waveform = noise if sound == "noise" else hum
    assert whisper().transcribe(waveform.astype(np.float32), "en") == []


@pytest.mark.weights
@pytest.mark.shared_data
def test_whisper_tells_the_language(lecture: npt.NDArray[np.float32]) -> None:
    whisper()
    probabilities = engines.load_identifier().language_probabilities(lecture[: 10 * SAMPLE_RATE])
    assert probabilities["en"] > 0.9
    assert sum(probabilities.values()) == pytest.approx(1)
    assert all(len(code) == 2 for code in probabilities)
    with pytest.raises(BadInput):
        engines.load_identifier().language_probabilities(np.zeros(0, dtype=np.float32))
