"""Mixing: the clips of a chunk at their rates and places, then the sound of the whole dub, background included.

Speech is mixed to one loudness (`SPEECH_LUFS`), give or take what the source's speaker does; the background is moved by
the same amount as the speech, so that the two stand to each other as they did in the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from infra.media.audio import (
    Channels,
    Waveform,
    read_wav,
    read_wav_channels,
    resample,
    stretch,
    write_wav,
    write_wav_stream,
)
from infra.media.loudness import normalise
from infra.store import Store
from manifests.clock import HeldClock
from manifests.records import Blob, Placement, SpeechClip
from manifests.time import Flicks, Span, sample_index
from models.acoustics.ducking import ducking_depth_db, ducking_gain
from models.acoustics.levels import level_dbfs, speech_level
from models.acoustics.room import Room, apply_room
from tasks.background import ChunkBackground
from tasks.layers import MIX_RATE, Layer, held_positions, laid
from tasks.stage import Stage

SAMPLE_RATE = MIX_RATE
SPEECH_LUFS = -24.0
"""What speech is mixed at: low enough that nothing is clipped before the whole is brought to its loudness."""
_STRETCH_LIMIT = 2.0
_UNHEARD_STRETCH = 0.01
_QUIET_TAIL_DB = -45.0
_SOFTER_DB, _LOUDER_DB = -8.0, 4.0
_MOST_GAIN_DB = 30.0
_HIGHEST_PEAK = 0.97
_CODEC_MARGIN_DB = 0.8  # AAC at 96 kbit/s a channel added up to 0.6 dB to a peak


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSpeech:
    """The dubbed speech of one chunk: `audio` (mono WAV) is heard in `span`; `heard` is where it is not silent.

    `ringing` is what the room answers, from the start of `span` on and beyond its end; it is kept apart because lips
    follow the voice and not the room. None in a dry room.
    """

    span: Span
    heard: tuple[Span, ...]
    audio: Blob
    ringing: Blob | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MixWork:
    """The clips of one chunk and where each is heard on the chunk's clock, in the same order.

    `gains_db` is by how much each is to be louder than the others (`contour_db`); where it is empty, clips are left as
    loud as they were spoken. `room` is the one that the speech is to sound in.
    """

    clips: tuple[SpeechClip, ...]
    placements: tuple[Placement, ...]
    gains_db: tuple[float, ...] = ()
    room: Room | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceTrackWork:
    """All chunks' speech of one language, in order, and what is heard beside it, over `span` of the dub's clock.

    `shifts` is by how much each chunk's own clock is behind the dub's: the holds of the chunks before it; empty where
    there are none. A `background` wants speech at `SPEECH_LUFS` (`MixWork.gains_db`); its times are on the source's
    clock, which `clock` turns into the dub's.
    """

    span: Span
    speech: tuple[ChunkSpeech, ...]
    target_lufs: float
    true_peak_dbtp: float
    shifts: tuple[Flicks, ...] = ()
    background: tuple[ChunkBackground, ...] = ()
    clock: HeldClock = field(default_factory=HeldClock)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceTrack:
    """What is heard over the whole lecture, a WAV, its integrated loudness and true peak (None where it is silent).

    Mono, or stereo where the source's background is.
    """

    audio: Blob
    loudness_lufs: float | None
    true_peak_dbtp: float | None = None


def contour_db(levels: Sequence[float | None], speakers: Sequence[str]) -> tuple[float, ...]:
    """By how much each utterance is to be louder than its speaker's others, from its level in the source (dB or LUFS).

    At most 8 dB softer, so that an aside is still heard, and 4 dB louder; 0 where the level is not known. `speakers`
    says who speaks each, so a speaker with a faint microphone is no softer than the others.
    """
    known: dict[str, list[float]] = {}
    for level, speaker in zip(levels, speakers, strict=True):
        if level is not None:
            known.setdefault(speaker, []).append(level)
    usual = {speaker: median(own) for speaker, own in known.items()}
    return tuple(
        0.0 if level is None else round(min(max(level - usual[speaker], _SOFTER_DB), _LOUDER_DB), 2)
        for level, speaker in zip(levels, speakers, strict=True)
    )


def mix_chunk(work: MixWork, store: Store) -> tuple[ChunkSpeech, ...]:
    """Each clip fitted to its placement and laid in its place; nothing for a chunk where nothing is said."""
    if not work.placements:
        return ()
    span = Span.hull(placement.span for placement in work.placements)
    mixed = np.zeros(sample_index(span.duration, SAMPLE_RATE), dtype=np.float32)
    gains: Sequence[float | None] = work.gains_db or [None] * len(work.clips)
    for clip, placement, gain_db in zip(work.clips, work.placements, gains, strict=True):
        samples, rate = read_wav(store.path(clip.audio))
        fitted = _fitted(samples, rate, clip.duration / placement.span.duration if placement.span.duration else 1.0)
        spoken = resample(fitted, rate, SAMPLE_RATE)
        at = sample_index(placement.span.start - span.start, SAMPLE_RATE)
        # Rounding may leave the stretched clip a sample or two longer than its place at the chunk's end.
        spoken = spoken[: len(mixed) - at]
        mixed[at : at + len(spoken)] += spoken if gain_db is None else _levelled(spoken, SPEECH_LUFS + gain_db)
    with store.scratch() as folder:
        audio = _stored(mixed, "speech", folder, store)
        ringing = None
        if work.room is not None:
            ringing = _stored(apply_room(mixed, SAMPLE_RATE, work.room), "ringing", folder, store)
    return (ChunkSpeech(span=span, heard=tuple(p.span for p in work.placements), audio=audio, ringing=ringing),)


def _stored(samples: Waveform, name: str, folder: Path, store: Store) -> Blob:
    file = folder / f"{name}.wav"
    write_wav(file, samples, SAMPLE_RATE)
    return store.put(file)


def _fitted(samples: Waveform, sample_rate: int, rate: float) -> Waveform:
    """The clip `rate` times as fast. What nobody hears is done without a stretch: a little more or less silence."""
    wanted = round(len(samples) / rate)
    if abs(rate - 1) <= _UNHEARD_STRETCH:
        if wanted >= len(samples):
            return np.pad(samples, (0, wanted - len(samples)))
        if level_dbfs(samples[wanted:]) < level_dbfs(samples) + _QUIET_TAIL_DB:
            return samples[:wanted]
    # One pass of the stretch reaches a factor of two; a lecture with far too much speech may need more.
    while rate > _STRETCH_LIMIT:
        samples, rate = stretch(samples, sample_rate, _STRETCH_LIMIT), rate / _STRETCH_LIMIT
    return stretch(samples, sample_rate, max(rate, 1 / _STRETCH_LIMIT))


def _levelled(samples: Waveform, target_lufs: float) -> Waveform:
    loudness = speech_level(samples, SAMPLE_RATE)
    if loudness is None:
        return samples
    gain = 10 ** (min(target_lufs - loudness, _MOST_GAIN_DB) / 20)
    return samples * np.float32(min(gain, _HIGHEST_PEAK / float(np.max(np.abs(samples)))))


def lay_voice_track(work: VoiceTrackWork, store: Store) -> VoiceTrack:
    """One track as long as the dub, at the wanted loudness; silence where neither speech nor background is."""
    channels = max((each.channels for each in work.background if each.audio is not None), default=1)
    with store.scratch() as folder:
        raw, loud = folder / "raw.wav", folder / "voice.wav"
        length = sample_index(work.span.duration, SAMPLE_RATE)
        write_wav_stream(raw, laid(_layers(work, store), length, channels), SAMPLE_RATE, channels=channels)
        reached = normalise(
            raw, loud, target_lufs=work.target_lufs, true_peak_dbtp=work.true_peak_dbtp - _CODEC_MARGIN_DB
        )
        return VoiceTrack(
            audio=store.put(loud),
            loudness_lufs=reached.integrated_lufs,
            true_peak_dbtp=reached.true_peak_dbtp,
        )


def background_gain_db(background: Sequence[ChunkBackground]) -> float:
    """By how much the source's sound is moved so that its speech is as loud as the dub's; 0 where nobody speaks in it.

    One gain for the whole lecture, from the median of its chunks, so that a background has no steps.
    """
    told = [each.speech_lufs for each in background if each.speech_lufs is not None]
    return SPEECH_LUFS - median(told) if told else 0.0


def _layers(work: VoiceTrackWork, store: Store) -> list[Layer]:
    """Everything that is heard."""
    layers = []
    spoken: list[tuple[int, int]] = []
    shifts = work.shifts or (0,) * len(work.speech)
    for speech, shift in zip(work.speech, shifts, strict=True):
        later = shift - work.span.start
        at = sample_index(speech.span.start + later, SAMPLE_RATE)
        blobs = [blob for blob in (speech.audio, speech.ringing) if blob is not None]
        layers += [Layer(at, partial(_mono, store, blob)) for blob in blobs]
        spoken += [span.shift(later).samples(SAMPLE_RATE) for span in speech.heard]
    gain_db = background_gain_db(work.background)
    for each in work.background:
        if each.audio is None:
            continue
        shift = _held_before(work.clock, each.span.start) - work.span.start
        load = partial(_background, each, each.audio, work.clock, shift, spoken, gain_db, store)
        layers.append(Layer(sample_index(each.heard.start + shift, SAMPLE_RATE), load))
    return layers


def _mono(store: Store, blob: Blob) -> Waveform:
    return read_wav(store.path(blob))[0]


def _held_before(clock: HeldClock, time: Flicks) -> Flicks:
    return sum(hold.duration for hold in clock.holds if hold.at < time)


def _background(
    background: ChunkBackground,
    audio: Blob,
    clock: HeldClock,
    shift: Flicks,
    spoken: Sequence[tuple[int, int]],
    gain_db: float,
    store: Store,
) -> Channels:
    """A chunk's background on the dub's clock, ducked under the dub's speech, faded into its neighbours."""
    sound, _ = read_wav_channels(store.path(audio))
    first, positions = held_positions(background.heard, clock.within(background.span).holds, shift, SAMPLE_RATE)
    sound = sound[:, np.minimum(positions, sound.shape[1] - 1)]
    gain = ducking_gain(
        sound.shape[1],
        SAMPLE_RATE,
        [(start - first, end - first) for start, end in spoken],
        # The steady tone of a room is what speech stands on, not in its way.
        0.0 if background.kind == "speech only" else ducking_depth_db(background.level_dbfs + gain_db, SPEECH_LUFS),
    )
    gain *= np.float32(10 ** (gain_db / 20))
    opening = sample_index(2 * (background.span.start - background.heard.start), SAMPLE_RATE)
    closing = sample_index(2 * (background.heard.end - background.span.end), SAMPLE_RATE)
    # Neighbours hear nearly the same there, so weights that sum to one keep it.
    gain[:opening] *= np.linspace(0, 1, opening, dtype=np.float32)[: len(gain)]
    gain[len(gain) - closing :] *= np.linspace(1, 0, closing, dtype=np.float32)[-len(gain) :]
    return sound * gain


MIX: Stage[MixWork, tuple[ChunkSpeech, ...]] = Stage("mix", 2, tuple[ChunkSpeech, ...], mix_chunk)
VOICE_TRACK: Stage[VoiceTrackWork, VoiceTrack] = Stage("voice", 2, VoiceTrack, lay_voice_track)
