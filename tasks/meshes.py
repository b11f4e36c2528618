"""Meshes: the dense landmarks of every face track of a chunk, and how sharp and how lit its mouth is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.media.frames import read_frames
from infra.store import Store
from manifests.keys import child_id
from manifests.records import Chunk, FaceTrack, MeshTrack, Video
from manifests.time import Flicks, Span
from models.landmarks import engines
from models.landmarks.following import MeshFollower
from models.landmarks.topology import KEPT
from models.rewrite.library import sharpness, skin_light
from tasks.arrays import get_arrays, put_arrays
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshWork:
    """A chunk with those of its face tracks that are large enough to be given new lips."""

    video: Video
    chunk: Chunk
    tracks: tuple[FaceTrack, ...]
    weights: str


@dataclass(slots=True)
class _Followed:
    track: FaceTrack
    boxes: dict[Flicks, npt.NDArray[np.float32]]
    eyes: dict[Flicks, npt.NDArray[np.float32]]
    follower: MeshFollower
    times: list[Flicks]
    points: list[npt.NDArray[np.float32]]
    scores: list[float]
    sharpness: list[float]
    light: list[npt.NDArray[np.float32]]

    def see(self, time: Flicks, frame: npt.NDArray[np.uint8]) -> None:
        mesh = self.follower.follow(frame, self.boxes[time], self.eyes[time])
        points = mesh.points[list(KEPT)]
        try:
            sharp = sharpness(frame, points)
            light = skin_light(frame, points)
        except ValueError:  # the mouth lies outside the picture
            sharp, light, mesh_score = 0.0, np.zeros(3, np.float32), 0.0
        else:
            mesh_score = mesh.score
        self.times.append(time)
        self.points.append(points)
        self.scores.append(mesh_score)
        self.sharpness.append(sharp)
        self.light.append(light)


def find_meshes(work: MeshWork, store: Store) -> tuple[MeshTrack, ...]:
    """One record a track, in the order of the tracks."""
    detector = engines.load_detector()
    followed = []
    at: dict[Flicks, list[_Followed]] = defaultdict(list)
    for track in work.tracks:
        seen = get_arrays(store, track.observations)
        times = seen["time"].tolist()
        each = _Followed(
            track,
            dict(zip(times, seen["box"], strict=True)),
            dict(zip(times, seen["landmarks"], strict=True)),
            MeshFollower(detector),
            [],
            [],
            [],
            [],
            [],
        )
        followed.append(each)
        for time in times:
            at[time].append(each)
    if at:
        for time, frame in read_frames(Path(work.video.uri), Span(min(at), max(at) + 1)):
            for each in at.get(time, ()):
                each.see(time, frame)
    return tuple(_record(each, store) for each in followed if each.times)


def _record(followed: _Followed, store: Store) -> MeshTrack:
    times = np.array(followed.times, np.int64)
    blob = put_arrays(
        store,
        {
            "time": times,
            "points": np.stack(followed.points),
            "score": np.array(followed.scores, np.float32),
            "sharpness": np.array(followed.sharpness, np.float32),
            "light": np.stack(followed.light).astype(np.float32),
        },
    )
    track = followed.track
    return MeshTrack(
        id=child_id(track.id, "mesh", 0), track_id=track.id, chunk_id=track.chunk_id, span=track.span, meshes=blob
    )


MESHES: Stage[MeshWork, tuple[MeshTrack, ...]] = Stage("meshes", 2, tuple[MeshTrack, ...], find_meshes)


def large_enough(tracks: Sequence[FaceTrack], min_face_px: float) -> tuple[FaceTrack, ...]:
    """The tracks whose face is worth new lips."""
    return tuple(track for track in tracks if track.median_height_px >= min_face_px)
