"""What runs pieces of work: here, one after the other in this process; in `flows`, as Prefect tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from infra.store import Store
from manifests.time import Span
from tasks import isolation
from tasks.isolation import Failed, Outcome
from tasks.journal import Journal
from tasks.stage import Stage

In = TypeVar("In")
Out = TypeVar("Out")
OutCo = TypeVar("OutCo", covariant=True)


class Pending(Protocol[OutCo]):
    """Work that was handed over; `values()` waits for it."""

    def values(self) -> Sequence[OutCo]:
        """What each piece came to, in the order in which they were handed over. Raises what a piece raised."""
        ...

    def failures(self) -> Mapping[int, str]:
        """Which pieces came to nothing, by their place, and why; waits too. `values()` has what is instead."""
        ...


class Pool(Protocol):
    """Runs pieces of work of one stage, each with the span of the lecture that it is about."""

    @property
    def journal(self) -> Journal:
        """What was done so far."""
        ...

    def submit(
        self,
        stage: Stage[In, Out],
        work: Sequence[In],
        spans: Sequence[Span],
        *,
        language: str | None = None,
        instead: Callable[[In], Out] | None = None,
    ) -> Pending[Out]:
        """Hand over `work`; may return before it is done. `spans` (one each) and `language` are for the journal.

        `instead` gives what stands for a piece that always fails (`tasks.isolation`); without it, its error is raised.
        """
        ...


@dataclass(frozen=True, slots=True)
class Finished(Generic[Out]):
    """Work that is done already."""

    done: Sequence[Out]
    lost: Mapping[int, str] = field(default_factory=dict)

    def values(self) -> Sequence[Out]:
        """What each piece came to."""
        return self.done

    def failures(self) -> Mapping[int, str]:
        """Which pieces came to nothing."""
        return self.lost


@dataclass(frozen=True, slots=True)
class InProcessPool:
    """Runs each piece at once, in this process and thread: a whole lecture from a plain Python shell."""

    store: Store
    journal: Journal

    def submit(
        self,
        stage: Stage[In, Out],
        work: Sequence[In],
        spans: Sequence[Span],
        *,
        language: str | None = None,
        instead: Callable[[In], Out] | None = None,
    ) -> Finished[Out]:
        """Do `work` now."""
        outcomes = perform_all(stage, work, spans, self.store, self.journal, language, isolating=instead is not None)
        return Finished(isolation.settled(stage, work, outcomes, instead), isolation.failures(outcomes))


def perform_all(
    stage: Stage[In, Out],
    work: Sequence[In],
    spans: Sequence[Span],
    store: Store,
    journal: Journal,
    language: str | None,
    *,
    isolating: bool = False,
) -> list[Outcome[Out]]:
    """Perform each piece in turn and tell `journal` of each. Where it is `isolating`, a piece may come to nothing."""
    outcomes: list[Outcome[Out]] = []
    journal.began(stage.name, len(work), language)
    for piece, span in zip(work, spans, strict=True):
        keyed = stage.keyed(piece)
        each = isolation.attempt(stage, keyed, store) if isolating else stage.finish(keyed, store)
        tell(journal, stage.name, span, language, each)
        outcomes.append(each)
    return outcomes


def tell(journal: Journal, stage: str, span: Span, language: str | None, outcome: Outcome[Out]) -> None:
    """Tell `journal` of a piece that is done, or came to nothing."""
    hit, failure = (False, outcome.reason) if isinstance(outcome, Failed) else (outcome.hit, "")
    journal.performed(stage, span, language, outcome.key, hit=hit, seconds=outcome.seconds, failure=failure)
