"""Whether it is still the same person: the cosine of two face embeddings (SFace; `models.faces.sface`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.faces.contract import Face, FaceEmbedder, RGBImage


def identity_similarity(
    embedder: FaceEmbedder, picture: RGBImage, face: Face, reference: RGBImage, reference_face: Face
) -> float:
    """The cosine of the two faces' embeddings, 1 for equal ones. ValueError where a face has no five landmarks."""
    one: npt.NDArray[np.float32] = embedder.embed(picture, face)
    other = embedder.embed(reference, reference_face)
    return float(np.dot(one, other))
