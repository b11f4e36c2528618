"""What a translator is, and what must stand in its translations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from manifests.records import Hypothesis


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What `sentence[start:end]` must become: one of `forms`, letter by letter, the preferred one first.

    Only the first letter of a sentence may be a capital instead. Code, names and what else is kept have the sentence's
    own text as their form.
    """

    start: int
    end: int
    forms: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end or not self.forms or not all(self.forms):
            raise ValueError(f"a constraint has a place and forms, not {self}")


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


@runtime_checkable
class Steerable(Protocol):
    """A translator that can be led: it goes on from a given beginning, and tells how likely a given text is."""

    def go_on(self, beginnings: Sequence[tuple[str, str]], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        """For each (sentence, beginning of its translation) whole translations that begin so, best first."""
        ...

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """For each (sentence, translation) what `Hypothesis.score` would be."""
        ...
