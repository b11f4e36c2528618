"""What runs pieces of work: here, one after the other in this process; in `flows`, as Prefect tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from infra.store import Store
from manifests.time import Span
from tasks.journal import Journal
from tasks.stage import Done, Stage

In = TypeVar("In")
Out = TypeVar("Out")
OutCo = TypeVar("OutCo", covariant=True)


class Pending(Protocol[OutCo]):
    """Work that was handed over; `values()` waits for it."""

    def values(self) -> Sequence[OutCo]:
        """What each piece came to, in the order in which they were handed over. Raises what a piece raised."""
        ...


class Pool(Protocol):
    """Runs pieces of work of one stage, each with the span of the lecture that it is about."""

    def submit(
        self, stage: Stage[In, Out], work: Sequence[In], spans: Sequence[Span], *, language: str | None = None
    ) -> Pending[Out]:
        """Hand over `work`; may return before it is done. `spans` (one each) and `language` are for the journal."""
        ...


@dataclass(frozen=True, slots=True)
class Finished(Generic[Out]):
    """Work that is done already."""

    done: Sequence[Done[Out]]

    def values(self) -> list[Out]:
        """What each piece came to."""
        return [each.value for each in self.done]


@dataclass(frozen=True, slots=True)
class InProcessPool:
    """Runs each piece at once, in this process and thread: a whole lecture from a plain Python shell."""

    store: Store
    journal: Journal

    def submit(
        self, stage: Stage[In, Out], work: Sequence[In], spans: Sequence[Span], *, language: str | None = None
    ) -> Finished[Out]:
        """Do `work` now."""
        return Finished(perform_all(stage, work, spans, self.store, self.journal, language))


def perform_all(
    stage: Stage[In, Out],
    work: Sequence[In],
    spans: Sequence[Span],
    store: Store,
    journal: Journal,
    language: str | None,
) -> list[Done[Out]]:
    """Perform each piece in turn and tell `journal` of each."""
    done: list[Done[Out]] = []
    journal.began(stage.name, len(work), language)
    for piece, span in zip(work, spans, strict=True):
        each = stage.perform(piece, store)
        journal.performed(stage.name, span, language, each.key, hit=each.hit, seconds=each.seconds)
        done.append(each)
    return done
