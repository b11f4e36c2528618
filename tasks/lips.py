"""Lips: new mouths for the faces that speak, drawn from the dubbed speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.media.audio import read_wav, resample
from infra.media.frames import read_frames
from infra.store import Store
from manifests.clock import HeldClock
from manifests.records import Blob, Chunk, Degradation, FaceTrack, MeshTrack, SpeakingFace, SyncedChunk, Video
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks, gaps, merge, sample_index
from models.lipsync import engines
from models.lipsync.crop import crop_face
from models.lipsync.engines import OWN_REVISION
from models.wav2lip.mel import SAMPLE_RATE, mel_spectrogram, mel_windows
from tasks.arrays import get_arrays, put_arrays
from tasks.library import LibrarySettings, SpeakerLibrary
from tasks.mix import ChunkSpeech
from tasks.rewriting import RewriteSettings, Speech, rewrite
from tasks.speaking import SpeakingSettings
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class LipSettings:
    """Which engine makes the lips, and which faces are worth it.

    `engine`: "rewrite" (the speaker's own mouths, in new order), "wav2lip" (drawn by a network), or "none" to leave
    the picture alone.
    """

    engine: str = "rewrite"
    batch: int = 16
    min_face_px: float = 64.0
    margin_s: float = 0.12
    speaking: SpeakingSettings = field(default_factory=SpeakingSettings)
    library: LibrarySettings = field(default_factory=LibrarySettings)
    rewrite: RewriteSettings = field(default_factory=RewriteSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class LipWork:
    """A chunk with its faces, its dubbed speech, and where the original speech was.

    `meshes` and `libraries` are for "rewrite" alone. `weights` is the revision of the engine's weights, None where this
    machine has none. `speech` is on the chunk's own clock: `clock` holds it where the picture waits.
    """

    video: Video
    chunk: Chunk
    language: str
    tracks: tuple[FaceTrack, ...]
    speaking: tuple[SpeakingFace, ...]
    meshes: tuple[MeshTrack, ...]
    libraries: tuple[SpeakerLibrary, ...]
    original_speech: tuple[Span, ...]
    speech: tuple[ChunkSpeech, ...]
    settings: LipSettings
    weights: str | None
    clock: HeldClock = field(default_factory=HeldClock)


def spans_to_change(original: Sequence[Span], dubbed: Sequence[Span], within: Span, margin: Flicks) -> tuple[Span, ...]:
    """Where lips must not show the original speech: while either voice is heard, `margin` more on either side."""
    parts = (span.widen(margin).intersection(within) for span in [*original, *dubbed])
    return merge((part for part in parts if part is not None), gap=2 * margin)


def sync_lips(work: LipWork, store: Store) -> SyncedChunk:
    """The new mouths of a chunk. Degraded, with the reason, where a face speaks but cannot be given new lips."""
    if work.settings.engine == "none":
        return _synced(work, None, (), 0, ())
    wanted = spans_to_change(work.original_speech, _heard(work), work.chunk.span, flicks(work.settings.margin_s))
    faces = _faces_to_change(work, wanted)
    tiny = _too_small(work, wanted)
    if not faces:
        return _synced(work, None, (), 0, tiny)
    changed = merge(span for _, spans in faces for span in spans)
    if work.weights is None:
        reason = "no lip-sync weights on this machine: the picture passes untouched; see `redub weights list`"
        return _synced(
            work, None, (), 0, tuple(Degradation(stage="lips", span=span, reason=reason) for span in changed)
        )
    if work.settings.engine == "rewrite":
        return _rewritten(work, faces, tiny, store)
    times, boxes, drawn = _draw(work, faces, store)
    mouths = put_arrays(store, {"time": times, "box": boxes, "face": drawn}) if len(times) else None
    return _synced(work, mouths, changed, len(times), (*tiny, *_baseline(work.weights, changed)))


def untouched(work: LipWork) -> SyncedChunk:
    """A chunk whose picture stays as it is."""
    return _synced(work, None, (), 0, ())


def _baseline(weights: str, changed: Sequence[Span]) -> tuple[Degradation, ...]:
    """What a viewer of lips drawn by the generator that ships must be told."""
    if not weights.startswith(OWN_REVISION):
        return ()
    reason = "drawn by redub's own small generator, a baseline taught by one speaker: expect a soft mouth"
    return tuple(Degradation(stage="lips", span=span, reason=reason) for span in changed)


def _heard(work: LipWork) -> tuple[Span, ...]:
    """Where the dub is heard, on the picture's clock."""
    clock = work.clock
    return tuple(
        Span(clock.source_time(span.start), clock.source_time(span.end)) for said in work.speech for span in said.heard
    )


def _faces_to_change(work: LipWork, wanted: Sequence[Span]) -> list[tuple[FaceTrack, tuple[Span, ...]]]:
    """The faces that speak, and when each of them is to be changed."""
    by_id = {track.id: track for track in work.tracks}
    found = []
    for speaking in work.speaking:
        spans = [part for span in wanted for own in speaking.spans if (part := span.intersection(own)) is not None]
        if spans:
            found.append((by_id[speaking.track_id], merge(spans)))
    return found


def _too_small(work: LipWork, wanted: Sequence[Span]) -> tuple[Degradation, ...]:
    """Where the only faces in the picture are too small for new lips, while somebody speaks."""
    least = work.settings.min_face_px
    large = [track for track in work.tracks if track.median_height_px >= least]
    small = [
        track
        for track in work.tracks
        if track.median_height_px < least and not any(track.span.overlaps(other.span) for other in large)
    ]
    return tuple(
        Degradation(
            stage="lips",
            span=part,
            reason=f"the face is {track.median_height_px:.0f} px high, less than {least:.0f}: it passes untouched",
        )
        for track in small
        for span in wanted
        if (part := span.intersection(track.span)) is not None
    )


def _rewritten(
    work: LipWork,
    faces: Sequence[tuple[FaceTrack, tuple[Span, ...]]],
    degradations: tuple[Degradation, ...],
    store: Store,
) -> SyncedChunk:
    mesh_of = {mesh.track_id: mesh for mesh in work.meshes}
    result = rewrite(
        work.chunk,
        [(face, mesh_of[face.id], spans) for face, spans in faces if face.id in mesh_of],
        work.libraries,
        Speech(waveform=_speech_waveform(work, store), heard=_heard(work)),
        work.settings.library.max_yaw_rad,
        work.settings.rewrite,
        store,
    )
    reason = "the face is turned away or hidden: it passes untouched"
    left = tuple(Degradation(stage="lips", span=span, reason=reason) for span in result.left_alone)
    if not result.arrays:
        return _synced(work, None, (), 0, (*degradations, *left))
    times = result.arrays["time"]
    step = round(FLICKS_PER_SECOND / work.video.frame_rate)
    changed = merge((Span(int(time), int(time) + step) for time in times), gap=step)
    return _synced(work, put_arrays(store, result.arrays), changed, len(times), (*degradations, *left))


def _synced(
    work: LipWork,
    mouths: Blob | None,
    changed: tuple[Span, ...],
    frame_count: int,
    degradations: tuple[Degradation, ...],
) -> SyncedChunk:
    return SyncedChunk(
        id=f"{work.chunk.id}/{work.language}",
        chunk_id=work.chunk.id,
        language=work.language,
        mouths=mouths,
        changed=changed,
        frame_count=frame_count,
        degradations=degradations,
    )


def _draw(
    work: LipWork, faces: Sequence[tuple[FaceTrack, tuple[Span, ...]]], store: Store
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    syncer = engines.load(work.settings.engine)
    mel = mel_spectrogram(_speech_waveform(work, store))
    drawn: list[npt.NDArray[np.uint8]] = []
    times: list[int] = []
    boxes: list[npt.NDArray[np.float32]] = []
    for batch in _batches(_face_crops(work, faces, syncer.face_size, store), work.settings.batch):
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
    """What is heard while the picture moves, mono at the mel front end's rate, silence where nothing is said."""
    span = work.chunk.span
    heard = np.zeros(sample_index(span.duration + work.clock.held, SAMPLE_RATE), dtype=np.float32)
    for speech in work.speech:
        samples, rate = read_wav(store.path(speech.audio))
        waveform = resample(samples, rate, SAMPLE_RATE)
        at = sample_index(speech.span.start - span.start, SAMPLE_RATE)
        first, last = max(at, 0), min(at + len(waveform), len(heard))
        if first < last:
            heard[first:last] += waveform[first - at : last - at]
    moving = gaps(work.clock.held_spans(), Span(span.start, span.end + work.clock.held))
    parts = [heard[slice(*part.shift(-span.start).samples(SAMPLE_RATE))] for part in moving]
    wanted = sample_index(span.duration, SAMPLE_RATE)
    cut = np.concatenate([*parts, np.zeros(0, np.float32)])
    # Borders rounded one by one may come to a sample more or less than the whole.
    return np.pad(cut[:wanted], (0, max(wanted - len(cut), 0)))


def _face_crops(
    work: LipWork, faces: Sequence[tuple[FaceTrack, tuple[Span, ...]]], size: int, store: Store
) -> Iterator[tuple[Flicks, npt.NDArray[np.float32], npt.NDArray[np.uint8]]]:
    for track, spans in faces:
        observed = get_arrays(store, track.observations)
        boxes = dict(zip(observed["time"].tolist(), observed["box"], strict=True))
        for span in spans:
            for time, frame in read_frames(Path(work.video.uri), span):
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


LIPS: Stage[LipWork, SyncedChunk] = Stage("lips", 2, SyncedChunk, sync_lips, alone=True, gpu=True)
