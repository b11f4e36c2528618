"""Hearing back: which words of a chunk belong to which line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.media.audio import write_wav
from infra.store import Store
from manifests.records import Word
from manifests.time import Span
from models import weights
from models.asr import engines
from models.asr.contract import HeardWord
from tasks.heard_back import HEARD_BACK, HeardBackWork, LineToHear, assign
from tasks.mix import ChunkSpeech

LECTURE = Path(__file__).parents[3] / "shared" / "data" / "lecture" / "lecture_en.mp4"


def line(name: str, start_s: float, end_s: float, text: str) -> LineToHear:
    return LineToHear(utterance_id=name, span=Span.of_seconds(start_s, end_s), text=text)


def words(text: str, start_s: float, step_s: float = 0.3) -> list[Word]:
    return [
        Word(text=each, span=Span.of_seconds(start_s + at * step_s, start_s + (at + 0.9) * step_s), confidence=1.0)
        for at, each in enumerate(text.split())
    ]


TWO = [line("a", 0, 1.2, "Bonjour tout le monde."), line("b", 1.3, 2.5, "Nous voilà réunis ici.")]


def test_words_go_to_the_line_in_whose_time_they_are_heard() -> None:
    heard = [*words("bonjour tout le monde", 0), *words("nous voilà réunis ici", 1.3)]
    assert assign(heard, TWO, "fr") == ["bonjour tout le monde", "nous voilà réunis ici"]


@pytest.mark.parametrize("late_s", [-0.35, -0.2, 0.2, 0.35])
def test_times_that_are_a_little_off_do_not_move_a_word_to_the_wrong_line(late_s: float) -> None:
    heard = words("bonjour tout le monde nous voilà réunis ici", max(0.0, 0.05 + late_s))
    assert assign(heard, TWO, "fr") == ["bonjour tout le monde", "nous voilà réunis ici"]


def test_words_far_from_a_border_stay_though_another_line_would_have_liked_them() -> None:
    """A line that was spoken in another's place is an error, and shows as one."""
    heard = words("nous voilà réunis ici", 0, 0.2)
    said = assign(heard, TWO, "fr")
    assert said[0].startswith("nous voilà")
    assert said[1] in ("", "ici")


def test_a_line_of_which_nothing_is_heard_has_nothing() -> None:
    assert assign([], TWO, "fr") == ["", ""]
    assert assign(words("nous voilà réunis ici", 1.3), TWO, "fr") == ["", "nous voilà réunis ici"]
    assert assign(words("bonjour", 0), [], "fr") == []


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 80), st.sampled_from(["un", "deux", "trois"])), max_size=12), st.integers(1, 5)
)
def test_every_word_is_in_one_line_and_the_order_is_kept(heard: list[tuple[int, str]], count: int) -> None:
    given_words = [
        Word(text=text, span=Span.of_seconds(at / 10, at / 10 + 0.1), confidence=1.0) for at, text in sorted(heard)
    ]
    lines = [line(str(index), index * 1.5, index * 1.5 + 1.4, "un deux trois") for index in range(count)]
    said = assign(given_words, lines, "fr")
    assert len(said) == count
    assert " ".join(each for each in said if each) == " ".join(word.text for word in given_words)


def speech_of(store: Store, samples: np.ndarray, rate: int, span: Span) -> ChunkSpeech:
    with store.scratch() as folder:
        write_wav(folder / "speech.wav", samples, rate)
        return ChunkSpeech(span=span, heard=(span,), audio=store.put(folder / "speech.wav"))


def test_a_chunks_speech_is_heard_at_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake stands in for a trained recogniser: it says what it heard on the clock that starts with the sound."""

    class Fake:
        languages = None
        punctuates = True

        def transcribe(self, waveform: np.ndarray, language: str) -> list[HeardWord]:
            assert (language, len(waveform)) == ("fr", 16_000 * 3)
            return [
                HeardWord(text=word.text, span=word.span, confidence=1.0)
                for word in [*words("Bonjour tout le monde", 0), *words("Nous voilà", 1.3)]
            ]

    monkeypatch.setattr(engines, "load", lambda _: Fake())
    store = Store(tmp_path)
    lines = [line("a", 100, 101.2, "Bonjour tout le monde."), line("b", 101.3, 102.5, "Nous voilà réunis.")]
    speech = speech_of(store, np.zeros(48_000 * 3, np.float32), 48_000, Span.of_seconds(100, 103))
    work = HeardBackWork(speech=speech, lines=tuple(lines), language="fr", engine="fake", weights="none")
    first, second = HEARD_BACK.perform(work, store).value
    assert (first.utterance_id, first.text, first.cer) == ("a", "Bonjour tout le monde", 0)
    assert second.cer == pytest.approx(7 / 17)
    assert HEARD_BACK.perform(work, store).hit


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.shared_data
def test_a_real_recogniser_hears_the_lecture(tmp_path: Path) -> None:
    if not LECTURE.is_file():
        pytest.skip("the team's shared lecture is not here")
    if not weights.present("whisper-base"):
        pytest.skip("whisper-base is not on this machine (make weights)")
    from infra.media.audio import read_waveform

    store, span = Store(tmp_path), Span.of_seconds(16.1, 26.8)
    speech = speech_of(store, read_waveform(LECTURE, sample_rate=16_000, span=span), 16_000, span)
    lines = (
        line("a", 16.5, 19.5, "He was not an ill-disposed young man"),
        line("b", 20.5, 26.5, "unless to be rather cold-hearted and rather selfish is to be ill-disposed"),
    )
    work = HeardBackWork(speech=speech, lines=lines, language="en", engine="whisper", weights="w")
    heard = HEARD_BACK.perform(work, store).value
    assert all(each.cer is not None and each.cer < 0.1 for each in heard), heard
