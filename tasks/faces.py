"""Faces: following each face through the shots of a chunk, and telling over the whole lecture who is who."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from infra.media.frames import read_frames
from infra.store import Store
from manifests.keys import child_id
from manifests.records import Chunk, FaceTrack, Shot, Video
from manifests.time import Flicks, Span
from models.faces import engines, identity
from models.faces.tracking import Track, TrackingSettings
from models.faces.tracking import track_faces as follow
from tasks.arrays import put_arrays
from tasks.chunks import cuts_within
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSettings:
    """Which detector finds faces ("yunet", "s3fd"), and how they are followed."""

    detector: str = "yunet"
    tracking: TrackingSettings = field(default_factory=TrackingSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceWork:
    """A chunk whose faces are wanted; `cuts` are the times inside it at which a shot begins."""

    video: Video
    chunk: Chunk
    cuts: tuple[Flicks, ...]
    settings: FaceSettings
    weights: tuple[str, ...]


def work_for(
    video: Video, chunks: Sequence[Chunk], shots: Sequence[Shot], settings: FaceSettings, weights: tuple[str, ...]
) -> list[FaceWork]:
    """One piece of work a chunk."""
    return [
        FaceWork(video=video, chunk=chunk, cuts=cuts_within(shots, chunk.span), settings=settings, weights=weights)
        for chunk in chunks
    ]


def track_faces(work: FaceWork, store: Store) -> tuple[FaceTrack, ...]:
    """The face tracks of a chunk, by their start; none where no face shows."""
    detector = engines.load_detector(work.settings.detector)
    tracks = follow(
        read_frames(Path(work.video.uri), work.chunk.span),
        work.cuts,
        detector,
        engines.load_embedder(),
        work.settings.tracking,
    )
    return tuple(_record(track, index, work, store) for index, track in enumerate(tracks))


def _record(track: Track, index: int, work: FaceWork, store: Store) -> FaceTrack:
    frame_time = round(1 / work.video.frame_rate * Span.of_seconds(0, 1).end)
    return FaceTrack(
        id=child_id(work.chunk.id, "track", index),
        chunk_id=work.chunk.id,
        span=Span(int(track.times[0]), int(track.times[-1]) + frame_time),
        observations=put_arrays(
            store,
            {
                "time": track.times,
                "box": track.boxes,
                "landmarks": track.landmarks,
                "score": track.scores,
                "detected": track.detected,
            },
        ),
        median_height_px=float(np.median(track.boxes[:, 3])),
        embedding=tuple(float(value) for value in track.embedding),
    )


FACES: Stage[FaceWork, tuple[FaceTrack, ...]] = Stage("faces", 1, tuple[FaceTrack, ...], track_faces)


def join_identities(tracks: Sequence[FaceTrack], same_person_cosine: float) -> list[FaceTrack]:
    """The same tracks with `identity` set: "person0" for whoever is seen first, and so on."""
    if not tracks:
        return []
    embeddings = np.array([track.embedding for track in tracks], dtype=np.float32)
    durations = np.array([track.span.duration_s for track in tracks])
    people = identity.link(embeddings, durations, same_person_cosine)
    return [
        dataclasses.replace(track, identity=f"person{person}") for track, person in zip(tracks, people, strict=True)
    ]
