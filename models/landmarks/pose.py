"""A head's pose, read from the points that speech does not move, and a mouth's shape as seen from in front.

The pose is the similarity (Umeyama, 1991) that brings the canonical face onto the mesh: `points = scale * (canonical @
rotation.T) + shift`. Mouths are compared in canonical coordinates, where the eyes lie one unit apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class HeadPose:
    """`rotation` (3, 3), `scale` in pixels per unit, `shift` (3,) in pixels."""

    rotation: npt.NDArray[np.float64]
    scale: float
    shift: npt.NDArray[np.float64]

    def to_canonical(self, points: Floats) -> Floats:
        """`points` (N, 3) of the picture in canonical coordinates."""
        return np.asarray((points - self.shift) @ self.rotation / self.scale, np.float32)

    def to_picture(self, canonical: Floats) -> Floats:
        """The inverse."""
        return np.asarray(self.scale * (canonical @ self.rotation.T) + self.shift, np.float32)

    @property
    def angles_rad(self) -> Floats:
        """Yaw, pitch and roll, (3,) float32; 0 for a face that looks into the camera."""
        r = self.rotation
        yaw = np.arctan2(-r[2, 0], np.hypot(r[0, 0], r[1, 0]))
        return np.array([yaw, np.arctan2(r[2, 1], r[2, 2]), np.arctan2(r[1, 0], r[0, 0])], np.float32)


def fit_pose(stable: Floats, canonical: Floats) -> HeadPose:
    """The pose of a face whose stable points are `stable` (N, 3), `canonical` (N, 3) being the canonical face's."""
    centre, wanted = canonical.mean(axis=0, dtype=np.float64), stable.mean(axis=0, dtype=np.float64)
    a, b = canonical - centre, stable - wanted
    u, spread, vt = np.linalg.svd(b.T @ a)
    mirror = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * mirror) @ vt
    scale = float((spread * mirror).sum() / max(float((a * a).sum()), 1e-12))
    return HeadPose(rotation=rotation, scale=scale, shift=wanted - scale * rotation @ centre)
