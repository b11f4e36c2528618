"""What a speaker (a speech synthesizer) is."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    note: str = field(default="", metadata={"key": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pronunciation:
    """How `term` is said: `spoken` is a respelling ("laplass"), or IPA between slashes ("/laplas/")."""

    term: str
    spoken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """A text as it is to be said (see `engines.spoken`), and how. `rate` above 1 is faster than the voice's own."""

    text: str
    voice: Voice
    rate: float = 1.0


class Speaker(Protocol):
    """Speaks text."""

    def speak(self, text: str, voice: Voice, *, rate: float = 1.0) -> npt.NDArray[np.float32]:
        """`text` (as `engines.spoken` gives it) as a mono waveform of `voice.sample_rate` Hz in -1..1.

        At `rate` times the voice's natural rate, its pitch kept, with at most 50 ms of silence before and after. Within
        0.85..1.3 the speech lasts what it lasts at rate 1, over `rate`, to within `RATE_TOLERANCE`: engines round each
        sound to their frame (25 ms in Kokoro), so what must fit exactly is stretched by the rest. The same call gives
        the same samples, whatever was spoken before. Text with nothing to say gives an empty waveform.

        IPA stands in double brackets, for an engine that takes it (`engines.takes_ipa`): "as [[laplas]] found".
        """
        ...


RATE_TOLERANCE = 0.12
"""By how much of itself a duration may miss natural / rate. Measured: up to 0.10 in Kokoro, 0.11 in Piper."""
