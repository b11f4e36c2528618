"""The articulator that ships with redub, and its revision."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from models import weights
from models.articulation.contract import Articulator
from models.articulation.features import WEIGHTS
from models.articulation.shapes import MouthModel
from models.once import once

__all__ = ["CHECKPOINT", "WEIGHTS", "load", "mouth_model", "revision"]

CHECKPOINT = Path(__file__).parents[1] / "checkpoints" / "articulation.safetensors"


@cache
def revision() -> str:
    """Of everything that a mouth's shapes depend on: the shipped network, and Whisper under it."""
    shipped = hashlib.sha256(CHECKPOINT.read_bytes()).hexdigest()[:16]
    return f"{shipped}-{weights.revision(WEIGHTS)}"


@once
def mouth_model() -> MouthModel:
    """What the shapes mean, without the network: for work that hears nothing."""
    from models.articulation.articulator import read

    return read(CHECKPOINT)[1]


@once
def load() -> Articulator:
    """Loaded once a process. MissingWeights where whisper-base is not on this machine."""
    from models.articulation.articulator import TrainedArticulator, read
    from models.articulation.features import load_features

    network, mouth = read(CHECKPOINT)
    return TrainedArticulator(network, mouth, load_features())
