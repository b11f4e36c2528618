"""S3FD as a `FaceDetector`: the detector that Wav2Lip's authors used, slow on a CPU and without landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import cv2
import numpy as np
import torch
from torch import nn

from manifests.errors import BadInput
from models import weights
from models.faces.contract import Face, RGBImage
from models.faces.geometry import clipped, fitted_size, largest_first
from models.s3fd.decode import decode_boxes, preprocess
from models.s3fd.network import S3FD

MODEL_FILE = "s3fd.pth"

_LEAST_PX = 64
"""Sides shorter than this are padded: five poolings leave nothing of less than 32 pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3FDSettings:
    """`working_px` is the longest side of the picture that the network sees; `min_score` 0..1 the least score."""

    working_px: int = 640
    min_score: float = 0.5


class S3FDDetector:
    """A `FaceDetector` over any network of S3FD's shape; `load` takes the official checkpoint."""

    def __init__(self, network: nn.Module, settings: S3FDSettings | None = None, *, device: str = "cpu") -> None:
        self._network = network.eval().to(device)
        self._settings = settings or S3FDSettings()
        self._device = device

    def detect(self, image: RGBImage) -> list[Face]:
        """See `FaceDetector`; no face has landmarks."""
        height, width = image.shape[:2]
        size = fitted_size((width, height), self._settings.working_px)
        if size != (width, height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        missing = [max(0, _LEAST_PX - side) for side in image.shape[:2]]
        image = np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        with torch.inference_mode():
            outputs = self._network(preprocess(image).to(self._device))
        rows = decode_boxes(outputs, self._settings.min_score)
        corners = rows[:, :4].reshape(-1, 2, 2) * np.array([width / size[0], height / size[1]], np.float32)
        faces = [
            Face(
                box=np.concatenate([start, end - start]).astype(np.float32),
                score=float(np.clip(score, 0, 1)),
                landmarks=None,
            )
            for (start, end), score in zip(corners, rows[:, 4], strict=True)
        ]
        return largest_first(clipped(faces, width=width, height=height))


def load(path: Path | None = None, settings: S3FDSettings | None = None, *, device: str = "cpu") -> S3FDDetector:
    """S3FD with the official checkpoint at `path`, by default that of the weight table.

    MissingWeights where there is none, BadInput where the file is no S3FD checkpoint.
    """
    source = path or weights.locate("s3fd") / MODEL_FILE
    network = S3FD()
    try:
        network.load_state_dict(torch.load(source, map_location="cpu", weights_only=True))
    except (RuntimeError, TypeError, UnpicklingError, EOFError) as error:
        first_line = str(error).partition("\n")[0]
        raise BadInput(
            f"this is no S3FD checkpoint ({first_line}).", where=str(source), remedy="Give s3fd-619a316812.pth."
        ) from error
    return S3FDDetector(network, settings, device=device)
