"""A speaker's library: the frames of the whole lecture that show how this person's mouth looks, and how it moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.media.frames import read_frames
from infra.store import Store
from manifests.records import Blob, FaceTrack, MeshTrack, Video
from manifests.time import FLICKS_PER_SECOND, Flicks, Span
from models.articulation import engines as articulation
from models.articulation.retarget import SpeakerMouth, learn_speaker
from models.articulation.shapes import MouthModel
from models.landmarks.following import LEAST_SCORE
from models.landmarks.pose import HeadPose
from models.rewrite.library import FaceLibrary, follows_among, pack_crop, select
from tasks.arrays import get_arrays, put_arrays
from tasks.stage import Stage

_STILL = 0.03
"""A mouth whose points move by less than this, in distances between the eyes, is a picture's: one frame says all."""
_GAP: Flicks = FLICKS_PER_SECOND // 2
"""Wanted frames this far apart are decoded in one go."""
_LEAST_SHARPNESS = 0.5
"""Frames whose mouth is less sharp than this share of the person's usual sharpness are blurred by motion or focus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibrarySettings:
    """`most_frames` are kept of a person, however long the lecture (6000: four minutes at 25 frames/s, about 90 MB).

    `max_yaw_rad` is the turn of the head beyond which a face is a profile, whose far side no landmark tells.
    """

    most_frames: int = 6000
    max_yaw_rad: float = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryWork:
    """All meshes of one person over the lecture, in order. `weights` is the articulation's revision."""

    video: Video
    identity: str
    meshes: tuple[MeshTrack, ...]
    settings: LibrarySettings
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerLibrary:
    """What the lips of one person are made of; `frames` is an .npz blob that `open_library` reads."""

    identity: str
    frames: Blob
    frame_count: int


@dataclass(frozen=True, slots=True, eq=False)
class OpenLibrary:
    """A speaker's library, read."""

    frames: FaceLibrary
    speaker: SpeakerMouth


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The usable frames of a person, over all tracks."""

    times: npt.NDArray[np.int64]
    follows: npt.NDArray[np.bool_]
    points: npt.NDArray[np.float32]
    light: npt.NDArray[np.float32]
    poses: npt.NDArray[np.float32]
    mouths: npt.NDArray[np.float32]
    quality: npt.NDArray[np.float32]


def usable(
    model: MouthModel, meshes: Mapping[str, npt.NDArray[Any]], max_yaw_rad: float
) -> tuple[npt.NDArray[np.bool_], list[HeadPose]]:
    """Which frames (N,) of a mesh track show a face from near enough to the front, and the pose in every frame."""
    poses = model.poses(meshes["points"])
    return (meshes["score"] >= LEAST_SCORE) & (np.abs(angles_rad(poses)[:, 0]) <= max_yaw_rad), poses


def angles_rad(poses: Sequence[HeadPose]) -> npt.NDArray[np.float32]:
    """Yaw, pitch and roll of `poses`, (N, 3)."""
    return np.array([pose.angles_rad for pose in poses], np.float32).reshape(-1, 3)


def make_library(work: LibraryWork, store: Store) -> tuple[SpeakerLibrary, ...]:
    """The library of a person; nothing for one who never shows a usable face."""
    model = articulation.mouth_model()
    seen = _collect(work, model, store)
    if seen is None:
        return ()
    speaker = learn_speaker(model, seen.mouths)
    shapes = model.shapes(seen.mouths, speaker.mean)
    if _is_still(seen.mouths):
        rows = np.zeros(1, np.int64)
    else:
        rows = select(seen.times, seen.follows, shapes, seen.poses, seen.quality, most=work.settings.most_frames)
    if not len(rows):
        return ()
    packed = _pack(Path(work.video.uri), seen.times[rows], seen.points[rows])
    library = FaceLibrary(
        times=seen.times[rows],
        follows=follows_among(rows, seen.follows),
        points=seen.points[rows],
        shapes=shapes[rows] * model.visibility,
        poses=seen.poses[rows],
        light=seen.light[rows],
        origins=np.array([origin for _, origin, _ in packed], np.float32),
        scales=np.array([scale for _, _, scale in packed], np.float32),
        jpegs=[jpeg for jpeg, _, _ in packed],
    )
    arrays = {f"frames.{name}": array for name, array in library.to_arrays().items()}
    for name in ("mean", "deviation", "rest", "closed_gap"):
        arrays[f"speaker.{name}"] = np.asarray(getattr(speaker, name), np.float32)
    return (SpeakerLibrary(identity=work.identity, frames=put_arrays(store, arrays), frame_count=len(rows)),)


def open_library(library: SpeakerLibrary, store: Store) -> OpenLibrary:
    """The frames and the mouth of a library."""
    arrays = get_arrays(store, library.frames)
    parts = {name.removeprefix("speaker."): array for name, array in arrays.items() if name.startswith("speaker.")}
    frames = {name.removeprefix("frames."): array for name, array in arrays.items() if name.startswith("frames.")}
    speaker = SpeakerMouth(
        mean=parts["mean"],
        deviation=parts["deviation"],
        rest=parts["rest"],
        closed_gap=float(parts["closed_gap"]),
    )
    return OpenLibrary(frames=FaceLibrary.from_arrays(frames), speaker=speaker)


def _collect(work: LibraryWork, model: MouthModel, store: Store) -> _Seen | None:
    parts: dict[str, list[npt.NDArray[Any]]] = defaultdict(list)
    for track in sorted(work.meshes, key=lambda each: each.span):
        meshes = get_arrays(store, track.meshes)
        shown, poses = usable(model, meshes, work.settings.max_yaw_rad)
        follows = np.zeros(len(shown), np.bool_)
        follows[1:] = shown[1:] & shown[:-1]
        for name, array in (
            ("times", meshes["time"]),
            ("follows", follows),
            ("points", meshes["points"]),
            ("light", meshes["light"]),
            ("poses", angles_rad(poses)),
            ("mouths", model.mouths(meshes["points"], poses)),
            ("sharpness", meshes["sharpness"]),
        ):
            parts[name].append(array[shown])
    if not any(len(each) for each in parts["times"]):
        return None
    whole = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    # Two tracks taken for one person at one time would be two faces in one frame: the first is kept.
    _, order = np.unique(whole["times"], return_index=True)
    whole = {name: array[order] for name, array in whole.items()}
    usual = float(np.median(whole["sharpness"]))
    quality = np.clip(whole.pop("sharpness") / max(usual, 1e-6), 0, 1)
    quality[quality < _LEAST_SHARPNESS] = 0
    return _Seen(quality=quality.astype(np.float32), **whole)


def _is_still(mouths: npt.NDArray[np.float32]) -> bool:
    """Whether all of `mouths` (N, M, 3) are one and the same, but for what the landmarks tremble."""
    return bool(mouths[:, :, :2].std(axis=0).max() < _STILL / 2)


def _pack(
    path: Path, times: npt.NDArray[np.int64], points: npt.NDArray[np.float32]
) -> list[tuple[bytes, tuple[float, float], float]]:
    """The crops of the frames at `times`, which rise; stretch by stretch, so a long lecture is not read whole."""
    wanted = {int(time): row for row, time in enumerate(times)}
    packed: dict[int, tuple[bytes, tuple[float, float], float]] = {}
    ends = np.flatnonzero(np.diff(times) > _GAP)
    for first, last in zip([0, *(ends + 1)], [*ends, len(times) - 1], strict=True):
        for time, frame in read_frames(path, Span(int(times[first]), int(times[last]) + 1)):
            row = wanted.get(time)
            if row is not None:
                packed[row] = pack_crop(frame, points[row])
    return [packed[row] for row in range(len(times))]


LIBRARY: Stage[LibraryWork, tuple[SpeakerLibrary, ...]] = Stage("library", 2, tuple[SpeakerLibrary, ...], make_library)


def work_for(
    video: Video,
    tracks: Sequence[FaceTrack],
    meshes: Sequence[MeshTrack],
    settings: LibrarySettings,
    weights: str,
) -> list[LibraryWork]:
    """One piece of work a person, by name."""
    person_of = {track.id: track.identity or track.id for track in tracks}
    people: dict[str, list[MeshTrack]] = defaultdict(list)
    for each in meshes:
        people[person_of[each.track_id]].append(each)
    return [
        LibraryWork(video=video, identity=person, meshes=tuple(people[person]), settings=settings, weights=weights)
        for person in sorted(people)
    ]
