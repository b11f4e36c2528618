"""A real face to look at: the first frames of a clip of the team's shared data."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from infra.media.frames import read_frames
from models import weights
from models.faces import engines
from models.faces.contract import Face

CLIP = Path(__file__).parents[3] / ".." / "shared" / "data" / "grid" / "s1" / "bbaf2n.mp4"
NEEDED = ("facemesh", "yunet")

real = [
    pytest.mark.weights,
    pytest.mark.shared_data,
    pytest.mark.skipif(not CLIP.is_file(), reason="the team's clips of GRID are not on this machine"),
    pytest.mark.skipif(
        not all(weights.present(name) for name in NEEDED),
        reason=f"weights that are not on this machine: {', '.join(NEEDED)} (make weights)",
    ),
]


@cache
def frames() -> npt.NDArray[np.uint8]:
    """(F, 224, 224, 3) RGB."""
    return np.stack([frame for _, frame in read_frames(CLIP)])


@cache
def face(index: int = 0) -> Face:
    """Where the detector sees him in frame `index`."""
    (found,) = engines.load_detector().detect(frames()[index])
    return found
