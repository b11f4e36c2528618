"""Made-up faces for the rulers' tests: landmarks that move as they are told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.landmarks import topology

Floats = npt.NDArray[np.float32]

EYES_PX = 80.0


def still_face(seed: int = 0) -> Floats:
    """(202, 3): points strewn over a face of 160 px, but eyes, chin and lips where they belong."""
    draw = np.random.default_rng(seed)
    face = draw.uniform([-70, -60, -20], [70, 100, 20], (len(topology.KEPT), 3))
    for right, left, y, half in (
        (topology.RIGHT_EYE_OUTER, topology.LEFT_EYE_OUTER, 0.0, EYES_PX / 2),
        (topology.MOUTH_RIGHT, topology.MOUTH_LEFT, 60.0, 25.0),
    ):
        face[topology.kept(right)] = (-half, y, 0)
        face[topology.kept(left)] = (half, y, 0)
    face[topology.kept(topology.CHIN)] = (0, 100, 0)
    for upper, lower, x in ((82, 87, -5.0), (13, 14, 0.0), (312, 317, 5.0)):
        face[topology.kept(upper)] = face[topology.kept(lower)] = (x, 60, 0)
    return face.astype(np.float32)


def speaking(opening_px: npt.ArrayLike, seed: int = 0) -> Floats:
    """(F, 202, 3): the face with its lower lip down by `opening_px` (F,)."""
    opening = np.asarray(opening_px, np.float32)
    frames = np.repeat(still_face(seed)[None], len(opening), axis=0)
    for point in (87, 14, 317, 84, 17, 314):
        frames[:, topology.kept(point), 1] += opening
    return frames


def carried(frames: Floats, seed: int = 1) -> Floats:
    """The same faces on a head that turns, nods, comes nearer and wanders."""
    draw = np.random.default_rng(seed)
    moved = []
    for frame, turn in zip(frames, np.cumsum(draw.normal(0, 0.01, (len(frames), 3)), axis=0), strict=True):
        yaw, roll, nod = turn
        about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        about_x = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
        moved.append(1.3 * (1 + yaw) * frame @ (about_y @ about_z @ about_x).T + (200 + 50 * yaw, 150 + 40 * nod, 0))
    return np.asarray(moved, np.float32)
