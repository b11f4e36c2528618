"""The shape of a mouth in a few numbers, whoever speaks and however the head is turned.

A face mesh is brought to canonical coordinates by its stable points (`models.landmarks.pose`), what is left of the
mouth's points, seen from in front, is a mean plus a few principal components (an active shape model; Cootes et al.
1995). Lips weigh more than cheeks. The components have unit variance over the training speaker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.landmarks.pose import HeadPose, fit_pose
from models.landmarks.topology import (
    KEPT_MOUTH,
    KEPT_STABLE,
    LIPS_INNER,
    LIPS_MIDDLE,
    LIPS_NEAR_INNER,
    LIPS_OUTER,
    MOUTH,
)

Floats = npt.NDArray[np.float32]

INNER = np.array([MOUTH.index(point) for point in LIPS_INNER])
OUTER = np.array([MOUTH.index(point) for point in LIPS_OUTER])
"""Where the rings of the lips lie among the mouth's points: corner, upper lip, corner, lower lip."""

RINGS = tuple(
    (np.array([MOUTH.index(point) for point in ring]), follows)
    for ring, follows in ((LIPS_INNER, 1.0), (LIPS_NEAR_INNER, 1.0), (LIPS_MIDDLE, 0.9), (LIPS_OUTER, 0.75))
)
"""Each ring of the lips, and how far it follows the inner one where the lips are opened or closed."""

REST_PERCENTILE = 10
"""Frames whose inner lips are as near as in this share of a clip's frames show its mouth at rest."""

_SIDE = 9
"""Points of a lip between its corners: a ring is corner, 9 of the upper lip, corner, 9 of the lower lip backwards."""


@dataclass(frozen=True, slots=True, eq=False)
class MouthModel:
    """`canonical` (202, 3): the canonical face; `components` (K, M, 2) and `weights` (M,): the shapes of a mouth.

    `rest` (K,) is the shape of the training speaker's closed, quiet mouth. `mouth - mean = shape @ components`, `mean`
    being the person's own mean mouth while they speak. Canonical coordinates: the outer corners of
    the eyes lie one unit apart, x to the picture's right, y down, z away from the viewer.
    """

    canonical: Floats
    components: Floats
    weights: Floats
    rest: Floats

    @property
    def size(self) -> int:
        """K, the numbers in a shape."""
        return len(self.components)

    @property
    def visibility(self) -> Floats:
        """How much a deviation of each coefficient shows, (K,), 1 for the first.

        The square root of how far it moves the lips: the faint ones are told apart, but do not outvote the jaw.
        """
        moved = np.sqrt((self.components**2 * self.weights[:, None]).sum(axis=(1, 2)))
        return np.asarray(np.sqrt(moved / moved[0]), np.float32)

    @property
    def gap_of_shapes(self) -> Floats:
        """How far the inner lips open with a deviation of each coefficient, (K,)."""
        return openings(np.pad(self.components, ((0, 0), (0, 0), (0, 1))))

    def poses(self, points: Floats) -> list[HeadPose]:
        """The head's pose in each of the meshes `points` (N, 202, 3)."""
        stable = self.canonical[KEPT_STABLE]
        return [fit_pose(each[KEPT_STABLE], stable) for each in points]

    def mouths(self, points: Floats, poses: Iterable[HeadPose] | None = None) -> Floats:
        """The mouths of the meshes `points` (N, 202, 3) in canonical coordinates, (N, M, 3)."""
        poses = self.poses(points) if poses is None else poses
        seen = [pose.to_canonical(each[KEPT_MOUTH]) for each, pose in zip(points, poses, strict=True)]
        return np.array(seen, np.float32).reshape(len(points), len(MOUTH), 3)

    def shapes(self, mouths: Floats, mean: Floats) -> Floats:
        """The shapes (N, K) of `mouths` (N, M, 3) about the person's `mean` (M, 3): weighted least squares."""
        weighted = (self.components * self.weights[:, None]).reshape(self.size, -1)
        plain = self.components.reshape(self.size, -1)
        offsets = (mouths - mean)[:, :, :2].reshape(len(mouths), plain.shape[1])
        return np.asarray(np.linalg.solve(plain @ weighted.T, weighted @ offsets.T).T, np.float32)

    def offsets(self, shapes: Floats) -> Floats:
        """What `shapes` (N, K) add to a person's mean mouth: (N, M, 2) in canonical units."""
        return np.asarray(np.tensordot(shapes, self.components, 1), np.float32)


def openings(mouths: Floats) -> Floats:
    """How far the inner lips are apart, (N,), of `mouths` (N, M, 2 or more): the mean over the middle of the lips."""
    upper, lower = _lip_rows(mouths, INNER)
    middle = slice(2, _SIDE - 2)
    return np.asarray((lower - upper)[:, middle, 1].mean(axis=1), np.float32)


def outer_openings(mouths: Floats) -> Floats:
    """The same of the lips' outer rims."""
    upper, lower = _lip_rows(mouths, OUTER)
    middle = slice(2, _SIDE - 2)
    return np.asarray((lower - upper)[:, middle, 1].mean(axis=1), np.float32)


def widths(mouths: Floats) -> Floats:
    """The distance between the corners of the mouth, (N,)."""
    right, left = mouths[:, OUTER[0]], mouths[:, OUTER[_SIDE + 1]]
    return np.asarray(np.hypot(*(left - right)[:, :2].T), np.float32)


def _lip_rows(mouths: Floats, ring: npt.NDArray[np.int_]) -> tuple[Floats, Floats]:
    """The upper and the lower lip of a ring, (N, 9, ...) each, from the picture's left to its right."""
    return mouths[:, ring[1 : _SIDE + 1]], mouths[:, ring[: _SIDE + 1 : -1]]


def learn_mouth_model(faces: Iterable[Floats], size: int, lip_weight: float = 4.0) -> MouthModel:
    """The model of `size` components from meshes of faces: each of `faces` is one clip's (N, 202, 3).

    Every clip is taken about its own mean, so that what differs between people and sittings is no part of a shape.
    """
    clips = list(faces)
    canonical = _canonical(np.concatenate(clips)[::5])
    weights = np.ones(len(MOUTH), np.float32)
    weights[:80] = lip_weight  # the four rings of the lips come first
    none = np.zeros(0, np.float32)
    model = MouthModel(
        canonical=canonical, components=np.zeros((0, len(MOUTH), 2), np.float32), weights=weights, rest=none
    )
    offsets, resting = [], []
    for clip in clips:
        mouths = model.mouths(clip)
        gaps = openings(mouths)
        offset = (mouths - mouths.mean(axis=0))[:, :, :2]
        offsets.append(offset)
        resting.append(offset[gaps <= np.percentile(gaps, REST_PERCENTILE)])
    flat = np.concatenate(offsets) * np.sqrt(weights)[:, None]
    flat = flat.reshape(len(flat), -1).astype(np.float64)
    values, vectors = np.linalg.eigh(flat.T @ flat / len(flat))
    order = np.argsort(values)[::-1][:size]
    components = (vectors[:, order] * np.sqrt(values[order])).T.reshape(size, len(MOUTH), 2)
    components = components / np.sqrt(weights)[:, None]
    learned = MouthModel(
        canonical=canonical, components=components.astype(np.float32), weights=weights, rest=np.zeros(size, np.float32)
    )
    quiet = np.median(np.concatenate(resting), axis=0)
    rest = learned.shapes(np.pad(quiet, ((0, 0), (0, 1)))[None], np.zeros((len(MOUTH), 3), np.float32))[0]
    return dataclasses.replace(learned, rest=rest)


def _canonical(points: Floats) -> Floats:
    """The mean face of `points` (N, 202, 3), looking into the camera, the outer corners of the eyes one unit apart."""
    from models.landmarks.topology import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, kept

    mean = points[0].astype(np.float64)
    for _ in range(3):
        stable = np.asarray(mean[KEPT_STABLE], np.float32)
        mean = np.mean([fit_pose(each[KEPT_STABLE], stable).to_canonical(each) for each in points], axis=0)
    right, left = mean[kept(RIGHT_EYE_OUTER)], mean[kept(LEFT_EYE_OUTER)]
    across = (left - right) / np.linalg.norm(left - right)
    up = mean[KEPT_STABLE].mean(axis=0) - mean[KEPT_MOUTH].mean(axis=0)
    up -= (up @ across) * across
    up /= np.linalg.norm(up)
    axes = np.stack([across, -up, np.cross(across, -up)])
    turned = (mean - (right + left) / 2) @ axes.T / np.linalg.norm(left - right)
    return np.asarray(turned, np.float32)
