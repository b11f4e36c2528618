"""Levels of speech and of what is beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_sounds import noise, syllables

from infra.media.audio import write_wav
from infra.media.loudness import measure
from manifests.time import Span
from models.acoustics.levels import SILENCE_DBFS, background_level, level_dbfs, pauses, speech_level

RATE = 16_000


@pytest.mark.parametrize("sample_rate", [8_000, 48_000])
def test_loudness_agrees_with_the_meter(sample_rate: int, tmp_path: Path) -> None:
    voice = np.concatenate([syllables(4 * sample_rate, sample_rate), np.zeros(2 * sample_rate, np.float32)])
    write_wav(tmp_path / "voice.wav", voice, sample_rate)
    told = measure(tmp_path / "voice.wav").integrated_lufs
    assert told is not None
    assert speech_level(voice, sample_rate) == pytest.approx(told, abs=0.3)


def test_pauses_do_not_count_as_speech() -> None:
    voice = syllables(3 * RATE, RATE)
    paused = np.concatenate([voice, np.zeros(6 * RATE, np.float32)])
    assert speech_level(paused, RATE) == pytest.approx(speech_level(voice, RATE), abs=0.3)


def test_a_short_sound_has_a_level_and_silence_none() -> None:
    assert speech_level(syllables(RATE // 5, RATE), RATE) is not None
    assert speech_level(np.zeros(RATE, np.float32), RATE) is None
    assert speech_level(np.zeros(0, np.float32), RATE) is None
    assert level_dbfs(np.zeros(0, np.float32)) == SILENCE_DBFS


def test_what_is_beside_speech_is_told_from_the_pauses() -> None:
    spoken = [Span.of_seconds(0, 3), Span.of_seconds(5, 8)]
    sound = noise(10 * RATE, 0.002)
    for span in spoken:
        first, end = span.samples(RATE)
        sound[first:end] += syllables(end - first, RATE)
    found = background_level(sound, RATE, spoken)
    assert found.speech == pytest.approx(-20, abs=0.5)
    assert found.floor == pytest.approx(20 * np.log10(0.002), abs=1)
    assert found.loudest_pause == pytest.approx(20 * np.log10(0.002), abs=1)
    assert found.pause_s == pytest.approx(1.5 + 1.75, abs=0.05)
    assert found.dips is not None
    assert found.speech is not None
    assert found.dips < found.speech - 25, "syllables fall further than this"


def test_the_loudest_pause_is_told_and_a_click_is_not() -> None:
    spoken = [Span.of_seconds(2, 4)]
    sound = noise(8 * RATE, 1e-4)
    sound[6 * RATE : 6 * RATE + 160] = 0.9
    quiet = background_level(sound, RATE, spoken).loudest_pause
    sound[5 * RATE :] += noise(3 * RATE, 0.03)
    loud = background_level(sound, RATE, spoken).loudest_pause
    assert quiet is not None
    assert loud is not None
    assert quiet < -70
    assert loud > -35


def test_no_speech_and_nothing_but_speech() -> None:
    alone = background_level(noise(RATE, 0.01), RATE, ())
    assert (alone.speech, alone.dips) == (None, None)
    dense = background_level(syllables(RATE, RATE), RATE, [Span.of_seconds(0, 1)])
    assert (dense.floor, dense.loudest_pause, dense.pause_s) == (None, None, 0)
    assert pauses([Span.of_seconds(1, 2)], Span.of_seconds(0, 2.4))[0].end_s == pytest.approx(0.75)
