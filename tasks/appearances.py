"""Appearances: how each face of a chunk looks, voted over its best frames, so that a voice can be chosen to fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.media.frames import read_frames
from infra.store import Store
from manifests.records import Appearance, Chunk, FaceTrack, Video
from manifests.time import Flicks, Span, flicks
from models.faces import engines
from models.faces.contract import Face, Look
from tasks.arrays import get_arrays
from tasks.stage import Stage

_LEAST_FRONTAL = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class AppearanceSettings:
    """At most `frame_count` frames of a track are looked at, from its first `within_s` seconds.

    A face of less than `min_height_px` is not judged: the network sees 32 pixels of it.
    """

    frame_count: int = 12
    within_s: float = 12.0
    min_height_px: float = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AppearanceWork:
    """A chunk and its face tracks."""

    video: Video
    chunk: Chunk
    tracks: tuple[FaceTrack, ...]
    weights: str
    settings: AppearanceSettings = field(default_factory=AppearanceSettings)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The frames of one track: `times` (N,) flicks, `boxes` (N, 4), `landmarks` (N, 5, 2) and `scores` (N,)."""

    times: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]


def read_appearances(work: AppearanceWork, store: Store) -> tuple[Appearance, ...]:
    """How the tracks look, in their order; those that show no face well enough are left out."""
    wanted: dict[Flicks, list[tuple[str, Face]]] = defaultdict(list)
    for track in work.tracks:
        seen = _seen(track, store)
        for index in well_spread(seen, work.settings):
            face = Face(box=seen.boxes[index], score=float(seen.scores[index]), landmarks=seen.landmarks[index])
            wanted[int(seen.times[index])].append((track.id, face))
    if not wanted:
        return ()
    reader = engines.load_appearance()
    looks: dict[str, list[Look]] = defaultdict(list)
    hull = Span(min(wanted), max(wanted) + 1)
    for time, frame in read_frames(Path(work.video.uri), hull):
        here = wanted.get(time, [])
        for (track_id, _), look in zip(here, reader.read([(frame, face) for _, face in here]), strict=True):
            looks[track_id].append(look)
    return tuple(vote(track.id, looks[track.id]) for track in work.tracks if looks[track.id])


def well_spread(seen: Seen, settings: AppearanceSettings) -> list[int]:
    """Rows of the frames to look at: of each stretch of the time the best, none that shows no face from the front."""
    if not len(seen.times):
        return []
    within = seen.times < seen.times[0] + flicks(settings.within_s)
    quality = np.where(within, _quality(seen, settings.min_height_px), 0.0)
    parts = np.array_split(np.flatnonzero(within), settings.frame_count)
    best = [int(part[np.argmax(quality[part])]) for part in parts if len(part)]
    return [index for index in best if quality[index] > 0]


def _quality(seen: Seen, min_height_px: float) -> npt.NDArray[np.float64]:
    """(N,) how well each frame shows the face: large, from the front, surely a face; 0 where it is not to be used."""
    right_eye, left_eye, nose = (seen.landmarks[:, point].astype(np.float64) for point in range(3))
    eyes = left_eye - right_eye
    along = ((nose - right_eye) * eyes).sum(axis=1) / np.maximum((eyes**2).sum(axis=1), 1e-9)
    frontal = 1 - 2 * np.abs(along - 0.5)
    usable = np.isfinite(frontal) & (frontal >= _LEAST_FRONTAL) & (seen.boxes[:, 3] >= min_height_px)
    return np.asarray(np.where(usable, frontal * seen.boxes[:, 3] * seen.scores, 0.0), np.float64)


def vote(track_id: str, looks: Sequence[Look]) -> Appearance:
    """What most frames say: the medians, so that one bad frame does not matter. ValueError where there is none."""
    if not looks:
        raise ValueError("an appearance takes at least one look")
    return Appearance(
        track_id=track_id,
        female=_median(look.female for look in looks),
        age_years=_median(look.age_years for look in looks),
        frame_count=len(looks),
    )


def _median(values: Iterable[float]) -> float:
    return float(np.median(np.fromiter(values, np.float64)))


def _seen(track: FaceTrack, store: Store) -> Seen:
    """Frames in which the detector saw the face; where a gap was bridged nobody knows what is there."""
    held = get_arrays(store, track.observations)
    detected = held["detected"]
    return Seen(
        times=held["time"][detected],
        boxes=held["box"][detected],
        landmarks=held["landmarks"][detected],
        scores=held["score"][detected],
    )


APPEARANCES: Stage[AppearanceWork, tuple[Appearance, ...]] = Stage(
    "appearances", 1, tuple[Appearance, ...], read_appearances
)
