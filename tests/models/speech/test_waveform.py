"""Trimming, joining and peaks, on synthetic sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.waveform import EDGE_S, join, trim, within_peak

RATE = 24_000


def tone(duration_s: float, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(np.arange(round(duration_s * RATE)) * 0.1)).astype(np.float32)


def silence(duration_s: float) -> np.ndarray:
    return np.zeros(round(duration_s * RATE), np.float32)


@given(before=st.floats(0, 0.5), after=st.floats(0, 0.5), amplitude=st.floats(0.01, 1.0), hiss=st.booleans())
def test_at_most_fifty_milliseconds_are_left_and_the_sound_is_whole(
    before: float, after: float, amplitude: float, hiss: bool
) -> None:
    sound = tone(0.3, amplitude)
    noise = np.random.default_rng(0).standard_normal
    edges = [silence(before), silence(after)]
    if hiss:
        edges = [(noise(len(edge)) * amplitude * 1e-3).astype(np.float32) for edge in edges]
    trimmed = trim(np.concatenate([edges[0], sound, edges[1]]), RATE)
    start = np.flatnonzero(np.abs(trimmed) > amplitude * 0.05)
    assert start[0] / RATE <= 0.05
    assert (len(trimmed) - start[-1]) / RATE <= 0.05
    assert len(trimmed) >= len(sound)
    assert len(trimmed) <= len(sound) + round(2 * (EDGE_S + 0.01) * RATE)


def test_pauses_within_are_kept() -> None:
    sound = np.concatenate([tone(0.2), silence(0.6), tone(0.2)])
    assert len(trim(sound, RATE)) == len(sound)


def test_silence_becomes_empty() -> None:
    assert trim(silence(1), RATE).size == 0
    assert trim(silence(0), RATE).size == 0


def test_trimming_twice_is_trimming_once() -> None:
    once = trim(np.concatenate([silence(0.4), tone(0.3), silence(0.2)]), RATE)
    assert np.array_equal(trim(once, RATE), once)


def test_parts_are_joined_with_their_pauses() -> None:
    joined = join([tone(0.1), tone(0.2), tone(0.1)], [0.25, 0.1, 9.0], RATE)
    assert len(joined) / RATE == pytest.approx(0.1 + 0.25 + 0.2 + 0.1 + 0.1)
    assert joined.dtype == np.float32
    assert join([], [], RATE).size == 0


def test_only_a_peak_above_one_is_scaled() -> None:
    assert np.abs(within_peak(tone(0.1) * 4)).max() == pytest.approx(1.0)
    assert np.array_equal(within_peak(tone(0.1)), tone(0.1))
