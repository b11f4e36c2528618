"""Room tone has the pauses' spectrum; ducking is smooth and local."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_sounds import noise

from models.acoustics.ducking import ATTACK_S, RELEASE_S, ducking_depth_db, ducking_gain
from models.acoustics.levels import level_dbfs
from models.acoustics.tone import room_tone, tone_spectrum

RATE = 48_000


def test_tone_sounds_like_the_pauses() -> None:
    from scipy.signal import butter, sosfilt, welch

    hum = np.asarray(sosfilt(butter(2, 2_000, fs=RATE, output="sos"), noise(3 * RATE, 0.02)), dtype=np.float32)
    spectrum = tone_spectrum([hum])
    assert spectrum is not None
    tone = room_tone(spectrum, 2 * RATE, seed=7)
    assert len(tone) == 2 * RATE
    np.testing.assert_array_equal(room_tone(spectrum, 2 * RATE, seed=7), tone)
    assert not np.array_equal(room_tone(spectrum, 2 * RATE, seed=8), tone)
    assert level_dbfs(tone) == pytest.approx(level_dbfs(hum), abs=1)
    bands = [welch(each, RATE, nperseg=1024)[1] for each in (hum, tone)]
    for low, high in ((2, 20), (20, 60), (60, 150)):
        powers = [10 * np.log10(band[low:high].mean()) for band in bands]
        assert powers[1] == pytest.approx(powers[0], abs=1.5)


def test_a_breath_or_a_note_leaves_no_trace() -> None:
    still = noise(4 * RATE, 1e-3)
    spoilt = still.copy()
    spoilt[RATE : RATE + RATE // 2] += noise(RATE // 2, 0.1, seed=4)
    spectrum = tone_spectrum([spoilt])
    assert spectrum is not None
    assert level_dbfs(room_tone(spectrum, RATE, seed=1)) == pytest.approx(-60, abs=2)


def test_silence_and_too_little() -> None:
    assert tone_spectrum([]) is None
    assert tone_spectrum([np.ones(100, np.float32)]) is None
    spectrum = tone_spectrum([np.zeros(RATE, np.float32)])
    assert spectrum is not None
    assert not room_tone(spectrum, 100, seed=1).any()
    assert room_tone(spectrum, 0, seed=1).size == 0
    only = tone_spectrum([noise(2_000, 0.01)])
    assert only is not None
    assert level_dbfs(room_tone(only, RATE, seed=1)) == pytest.approx(-40, abs=2)


def test_depth_goes_with_the_background() -> None:
    assert ducking_depth_db(-60, -24) == 0
    assert ducking_depth_db(-38, -24) == pytest.approx(4)
    assert ducking_depth_db(-10, -24) == 12


@given(st.lists(st.tuples(st.integers(-3_000, 12_000), st.integers(0, 6_000)), max_size=5), st.floats(0, 12))
def test_ducking_is_down_under_speech_up_far_from_it_and_smooth(pairs: list[tuple[int, int]], depth_db: float) -> None:
    rate, length = 1_000, 10_000
    speech = [(first, first + size) for first, size in pairs]
    gain = ducking_gain(length, rate, speech, depth_db)
    lowest = 10 ** (-depth_db / 20)
    at = np.arange(length)
    near = np.zeros(length, bool)
    for first, end in speech:
        inside = gain[max(first, 0) : max(end, 0)]
        assert inside == pytest.approx(lowest, rel=1e-5)
        near |= (at >= first - ATTACK_S * rate) & (at <= end + RELEASE_S * rate)
    assert gain[~near] == pytest.approx(1.0)
    assert float(np.abs(np.diff(20 * np.log10(gain))).max(initial=0)) <= depth_db * np.pi / 2 / (ATTACK_S * rate) + 1e-4


def test_ducking_is_local() -> None:
    near = ducking_gain(10_000, 1_000, [(2_000, 3_000)], 6)
    both = ducking_gain(10_000, 1_000, [(2_000, 3_000), (8_000, 9_000)], 6)
    np.testing.assert_array_equal(near[:7_000], both[:7_000])
