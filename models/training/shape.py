"""The shape of a mouth as numbers: lip landmarks in the face's own coordinates.

Placed by a similarity that brings the points which speech hardly moves onto their mean over the clip, scaled by the
distance of the eyes, and taken relative to the clip's mean shape: what is left is what the mouth does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.landmarks.topology import (
    KEPT_STABLE,
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    LIPS_INNER,
    LIPS_OUTER,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
    kept,
)

Floats = npt.NDArray[np.float32]

_RING = len(LIPS_OUTER)
_MOUTH = [kept(point) for point in (*LIPS_OUTER, *LIPS_INNER)]
_RIGHT_EYE = [kept(point) for point in (RIGHT_EYE_OUTER, RIGHT_EYE_INNER)]
_LEFT_EYE = [kept(point) for point in (LEFT_EYE_INNER, LEFT_EYE_OUTER)]

SIZE = 2 * len(_MOUTH)
"""Numbers that make the shape of one frame."""
UNIT = 0.02
"""Of a shape's numbers, in distances of the eyes' centres: about the deviation of a speaking mouth's points."""

# A ring goes along the upper lip from the right corner (0) to the left one (10), then back along the lower lip.
_MIRRORED_RING = [*range(10, -1, -1), *range(19, 10, -1)]
_MIRRORED = [*_MIRRORED_RING, *(_RING + place for place in _MIRRORED_RING)]


def mouth_shapes(points: Floats) -> Floats:
    """Landmarks (F, 202, 2) of a clip, kept ones -> (F, SIZE) shapes of the mouth, x and y of a point side by side."""
    stable = points[:, KEPT_STABLE].astype(np.float64)
    centred = stable - stable.mean(axis=1, keepdims=True)
    template = centred.mean(axis=0)
    # The least-squares similarity in the plane, points taken as complex numbers (Umeyama 1991 without reflection).
    moved, still = _complex(centred), _complex(template)
    similarity = (moved.conj() * still).sum(axis=1) / (np.abs(moved) ** 2).sum(axis=1)
    eyes = np.abs(_complex(points[:, _LEFT_EYE].mean(axis=1) - points[:, _RIGHT_EYE].mean(axis=1)) * similarity).mean()
    mouth = _complex(points[:, _MOUTH] - stable.mean(axis=1, keepdims=True)) * similarity[:, None] / eyes
    mouth -= mouth.mean(axis=0)
    return np.stack([mouth.real, mouth.imag], axis=-1).reshape(len(points), SIZE).astype(np.float32) / np.float32(UNIT)


def mirrored(shapes: Floats) -> Floats:
    """`shapes` (..., SIZE) of the same mouths with left and right exchanged."""
    points = shapes.reshape(*shapes.shape[:-1], len(_MIRRORED), 2)[..., _MIRRORED, :] * np.array([-1, 1], np.float32)
    return np.asarray(points.reshape(shapes.shape), np.float32)


def _complex(points: npt.NDArray[np.floating]) -> npt.NDArray[np.complex128]:
    return np.asarray(points[..., 0] + 1j * points[..., 1], np.complex128)
