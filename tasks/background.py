"""The background of a chunk: music, applause and the sound of the room, without the voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zlib import crc32

import numpy as np
import numpy.typing as npt

from infra.media.audio import Channels, Waveform, read_channels, resample, write_wav
from infra.store import Store
from manifests.records import AudioTrack, Blob, Chunk, Degradation, Video
from manifests.time import Span, flicks, gaps, merge
from models.acoustics.levels import BackgroundLevel, background_level, level_dbfs, pauses, speech_level
from models.acoustics.room import Room, estimate_room
from models.acoustics.tone import BANDS, room_tone, tone_spectrum
from models.separation import engines
from models.separation.contract import SAMPLE_RATE as SEPARATION_RATE
from tasks.layers import MIX_RATE
from tasks.stage import Stage

SAMPLE_RATE = MIX_RATE
_LEAD = flicks(0.05)  # beyond the chunk on either side, where neighbours fade into each other
_CONTEXT = flicks(1)  # what the separator hears beyond that
_FADE_S = 0.03
_ENOUGH_PAUSE_S = 0.6
_DIPS_DB = 25.0  # clean speech falls further than this between syllables
_UNHEARD_DBFS = -85.0
_SILENT_DBFS = -120.0
_STEREO_DB = 20.0  # sides fainter than this beside the middle are not missed,
_STEREO_DBFS = -60.0  # nor those fainter than this
_QUIETEST = 0.05
_SLICE = 2 * (BANDS - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundSettings:
    """A background is taken from under the speech where it is at most `audible_db` fainter than the speech."""

    audible_db: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundWork:
    """A chunk and where in it somebody speaks, as far as voice activity and recognised words tell.

    `weights` is the revision of the separator's weights, None where this machine has none.
    """

    video: Video
    track: int
    chunk: Chunk
    speech: tuple[Span, ...]
    settings: BackgroundSettings
    weights: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkBackground:
    """What is heard in a chunk beside its speech, on the source's clock and at the source's level.

    `kind` is "speech only" (pauses as they are, the room's own tone under the speech) or "background" (music, applause,
    noise). `audio` is a WAV at 48 kHz of `channels` channels over `heard`, which is `span` and a little more on either
    side, where neighbours fade into each other; None where there is digital silence. `level_dbfs` is its root mean
    square. `speech_lufs` is the loudness of the source's speech (one channel), `room` the room that it was spoken in;
    None where nobody speaks, or for a dry room.
    """

    span: Span
    heard: Span
    kind: Literal["speech only", "background"]
    audio: Blob | None
    channels: int
    level_dbfs: float
    speech_lufs: float | None
    room: Room | None
    degradations: tuple[Degradation, ...] = ()


def judge(level: BackgroundLevel, settings: BackgroundSettings) -> Literal["keep", "tone", "separate"]:
    """What becomes of a chunk's sound.

    "keep": nobody speaks, so it stays as it is; "tone": the room's tone takes the place of the speech; "separate": the
    voice is taken out of it. Pauses tell, by the loudest of them; where there is too little of them, how far the speech
    falls between syllables.
    """
    if level.speech is None or level.speech < _UNHEARD_DBFS:
        return "keep"
    if _loud(level, settings):
        return "separate"
    if level.pause_s < _ENOUGH_PAUSE_S and level.dips is not None and level.dips > level.speech - _DIPS_DB:
        return "separate"
    return "tone"


def _loud(level: BackgroundLevel, settings: BackgroundSettings) -> bool:
    """Whether there is a pause in which something is to be heard."""
    if level.speech is None or level.loudest_pause is None:
        return False
    return level.loudest_pause > level.speech - settings.audible_db


def keep_background(work: BackgroundWork, store: Store) -> ChunkBackground:
    """The chunk's sound without its voice. Degraded where the voice cannot be taken out for want of weights."""
    heard = Span(
        max(work.chunk.span.start - _LEAD, work.video.span.start), min(work.chunk.span.end + _LEAD, work.video.span.end)
    )
    speech = _over_the_edges(work.speech, work.chunk.span, heard)
    tracks = {track.index: track for track in work.video.audio_tracks}
    mixed = _read(work, heard, SAMPLE_RATE, 1)
    found = background_level(mixed[0], SAMPLE_RATE, _on_clock_of(heard, speech))
    judged = judge(found, work.settings)
    if judged == "keep":
        return _finished(work, heard, _sides(work, heard, tracks[work.track]), mixed[0, :0], store)
    if judged == "separate" and work.weights is not None:
        background, voice = _separated(work, heard, speech, tracks[work.track])
        # Where pauses told of nothing loud, or of nothing at all, the separator has the last word.
        if _loud(found, work.settings) or _under(background, voice, heard, speech) > -work.settings.audible_db:
            return _finished(work, heard, background, _of(voice, heard, speech), store)
    with_tone = _with_tone(mixed[0], heard, speech, seed=crc32(work.chunk.id.encode()))[None]
    lost = judged == "separate" and work.weights is None
    said = _of(mixed[0], heard, speech)
    return _finished(work, heard, with_tone, said, store, tone=not lost, degradations=_lost(work) if lost else ())


def silence(work: BackgroundWork) -> ChunkBackground:
    """Nothing, where what is heard behind the speech cannot be told from it."""
    return ChunkBackground(
        span=work.chunk.span,
        heard=work.chunk.span,
        kind="background",
        audio=None,
        channels=1,
        level_dbfs=_SILENT_DBFS,
        speech_lufs=None,
        room=None,
    )


def _lost(work: BackgroundWork) -> tuple[Degradation, ...]:
    reason = (
        "music or noise under the speech is lost and kept in the pauses alone: "
        f"`redub weights pull {engines.NAME}` brings what separates them"
    )
    return tuple(Degradation(stage="background", span=span, reason=reason) for span in merge(work.speech))


def _finished(
    work: BackgroundWork,
    heard: Span,
    background: Channels,
    said: Waveform,
    store: Store,
    *,
    tone: bool = False,
    degradations: tuple[Degradation, ...] = (),
) -> ChunkBackground:
    level = level_dbfs(background)
    audio = None
    if float(np.max(np.abs(background), initial=0.0)) > 10 ** (_UNHEARD_DBFS / 20):
        with store.scratch() as folder:
            file = folder / "background.wav"
            write_wav(file, background, SAMPLE_RATE)
            audio = store.put(file)
    return ChunkBackground(
        span=work.chunk.span,
        heard=heard,
        kind="speech only" if tone else "background",
        audio=audio,
        channels=len(background),
        level_dbfs=round(level, 2),
        speech_lufs=None if (loudness := speech_level(said, SAMPLE_RATE)) is None else round(loudness, 2),
        room=estimate_room(said, SAMPLE_RATE),
        degradations=degradations,
    )


def _over_the_edges(speech: Sequence[Span], chunk: Span, heard: Span) -> tuple[Span, ...]:
    """Speech that reaches the chunk's border goes on beyond it, as far as is heard."""
    return merge(
        Span(heard.start if span.start <= chunk.start else span.start, heard.end if span.end >= chunk.end else span.end)
        for span in speech
        if span.overlaps(chunk)
    )


def _on_clock_of(heard: Span, spans: Sequence[Span]) -> tuple[Span, ...]:
    return tuple(span.shift(-heard.start) for span in spans)


def _of(samples: Waveform, heard: Span, spans: Sequence[Span]) -> Waveform:
    """The samples of `spans` alone, one behind the other."""
    cuts = (span.samples(SAMPLE_RATE) for span in _on_clock_of(heard, spans))
    return np.concatenate([np.zeros(0, np.float32), *(samples[first:end] for first, end in cuts)])


def _read(work: BackgroundWork, span: Span, sample_rate: int, channels: int) -> Channels:
    return read_channels(Path(work.video.uri), sample_rate=sample_rate, channels=channels, track=work.track, span=span)


def _sides(work: BackgroundWork, heard: Span, track: AudioTrack) -> Channels:
    """The sound as it is: in stereo where its sides differ, else mono."""
    return _narrowed(_read(work, heard, SAMPLE_RATE, min(track.channels, 2)))


def _narrowed(sound: Channels) -> Channels:
    if len(sound) == 1:
        return sound
    middle, side = sound.mean(axis=0), (sound[0] - sound[1]) / 2
    return sound if level_dbfs(side) > max(level_dbfs(middle) - _STEREO_DB, _STEREO_DBFS) else middle[None]


def _separated(
    work: BackgroundWork, heard: Span, speech: Sequence[Span], track: AudioTrack
) -> tuple[Channels, Waveform]:
    """The sound without its voice, its pauses untouched, and the voice alone, mixed down to mono."""
    wide = Span(max(heard.start - _CONTEXT, work.video.span.start), min(heard.end + _CONTEXT, work.video.span.end))
    sound = _read(work, wide, SEPARATION_RATE, min(track.channels, 2))
    stems = engines.load().separate(sound)
    first, end = heard.shift(-wide.start).samples(SAMPLE_RATE)
    background, voice = (
        np.stack([resample(side, SEPARATION_RATE, SAMPLE_RATE)[first:end] for side in stem])
        for stem in (stems.background, stems.voice)
    )
    source = _read(work, heard, SAMPLE_RATE, len(sound))
    pausing = _pausing(heard, speech, source.shape[1])
    background, voice = (_of_length(each, source.shape[1]) for each in (background, voice))
    # What a separator takes out of a pause was no voice.
    return _narrowed(pausing * source + (1 - pausing) * background), voice.mean(axis=0)


def _under(background: Channels, voice: Waveform, heard: Span, speech: Sequence[Span]) -> float:
    """The level of the background under the speech, in dB of the voice's."""
    under = _of(background.mean(axis=0), heard, speech)
    return level_dbfs(under) - level_dbfs(_of(voice, heard, speech))


def _with_tone(sound: Waveform, heard: Span, speech: Sequence[Span], *, seed: int) -> Waveform:
    """The pauses of `sound`, and between them the steady tone that is in them."""
    own = _on_clock_of(heard, speech)
    whole = Span(0, heard.duration)
    quiet = [sound[first:end] for first, end in (span.samples(SAMPLE_RATE) for span in pauses(own, whole))]
    if sum(map(len, quiet)) < _ENOUGH_PAUSE_S * SAMPLE_RATE:
        quiet = [*quiet, *_quietest(sound)]
    spectrum = tone_spectrum(quiet)
    tone = np.zeros_like(sound) if spectrum is None else room_tone(spectrum, len(sound), seed)
    pausing = _pausing(heard, speech, len(sound))
    # Two sounds that have nothing to do with each other keep their power when they fade by its square root.
    return np.asarray(np.sqrt(pausing) * sound + np.sqrt(1 - pausing) * tone, dtype=np.float32)


def _quietest(sound: Waveform) -> list[Waveform]:
    """The quietest slices of a sound without pauses."""
    slices = [sound[start : start + _SLICE] for start in range(0, len(sound) - _SLICE + 1, _SLICE)]
    slices.sort(key=level_dbfs)
    return slices[: max(round(_QUIETEST * len(slices)), 1)]


def _pausing(heard: Span, speech: Sequence[Span], length: int) -> npt.NDArray[np.float32]:
    """1 where surely nobody speaks, 0 where somebody may, with straight ramps between, inside the pauses."""
    own = _on_clock_of(heard, speech)
    whole = Span(0, heard.duration)
    kept = np.zeros(length, dtype=np.float32)
    ramp = round(_FADE_S * SAMPLE_RATE)
    voiced = gaps(pauses(own, whole), whole)
    edges = {span.start for span in voiced} | {span.end for span in voiced}
    for span in pauses(own, whole):
        first, end = span.samples(SAMPLE_RATE)
        end = min(end, length)
        weight = np.ones(max(end - first, 0), dtype=np.float32)
        if span.start in edges:
            weight[:ramp] = np.linspace(0, 1, ramp, dtype=np.float32)[: len(weight)]
        if span.end in edges:
            weight[-ramp:] *= np.linspace(1, 0, ramp, dtype=np.float32)[-len(weight) :]
        kept[first:end] = weight
    return kept


def _of_length(sound: Channels, length: int) -> Channels:
    return np.pad(sound[:, :length], ((0, 0), (0, max(length - sound.shape[1], 0))))


BACKGROUND: Stage[BackgroundWork, ChunkBackground] = Stage(
    "background", 1, ChunkBackground, keep_background, alone=True
)
