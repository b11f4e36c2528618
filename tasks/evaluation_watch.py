"""Looking at a clip for its evaluation: its face and mouth at 25 frames/s, and what is heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.media.audio import read_waveform
from infra.media.frames import read_frames
from infra.media.pixels import Rgb
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks
from models.faces import engines as face_engines
from models.faces.tracking import Track, track_faces
from models.landmarks import engines as landmark_engines
from models.landmarks.regions import region_of_box
from models.landmarks.topology import KEPT
from models.lipsync.crop import crop_face
from models.metrics.mouth import MouthShapes, mouth_shapes

FRAMES_PER_SECOND = 25
FRAME: Flicks = FLICKS_PER_SECOND // FRAMES_PER_SECOND
SAMPLE_RATE = 16_000

_LEAST_SCORE = 0.5
_LEAST_SHARE = 0.5
_KEPT = list(KEPT)


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A clip's face, frame by frame at 25 frames/s.

    `seen` (F,) says where a face shows; the rows of the others are NaN. `points` (F, 202, 3) landmarks in pixels, as
    `KEPT`; `boxes` (F, 4) the detector's smoothed boxes; `crops` (F, S, S, 3) RGB, what a sync expert looks at, black
    where there is none; `mouth` the mouth's shapes in the frames that show a face.
    """

    path: Path
    seen: npt.NDArray[np.bool_]
    points: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.float32]
    crops: npt.NDArray[np.uint8]
    mouth: MouthShapes

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """When the frames that show a face are seen, in flicks."""
        return np.flatnonzero(self.seen) * FRAME

    def curve(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """`values` of the frames that show a face, spread over all frames, NaN elsewhere."""
        spread = np.full(len(self.seen), np.nan, np.float32)
        spread[self.seen] = values
        return spread


def watch(path: Path, *, crop_px: int) -> Watched:
    """Look at the largest face of `path` throughout. BadInput where a face shows in less than half of the frames."""
    tracks = track_faces(
        read_frames(path), (), face_engines.load_detector(), face_engines.load_embedder()
    )  # a cut ends a track by itself: the face is then elsewhere
    places = _places(tracks)
    detector = landmark_engines.load_detector()
    points, boxes, crops = [], [], []
    for time, frame in at_25(read_frames(path)):
        place = places.get(time)
        mesh = None if place is None else detector.locate(frame, region_of_box(*place))
        if place is None or mesh is None or mesh.score < _LEAST_SCORE:
            points.append(np.full((len(_KEPT), 3), np.nan, np.float32))
            boxes.append(np.full(4, np.nan, np.float32))
            crops.append(np.zeros((crop_px, crop_px, 3), np.uint8))
            continue
        points.append(mesh.points[_KEPT])
        boxes.append(place[0])
        crops.append(crop_face(frame, place[0], crop_px))
    seen = np.array([bool(np.isfinite(box).all()) for box in boxes], np.bool_)
    if not len(seen) or seen.mean() < _LEAST_SHARE:
        raise BadInput(
            f"a face shows in {np.count_nonzero(seen)} of {len(seen)} frames;",
            where=str(path),
            remedy="evaluate clips of one talking face",
        )
    stacked = np.stack(points)
    return Watched(
        path=path,
        seen=seen,
        points=stacked,
        boxes=np.stack(boxes),
        crops=np.stack(crops),
        mouth=mouth_shapes(stacked[seen]),
    )


def _places(
    tracks: Sequence[Track],
) -> dict[Flicks, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Time -> box and five landmarks of the face to look at: where several show, that of the largest track."""
    places = {}
    for track in sorted(tracks, key=lambda track: float(np.median(track.boxes[:, 3]))):
        places.update(
            {
                int(time): (box, marks)
                for time, box, marks in zip(track.times, track.boxes, track.landmarks, strict=True)
            }
        )
    return places


def at_25(frames: Iterable[tuple[Flicks, Rgb]]) -> Iterator[tuple[Flicks, Rgb]]:
    """`frames` at 25 frames/s: for each moment k/25 s the frame nearest to it, with the time of its own."""
    wanted: Flicks = 0
    before: tuple[Flicks, Rgb] | None = None
    for frame in frames:
        while before is not None and frame[0] > wanted:
            yield before if wanted - before[0] <= frame[0] - wanted else frame
            wanted += FRAME
        before = frame
    if before is not None and before[0] > wanted - FRAME // 2:
        yield before


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """The sound of the file `path`: `samples` mono at 16 kHz, and the `speech` in it."""

    path: Path
    samples: npt.NDArray[np.float32]
    speech: tuple[Span, ...]


def listen(path: Path, speech: Sequence[Span] | None = None) -> Heard:
    """The sound of `path`; where `speech` is not given, a voice activity detector finds it. BadInput without sound."""
    from models.vad import engines

    samples = read_waveform(path, sample_rate=SAMPLE_RATE)
    found = engines.load().speech([samples]) if speech is None else speech
    return Heard(path=path, samples=samples, speech=tuple(found))


def spoken_and_silent(
    times: npt.NDArray[np.int64], speech: Sequence[Span], until: Flicks, *, margin_s: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which of the frames at `times` fall into speech, and which into silence before `until`.

    Frames within `margin_s` outside speech belong to neither: a mouth opens before it is heard and closes after.
    """
    speaking, near = (np.zeros(len(times), np.bool_) for _ in range(2))
    for span in speech:
        wide = span.widen(flicks(margin_s))
        speaking |= (times >= span.start) & (times < span.end)
        near |= (times >= wide.start) & (times < wide.end)
    return speaking, ~near & (times < until)
