"""What a speaker (a speech synthesizer) is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Gender(Enum):
    """How a voice is heard."""

    FEMALE = "female"
    MALE = "male"


class AgeBand(Enum):
    """How old a voice is heard to be."""

    CHILD = "child"
    ADULT = "adult"
    SENIOR = "senior"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A row of the voice table. `id` is unique in it, `name` is what the engine calls the voice."""

    id: str
    language: str
    gender: Gender
    age: AgeBand
    engine: str
    name: str
    sample_rate: int
    note: str = ""


class Speaker(Protocol):
    """Speaks text."""

    def speak(self, text: str, voice: Voice) -> npt.NDArray[np.float32]:
        """`text` (normalised: no digits, no abbreviations) as a mono waveform of `voice.sample_rate` Hz in -1..1.

        At the voice's natural rate, with at most 50 ms of silence before and after. The same call gives the same
        samples, whatever was spoken before. Text with nothing to say gives an empty waveform.
        """
        ...
