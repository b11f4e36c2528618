"""What a transcriber is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from manifests.time import Span

SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWord:
    """A word as recognised: `text` with its punctuation and without white space, confidence 0..1."""

    text: str
    span: Span
    confidence: float


class Transcriber(Protocol):
    """Turns speech into words with times."""

    languages: frozenset[str] | None
    """ISO 639-1 codes that it hears; None where it does not know (any)."""

    punctuates: bool
    """Whether words carry punctuation and capitals."""

    def transcribe(self, waveform: npt.NDArray[np.float32], language: str) -> list[HeardWord]:
        """The words of `waveform` (mono, `SAMPLE_RATE` Hz, -1..1) in order, on the clock that starts with it.

        Spans do not overlap and lie within the waveform. Silence gives an empty list, never an invented sentence.
        """
        ...


class LanguageIdentifier(Protocol):
    """Tells which language is spoken."""

    def language_probabilities(self, waveform: npt.NDArray[np.float32]) -> dict[str, float]:
        """ISO 639-1 code -> probability, for a mono waveform of `SAMPLE_RATE` Hz (the first 30 s count)."""
        ...
