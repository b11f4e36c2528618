"""How a face looks: whether a woman's or a man's, and how old, by the networks that Cydral gave to dlib-models.

They were trained on faces laid by dlib's five landmarks, which are other points than a detector gives here. Where a
detector's points lie in dlib's crop was measured once, on 92 frames of thirteen people with dlib beside it (spread of
a point: 0.03 of the crop's side at most), so that dlib itself is not needed. Gender comes out as with dlib's own
crop; ages lie within 7 years of it, and both are too young for people over forty.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models import weights
from models.faces.contract import Face, Look, RGBImage
from models.faces.engines import APPEARANCE_NAME
from models.faces.geometry import similarity

GENDER_FILE, AGE_FILE = "gender-v1.onnx", "age-v1.onnx"
_GENDER_PX, _AGE_PX = 32, 64
_FINER = 4
"""How much finer a face is first laid out: shrinking it by averaging leaves no jagged edges."""
_LAID = np.array([[0.297, 0.299], [0.703, 0.299], [0.5, 0.543], [0.314, 0.715], [0.686, 0.715]], np.float32)
"""Where the landmarks lie in the crop, in shares of its side; made even, left and right."""
_MEANS = np.array([122.782, 117.001, 104.298], np.float32)
_AGES = np.array([0.25, *range(1, 81)], np.float32)


class AgeGenderReader:
    """An `AppearanceReader`; one CPU thread, may be shared by threads."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` holds the two ONNX files; by default that of the weight table. MissingWeights where not there."""
        place = folder or weights.locate(APPEARANCE_NAME)
        self._gender, self._age = (_session(place / file) for file in (GENDER_FILE, AGE_FILE))

    def read(self, pictures: Sequence[tuple[RGBImage, Face]]) -> list[Look]:
        """See `AppearanceReader`; each face as seen and mirrored, averaged."""
        if not pictures:
            return []
        female = _both_ways(self._gender, [_crop(image, face, _GENDER_PX) for image, face in pictures])[:, 0]
        ages = _both_ways(self._age, [_crop(image, face, _AGE_PX) for image, face in pictures]) @ _AGES
        return [Look(float(one), float(age)) for one, age in zip(female, ages, strict=True)]


def _crop(image: RGBImage, face: Face, side: int) -> npt.NDArray[np.float32]:
    """(3, side, side), as the networks want it."""
    if face.landmarks is None:
        raise ValueError("a face is laid by its five landmarks; this detector gives none")
    large = side * _FINER
    laid = cv2.warpAffine(image, similarity(face.landmarks, _LAID * large), (large, large))
    small = cv2.resize(laid, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(((small - _MEANS) / 256).transpose(2, 0, 1), np.float32)


def _both_ways(session: Any, crops: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """The mean of the probabilities (N, classes) over each crop and its mirror picture."""
    batch = np.stack(crops)
    (seen,) = session.run(None, {"images": np.concatenate([batch, batch[..., ::-1]])})
    return np.asarray((seen[: len(crops)] + seen[len(crops) :]) / 2, np.float32)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
