"""What a voice activity detector is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from manifests.time import Span

SAMPLE_RATE = 16_000


class VoiceActivityDetector(Protocol):
    """Finds where somebody speaks."""

    def speech(self, blocks: Iterable[npt.NDArray[np.float32]]) -> list[Span]:
        """Disjoint spans of speech, ascending, on the clock that starts with the first sample.

        `blocks` are consecutive stretches of a mono waveform of `SAMPLE_RATE` Hz in -1..1, of any length each; they are
        streamed, so memory does not grow with the lecture.
        """
        ...
