"""What an encoder of speakers is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Hz of everything in this folder."""

Floats = npt.NDArray[np.float32]


class SpeakerEncoder(Protocol):
    """Tells voices apart."""

    def embed(self, speech: Floats) -> Floats:
        """The voice print of `speech` (n,), mono at `SAMPLE_RATE` without its pauses, as a vector of unit length.

        One voice: cosine near 1, whatever is said and however loud. Of less than a second and a half it tells little.
        The same samples give the same print. ValueError for silence, or nothing at all.
        """
        ...

    same_speaker_cosine: float
    """The mean cosine from which two sets of prints are taken to be of one voice."""
