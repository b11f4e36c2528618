from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.time import FLICKS_PER_SECOND
from models.wav2lip import mel as mel_module
from models.wav2lip.mel import SAMPLE_RATE, mel_spectrogram, mel_windows


def test_a_tone_lights_the_band_of_its_frequency() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32) * 0.1
    loudest = mel_spectrogram(tone)[:, 20:60].mean(axis=1).argmax()
    weights = mel_module.mel_filters()[loudest]
    assert abs(np.average(np.fft.rfftfreq(800, 1 / SAMPLE_RATE), weights=weights) - 1000) < 40


@pytest.mark.parametrize("samples", [0, 1, 199, 200, 12345])
def test_one_column_every_200_samples_and_silence_is_the_floor(samples: int) -> None:
    mel = mel_spectrogram(np.zeros(samples, np.float32))
    assert mel.shape == (80, 1 + samples // 200)
    assert mel.dtype == np.float32
    assert (mel == -4).all()


def test_long_sound_is_cut_into_blocks_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 50_000).astype(np.float32)
    whole = mel_spectrogram(sound)
    monkeypatch.setattr(mel_module, "_BLOCK_COLUMNS", 7)
    np.testing.assert_allclose(mel_spectrogram(sound), whole, atol=1e-6)


@given(
    columns=st.integers(1, 200),
    frames=st.lists(st.integers(-5, 400), max_size=30),
    frame_rate=st.sampled_from([24, 25, 30, 50]),
)
def test_windows_start_at_the_frames_column_and_stay_inside(columns: int, frames: list[int], frame_rate: int) -> None:
    mel = np.broadcast_to(np.arange(columns, dtype=np.float32), (80, columns))
    times = np.array([frame * FLICKS_PER_SECOND // frame_rate for frame in frames], np.int64)
    windows = mel_windows(mel, times)
    assert windows.shape == (len(frames), 80, 16)
    assert windows.dtype == np.float32
    for frame, window in zip(frames, windows, strict=True):
        start = min(max(frame * 80 // frame_rate, 0), max(columns - 16, 0))
        expected = np.minimum(start + np.arange(16), columns - 1)
        assert (window == expected).all()
