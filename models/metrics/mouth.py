"""The mouth of a face in motion, freed of the head's: what the measures of lips are taken from.

Points are the `KEPT` ones of `models.landmarks.topology`, (F, 202, 3) in pixels, a row a frame. Each frame is
brought by its stable points (`models.landmarks.pose`) onto the clip's own mean face, turned so that it looks at us
and scaled so that the outer corners of the eyes lie one unit apart: lengths are in eye distances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.landmarks import topology
from models.landmarks.pose import fit_pose

Floats = npt.NDArray[np.float32]

_ROUNDS = 3
_RIGHT_EYE, _LEFT_EYE = topology.kept(topology.RIGHT_EYE_OUTER), topology.kept(topology.LEFT_EYE_OUTER)
_CHIN = topology.kept(topology.CHIN)
# Lips facing each other, three pairs about the middle, so that one trembling point does not count for the mouth.
_INNER = tuple((topology.kept(upper), topology.kept(lower)) for upper, lower in ((82, 87), (13, 14), (312, 317)))
_OUTER = tuple((topology.kept(upper), topology.kept(lower)) for upper, lower in ((37, 84), (0, 17), (267, 314)))
_LIPS = [
    topology.kept(point)
    for ring in (topology.LIPS_OUTER, topology.LIPS_INNER, topology.LIPS_MIDDLE, topology.LIPS_NEAR_INNER)
    for point in ring
]
_CORNERS = ((topology.kept(topology.MOUTH_RIGHT), topology.kept(topology.MOUTH_LEFT)),)


@dataclass(frozen=True, slots=True, eq=False)
class MouthShapes:
    """A mouth over time, as seen from in front: `points` (F, 202, 3) in eye distances, x right, y down."""

    points: Floats

    def __len__(self) -> int:
        """Frames."""
        return len(self.points)

    @property
    def inner_opening(self) -> Floats:
        """Distance between the inner rims of the lips, (F,)."""
        return self._distance(_INNER)

    @property
    def outer_opening(self) -> Floats:
        """Distance between the outer rims of the lips, (F,)."""
        return self._distance(_OUTER)

    @property
    def width(self) -> Floats:
        """Distance between the corners of the mouth, (F,)."""
        return self._distance(_CORNERS)

    @property
    def lips(self) -> Floats:
        """The points of the lips alone, in the picture plane, (F, 80, 2)."""
        return self.points[:, _LIPS, :2]

    def _distance(self, pairs: tuple[tuple[int, int], ...]) -> Floats:
        apart = [self.points[:, one, :2] - self.points[:, other, :2] for one, other in pairs]
        return np.asarray(np.mean([np.linalg.norm(each, axis=1) for each in apart], axis=0), np.float32)


def mouth_shapes(points: Floats) -> MouthShapes:
    """The mouth in `points` (F, 202, 3) pixels, without the motion of the head; ValueError where F is 0."""
    if not len(points):
        raise ValueError("no frames with a face")
    face = np.asarray(points[len(points) // 2], np.float32)
    moved = points
    for _ in range(_ROUNDS):
        face = _frontal(face)
        stable = face[topology.KEPT_STABLE]
        moved = np.stack([fit_pose(each[topology.KEPT_STABLE], stable).to_canonical(each) for each in points])
        face = moved.mean(axis=0)
    return MouthShapes(points=np.asarray(moved, np.float32))


def _frontal(face: Floats) -> Floats:
    """`face` (202, 3) turned to look at us, upright, the outer corners of the eyes one unit apart about the origin."""
    middle = (face[_RIGHT_EYE] + face[_LEFT_EYE]) / 2
    across = (face[_LEFT_EYE] - face[_RIGHT_EYE]).astype(np.float64)
    apart = max(float(np.linalg.norm(across)), 1e-9)
    across /= apart
    down = (face[_CHIN] - middle).astype(np.float64)
    down -= (down @ across) * across
    down /= max(float(np.linalg.norm(down)), 1e-9)
    axes = np.stack([across, down, np.cross(across, down)])
    return np.asarray((face - middle) @ axes.T / apart, np.float32)
