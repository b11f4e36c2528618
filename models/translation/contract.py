"""What a translator is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from manifests.records import Hypothesis


class Translator(Protocol):
    """Translates sentences of one language into another."""

    source: str
    target: str
    experimental: bool
    """Whether its output must be called a trial in reports."""

    def translate(self, sentences: Sequence[str], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        """For each sentence its candidates, best first: at least one, at most `candidates`, no text twice.

        An empty or blank sentence gives one empty hypothesis. The same call gives the same answer.
        """
        ...
