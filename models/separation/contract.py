"""What a separator is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 44_100

Sound: TypeAlias = npt.NDArray[np.float32]
"""(channels, n) float32, one or two channels, within -1 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Stems:
    """Voice and background of a sound, each of its shape; they sum to it."""

    voice: Sound
    background: Sound


class Separator(Protocol):
    """Takes speech apart from everything else that is heard."""

    def separate(self, sound: Sound) -> Stems:
        """Voice and background of `sound` at `SAMPLE_RATE` Hz; the same samples give the same stems.

        Any length, 0 included. Memory grows with the sound, so give a chunk at a time. ValueError for another shape.
        """
        ...
