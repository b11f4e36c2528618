"""Clips are remembered one by one: what an edit, a term or a rate speaks again, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infra.media.audio import read_wav, write_wav
from infra.store import Store
from manifests.errors import BadInput
from manifests.records import Hypothesis, Translation
from models.speech import cloned, engines
from models.speech.contract import Gender, Pronunciation, Speaker, SpeechRequest, Voice
from models.speech.voices import find
from models.speech.waveform import Waveform
from tasks.speak import SPEAK, ClonedVoice, LineToSpeak, SpeakWork

VOICE = find("fr-kokoro-ff-siwis")


def line(number: int, text: str, voice: Voice = VOICE, rate: float = 1.0) -> LineToSpeak:
    translation = Translation(
        id=f"t{number}",
        utterance_id=f"u{number}",
        language="fr",
        text=text,
        hypotheses=(Hypothesis(text=text, score=0),),
    )
    return LineToSpeak(translation=translation, voice=voice, weights="w1", rate=rate)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[SpeechRequest]:
    """What was asked of the engines; stands in for trained voices: a buzz as long as the text, over the rate."""
    asked: list[SpeechRequest] = []

    def speak_all(requests: Sequence[SpeechRequest], *, others: Mapping[str, Speaker]) -> Iterator[Waveform]:
        for each in requests:
            asked.append(each)
            speaker = others.get(each.voice.id)
            samples = round(len(each.text) * 1_000 / each.rate)
            yield speaker.speak(each.text, each.voice) if speaker else np.full(samples, 0.1, np.float32)

    monkeypatch.setattr(engines, "speak_all", speak_all)
    return asked


def texts(asked: list[SpeechRequest]) -> list[str]:
    told = [each.text for each in asked]
    asked.clear()
    return told


def test_an_edited_line_speaks_that_line_alone(store: Store, spoken: list[SpeechRequest]) -> None:
    work = SpeakWork(lines=(line(1, "Un."), line(2, "Deux."), line(3, "Trois.")))
    before = SPEAK.perform(work, store).value
    assert texts(spoken) == ["Un.", "Deux.", "Trois."]
    edited = SPEAK.perform(replace(work, lines=(work.lines[0], line(2, "Deux fois."), work.lines[2])), store).value
    assert texts(spoken) == ["Deux fois."]
    assert (edited[0], edited[2]) == (before[0], before[2])
    assert [clip.utterance_id for clip in edited] == ["u1", "u2", "u3"]


def test_other_candidates_of_the_same_text_speak_nothing(store: Store, spoken: list[SpeechRequest]) -> None:
    work = SpeakWork(lines=(line(1, "Un."),))
    SPEAK.perform(work, store)
    translation = replace(work.lines[0].translation, hypotheses=())
    SPEAK.perform(SpeakWork(lines=(replace(work.lines[0], translation=translation),)), store)
    assert texts(spoken) == ["Un."]


def test_a_pronunciation_speaks_the_lines_with_its_term(store: Store, spoken: list[SpeechRequest]) -> None:
    work = SpeakWork(lines=(line(1, "Selon Laplace."), line(2, "Deux.")))
    SPEAK.perform(work, store)
    texts(spoken)
    SPEAK.perform(replace(work, pronunciations=(Pronunciation(term="laplace", spoken="laplass"),)), store)
    assert texts(spoken) == ["Selon laplass."]


def test_a_rate_is_asked_of_the_engine_and_recorded(store: Store, spoken: list[SpeechRequest]) -> None:
    work = SpeakWork(lines=(line(1, "Un exemple."), line(2, "Deux.")))
    natural = SPEAK.perform(work, store).value
    hurried = SPEAK.perform(replace(work, lines=(line(1, "Un exemple.", rate=1.25), work.lines[1])), store).value
    assert [each.rate for each in spoken] == [1.0, 1.0, 1.25]
    assert [clip.rate for clip in hurried] == [1.25, 1.0]
    assert hurried[0].duration * 1.25 == natural[0].duration


def test_the_same_words_twice_are_spoken_once(store: Store, spoken: list[SpeechRequest]) -> None:
    clips = SPEAK.perform(SpeakWork(lines=(line(1, "Oui."), line(2, "Oui."))), store).value
    assert texts(spoken) == ["Oui."]
    assert [clip.id for clip in clips] == ["t1/clip00000", "t2/clip00000"]
    assert clips[0].audio == clips[1].audio


def test_a_damaged_clip_is_spoken_again(store: Store, spoken: list[SpeechRequest]) -> None:
    work = SpeakWork(lines=(line(1, "Un."), line(2, "Deux.")))
    clips = SPEAK.perform(work, store).value
    texts(spoken)
    store.path(clips[1].audio).write_bytes(b"")
    SPEAK.perform(work, store)
    assert texts(spoken) == ["Deux."]


def test_nothing_to_say_has_no_clip_and_is_remembered(
    store: Store, spoken: list[SpeechRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "speak_all", lambda requests, *, others: iter([np.zeros(0, np.float32)]))
    assert SPEAK.perform(SpeakWork(lines=(line(1, "…"),)), store).value == ()
    monkeypatch.setattr(engines, "speak_all", lambda requests, *, others: iter(()))
    assert SPEAK.perform(SpeakWork(lines=(line(1, "…"), line(2, "—"))[:1]), store).value == ()


class Parrot:
    """Stands in for a trained engine: gives back the beginning of what it was to imitate."""

    def imitate(self, text: str, reference: Waveform, *, seed: int) -> Waveform:
        return reference[: 1_000 * len(text)]


@pytest.fixture
def clone(store: Store, monkeypatch: pytest.MonkeyPatch) -> ClonedVoice:
    monkeypatch.setattr(cloned, "load_engine", lambda language: Parrot())
    with store.scratch() as folder:
        file = folder / "reference.wav"
        tone = 0.4 * np.sin(np.arange(3 * cloned.SAMPLE_RATE) * 0.05).astype(np.float32)
        write_wav(file, tone, cloned.SAMPLE_RATE)
        return ClonedVoice(reference=store.put(file), consent="hash of a consent")


def test_a_cloned_voice_speaks_from_its_recording_at_its_own_rate(
    store: Store, spoken: list[SpeechRequest], clone: ClonedVoice
) -> None:
    voice = cloned.voice_of("speaker1", "fr", Gender.FEMALE)
    wanted = replace(line(1, "Un exemple.", voice, rate=1.2), clone=clone)
    (clip,) = SPEAK.perform(SpeakWork(lines=(wanted,)), store).value
    assert (clip.voice, clip.rate) == ("clone:speaker1", 1.0)
    samples, rate = read_wav(store.path(clip.audio))
    assert rate == cloned.SAMPLE_RATE
    assert np.abs(samples).max() == pytest.approx(0.4, abs=0.01)


def test_another_consent_is_another_clip(store: Store, spoken: list[SpeechRequest], clone: ClonedVoice) -> None:
    voice = cloned.voice_of("speaker1", "fr", Gender.FEMALE)
    for consent in ("one", "two", "one"):
        wanted = replace(line(1, "Un exemple.", voice), clone=replace(clone, consent=consent))
        SPEAK.perform(SpeakWork(lines=(wanted,)), store)
    assert texts(spoken) == ["Un exemple."] * 2


def test_a_cloned_voice_without_its_recording_is_refused(store: Store) -> None:
    voice = cloned.voice_of("speaker1", "fr", Gender.FEMALE)
    with pytest.raises(BadInput, match="consent"):
        SPEAK.perform(SpeakWork(lines=(line(1, "Un.", voice),)), store)
