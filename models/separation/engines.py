"""Separators by name."""

from __future__ import annotations

from models.once import once
from models.separation.contract import Separator

NAME = "spleeter"
"""The row of the table of weights."""


@once
def load() -> Separator:
    """Spleeter's two stems, loaded once a process. MissingWeights where its weights are not on this machine.

    It may be shared by threads: it holds nothing but weights.
    """
    from models.separation.spleeter import Spleeter

    return Spleeter()
