"""Following the one face that is measured: its dense landmarks in frame after frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.faces.contract import Face, FaceDetector
from models.landmarks.contract import LandmarkDetector, Points, Region
from models.landmarks.regions import region_of_box, region_of_points
from models.landmarks.topology import KEPT

_LEAST_SCORE = 0.5
_KEPT = list(KEPT)


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """`points` (202, 3) in pixels, as `KEPT`; `box` (4,) x, y, width, height, of the whole mesh."""

    points: npt.NDArray[np.float32]
    box: npt.NDArray[np.float32]


@dataclass(slots=True)
class FaceWatcher:
    """Looks at frames of one clip in their order; the largest face is followed until it is lost.

    The detector is asked only at the start, every `renew_frames` and where the face was lost; between, each frame is
    searched where the mesh of the one before lies, as MediaPipe's own pipeline does.
    """

    detector: FaceDetector
    landmarks: LandmarkDetector
    renew_frames: int = 25
    _region: Region | None = field(default=None, init=False)
    _age: int = field(default=0, init=False)

    def look(self, frame: npt.NDArray[np.uint8]) -> SeenFace | None:
        """The face in `frame` (H, W, 3) RGB, None where there is none."""
        self._age += 1
        followed = self._region if self._age < self.renew_frames else None
        points = None if followed is None else self._mesh(frame, followed)
        if points is None:
            found = self._found(frame)
            self._age = 0
            points = None if found is None else self._mesh(frame, found)
        self._region = None if points is None else region_of_points(points)
        return None if points is None else _seen(points)

    def _found(self, frame: npt.NDArray[np.uint8]) -> Region | None:
        faces: list[Face] = self.detector.detect(frame)
        return region_of_box(faces[0].box, faces[0].landmarks) if faces else None

    def _mesh(self, frame: npt.NDArray[np.uint8], region: Region) -> Points | None:
        mesh = self.landmarks.locate(frame, region)
        return mesh.points if mesh.score >= _LEAST_SCORE else None


def _seen(points: Points) -> SeenFace:
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    return SeenFace(points=points[_KEPT], box=np.concatenate([low, high - low]).astype(np.float32))
