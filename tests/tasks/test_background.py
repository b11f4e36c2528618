"""What is kept beside the voice. The sounds are made up, so it is known what is voice and what is not."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from made_sounds import Sound, noise, syllables

from infra.media.audio import read_wav_channels, write_wav
from infra.store import Store
from manifests.records import AudioTrack, Chunk, Video
from manifests.time import Span, samples_duration
from models.acoustics.levels import BackgroundLevel, level_dbfs
from models.separation import engines
from models.separation.contract import Sound as Stereo
from models.separation.contract import Stems
from tasks.background import BackgroundSettings, BackgroundWork, ChunkBackground, judge, keep_background

RATE = 48_000
SETTINGS = BackgroundSettings()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def kept(tmp_path: Path, store: Store) -> Callable[..., ChunkBackground]:
    """Runs the stage over a made-up sound in which somebody speaks in `speech` (seconds)."""

    def run(
        sound: Sound,
        speech: list[tuple[float, float]],
        *,
        rate: int = RATE,
        chunk: tuple[float, float] | None = None,
        weights: str | None = "stand-in",
    ) -> ChunkBackground:
        sound = np.atleast_2d(sound)
        write_wav(tmp_path / "source.wav", sound, rate)
        whole = Span(0, samples_duration(sound.shape[1], rate))
        track = AudioTrack(index=0, codec="pcm_s16le", sample_rate=rate, channels=len(sound), language=None)
        video = Video(
            id="video", uri=str(tmp_path / "source.wav"), span=whole, container="wav", codec="", pixel_format="",
            width=0, height=0, rotation_deg=0, frame_rate=Fraction(25), variable_frame_rate=False, frame_count=0,
            audio_tracks=(track,),
        )  # fmt: skip
        span = whole if chunk is None else Span.of_seconds(*chunk)
        work = BackgroundWork(
            video=video,
            track=0,
            chunk=Chunk(id="chunk", video_id="video", index=0, span=span),
            speech=tuple(Span.of_seconds(*each) for each in speech),
            settings=SETTINGS,
            weights=weights,
        )
        return keep_background(work, store)

    return run


@pytest.fixture
def no_separator(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("nothing here is to be separated")

    monkeypatch.setattr(engines, "load", refuse)


class HalvingSeparator:
    """A stand-in for trained weights: calls everything below 2 kHz voice."""

    def separate(self, sound: Stereo) -> Stems:
        spectrum = np.fft.rfft(sound)
        spectrum[:, round(2_000 * sound.shape[1] / 44_100) :] = 0
        voice = np.fft.irfft(spectrum, sound.shape[1]).astype(np.float32)
        return Stems(voice, sound - voice)


@pytest.fixture
def halving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "load", HalvingSeparator)


def sound_of(found: ChunkBackground, store: Store) -> Sound:
    assert found.audio is not None
    sound, rate = read_wav_channels(store.path(found.audio))
    assert rate == RATE
    assert sound.shape == (found.channels, found.heard.samples(RATE)[1] - found.heard.samples(RATE)[0])
    return sound


def band(sound: Sound, low_hz: float, high_hz: float, rate: int = RATE) -> Sound:
    """`sound` with nothing outside a band."""
    spectrum = np.fft.rfft(sound)
    spectrum[round(high_hz * len(sound) / rate) :] = 0
    spectrum[: round(low_hz * len(sound) / rate)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(sound)), dtype=np.float32)


def hiss(length: int, level: float) -> Sound:
    """Noise from 4 to 16 kHz, which the stand-in leaves in the background."""
    high = band(noise(length, 1.0), 4_000, 16_000)
    return np.asarray(level * high / high.std(), dtype=np.float32)


def low_voice(length: int) -> Sound:
    """A voice all of which the stand-in takes out."""
    return band(syllables(length, RATE), 0, 1_900)


def level(speech: float | None = -20, *, loudest: float | None = -60, dips: float = -60, pause: float = 3) -> str:
    found = BackgroundLevel(speech=speech, floor=loudest, loudest_pause=loudest, dips=dips, pause_s=pause)
    return judge(found, SETTINGS)


def test_judgement() -> None:
    assert level(None) == "keep"
    assert level(loudest=-60) == "tone"
    assert level(loudest=-45) == "separate"
    assert level(loudest=-60, dips=-30) == "tone", "where pauses are clear, they tell"
    assert level(loudest=None, dips=-30, pause=0) == "separate"
    assert level(loudest=None, dips=-60, pause=0) == "tone"


def test_clean_speech_gives_way_to_the_rooms_tone(
    kept: Callable[..., ChunkBackground], store: Store, no_separator: None
) -> None:
    room = noise(8 * RATE, 5e-4)
    sound = room.copy()
    sound[2 * RATE : 5 * RATE] += syllables(3 * RATE, RATE)
    found = kept(sound, [(2, 5)])
    assert (found.kind, found.channels, found.degradations) == ("speech only", 1, ())
    assert found.speech_lufs == pytest.approx(-20, abs=3)
    made = sound_of(found, store)[0]
    np.testing.assert_allclose(made[: 17 * RATE // 10], sound[: 17 * RATE // 10], atol=2e-5)
    np.testing.assert_allclose(made[53 * RATE // 10 :], sound[53 * RATE // 10 :], atol=2e-5)
    for at in np.arange(0, 8, 0.25):
        piece = made[round(at * RATE) : round((at + 0.25) * RATE)]
        assert level_dbfs(piece) == pytest.approx(-66, abs=1.5), f"steady at {at} s"


def test_dense_speech_stands_on_the_tone_of_its_dips(
    kept: Callable[..., ChunkBackground], store: Store, no_separator: None
) -> None:
    sound = syllables(4 * RATE, RATE) + noise(4 * RATE, 3e-4)
    made = sound_of(kept(sound, [(0, 4)]), store)
    assert -75 < level_dbfs(made) < -62


def test_music_alone_stays_as_it_is_in_stereo(
    kept: Callable[..., ChunkBackground], store: Store, no_separator: None
) -> None:
    sides = np.stack([noise(3 * RATE, 0.05, seed=1), noise(3 * RATE, 0.05, seed=2)])
    found = kept(sides, [])
    assert (found.kind, found.channels, found.speech_lufs, found.room) == ("background", 2, None, None)
    np.testing.assert_allclose(sound_of(found, store), sides, atol=2e-5)


def test_two_sides_that_are_the_same_are_one(
    kept: Callable[..., ChunkBackground], store: Store, no_separator: None
) -> None:
    one = noise(RATE, 0.05)
    assert kept(np.stack([one, noise(RATE, 0.05, seed=5)]) / 100, []).channels == 1, "nor is a still room wide"
    found = kept(np.stack([one, one]), [])
    assert found.channels == 1
    np.testing.assert_allclose(sound_of(found, store)[0], one, atol=2e-5)


def test_the_voice_is_taken_out_of_what_sounds_beside_it(
    kept: Callable[..., ChunkBackground], store: Store, halving: None
) -> None:
    beside = hiss(8 * RATE, 0.02)
    low = band(noise(8 * RATE, 0.02, seed=9), 0, 1_900)
    sound = beside + low
    sound[2 * RATE : 5 * RATE] += low_voice(3 * RATE)
    found = kept(sound, [(2, 5)])
    assert found.kind == "background"
    made = sound_of(found, store)[0]
    pause = slice(6 * RATE, 7 * RATE)
    np.testing.assert_allclose(made[pause], sound[pause], atol=2e-5, err_msg="pauses are the source's")
    said = slice(22 * RATE // 10, 48 * RATE // 10)
    np.testing.assert_allclose(level_dbfs(made[said]), level_dbfs(beside[said]), atol=0.5)
    assert found.speech_lufs == pytest.approx(-20, abs=3)
    assert float(np.abs(np.diff(made)).max()) < 2 * float(np.abs(np.diff(beside + low)).max()), "no click"


def test_the_lead_is_the_same_to_both_neighbours(
    kept: Callable[..., ChunkBackground], store: Store, halving: None
) -> None:
    beside = hiss(8 * RATE, 0.02)
    beside[2 * RATE : 6 * RATE] += low_voice(4 * RATE)
    left, right = (kept(beside, [part], chunk=chunk) for part, chunk in (((2, 4), (0, 4)), ((4, 6), (4, 8))))
    assert left.heard == Span.of_seconds(0, 4.05)
    assert right.heard == Span.of_seconds(3.95, 8)
    lead = round(0.1 * RATE)
    np.testing.assert_allclose(sound_of(left, store)[0, -lead:], sound_of(right, store)[0, :lead], atol=2e-3)


def test_without_weights_the_span_is_degraded(
    kept: Callable[..., ChunkBackground], store: Store, no_separator: None
) -> None:
    sound = hiss(6 * RATE, 0.02)
    sound[RATE : 3 * RATE] += low_voice(2 * RATE)
    found = kept(sound, [(1, 3)], weights=None)
    assert found.kind == "background"
    assert [each.span for each in found.degradations] == [Span.of_seconds(1, 3)]
    assert "redub weights pull spleeter" in found.degradations[0].reason
    made = sound_of(found, store)[0]
    np.testing.assert_allclose(made[4 * RATE : 5 * RATE], sound[4 * RATE : 5 * RATE], atol=2e-5)
    np.testing.assert_allclose(level_dbfs(made[15 * RATE // 10 : 25 * RATE // 10]), -34, atol=1.5)


def test_applause_between_sentences_stays(kept: Callable[..., ChunkBackground], store: Store, halving: None) -> None:
    sound = noise(9 * RATE, 1e-4)
    sound[: 3 * RATE] += low_voice(3 * RATE)
    sound[4 * RATE : 6 * RATE] += hiss(2 * RATE, 0.1)
    sound[7 * RATE :] += low_voice(2 * RATE)
    found = kept(sound, [(0, 3), (7, 9)])
    assert found.kind == "background"
    made = sound_of(found, store)[0]
    np.testing.assert_allclose(made[4 * RATE : 6 * RATE], sound[4 * RATE : 6 * RATE], atol=2e-5)
    assert level_dbfs(made[RATE // 2 : 2 * RATE]) < -60


@pytest.mark.parametrize("speech", [[], [(0.1, 0.4)], [(0.0, 0.5)]])
def test_half_a_second(
    kept: Callable[..., ChunkBackground], store: Store, halving: None, speech: list[tuple[float, float]]
) -> None:
    found = kept(noise(RATE, 0.01) + 0.5 * syllables(RATE, RATE), speech, chunk=(0.0, 0.5))
    assert sound_of(found, store).shape[1] == round(0.55 * RATE)


def test_a_telephones_sound_and_a_clipped_one(
    kept: Callable[..., ChunkBackground], store: Store, halving: None
) -> None:
    rate = 8_000
    sound = noise(4 * rate, 0.003)
    sound[rate : 3 * rate] += np.clip(20 * syllables(2 * rate, rate), -0.95, 0.95)
    found = kept(sound, [(1, 3)], rate=rate)
    made = sound_of(found, store)
    assert np.isfinite(made).all()
    assert level_dbfs(made[0, 15 * RATE // 10 : 25 * RATE // 10]) < -40


def test_digital_silence_leaves_nothing_to_hear(kept: Callable[..., ChunkBackground], no_separator: None) -> None:
    sound = np.zeros(4 * RATE, np.float32)
    assert kept(sound, []).audio is None
    sound[RATE : 2 * RATE] = syllables(RATE, RATE)
    found = kept(sound, [(1, 2)])
    assert (found.audio, found.kind) == (None, "speech only")
    assert kept(np.zeros(4 * RATE, np.float32), [(1, 2)]).speech_lufs is None, "heard by nobody but the detector"
