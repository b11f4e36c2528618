"""How high a voice is, and what of a sound is voice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.voiceprint.contract import SAMPLE_RATE, Floats
from models.voiceprint.pauses import without_pauses
from models.voiceprint.pitch import median_pitch


def buzz(hz: float, seconds: float = 1.0, *, noise: float = 0.0, seed: int = 0) -> Floats:
    """A voice's source: falling harmonics, drifting by two semitones."""
    moments = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = hz * 2 ** (np.sin(2 * np.pi * moments) / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    sound = sum(np.sin(number * phase) / number for number in range(1, 12))
    return (0.1 * sound + noise * np.random.default_rng(seed).normal(size=len(moments))).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(hz=st.floats(75, 420), noise=st.floats(0, 0.01))
def test_the_pitch_of_a_buzz_is_found_without_octave_errors(hz: float, noise: float) -> None:
    found = median_pitch(buzz(hz, noise=noise))
    assert found.median_hz == pytest.approx(hz, rel=0.04)
    assert found.voiced_s > 0.5


@pytest.mark.parametrize("count", [0, 1, 500, 778])
def test_too_little_sound_has_no_pitch(count: int) -> None:
    assert median_pitch(np.ones(count, np.float32)).median_hz is None


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    assert median_pitch(noise).median_hz is None
    assert median_pitch(np.zeros(SAMPLE_RATE, np.float32)).median_hz is None


def test_one_burst_at_another_pitch_does_not_matter() -> None:
    sound = np.concatenate([buzz(110, 2.0), buzz(400, 0.3)])
    assert median_pitch(sound).median_hz == pytest.approx(110, rel=0.05)


def test_pauses_go_and_voice_stays() -> None:
    pause = np.zeros(SAMPLE_RATE, np.float32)
    voice = buzz(120, 1.0)
    kept = without_pauses(np.concatenate([pause, voice, pause, voice, pause]))
    assert len(kept) == pytest.approx(2 * SAMPLE_RATE, abs=0.3 * SAMPLE_RATE)
    assert not len(without_pauses(pause))
    assert not len(without_pauses(pause[:10]))


def test_a_click_does_not_hide_the_voice() -> None:
    voice = 0.02 * buzz(120, 1.0)
    voice[4000:4080] = 1.0
    assert len(without_pauses(voice)) > 0.8 * len(voice)
