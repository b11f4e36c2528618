"""Lips: new mouths for the faces that speak, drawn from the dubbed speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.media.audio import read_wav, resample
from infra.media.frames import read_frames
from infra.store import Store
from manifests.records import Chunk, Degradation, FaceTrack, SyncedChunk, Video
from manifests.time import Flicks, Span, flicks, merge, sample_index
from models.lipsync import engines
from models.lipsync.crop import crop_face
from models.wav2lip.mel import SAMPLE_RATE, mel_spectrogram, mel_windows
from tasks.arrays import get_arrays, put_arrays
from tasks.mix import ChunkSpeech
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class LipSettings:
    """Which engine draws lips ("wav2lip", or "none" to leave the picture alone) and which faces are worth it."""

    engine: str = "wav2lip"
    batch: int = 16
    min_face_px: float = 64.0
    margin_s: float = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class LipWork:
    """A chunk with its face tracks, its dubbed speech, and where the original speech was.

    `weights` is the revision of the lip-sync weights, None where this machine has none.
    """

    video: Video
    chunk: Chunk
    language: str
    tracks: tuple[FaceTrack, ...]
    original_speech: tuple[Span, ...]
    speech: tuple[ChunkSpeech, ...]
    settings: LipSettings
    weights: str | None


def spans_to_change(original: Sequence[Span], dubbed: Sequence[Span], within: Span, margin: Flicks) -> tuple[Span, ...]:
    """Where lips must not show the original speech: while either voice is heard, `margin` more on either side."""
    parts = (span.widen(margin).intersection(within) for span in [*original, *dubbed])
    return merge((part for part in parts if part is not None), gap=2 * margin)


def speaking_tracks(tracks: Sequence[FaceTrack], min_face_px: float) -> list[FaceTrack]:
    """The tracks that are taken to speak: where several faces show at once, the largest; no face that is too small."""
    large = sorted((t for t in tracks if t.median_height_px >= min_face_px), key=lambda t: -t.median_height_px)
    chosen: list[FaceTrack] = []
    for track in large:
        if not any(track.span.overlaps(other.span) for other in chosen):
            chosen.append(track)
    return sorted(chosen, key=lambda track: track.span)


def sync_lips(work: LipWork, store: Store) -> SyncedChunk:
    """The new mouths of a chunk. Degraded, with the reason, where a face speaks but no weights are at hand."""
    tracks = speaking_tracks(work.tracks, work.settings.min_face_px)
    dubbed = [span for speech in work.speech for span in speech.heard]
    wanted = spans_to_change(work.original_speech, dubbed, work.chunk.span, flicks(work.settings.margin_s))
    changed = merge(part for span in wanted for track in tracks if (part := span.intersection(track.span)) is not None)
    if not changed or work.settings.engine == "none":
        return _untouched(work, ())
    if work.weights is None:
        reason = "no lip-sync weights on this machine: the picture passes untouched; see `redub weights list`"
        return _untouched(work, tuple(Degradation(stage="lips", span=span, reason=reason) for span in changed))
    times, boxes, faces = _draw(work, tracks, changed, store)
    return SyncedChunk(
        id=f"{work.chunk.id}/{work.language}",
        chunk_id=work.chunk.id,
        language=work.language,
        mouths=put_arrays(store, {"time": times, "box": boxes, "face": faces}) if len(times) else None,
        changed=changed,
        frame_count=len(times),
    )


def _untouched(work: LipWork, degradations: tuple[Degradation, ...]) -> SyncedChunk:
    return SyncedChunk(
        id=f"{work.chunk.id}/{work.language}",
        chunk_id=work.chunk.id,
        language=work.language,
        mouths=None,
        changed=(),
        frame_count=0,
        degradations=degradations,
    )


def _draw(
    work: LipWork, tracks: Sequence[FaceTrack], changed: Sequence[Span], store: Store
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    syncer = engines.load(work.settings.engine)
    mel = mel_spectrogram(_speech_waveform(work, store))
    drawn: list[npt.NDArray[np.uint8]] = []
    times: list[int] = []
    boxes: list[npt.NDArray[np.float32]] = []
    for batch in _batches(_face_crops(work, tracks, changed, syncer.face_size, store), work.settings.batch):
        batch_times = np.array([time for time, _, _ in batch], dtype=np.int64)
        crops = np.stack([crop for _, _, crop in batch])
        windows = mel_windows(mel, batch_times - work.chunk.span.start)
        drawn.append(syncer.sync(crops, crops, windows))
        times.extend(time for time, _, _ in batch)
        boxes.extend(box for _, box, _ in batch)
    if not times:
        return np.empty(0, np.int64), np.empty((0, 4), np.float32), np.empty((0, 0, 0, 3), np.uint8)
    return np.array(times, dtype=np.int64), np.stack(boxes).astype(np.float32), np.concatenate(drawn)


def _speech_waveform(work: LipWork, store: Store) -> npt.NDArray[np.float32]:
    """What is heard during the chunk, mono at the mel front end's rate, silence where nothing is said."""
    span = work.chunk.span
    heard = np.zeros(sample_index(span.duration, SAMPLE_RATE), dtype=np.float32)
    for speech in work.speech:
        samples, rate = read_wav(store.path(speech.audio))
        waveform = resample(samples, rate, SAMPLE_RATE)
        at = sample_index(speech.span.start - span.start, SAMPLE_RATE)
        first, last = max(at, 0), min(at + len(waveform), len(heard))
        if first < last:
            heard[first:last] += waveform[first - at : last - at]
    return heard


def _face_crops(
    work: LipWork, tracks: Sequence[FaceTrack], changed: Sequence[Span], size: int, store: Store
) -> Iterator[tuple[Flicks, npt.NDArray[np.float32], npt.NDArray[np.uint8]]]:
    for track in tracks:
        observed = get_arrays(store, track.observations)
        boxes = dict(zip(observed["time"].tolist(), observed["box"], strict=True))
        for span in changed:
            shared = span.intersection(track.span)
            if shared is None:
                continue
            for time, frame in read_frames(Path(work.video.uri), shared):
                if time in boxes:
                    yield time, boxes[time], crop_face(frame, boxes[time], size)


def _batches(
    crops: Iterator[tuple[Flicks, npt.NDArray[np.float32], npt.NDArray[np.uint8]]], size: int
) -> Iterator[list[tuple[Flicks, npt.NDArray[np.float32], npt.NDArray[np.uint8]]]]:
    batch = []
    for crop in crops:
        batch.append(crop)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


LIPS: Stage[LipWork, SyncedChunk] = Stage("lips", 1, SyncedChunk, sync_lips, alone=True)
