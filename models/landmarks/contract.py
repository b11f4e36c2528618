"""What a landmark detector is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32]
"""(468, 3) float32 in MediaPipe's order: x and y in pixels of the picture, z in the same unit, nearer is smaller."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceMesh:
    """The landmarks of one face; `score` 0..1 says how surely the place looked at shows one."""

    points: Points
    score: float


class LandmarkDetector(Protocol):
    """Finds the dense landmarks of a face whose place is roughly known."""

    def locate(self, image: npt.NDArray[np.uint8], region: Region) -> FaceMesh:
        """The landmarks of the face in `region` of `image` (H, W, 3) RGB; the region may reach beyond the picture."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A turned square in a picture: its centre and side in pixels, and the angle by which the face in it is turned.

    `angle_rad` is that of the line from the picture's left eye to its right one, clockwise as seen.
    """

    centre_x: float
    centre_y: float
    side_px: float
    angle_rad: float
