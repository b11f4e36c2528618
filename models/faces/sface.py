"""SFace: who a face is, as 128 numbers (Zhong et al., IEEE TIP, 2021), run by onnxruntime.

Not by `cv2.FaceRecognizerSF`: OpenCV 5's graph engine does not run the 8-bit file of the OpenCV Zoo ("empty name
can only be used to set input if there is just one input"). That file still lists the full-precision
weights among its inputs although nothing reads them; onnxruntime wants them, so they are fed zeros.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models import weights
from models.faces.contract import Face, RGBImage
from models.faces.geometry import similarity

MODEL_FILE = "face_recognition_sface_2021dec_int8bq.onnx"
ALIGNED_PX = 112
ALIGNED_LANDMARKS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
"""Where the landmarks lie in the pictures that the network was trained on (ArcFace's template; Deng et al., 2019)."""


class SFaceEmbedder:
    """A `FaceEmbedder` of 128 numbers; one CPU thread, may be shared by threads."""

    same_person_cosine = 0.363
    """The cosine that OpenCV publishes for SFace, found on LFW."""

    def __init__(self, model: Path | None = None) -> None:
        """`model` is the ONNX file; by default that of the weight table. MissingWeights where it is not there."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # it warns of each input that nothing reads
        path = model or weights.locate("sface") / MODEL_FILE
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        picture, *unread = self._session.get_inputs()
        self._picture_name: str = picture.name
        self._unread = {entry.name: np.zeros(entry.shape, np.float32) for entry in unread}

    def embed(self, image: RGBImage, face: Face) -> npt.NDArray[np.float32]:
        """See `FaceEmbedder`: (128,) float32 of unit length."""
        if face.landmarks is None:
            raise ValueError("SFace needs the five landmarks of a face; this detector gives none")
        matrix = similarity(face.landmarks, ALIGNED_LANDMARKS)
        aligned = cv2.warpAffine(image, matrix, (ALIGNED_PX, ALIGNED_PX))
        picture = aligned.astype(np.float32).transpose(2, 0, 1)[None]
        (rows,) = self._session.run(None, {self._picture_name: picture, **self._unread})
        vector = rows[0].astype(np.float32)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
