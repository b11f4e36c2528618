"""Voice activity detectors by name."""

from __future__ import annotations

from manifests.errors import BadInput
from models.once import once
from models.vad.contract import VoiceActivityDetector

NAMES = ("silero",)


@once
def load(name: str = "silero") -> VoiceActivityDetector:
    """The detector called `name`, loaded once per process; BadInput for a name not in `NAMES`.

    It may be shared by threads: the state of a call lives in the call.
    """
    if name == "silero":
        from models.vad.silero import SileroVAD

        return SileroVAD()
    raise BadInput(f"no voice activity detector is called {name!r}.", where="vad", remedy=f"Use one of {NAMES}.")
