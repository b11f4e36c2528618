"""MediaPipe's face landmark network (Kartynnik et al. 2019, Apache-2.0), run by LiteRT."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from models import weights
from models.landmarks.contract import FaceMesh, Region
from models.landmarks.topology import COUNT

MODEL_FILE = "face_landmark.tflite"
INPUT_PX = 192

_CHATTER = b"Created TensorFlow Lite XNNPACK delegate"
_standard_error = Lock()


class MediaPipeMesh:
    """A `LandmarkDetector`. One thread at a time: the interpreter's buffers are its state."""

    def __init__(self, model: Path | None = None, *, threads: int = 1) -> None:
        """`model` is the TFLite file; by default that of the weight table. MissingWeights where it is not there."""
        from ai_edge_litert.interpreter import Interpreter

        path = model or weights.locate("facemesh") / MODEL_FILE
        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        with _quiet():
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        by_size = {math.prod(each["shape"]): each["index"] for each in self._interpreter.get_output_details()}
        self._mesh, self._score = by_size[3 * COUNT], by_size[1]

    def locate(self, image: npt.NDArray[np.uint8], region: Region) -> FaceMesh:
        """See `LandmarkDetector`."""
        to_picture = _to_picture(region)
        crop = cv2.warpAffine(
            _reduced(image, region.side_px),
            _scaled(to_picture, _reduction(region.side_px)),
            (INPUT_PX, INPUT_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        self._interpreter.set_tensor(self._input, (crop.astype(np.float32) / 255)[None])
        self._interpreter.invoke()
        raw = self._interpreter.get_tensor(self._mesh).reshape(COUNT, 3)
        logit = float(self._interpreter.get_tensor(self._score).reshape(-1)[0])
        points = np.empty((COUNT, 3), np.float32)
        points[:, :2] = raw[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        points[:, 2] = raw[:, 2] * (region.side_px / INPUT_PX)
        return FaceMesh(points=points, score=1 / (1 + math.exp(-min(max(logit, -60.0), 60.0))))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep one line of LiteRT's from standard error: C++ writes it, and no setting of LiteRT 2.3 in Python stops it."""
    with _standard_error, TemporaryFile() as written:
        standard_error = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
            written.seek(0)
            for line in written:
                if _CHATTER not in line:
                    os.write(2, line)


def _reduction(side_px: float) -> int:
    """By how much the picture is averaged down before the crop, so that a large face does not alias."""
    return max(1, int(side_px / INPUT_PX))


def _reduced(image: npt.NDArray[np.uint8], side_px: float) -> npt.NDArray[np.uint8]:
    factor = _reduction(side_px)
    if factor == 1:
        return image
    size = (max(1, image.shape[1] // factor), max(1, image.shape[0] // factor))
    cut = image[: size[1] * factor, : size[0] * factor]
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)


def _to_picture(region: Region) -> npt.NDArray[np.float64]:
    """The (2, 3) matrix from the crop's coordinates, 0..192, to the picture's, with no half-pixel offset."""
    scale = region.side_px / INPUT_PX
    cosine, sine = scale * math.cos(region.angle_rad), scale * math.sin(region.angle_rad)
    half = INPUT_PX / 2
    return np.array(
        [
            [cosine, -sine, region.centre_x - half * (cosine - sine)],
            [sine, cosine, region.centre_y - half * (sine + cosine)],
        ]
    )


def _scaled(to_picture: npt.NDArray[np.float64], reduction: int) -> npt.NDArray[np.float64]:
    """The same matrix between centres of pixels, as OpenCV reads it, for a picture that was averaged down."""
    matrix = to_picture / reduction
    matrix[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return matrix
