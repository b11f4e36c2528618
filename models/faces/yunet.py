"""YuNet: a small face detector with five landmarks (Wu et al., Machine Intelligence Research, 2023), run by OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models import weights
from models.faces.contract import Face, RGBImage
from models.faces.geometry import clipped, fitted_size, largest_first

MODEL_FILE = "face_detection_yunet_2023mar.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class YuNetSettings:
    """`working_px` is the longest side of the picture that the network sees, larger ones are scaled down to it.

    `min_score` 0..1 is the least score of a face; `overlap` the intersection over union from which two boxes are one.
    """

    working_px: int = 640
    min_score: float = 0.7
    overlap: float = 0.3


class YuNetDetector:
    """A `FaceDetector`. Not safe to share between threads, as OpenCV's detector keeps the picture size as state."""

    def __init__(self, model: Path | None = None, settings: YuNetSettings | None = None) -> None:
        """`model` is the ONNX file; by default that of the weight table. MissingWeights where it is not there."""
        self._settings = settings or YuNetSettings()
        path = model or weights.locate("yunet") / MODEL_FILE
        with _quiet_opencv():
            self._network = cv2.FaceDetectorYN.create(
                str(path), "", (320, 320), self._settings.min_score, self._settings.overlap, 500
            )

    def detect(self, image: RGBImage) -> list[Face]:
        """See `FaceDetector`; every face has landmarks."""
        height, width = image.shape[:2]
        size = fitted_size((width, height), self._settings.working_px)
        if size != (width, height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        if tuple(self._network.getInputSize()) != size:
            with _quiet_opencv():
                self._network.setInputSize(size)
        _, rows = self._network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        scale = np.array([width / size[0], height / size[1]], np.float32)
        faces = [
            Face(
                box=(row[:4].reshape(2, 2) * scale).reshape(4).astype(np.float32),
                score=float(np.clip(row[14], 0, 1)),
                landmarks=(row[4:14].reshape(5, 2) * scale).astype(np.float32),
            )
            for row in ([] if rows is None else rows)
        ]
        return largest_first(clipped(faces, width=width, height=height))


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Silence OpenCV 5's warning, at every change of size, that its new graph engine cannot choose a target."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
