"""Faces followed over time: detection on a stride, finer only where something changes, association, smoothing.

A detector run on every frame costs more than everything else together and its boxes tremble. Here it looks at one frame
in every `stride_s`. Where two such frames show the same faces in nearly the same places, the boxes between are
interpolated; where a face comes, goes or moves fast, the frames between are halved and looked at until the frame is
found (on talking heads the interpolation differs from detection on every frame by no more than the detector trembles).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from manifests.time import Flicks, flicks
from models.faces.contract import Face, FaceDetector, FaceEmbedder, RGBImage
from models.faces.geometry import overlaps
from models.faces.portraits import Portraits
from models.faces.smoothing import smooth

Frame = tuple[Flicks, RGBImage]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSettings:
    """How faces are followed.

    `stride_s` lies between two looks of the detector at a quiet picture, and bounds the frames held. `still_overlap` is
    the intersection over union from which a face has moved so little between two looks that the frames between are
    interpolated, `same_overlap` that from which two boxes may be one face. A face out of sight for at most
    `bridge_s` stays one track; tracks shorter than `min_track_s` and faces lower than `min_height_px` are left out.
    `smoothing_s` is the window of `smooth`; `portrait_count` how many pictures a track's identity is averaged over.
    """

    stride_s: float = 0.2
    still_overlap: float = 0.7
    same_overlap: float = 0.3
    bridge_s: float = 0.5
    min_track_s: float = 0.4
    min_height_px: float = 40.0
    smoothing_s: float = 0.3
    portrait_count: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.stride_s <= 1:
            raise ValueError("stride_s must be above 0 and at most 1, as the frames of a stride are held")
        if not 0 < self.same_overlap <= self.still_overlap <= 1:
            raise ValueError("0 < same_overlap <= still_overlap <= 1 must hold")


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face followed through one shot, one row for every frame from its first to its last.

    `times` (N,) int64 flicks, rising; `boxes` (N, 4) float32 x, y, width, height and `landmarks` (N, 5, 2) float32 in
    pixels of the frames, smoothed, landmarks NaN where the detector gives none; `scores` (N,) float32 0..1;
    `detected` (N,) bool, False where the face was looked for and not seen, and the gap bridged; `embedding` (D,)
    float32 of unit length, zero where the face could not be embedded.
    """

    times: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    detected: npt.NDArray[np.bool_]
    embedding: npt.NDArray[np.float32]


@dataclass(slots=True)
class _Open:
    """A track while it grows: what was seen of it, and after which sightings the detector looked and did not see it."""

    portraits: Portraits
    times: list[Flicks] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)
    after_gap: list[bool] = field(default_factory=list)
    missed: bool = False

    def see(self, time: Flicks, face: Face, image: RGBImage) -> None:
        self.times.append(time)
        self.faces.append(face)
        self.after_gap.append(self.missed)
        self.missed = False
        self.portraits.offer(time, image, face)


def track_faces(
    frames: Iterable[Frame],
    cuts: Sequence[Flicks],
    detector: FaceDetector,
    embedder: FaceEmbedder,
    settings: TrackingSettings | None = None,
) -> list[Track]:
    """The faces of a stretch of video, by their start and, among equals, the largest first.

    `frames` are (time in flicks, RGB image) in display order and are streamed: those of at most one stride are held.
    `cuts` are the times at which a new shot begins; those outside the frames do no harm. No track passes a cut.
    Deterministic for a deterministic detector and embedder. No face is no error: the list is empty.
    """
    wanted = settings or TrackingSettings()
    tracks: list[Track] = []
    shot = _Shot(detector, embedder, wanted)
    upcoming = sorted(cuts, reverse=True)
    for time, image in frames:
        passed = False
        while upcoming and upcoming[-1] <= time:
            upcoming.pop()
            passed = True
        if passed:
            tracks += shot.finish()
            shot = _Shot(detector, embedder, wanted)
        shot.add(time, image)
    tracks += shot.finish()
    return sorted(tracks, key=lambda track: (int(track.times[0]), -float(np.median(track.boxes[:, 3]))))


class _Shot:
    """The faces of one shot while its frames come in."""

    def __init__(self, detector: FaceDetector, embedder: FaceEmbedder, settings: TrackingSettings) -> None:
        self._detector = detector
        self._embedder = embedder
        self._settings = settings
        self._times: list[Flicks] = []
        self._held: list[Frame] = []
        """The frames since the last look, that one first."""
        self._last_look: list[Face] = []
        self._open: list[_Open] = []
        self._closed: list[_Open] = []

    def add(self, time: Flicks, image: RGBImage) -> None:
        """Take the shot's next frame; ValueError where it does not follow the one before in time."""
        if self._times and time <= self._times[-1]:
            raise ValueError(f"frames must rise in time, but {time} follows {self._times[-1]}")
        self._times.append(time)
        self._held.append((time, image))
        if len(self._held) == 1:
            self._last_look = self._look(image)
            self._associate(time, image, self._last_look)
        elif time - self._held[0][0] >= flicks(self._settings.stride_s):
            self._look_at_end()

    def finish(self) -> list[Track]:
        """The tracks of the shot, once its last frame is in."""
        if len(self._held) > 1:
            self._look_at_end()
        grown = [one for one in self._closed + self._open if self._long_enough(one)]
        return [self._finished(one) for one in grown]

    def _long_enough(self, one: _Open) -> bool:
        return one.times[-1] - one.times[0] >= flicks(self._settings.min_track_s)

    def _look(self, image: RGBImage) -> list[Face]:
        return [face for face in self._detector.detect(image) if face.box[3] >= self._settings.min_height_px]

    def _look_at_end(self) -> None:
        time, image = self._held[-1]
        faces = self._look(image)
        self._look_between(0, len(self._held) - 1, self._last_look, faces)
        self._associate(time, image, faces)
        self._last_look = faces
        self._held = self._held[-1:]

    def _look_between(self, first: int, last: int, before: list[Face], after: list[Face]) -> None:
        """Halve the held frames from `first` to `last` where their faces differ, so that looks follow each other."""
        if last - first <= 1 or self._still(before, after):
            return
        middle = (first + last) // 2
        time, image = self._held[middle]
        faces = self._look(image)
        self._look_between(first, middle, before, faces)
        self._associate(time, image, faces)
        self._look_between(middle, last, faces, after)

    def _still(self, before: list[Face], after: list[Face]) -> bool:
        if len(before) != len(after):
            return False
        overlap = overlaps(_boxes(before), _boxes(after))
        pairs = matched(overlap, self._settings.still_overlap)
        return len(pairs) == len(before)

    def _associate(self, time: Flicks, image: RGBImage, faces: list[Face]) -> None:
        """Give each of `faces` to the open track that it continues, or to a new one."""
        bridge = flicks(self._settings.bridge_s)
        self._closed += [one for one in self._open if time - one.times[-1] > bridge]
        self._open = [one for one in self._open if time - one.times[-1] <= bridge]
        affinity = overlaps(_boxes([one.faces[-1] for one in self._open]), _boxes(faces))
        self._settle_doubts(affinity, image, faces)
        pairs = dict(matched(affinity, self._settings.same_overlap))
        for index, one in enumerate(self._open):
            if index in pairs:
                one.see(time, faces[pairs[index]], image)
            else:
                one.missed = True
        for index in sorted(set(range(len(faces))) - set(pairs.values())):
            new = _Open(Portraits(self._settings.portrait_count))
            new.see(time, faces[index], image)
            self._open.append(new)

    def _settle_doubts(self, affinity: npt.NDArray[np.float64], image: RGBImage, faces: list[Face]) -> None:
        """Where boxes do not settle it, let who it is decide: add the cosine to the overlap, drop other persons.

        In doubt are faces with several choices, faces seen again after a gap, and boxes that overlap little although
        looks are as dense as frames: there a cut may have gone unnoticed.
        """
        possible = affinity >= self._settings.same_overlap
        crowded = (possible.sum(axis=0) > 1)[None] | (possible.sum(axis=1) > 1)[:, None]
        returned = np.array([one.missed for one in self._open], bool)[:, None]
        doubtful = possible & (crowded | returned | (affinity < self._settings.still_overlap))
        looks = {
            column: self._embedder.embed(image, faces[column])
            for column in np.flatnonzero(doubtful.any(axis=0)).tolist()
            if faces[column].landmarks is not None
        }
        known = {
            row: self._open[row].portraits.embedding(self._embedder)
            for row in np.flatnonzero(doubtful.any(axis=1)).tolist()
        }
        for row, column in np.argwhere(doubtful).tolist():
            if column in looks and known[row].any():
                cosine = float(known[row] @ looks[column])
                same = cosine >= self._embedder.same_person_cosine
                affinity[row, column] = affinity[row, column] + cosine if same else 0.0

    def _finished(self, one: _Open) -> Track:
        seen = np.array(one.times, np.int64)
        times = np.array([time for time in self._times if seen[0] <= time <= seen[-1]], np.int64)
        boxes = _between(times, seen, _boxes(one.faces))
        landmarks = _between(times, seen, np.stack([_landmarks(face) for face in one.faces]))
        scores = _between(times, seen, np.array([face.score for face in one.faces], np.float32))
        following = np.searchsorted(seen, times)
        detected = (seen[following] == times) | ~np.array(one.after_gap)[following]
        window = self._settings.smoothing_s
        return Track(
            times=times,
            boxes=smooth(times, boxes, window),
            landmarks=smooth(times, landmarks, window),
            scores=scores,
            detected=detected,
            embedding=one.portraits.embedding(self._embedder),
        )


def matched(affinity: npt.NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of `affinity` (N, M), the best first, no row or column twice, none below `least`."""
    pairs: list[tuple[int, int]] = []
    rows, columns = set[int](), set[int]()
    for place in np.argsort(-affinity, axis=None, kind="stable").tolist():
        row, column = divmod(place, affinity.shape[1])
        if affinity[row, column] < least:
            break
        if row not in rows and column not in columns:
            pairs.append((row, column))
            rows.add(row)
            columns.add(column)
    return pairs


def _boxes(faces: Sequence[Face]) -> npt.NDArray[np.float32]:
    return np.array([face.box for face in faces], np.float32).reshape(-1, 4)


def _landmarks(face: Face) -> npt.NDArray[np.float32]:
    return np.full((5, 2), np.nan, np.float32) if face.landmarks is None else face.landmarks


def _between(
    times: npt.NDArray[np.int64], seen: npt.NDArray[np.int64], values: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """`values` (M, ...) seen at `seen` (M,), interpolated in a straight line at `times` (N,): (N, ...)."""
    flat = values.reshape(len(seen), -1)
    at, known = times - seen[0], seen - seen[0]
    columns = [np.interp(at, known, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(len(times), *values.shape[1:]).astype(np.float32)
