"""Encoders of speakers by name."""

from __future__ import annotations

from models.once import once
from models.voiceprint.contract import SpeakerEncoder

NAME = "ge2e"
"""The row of the table of weights."""


@once
def load() -> SpeakerEncoder:
    """The GE2E encoder, loaded once a process. MissingWeights where its weights are not on this machine.

    It may be shared by threads: it holds nothing but weights.
    """
    from models.voiceprint.ge2e import GE2E

    return GE2E()
