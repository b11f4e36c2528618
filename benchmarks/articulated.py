"""The opening of a mouth, as it is seen in a clip and as the articulation network hears it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.articulation import engines
from models.articulation.shapes import openings
from tasks.articulation_training import see_face


def mouths_seen(clip: Path) -> npt.NDArray[np.float32]:
    """The mouths (F, M, 3) in canonical coordinates in the frames of `clip` that show a face."""
    return engines.mouth_model().mouths(see_face(clip)[0])


def opening_seen(clip: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """The distance between the inner lips (F,) in the frames of `clip`, and their times (F,) in seconds."""
    points, times_s = see_face(clip)
    return openings(engines.mouth_model().mouths(points)), times_s


def opening_heard(waveform: npt.NDArray[np.float32], times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The same (F,), but for a constant, as it is heard in `waveform` (16 kHz) at `times_s`."""
    articulator = engines.load()
    return np.asarray(articulator.listen(waveform, times_s).shapes @ articulator.mouth.gap_of_shapes, np.float32)
