"""Face detectors and the face embedder by name."""

from __future__ import annotations

from threading import local

from manifests.errors import BadInput
from models.faces.contract import AppearanceReader, FaceDetector, FaceEmbedder
from models.once import once

DETECTOR_NAMES = ("yunet", "s3fd")
EMBEDDER_NAME = "sface"
APPEARANCE_NAME = "age-gender"

_of_this_thread = local()


def load_detector(name: str = "yunet", *, device: str = "cpu") -> FaceDetector:
    """The detector called `name`, loaded once a thread, as OpenCV's may not be shared. `device` is for "s3fd" alone.

    BadInput for a name not in `DETECTOR_NAMES`; MissingWeights where its weights are not on this machine.
    """
    loaded: dict[tuple[str, str], FaceDetector] = _of_this_thread.__dict__.setdefault("detectors", {})
    if (name, device) not in loaded:
        loaded[name, device] = _new_detector(name, device)
    return loaded[name, device]


def _new_detector(name: str, device: str) -> FaceDetector:
    if name == "yunet":
        from models.faces.yunet import YuNetDetector

        return YuNetDetector()
    if name == "s3fd":
        from models.faces import s3fd

        return s3fd.load(device=device)
    raise BadInput(f"no face detector is called {name!r}.", where="faces", remedy=f"Use one of {DETECTOR_NAMES}.")


def weights_of(detector: str) -> tuple[str, ...]:
    """The names of the weights that following faces takes: the detector's and the embedder's."""
    return (detector, EMBEDDER_NAME)


@once
def load_embedder() -> FaceEmbedder:
    """SFace, loaded once per process; MissingWeights where its weights are not on this machine."""
    from models.faces.sface import SFaceEmbedder

    return SFaceEmbedder()


def same_person_cosine() -> float:
    """The cosine from which two faces that `load_embedder`'s network saw are one person; nothing is loaded for that."""
    from models.faces.sface import SFaceEmbedder

    return SFaceEmbedder.same_person_cosine


@once
def load_appearance() -> AppearanceReader:
    """What reads gender and age off a face, loaded once per process; MissingWeights where its weights are not here."""
    from models.faces.appearance import AgeGenderReader

    return AgeGenderReader()
