"""Waveforms: peaks stand where the sound is, however it is cut, and memory does not grow with an hour of it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infra.media.audio import write_wav, write_wav_stream
from infra.media.peaks import compact, read_peaks, relative
from manifests.errors import BadInput

RATE = 8_000


@pytest.fixture(scope="module")
def bursts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Silence for 6 s, but for a burst of 0.4 from 1 to 2 s and one of 0.2 from 4 to 5 s."""
    file = tmp_path_factory.mktemp("peaks") / "bursts.wav"
    time = np.arange(6 * RATE) / RATE
    level = 0.4 * ((time >= 1) & (time < 2)) + 0.2 * ((time >= 4) & (time < 5))
    write_wav(file, (level * np.sin(880 * np.pi * time)).astype(np.float32), RATE)
    return file


def test_peaks_are_where_the_sound_is(bursts: Path) -> None:
    peaks = read_peaks(bursts, per_s=10)
    assert len(peaks) == 60
    assert peaks[11:19] == pytest.approx(0.4, abs=0.02)
    assert peaks[41:49] == pytest.approx(0.2, abs=0.02)
    assert peaks[22:38].max() < 0.01


@pytest.mark.parametrize("per_s", [7.3, 50.0])
def test_columns_are_the_same_however_the_sound_is_cut(
    bursts: Path, monkeypatch: pytest.MonkeyPatch, per_s: float
) -> None:
    whole = read_peaks(bursts, per_s=per_s)
    monkeypatch.setattr("infra.media.peaks._BLOCK_S", 1)
    assert np.array_equal(read_peaks(bursts, per_s=per_s), whole)


def test_compact_peaks_are_bytes_relative_to_the_loudest(bursts: Path) -> None:
    peaks = read_peaks(bursts, per_s=10)
    told = compact(peaks)
    assert len(told) == len(peaks)
    assert max(told) == 255
    assert told[45] == pytest.approx(127, abs=3)
    silence = np.zeros(5, np.float32)
    assert compact(silence) == bytes(5)
    assert not relative(silence).any()


def test_the_second_track_can_be_read_and_a_third_is_refused(media: Callable[[str], Path]) -> None:
    assert len(read_peaks(media("two_tracks.mp4"), track=1, per_s=10)) == pytest.approx(40, abs=1)
    with pytest.raises(BadInput, match="track"):
        read_peaks(media("two_tracks.mp4"), track=2)


def test_a_resolution_that_cannot_be_is_refused(bursts: Path) -> None:
    with pytest.raises(ValueError, match="columns a second"):
        read_peaks(bursts, per_s=0)


def test_half_an_hour_takes_the_memory_of_a_minute(tmp_path: Path) -> None:
    minute = (0.1 * np.sin(np.arange(60 * RATE, dtype=np.float32))).astype(np.float32)[None]
    write_wav_stream(tmp_path / "long.wav", (minute for _ in range(30)), RATE, channels=1)
    tracemalloc.start()
    try:
        assert len(read_peaks(tmp_path / "long.wav", per_s=50)) == 30 * 60 * 50
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 30 * minute.nbytes / 2
