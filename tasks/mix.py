"""Mixing: the clips of a chunk at their rates and places, then the voice track of the whole lecture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infra.media.audio import read_wav, resample, stretch, write_wav, write_wav_stream
from infra.media.loudness import normalise
from infra.store import Store
from manifests.records import Blob, Placement, SpeechClip
from manifests.time import Span, sample_index
from tasks.stage import Stage

SAMPLE_RATE = 48_000
_STRETCH_LIMIT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSpeech:
    """The dubbed speech of one chunk: `audio` (mono WAV) is heard in `span`; `heard` is where it is not silent."""

    span: Span
    heard: tuple[Span, ...]
    audio: Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class MixWork:
    """The clips of one chunk and where each is heard, in the same order."""

    clips: tuple[SpeechClip, ...]
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceTrackWork:
    """All chunks' speech of one language, in order, over the lecture `span`."""

    span: Span
    speech: tuple[ChunkSpeech, ...]
    target_lufs: float
    true_peak_dbtp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceTrack:
    """The dubbed voice over the whole lecture, mono WAV, and its integrated loudness (None where it is silent)."""

    audio: Blob
    loudness_lufs: float | None


def mix_chunk(work: MixWork, store: Store) -> tuple[ChunkSpeech, ...]:
    """Each clip stretched to its placement and laid in its place; nothing for a chunk where nothing is said."""
    if not work.placements:
        return ()
    span = Span.hull(placement.span for placement in work.placements)
    mixed = np.zeros(sample_index(span.duration, SAMPLE_RATE), dtype=np.float32)
    for clip, placement in zip(work.clips, work.placements, strict=True):
        samples, rate = read_wav(store.path(clip.audio))
        spoken = resample(_at_rate(samples, rate, placement.rate), rate, SAMPLE_RATE)
        at = sample_index(placement.span.start - span.start, SAMPLE_RATE)
        # Rounding may leave the stretched clip a sample or two longer than its place at the chunk's end.
        spoken = spoken[: len(mixed) - at]
        mixed[at : at + len(spoken)] += spoken
    with store.scratch() as folder:
        file = folder / "speech.wav"
        write_wav(file, mixed, SAMPLE_RATE)
        audio = store.put(file)
    return (ChunkSpeech(span=span, heard=tuple(p.span for p in work.placements), audio=audio),)


def _at_rate(samples: npt.NDArray[np.float32], sample_rate: int, rate: float) -> npt.NDArray[np.float32]:
    # One pass of the stretch reaches a factor of two; a lecture with far too much speech may need more.
    while rate > _STRETCH_LIMIT:
        samples, rate = stretch(samples, sample_rate, _STRETCH_LIMIT), rate / _STRETCH_LIMIT
    return samples if rate == 1 else stretch(samples, sample_rate, rate)


def lay_voice_track(work: VoiceTrackWork, store: Store) -> VoiceTrack:
    """One track as long as the lecture, silence between utterances, brought to the wanted loudness."""
    with store.scratch() as folder:
        raw, loud = folder / "raw.wav", folder / "voice.wav"
        write_wav_stream(raw, _blocks(work, store), SAMPLE_RATE)
        loudness = normalise(raw, loud, target_lufs=work.target_lufs, true_peak_dbtp=work.true_peak_dbtp)
        return VoiceTrack(audio=store.put(loud), loudness_lufs=loudness)


def _blocks(work: VoiceTrackWork, store: Store) -> Iterator[npt.NDArray[np.float32]]:
    """The track in pieces, so that memory does not grow with the lecture. Placements are disjoint, so blobs are."""
    at, end = 0, sample_index(work.span.duration, SAMPLE_RATE)
    for speech in sorted(work.speech, key=lambda each: each.span):
        start = sample_index(speech.span.start - work.span.start, SAMPLE_RATE)
        samples, _ = read_wav(store.path(speech.audio))
        yield from _silence(max(start - at, 0))
        # Where rounding made neighbours touch by a sample, the later one gives way.
        samples = samples[max(at - start, 0) : end - start]
        yield samples
        at = max(start, at) + len(samples)
    yield from _silence(end - at)


def _silence(length: int) -> Iterator[npt.NDArray[np.float32]]:
    while length > 0:
        piece = min(length, 10 * SAMPLE_RATE)
        yield np.zeros(piece, dtype=np.float32)
        length -= piece


MIX: Stage[MixWork, tuple[ChunkSpeech, ...]] = Stage("mix", 1, tuple[ChunkSpeech, ...], mix_chunk)
VOICE_TRACK: Stage[VoiceTrackWork, VoiceTrack] = Stage("voice", 1, VoiceTrack, lay_voice_track)
