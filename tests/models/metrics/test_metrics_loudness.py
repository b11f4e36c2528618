"""Loudness of a few seconds, against tones of known loudness and against FFmpeg's meter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from infra.media.audio import write_wav
from infra.media.loudness import measure
from models.metrics.loudness import integrated_lufs


def tone(level_dbfs: float, seconds: float, sample_rate: int, hz: float = 997.0) -> np.ndarray:
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * time)).astype(np.float32)


@pytest.mark.parametrize("sample_rate", [16_000, 44_100, 48_000])
def test_a_tone_of_997_hz_at_full_scale_is_at_minus_3_lufs(sample_rate: int) -> None:
    """BS.1770-4: -3.01 LKFS for a 0 dBFS sine of 997 Hz in one channel."""
    assert integrated_lufs(tone(-20, 3, sample_rate), sample_rate) == pytest.approx(-23.01, abs=0.05)


def test_pauses_do_not_count() -> None:
    with_pause = np.concatenate([tone(-20, 3, 48_000), np.zeros(5 * 48_000, np.float32)])
    assert integrated_lufs(with_pause, 48_000) == pytest.approx(-23.1, abs=0.3)


def test_it_agrees_with_the_meter_for_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    steps = np.repeat(rng.uniform(0.005, 0.3, 30), 8_000)
    noise = (np.convolve(rng.normal(0, 1, 240_000), np.ones(8) / 8, mode="same") * steps).astype(np.float32)
    file = tmp_path / "noise.wav"
    write_wav(file, noise, 48_000)
    metered = measure(file).integrated_lufs
    assert metered is not None
    assert integrated_lufs(np.clip(noise, -1, 1), 48_000) == pytest.approx(metered, abs=0.15)


def test_silence_has_no_loudness_and_a_short_sound_has_one() -> None:
    assert integrated_lufs(np.zeros(48_000, np.float32), 48_000) is None
    assert integrated_lufs(np.zeros(0, np.float32), 48_000) is None
    assert integrated_lufs(tone(-20, 0.1, 48_000), 48_000) == pytest.approx(-23, abs=1)
