"""LMD: how far the mouth's landmarks lie from those of the true video (Chen et al., ECCV 2018, with alignment)."""

from __future__ import annotations

import numpy as np

from models.landmarks import topology
from models.landmarks.pose import fit_pose
from models.metrics.mouth import Floats

_RIGHT_EYE, _LEFT_EYE = topology.kept(topology.RIGHT_EYE_OUTER), topology.kept(topology.LEFT_EYE_OUTER)


def mouth_landmark_distance(points: Floats, reference: Floats) -> float:
    """The mean distance of the mouth's points from the reference's, in the reference's eye distances; 0 for equal.

    Both (F, 202, 3) in pixels, frame by frame of the same person. Each frame is aligned by the points that speech does
    not move, so only the mouth's own difference counts. ValueError for different shapes or no frames.
    """
    if points.shape != reference.shape or not len(points):
        raise ValueError(f"{points.shape} and {reference.shape} are not the landmarks of the same frames")
    distances = []
    for found, true in zip(points, reference, strict=True):
        aligned = fit_pose(found[topology.KEPT_STABLE], true[topology.KEPT_STABLE]).to_canonical(found)
        apart = aligned[topology.KEPT_MOUTH, :2] - true[topology.KEPT_MOUTH, :2]
        eyes = float(np.linalg.norm(true[_LEFT_EYE, :2] - true[_RIGHT_EYE, :2]))
        distances.append(float(np.linalg.norm(apart, axis=1).mean()) / max(eyes, 1e-9))
    return float(np.mean(distances))
