from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from media_recipes import Make, ffmpeg

from infra.media.audio import (
    Waveform,
    read_wav,
    read_waveform,
    resample,
    stream_waveform,
    stretch,
    write_wav,
    write_wav_stream,
)
from infra.media.loudness import measure, normalise
from manifests.errors import BadInput
from manifests.time import Span

RATE = 16_000


def tone(hertz: float, seconds: float, sample_rate: int = RATE, level: float = 0.5) -> Waveform:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sample_rate)) / sample_rate)).astype(
        np.float32
    )


def pitch(samples: Waveform, sample_rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * sample_rate / len(samples))


def onset_s(samples: Waveform, sample_rate: int) -> float:
    return float(np.argmax(np.abs(samples) > 0.02) / sample_rate)


@pytest.mark.parametrize("name", ["h264_b.mp4", "h264_b.mkv", "h264_b.ts", "h264_b.mov", "mpeg1.mpg"])
def test_a_span_holds_the_samples_that_a_full_read_holds(media: Make, name: str) -> None:
    whole = read_waveform(media(name), sample_rate=RATE)
    span = Span.of_seconds(2.5, 3.25)
    part = read_waveform(media(name), sample_rate=RATE, span=span)
    assert len(part) == 12_000
    assert abs(len(whole) / RATE - 4) < 0.1
    # A tone has one phase: a shift by one sample would already give 0.02.
    assert np.abs(part - whole[40_000:52_000]).max() < 0.012
    assert pitch(part, RATE) == pytest.approx(440, abs=2)


def test_mixing_down_keeps_one_channel_of_six(media: Make) -> None:
    samples = read_waveform(media("surround.mkv"), sample_rate=RATE, span=Span.of_seconds(1, 2))
    assert pitch(samples, RATE) == pytest.approx(440, abs=2)
    assert np.abs(samples).max() > 0.02


def test_the_chosen_track_is_read(media: Make) -> None:
    for track, hertz in ((0, 440), (1, 880)):
        samples = read_waveform(media("two_tracks.mp4"), sample_rate=RATE, track=track, span=Span.of_seconds(1, 2))
        assert pitch(samples, RATE) == pytest.approx(hertz, abs=2)
    with pytest.raises(BadInput, match="no audio track 2"):
        read_waveform(media("two_tracks.mp4"), sample_rate=RATE, track=2)
    with pytest.raises(BadInput, match="no sound"):
        read_waveform(media("h264_no_b.mp4"), sample_rate=RATE)


def test_sound_that_starts_late_is_led_by_silence(media: Make) -> None:
    whole = read_waveform(media("late_sound.mkv"), sample_rate=RATE)
    assert onset_s(whole, RATE) == pytest.approx(1.5, abs=0.003)
    early = read_waveform(media("late_sound.mkv"), sample_rate=RATE, span=Span.of_seconds(0.5, 1.6))
    assert len(early) == 17_600
    assert onset_s(early, RATE) == pytest.approx(1.0, abs=0.003)
    after = read_waveform(media("late_sound.mkv"), sample_rate=RATE, span=Span.of_seconds(3, 3.5))
    assert len(after) == 8_000
    assert not after.any()


def test_sound_that_starts_before_the_picture_loses_its_head(media: Make, tmp_path: Path) -> None:
    path = tmp_path / "late_picture.mkv"
    ffmpeg("-itsoffset", "1", "-i", media("h264_no_b.mp4"), "-i", media("late_sound.mkv"), "-map", "0:v", "-map", "1:a",
           "-c", "copy", path)  # fmt: skip
    assert onset_s(read_waveform(path, sample_rate=RATE), RATE) == pytest.approx(0.5, abs=0.003)


def test_a_pause_in_the_timestamps_is_silence(tmp_path: Path, media: Make) -> None:
    path = tmp_path / "pause.mkv"
    ffmpeg("-i", media("h264_b.mkv"), "-map", "0:a", "-c:a", "pcm_s16le", "-bsf:a",
           "setts=ts='if(gt(TS*TB,1),TS+1.5/TB,TS)'", path)  # fmt: skip
    samples = read_waveform(path, sample_rate=RATE)
    assert not samples[round(1.2 * RATE) : round(2.4 * RATE)].any()
    assert pitch(samples[3 * RATE : 4 * RATE], RATE) == pytest.approx(440, abs=2)
    assert len(samples) / RATE == pytest.approx(5.5, abs=0.1)


def test_streaming_gives_the_same_samples_in_equal_blocks(media: Make) -> None:
    blocks = list(stream_waveform(media("h264_b.mp4"), sample_rate=RATE, track=0, block=7_000))
    assert {len(block) for block in blocks[:-1]} == {7_000}
    assert 0 < len(blocks[-1]) <= 7_000
    assert np.array_equal(np.concatenate(blocks), read_waveform(media("h264_b.mp4"), sample_rate=RATE))


@pytest.mark.parametrize("rate", [0.5, 0.87, 1.0, 1.25, 2.0])
@pytest.mark.parametrize("sample_rate", [16_000, 22_050])
def test_stretching_keeps_pitch_and_gives_the_exact_length(rate: float, sample_rate: int) -> None:
    samples = tone(300, 1.7, sample_rate)
    made = stretch(samples, sample_rate, rate)
    assert len(made) == round(len(samples) / rate)
    assert pitch(made, sample_rate) == pytest.approx(300, abs=3)
    # The end is as loud as the middle: nothing was cut off and nothing padded.
    tenth = sample_rate // 10
    assert np.abs(made[-tenth:-100]).max() == pytest.approx(0.5, abs=0.1)


def test_stretching_moves_events_in_proportion() -> None:
    samples = np.concatenate([np.zeros(RATE, np.float32), tone(300, 0.5), np.zeros(RATE, np.float32)])
    made = stretch(samples, RATE, 1.4)
    assert onset_s(made, RATE) == pytest.approx(1 / 1.4, abs=0.03)


def test_stretching_tiny_and_impossible() -> None:
    assert len(stretch(np.zeros(0, np.float32), RATE, 1.5)) == 0
    assert len(stretch(tone(300, 0.01), RATE, 1.5)) == 107
    with pytest.raises(ValueError, match="rate"):
        stretch(tone(300, 1), RATE, 2.5)


def test_resampling_keeps_pitch_and_length() -> None:
    made = resample(tone(300, 1.0, 22_050), 22_050, 48_000)
    assert len(made) == 48_000
    assert pitch(made, 48_000) == pytest.approx(300, abs=2)
    assert np.abs(made[2000:-2000] - tone(300, 1.0, 48_000)[2000:-2000]).max() < 0.01


def test_wav_round_trip(tmp_path: Path) -> None:
    samples = tone(300, 0.3)
    write_wav(tmp_path / "a.wav", samples, RATE)
    write_wav_stream(tmp_path / "b.wav", (samples[at : at + 700] for at in range(0, len(samples), 700)), RATE)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    back, rate = read_wav(tmp_path / "a.wav")
    assert rate == RATE
    assert np.abs(back - samples).max() < 1 / 32_000
    write_wav(tmp_path / "loud.wav", np.array([2.0, -2.0], np.float32), RATE)
    assert read_wav(tmp_path / "loud.wav")[0].tolist() == [1.0, -1.0]


def test_what_is_no_wav_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_text("no")
    with pytest.raises(BadInput, match=r"no\.wav"):
        read_wav(tmp_path / "no.wav")


def test_loudness_of_the_reference_tone(tmp_path: Path) -> None:
    # EBU Tech 3341: a 1 kHz sine at -23 dBFS in both channels reads -23 LUFS; in one channel 3.01 less.
    write_wav(tmp_path / "tone.wav", tone(1000, 5, 48_000, level=10 ** (-23 / 20)), 48_000)
    found = measure(tmp_path / "tone.wav")
    assert found.integrated_lufs == pytest.approx(-26.0, abs=0.15)
    assert found.true_peak_dbtp == pytest.approx(-23.0, abs=0.15)


def test_a_plain_gain_where_peaks_allow(tmp_path: Path) -> None:
    quiet = tone(1000, 3, 48_000, level=0.02)
    write_wav(tmp_path / "in.wav", quiet, 48_000)
    reached = normalise(tmp_path / "in.wav", tmp_path / "out.wav", target_lufs=-16)
    assert reached.integrated_lufs == pytest.approx(-16, abs=0.2)
    made, rate = read_wav(tmp_path / "out.wav")
    assert rate == 48_000
    assert len(made) == len(quiet)
    gain = made[1000:-1000] / np.where(np.abs(quiet[1000:-1000]) > 0.01, quiet[1000:-1000], np.nan)
    assert np.nanstd(gain) < 0.02 * np.nanmean(gain)


def test_a_limiter_where_peaks_are_in_the_way(tmp_path: Path) -> None:
    bursts = tone(700, 4, 24_000, level=0.05)
    bursts[::6_000] = 0.9  # clicks, 25 dB above the tone
    write_wav(tmp_path / "in.wav", bursts, 24_000)
    reached = normalise(tmp_path / "in.wav", tmp_path / "out.wav", target_lufs=-16, true_peak_dbtp=-1)
    after = measure(tmp_path / "out.wav")
    assert reached.integrated_lufs == pytest.approx(-16, abs=0.5)
    assert after.integrated_lufs == pytest.approx(-16, abs=0.5)
    assert after.true_peak_dbtp is not None
    assert after.true_peak_dbtp <= -0.9
    assert len(read_wav(tmp_path / "out.wav")[0]) == len(bursts)
    normalise(tmp_path / "in.wav", tmp_path / "again.wav", target_lufs=-16, true_peak_dbtp=-1)
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "out.wav").read_bytes()


def test_silence_stays_as_it_is(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", np.zeros(48_000, np.float32), 48_000)
    assert normalise(tmp_path / "in.wav", tmp_path / "out.wav").integrated_lufs is None
    assert (tmp_path / "in.wav").read_bytes() == (tmp_path / "out.wav").read_bytes()
