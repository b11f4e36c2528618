"""Meshes of made-up heads that speak, for tests of what hears and shapes mouths."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.articulation.shapes import MouthModel
from models.landmarks.pose import HeadPose
from models.landmarks.topology import KEPT_MOUTH

Floats = npt.NDArray[np.float32]


def walk(count: int, size: int, seed: int, *, spread: float = 1.0) -> Floats:
    """Shapes (count, size) that wander smoothly about 0 with deviation `spread`."""
    steps = np.random.default_rng(seed).normal(0, 1, (count + 12, size))
    smooth = np.stack([np.convolve(column, np.hanning(13)[1:-1], mode="valid") for column in steps.T], axis=1)[:count]
    return np.asarray(spread * (smooth - smooth.mean(axis=0)) / smooth.std(axis=0), np.float32)


def mean_mouth(model: MouthModel) -> Floats:
    """The canonical face's own mouth, (M, 3)."""
    return model.canonical[KEPT_MOUTH]


def mouths_with(model: MouthModel, shapes: Floats) -> Floats:
    """Mouths (N, M, 3) of these shapes about the canonical one."""
    mouths = np.repeat(mean_mouth(model)[None], len(shapes), axis=0)
    mouths[:, :, :2] += model.offsets(shapes)
    return mouths


def posed(model: MouthModel, mouths: Floats, pose: HeadPose) -> Floats:
    """Meshes (N, 202, 3) of the canonical face with these mouths, in a picture."""
    faces = np.repeat(model.canonical[None], len(mouths), axis=0)
    faces[:, KEPT_MOUTH] = mouths
    return np.stack([pose.to_picture(face) for face in faces])


FRONTAL = HeadPose(rotation=np.eye(3), scale=90.0, shift=np.array([160.0, 110.0, 0.0]))
"""Looks into the camera, 90 px between the eyes."""


def apart(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating] | float) -> float:
    """The largest difference; 0 for nothing at all. (`pytest.approx` takes seconds for arrays of this size.)"""
    return float(np.abs(one - np.asarray(other)).max(initial=0.0))
