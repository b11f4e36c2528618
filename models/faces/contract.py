"""What face detectors and face embedders are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

RGBImage = npt.NDArray[np.uint8]
"""(height, width, 3), RGB, 0..255."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in one picture, in its pixels.

    `box` (4,) float32 x, y, width, height; `landmarks` (5, 2) float32: right eye, left eye, nose tip, right and left
    corner of the mouth (the person's right), None where the detector gives none; `score` 0..1.
    """

    box: npt.NDArray[np.float32]
    score: float
    landmarks: npt.NDArray[np.float32] | None


class FaceDetector(Protocol):
    """Finds faces in a picture."""

    def detect(self, image: RGBImage) -> list[Face]:
        """The faces of `image`, largest first, clipped to it; an empty list where there is none."""
        ...


class FaceEmbedder(Protocol):
    """Tells people apart."""

    def embed(self, image: RGBImage, face: Face) -> npt.NDArray[np.float32]:
        """A unit-length identity vector; ValueError where `face` has no landmarks. Same person: cosine near 1."""
        ...

    same_person_cosine: float
    """The cosine from which two vectors are taken to be one person."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture of a face says: `female` is a probability 0..1, `age_years` the expected age."""

    female: float
    age_years: float


class AppearanceReader(Protocol):
    """Guesses gender and age from looks."""

    def read(self, pictures: Sequence[tuple[RGBImage, Face]]) -> list[Look]:
        """How each face looks in its picture. ValueError where one has no landmarks."""
        ...
