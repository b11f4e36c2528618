"""Speech in its place, at its loudness and in its room; the whole track with its background on the dub's clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_sounds import Sound, noise, syllables

from infra.media.audio import read_wav, read_wav_channels, write_wav
from infra.media.loudness import measure
from infra.store import Store
from manifests.clock import HeldClock, Hold
from manifests.records import Placement, SpeechClip
from manifests.time import Span, flicks, samples_duration
from models.acoustics.levels import level_dbfs, speech_level
from models.acoustics.room import Room
from tasks.background import ChunkBackground
from tasks.mix import (
    SAMPLE_RATE,
    SPEECH_LUFS,
    ChunkSpeech,
    MixWork,
    VoiceTrackWork,
    background_gain_db,
    contour_db,
    lay_voice_track,
    mix_chunk,
)

RATE = SAMPLE_RATE


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def clip_of(store: Store, sound: Sound, name: str = "clip", rate: int = RATE) -> SpeechClip:
    with store.scratch() as folder:
        write_wav(folder / "clip.wav", sound, rate)
        audio = store.put(folder / "clip.wav")
    return SpeechClip(
        id=name, translation_id=name, utterance_id=name, voice="made", audio=audio, sample_rate=rate,
        duration=samples_duration(len(sound), rate),
    )  # fmt: skip


def place(clip: SpeechClip, start_s: float, duration_s: float | None = None) -> Placement:
    span = Span(0, clip.duration if duration_s is None else flicks(duration_s)).shift(flicks(start_s))
    return Placement(clip_id=clip.id, utterance_id=clip.id, span=span, rate=1.0, overrun=0)


def mixed(store: Store, clips: list[SpeechClip], placements: list[Placement], **more: object) -> ChunkSpeech:
    (found,) = mix_chunk(MixWork(clips=tuple(clips), placements=tuple(placements), **more), store)  # type: ignore[arg-type]
    return found


def background_of(
    store: Store, sound: Sound, start_s: float, end_s: float, *, kind: str = "background", **more: object
) -> ChunkBackground:
    """A chunk's background from the whole lecture's `sound`, with leads as the stage gives them."""
    sound = np.atleast_2d(sound)
    whole = Span(0, samples_duration(sound.shape[1], RATE))
    span = Span.of_seconds(start_s, end_s)
    heard = Span(max(span.start - flicks(0.05), 0), min(span.end + flicks(0.05), whole.end))
    first, end = heard.samples(RATE)
    with store.scratch() as folder:
        write_wav(folder / "background.wav", sound[:, first:end], RATE)
        audio = store.put(folder / "background.wav")
    given: dict[str, object] = {"level_dbfs": level_dbfs(sound), "speech_lufs": None, "room": None, **more}
    return ChunkBackground(span=span, heard=heard, kind=kind, audio=audio, channels=len(sound), **given)  # type: ignore[arg-type]


def laid(store: Store, length_s: float, **more: object) -> tuple[Sound, float | None, float | None]:
    work = VoiceTrackWork(
        span=Span.of_seconds(0, length_s), **{"speech": (), "target_lufs": -16.0, "true_peak_dbtp": -1.0, **more}
    )  # type: ignore[arg-type]
    track = lay_voice_track(work, store)
    sound, _ = read_wav_channels(store.path(track.audio))
    assert sound.shape[1] == round(length_s * RATE)
    return sound, track.loudness_lufs, track.true_peak_dbtp


def test_clips_as_they_are_where_nothing_is_asked(store: Store) -> None:
    sound = syllables(RATE, RATE)
    clip = clip_of(store, sound)
    found = mixed(store, [clip, clip], [place(clip, 2), place(clip, 4)])
    assert found.span == Span.of_seconds(2, 5)
    assert found.heard == (Span.of_seconds(2, 3), Span.of_seconds(4, 5))
    made, _ = read_wav(store.path(found.audio))
    np.testing.assert_allclose(made[:RATE], sound, atol=1e-4)
    assert not made[RATE : 2 * RATE].any()
    assert mix_chunk(MixWork(clips=(), placements=()), store) == ()


@pytest.mark.parametrize("duration_s", [0.5, 0.8, 1.3, 3.0])
def test_a_clip_is_stretched_to_its_place(store: Store, duration_s: float) -> None:
    clip = clip_of(store, syllables(RATE, RATE))
    found = mixed(store, [clip], [place(clip, 0, duration_s)])
    made, _ = read_wav(store.path(found.audio))
    assert len(made) == round(duration_s * RATE)
    assert level_dbfs(made[-round(0.4 * duration_s * RATE) :]) > -40, "it goes on to the end"


def test_what_nobody_hears_is_done_without_a_stretch(store: Store) -> None:
    sound = syllables(RATE, RATE)
    sound[-round(0.02 * RATE) :] = 0
    clip = clip_of(store, sound)
    for duration_s in (0.992, 1.008):
        made, _ = read_wav(store.path(mixed(store, [clip], [place(clip, 0, duration_s)]).audio))
        size = min(len(made), RATE)
        np.testing.assert_allclose(made[:size], sound[:size], atol=1e-4)
        assert len(made) == round(duration_s * RATE)


def test_speech_is_never_cut_off_to_save_a_stretch(store: Store) -> None:
    sound = np.concatenate([syllables(RATE, RATE), np.full(RATE // 100, 0.5, np.float32)])
    clip = clip_of(store, sound)
    made, _ = read_wav(store.path(mixed(store, [clip], [place(clip, 0, 1.0)]).audio))
    assert np.abs(made[-RATE // 40 :]).max() > 0.3


def test_clips_are_as_loud_as_the_speaker_was(store: Store) -> None:
    quiet, loud = (clip_of(store, syllables(2 * RATE, RATE, level=level), str(level)) for level in (0.01, 0.2))
    found = mixed(store, [quiet, loud], [place(quiet, 0), place(loud, 3)], gains_db=(0.0, -6.0))
    made, _ = read_wav(store.path(found.audio))
    assert speech_level(made[: 2 * RATE], RATE) == pytest.approx(SPEECH_LUFS, abs=0.3)
    assert speech_level(made[3 * RATE :], RATE) == pytest.approx(SPEECH_LUFS - 6, abs=0.3)


def test_a_silent_clip_stays_silent(store: Store) -> None:
    clip = clip_of(store, np.zeros(RATE, np.float32))
    made, _ = read_wav(store.path(mixed(store, [clip], [place(clip, 0)], gains_db=(0.0,)).audio))
    assert not made.any()


def test_the_contour_of_each_speaker() -> None:
    levels = [-20.0, -22.0, -40.0, None, -18.0, -50.0, -52.0, -40.0]
    speakers = ["anna"] * 5 + ["ben"] * 3
    assert contour_db(levels, speakers) == (1.0, -1.0, -8.0, 0.0, 3.0, 0.0, -2.0, 4.0)
    assert contour_db([], []) == ()


def test_a_room_rings_beyond_the_speech_and_leaves_the_voice_as_it_is(store: Store) -> None:
    clip = clip_of(store, syllables(RATE, RATE))
    room = Room(rt60_s=0.6, direct_db=6, falls=9)
    dry, wet = (mixed(store, [clip], [place(clip, 1)], room=each) for each in (None, room))
    assert (wet.span, wet.heard, wet.audio) == (dry.span, dry.heard, dry.audio)
    assert dry.ringing is None
    assert wet.ringing is not None
    ringing, _ = read_wav(store.path(wet.ringing))
    assert len(ringing) > 1.5 * RATE
    assert level_dbfs(ringing[RATE : RATE + RATE // 10]) > -50
    sound, _, _ = laid(store, 4, speech=(wet,))
    assert level_dbfs(sound[0, 2 * RATE : 2 * RATE + RATE // 5]) > -50


def test_loudness_and_peak_hold_with_a_background(store: Store) -> None:
    clip = clip_of(store, syllables(3 * RATE, RATE, level=0.05))
    voice = mixed(store, [clip, clip], [place(clip, 1), place(clip, 5)], gains_db=(0.0, 0.0))
    music = noise(9 * RATE, 0.02)
    music[::9_000] = 0.9
    _, loudness, peak = laid(store, 9, speech=(voice,), background=(background_of(store, music, 0, 9),))
    assert loudness == pytest.approx(-16, abs=0.5)
    assert peak is not None
    assert peak <= -1.4, "there is room for what a codec adds"


def test_silence_has_no_loudness(store: Store) -> None:
    sound, loudness, peak = laid(store, 3)
    assert not sound.any()
    assert (loudness, peak) == (None, None)


def test_music_alone_is_brought_to_the_loudness(store: Store) -> None:
    sound, loudness, _ = laid(store, 5, background=(background_of(store, noise(5 * RATE, 0.01), 0, 5),))
    assert loudness == pytest.approx(-16, abs=0.5)
    assert level_dbfs(sound[0, :RATE]) == pytest.approx(level_dbfs(sound[0, -RATE:]), abs=0.3)


def test_the_background_stands_to_the_dub_as_it_did_to_the_source(store: Store) -> None:
    clip = clip_of(store, syllables(3 * RATE, RATE))
    voice = mixed(store, [clip], [place(clip, 1)], gains_db=(0.0,))
    beside = background_of(store, noise(8 * RATE, 0.001), 0, 8, kind="speech only", speech_lufs=-34.0)
    assert background_gain_db([beside]) == pytest.approx(10)
    sound, _, _ = laid(store, 8, speech=(voice,), background=(beside,))
    dub = speech_level(sound[0, RATE : 4 * RATE], RATE)
    assert dub is not None
    assert level_dbfs(sound[0, 5 * RATE :]) - dub == pytest.approx(-60 - -34, abs=0.5)


def test_music_steps_back_under_speech_alone(store: Store) -> None:
    clip = clip_of(store, np.zeros(3 * RATE, np.float32))
    voice = mixed(store, [clip], [place(clip, 3)])
    sound, _, _ = laid(store, 9, speech=(voice,), background=(background_of(store, noise(9 * RATE, 0.03), 0, 9),))
    away, under = level_dbfs(sound[0, : 2 * RATE]), level_dbfs(sound[0, 3 * RATE : 6 * RATE])
    assert away - under == pytest.approx(20 * np.log10(0.03) + 24 + 18, abs=0.2)
    assert level_dbfs(sound[0, 7 * RATE :]) == pytest.approx(away, abs=0.2)
    tone = background_of(store, noise(9 * RATE, 0.03), 0, 9, kind="speech only")
    steady, _, _ = laid(store, 9, speech=(voice,), background=(tone,))
    assert level_dbfs(steady[0, 3 * RATE : 6 * RATE]) == pytest.approx(level_dbfs(steady[0, :RATE]), abs=0.2)


def test_neighbours_join_without_a_seam(store: Store) -> None:
    """A background cut into chunks is, laid again, what it was."""
    at = np.arange(6 * RATE) / RATE
    tone = np.asarray(0.1 * np.sin(2 * np.pi * 220 * at), dtype=np.float32)
    parts = tuple(background_of(store, tone, start, start + 2) for start in (0, 2, 4))
    sound, _, _ = laid(store, 6, background=parts)
    gain = float(sound[0] @ tone) / float(tone @ tone)
    np.testing.assert_allclose(sound[0] / gain, tone, atol=1e-3)


def test_voice_in_the_middle_of_a_wide_background(store: Store) -> None:
    clip = clip_of(store, syllables(2 * RATE, RATE))
    voice = mixed(store, [clip], [place(clip, 1)], gains_db=(0.0,))
    sides = np.stack([noise(4 * RATE, 1e-4, seed=1), noise(4 * RATE, 1e-4, seed=2)])
    sound, loudness, _ = laid(store, 4, speech=(voice,), background=(background_of(store, sides, 0, 4),))
    assert sound.shape[0] == 2
    assert loudness == pytest.approx(-16, abs=0.5)
    middle, side = level_dbfs(sound.mean(axis=0)), level_dbfs(sound[0] - sound[1])
    assert side < middle - 30


def test_holds_move_speech_and_carry_the_background_on(store: Store) -> None:
    clip = clip_of(store, syllables(RATE, RATE))
    clock = HeldClock((Hold(flicks(1), flicks(0.5)), Hold(flicks(3), flicks(0.25))))
    first = mixed(store, [clip], [place(clip, 0.2)], gains_db=(0.0,))
    second = mixed(store, [clip], [place(clip, 2.2)], gains_db=(0.0,))
    room = noise(6 * RATE, 1e-3)
    parts = tuple(background_of(store, room, start, start + 2, kind="speech only") for start in (0, 2, 4))
    sound, _, _ = laid(store, 6.75, speech=(first, second), shifts=(0, flicks(0.5)), background=parts, clock=clock)
    mono = sound[0]
    quiet = [level_dbfs(mono[round(at * RATE) : round((at + 0.1) * RATE)]) for at in np.arange(1.25, 2.6, 0.1)]
    quiet += [level_dbfs(mono[round(at * RATE) : round((at + 0.1) * RATE)]) for at in np.arange(3.8, 6.6, 0.1)]
    assert max(quiet) - min(quiet) < 2, "no gap while it holds, and none where chunks meet"
    loud = level_dbfs(mono[round(2.7 * RATE) : round(3.7 * RATE)])
    assert loud > max(quiet) + 20, "the second sentence is half a second later"
    after = room[round(3.5 * RATE) : round(5.9 * RATE)]
    again = mono[round(4.25 * RATE) : round(6.65 * RATE)]
    assert float(after @ again) / np.sqrt(float(after @ after) * float(again @ again)) > 0.98, "to the sample"


def test_the_same_work_gives_the_same_bytes(store: Store) -> None:
    clip = clip_of(store, syllables(RATE, RATE))
    work = MixWork(
        clips=(clip,), placements=(place(clip, 0.5, 0.9),), gains_db=(1.0,), room=Room(rt60_s=0.5, direct_db=8, falls=5)
    )
    assert mix_chunk(work, store) == mix_chunk(work, store)
    speech = mix_chunk(work, store)
    track = VoiceTrackWork(
        span=Span.of_seconds(0, 2), speech=speech, target_lufs=-16, true_peak_dbtp=-1,
        background=(background_of(store, noise(2 * RATE, 0.01), 0, 2),),
    )  # fmt: skip
    once, again = lay_voice_track(track, store), lay_voice_track(track, store)
    assert once == again
    assert measure(store.path(once.audio)).integrated_lufs == once.loudness_lufs
