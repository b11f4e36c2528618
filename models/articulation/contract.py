"""What an articulator is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.articulation.shapes import MouthModel

SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True, eq=False)
class Articulation:
    """What mouths do, whoever's they are.

    `shapes` (T, K) in deviations about the mean of a speaker; `closed` (T,), 0..1, how surely the lips touch.
    """

    shapes: npt.NDArray[np.float32]
    closed: npt.NDArray[np.float32]


class Articulator(Protocol):
    """Hears how a mouth moves."""

    mouth: MouthModel
    """What the shapes mean."""

    def listen(self, waveform: npt.NDArray[np.float32], times_s: npt.NDArray[np.float64]) -> Articulation:
        """The mouth at `times_s` (T,) seconds after the start of `waveform` (mono, `SAMPLE_RATE` Hz, -1..1).

        Times beyond the sound see the nearest of it. Any rate of frames, constant or not. Deterministic.
        """
        ...
