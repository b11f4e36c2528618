"""Following one face's landmarks through consecutive frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.landmarks.contract import FaceMesh, LandmarkDetector, Region
from models.landmarks.regions import region_of_box, region_of_points

LEAST_SCORE = 0.5
"""Below it the place looked at is taken to show no face."""


class MeshFollower:
    """Looks where the mesh was in the frame before, and again from the detector's box where that fails."""

    def __init__(self, detector: LandmarkDetector) -> None:
        self._detector = detector
        self._region: Region | None = None

    def follow(
        self, image: npt.NDArray[np.uint8], box: npt.NDArray[np.float32], landmarks: npt.NDArray[np.float32] | None
    ) -> FaceMesh:
        """The mesh in the next frame, where a detector or tracker sees the face in `box` (4,) x, y, width, height."""
        if self._region is not None and _holds(self._region, box):
            mesh = self._detector.locate(image, self._region)
            if mesh.score >= LEAST_SCORE:
                self._region = region_of_points(mesh.points)
                return mesh
        # A detector's box frames a face less exactly than its mesh does: look twice.
        rough = self._detector.locate(image, region_of_box(box, landmarks))
        if rough.score < LEAST_SCORE:
            self._region = None
            return rough
        mesh = self._detector.locate(image, region_of_points(rough.points))
        self._region = region_of_points(mesh.points)
        return mesh


def _holds(region: Region, box: npt.NDArray[np.float32]) -> bool:
    """Whether the region is still about the box: its centre within half the box's size of the box's own."""
    x, y, width, height = (float(value) for value in box)
    near = abs(region.centre_x - x - width / 2) < width / 2 and abs(region.centre_y - y - height / 2) < height / 2
    return near and 0.5 < region.side_px / (1.5 * max(width, height)) < 2.0
