"""The few best pictures of a face, kept small, from which its identity is averaged."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from manifests.time import FLICKS_PER_SECOND, Flicks
from models.faces.contract import Face, FaceEmbedder, RGBImage
from models.faces.geometry import clipped, fitted_size

EMBEDDING_SIZE = 128
PORTRAIT_PX = 224
"""Longest side of a kept picture: the face in it is about as large as the embedder wants it."""

_MARGIN = 0.3
_APART: Flicks = FLICKS_PER_SECOND
_GOOD_HEIGHT_PX = 112.0


@dataclass(frozen=True, slots=True, eq=False)
class _Portrait:
    time: Flicks
    quality: float
    image: RGBImage
    face: Face


class Portraits:
    """At most `count` pictures of one face, the best ones, about a second apart so that they differ."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: list[_Portrait] = []

    def offer(self, time: Flicks, image: RGBImage, face: Face) -> None:
        """Keep a small copy of `face` where it is better than one that is kept, or where there is room."""
        if face.landmarks is None or self._count == 0:
            return
        rival = self._rival(time)
        quality = portrait_quality(image, face)
        if rival is not None and quality <= rival.quality:
            return
        if rival is not None:
            self._kept.remove(rival)
        self._kept.append(_cropped(time, quality, image, face))

    def _rival(self, time: Flicks) -> _Portrait | None:
        near = [kept for kept in self._kept if abs(kept.time - time) < _APART]
        if near:
            return min(near, key=lambda kept: kept.quality)
        return min(self._kept, key=lambda kept: kept.quality) if len(self._kept) == self._count else None

    def embedding(self, embedder: FaceEmbedder) -> npt.NDArray[np.float32]:
        """The mean identity of the pictures kept, of unit length; 128 zeros where there is none."""
        if not self._kept:
            return np.zeros(EMBEDDING_SIZE, np.float32)
        mean = np.mean([embedder.embed(kept.image, kept.face) for kept in self._kept], axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def portrait_quality(image: RGBImage, face: Face) -> float:
    """How well `face` can be told from others, 0..1: large, frontal, well lit, surely a face. 0 without landmarks.

    Frontal: the nose lies midway between the eyes, as seen along the line of the eyes. Lit: the mean brightness of
    the face lies well within 0..255.
    """
    if face.landmarks is None:
        return 0.0
    right_eye, left_eye, nose = face.landmarks[:3].astype(np.float64)
    eyes = left_eye - right_eye
    along = float((nose - right_eye) @ eyes) / max(float(eyes @ eyes), 1e-9)
    frontal = max(0.0, 1 - 2 * abs(along - 0.5))
    size = min(1.0, float(face.box[3]) / _GOOD_HEIGHT_PX)
    x, y, width, height = (round(float(value)) for value in face.box)
    patch = image[max(y, 0) : y + height : 4, max(x, 0) : x + width : 4]
    brightness = float(patch.mean()) / 255 if patch.size else 0.0
    lit = min(1.0, 5 * brightness, 5 * (1 - brightness))
    return size * (0.2 + 0.8 * frontal) * max(lit, 0.0) * face.score


def _cropped(time: Flicks, quality: float, image: RGBImage, face: Face) -> _Portrait:
    """The face with some margin, scaled down and copied, so that the whole frame can be let go."""
    height, width = image.shape[:2]
    margin = _MARGIN * face.box[2:]
    wide = Face(
        box=np.concatenate([face.box[:2] - margin, face.box[2:] + 2 * margin]), score=face.score, landmarks=None
    )
    (inside,) = clipped([wide], width=width, height=height)
    x, y = np.floor(inside.box[:2]).astype(int)
    right, bottom = np.ceil(inside.box[:2] + inside.box[2:]).astype(int)
    crop = image[y:bottom, x:right]
    size = fitted_size((crop.shape[1], crop.shape[0]), PORTRAIT_PX)
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    scale = np.array([size[0] / crop.shape[1], size[1] / crop.shape[0]], np.float32)
    corner = np.array([x, y], np.float32)
    assert face.landmarks is not None  # noqa: S101 - offered faces have them
    box = np.concatenate([(face.box[:2] - corner) * scale, face.box[2:] * scale]).astype(np.float32)
    return _Portrait(time, quality, small, Face(box=box, score=face.score, landmarks=(face.landmarks - corner) * scale))
