"""Work as Prefect tasks: batches of pieces that the store does not hold yet, retried only when that can help."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture
from prefect.tasks import Task, exponential_backoff

from flows.batches import cut
from flows.gpu import gpu_slot
from flows.mirrored_weights import bring_weights
from flows.runner_setting import runner_setting
from flows.runners import lost_worker
from infra.memory import give_back
from infra.store import Store
from manifests.errors import Unavailable
from manifests.time import Span
from tasks import isolation
from tasks.isolation import Outcome
from tasks.journal import Journal
from tasks.pool import tell
from tasks.stage import Done, Keyed, Stage

In = TypeVar("In")
Out = TypeVar("Out")


class Batch(Generic[In, Out]):
    """Pieces of work for one task. A plain class, so that Prefect hands it over without walking through the records."""

    def __init__(
        self, stage: Stage[In, Out], pieces: Sequence[Keyed[In]], store: Store, since: float, *, isolating: bool = False
    ) -> None:
        self.stage, self.pieces, self.store, self.since, self.isolating = stage, tuple(pieces), store, since, isolating

    def recalled(self) -> list[Done[Out]] | None:
        """What it came to, where the store holds all of it whole."""
        done: list[Done[Out]] = []
        for piece in self.pieces:
            each = self.stage.recall(piece, self.store)
            if each is None:
                return None
            done.append(each)
        return done


async def _can_pass(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 (Prefect's signature)
    """Retry what may pass by itself; a user's mistake or a full disk will not."""
    try:
        await state.aresult(raise_on_failure=True)
    except Unavailable:
        return True
    except Exception:  # noqa: BLE001 (every other failure is final; it is raised again by whoever asks for the result)
        return False
    return False


@task(
    persist_result=False,  # the store keeps what is done, and answers for it before anything becomes a task
    cache_policy=NO_CACHE,
    retries=3,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=0.5,
    retry_condition_fn=_can_pass,
)
def perform(batch: Batch[In, Out]) -> list[Outcome[Out]]:
    """Perform the pieces in turn; those that the store already has are not done again."""
    bring_weights()
    with gpu_slot(batch.since) if batch.stage.gpu else nullcontext():
        outcomes = [_perform(batch, piece) for piece in batch.pieces]
    give_back()  # of a long lecture each batch frees much, and the next one needs it elsewhere
    return outcomes


_ALONE: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def _perform(batch: Batch[In, Out], piece: Keyed[In]) -> Outcome[Out]:
    with _ALONE[batch.stage.name] if batch.stage.alone else nullcontext():
        if batch.isolating:
            return isolation.attempt(batch.stage, piece, batch.store)
        return batch.stage.finish(piece, batch.store)


@dataclass(slots=True)
class Submitted(Generic[In, Out]):
    """Batches that were handed to Prefect; one that the store holds whole is there at once, and is no task."""

    stage: Stage[In, Out]
    work: Sequence[In]
    instead: Callable[[In], Out] | None
    journal: Journal
    language: str | None
    spans: Sequence[Sequence[Span]]
    batches: Sequence[PrefectFuture[list[Outcome[Out]]] | list[Done[Out]]]
    _told: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, index: int) -> None:
        """Tell the journal, once, of the batch `index`, which is done."""
        batch = self.batches[index]
        if isinstance(batch, PrefectFuture):
            # A future that was not waited for asks the server for its state, through a client of its own each time.
            batch.wait()
            if not batch.state.is_completed():
                return
        with self._lock:  # until the journal knows: whoever waits for the values may ask it next
            if index in self._told:
                return
            self._told.add(index)
            for each, span in zip(_result(self.stage.name, batch), self.spans[index], strict=True):
                tell(self.journal, self.stage.name, span, self.language, each)

    def values(self) -> list[Out]:
        """Wait for all, in order. Raises what a piece raised."""
        return isolation.settled(self.stage, self.work, self._outcomes(), self.instead)

    def failures(self) -> Mapping[int, str]:
        """Wait for all; which came to nothing, and why."""
        return isolation.failures(self._outcomes())

    def _outcomes(self) -> list[Outcome[Out]]:
        outcomes: list[Outcome[Out]] = []
        for index, batch in enumerate(self.batches):
            outcomes.extend(_result(self.stage.name, batch))
            self.tell(index)
        return outcomes


@dataclass(frozen=True, slots=True)
class PrefectPool:
    """Hands work to the task runner of the flow run that it is used in, which works on `workers` batches at once.

    `since` is when the run's work began: of runs that share a device, the older goes first.
    """

    store: Store
    journal: Journal
    workers: int = field(default_factory=lambda: runner_setting(os.environ).workers)
    since: float = field(default_factory=time.time)

    def submit(
        self,
        stage: Stage[In, Out],
        work: Sequence[In],
        spans: Sequence[Span],
        *,
        language: str | None = None,
        instead: Callable[[In], Out] | None = None,
    ) -> Submitted[In, Out]:
        """Hand over `work` in batches; returns at once."""
        self.journal.began(stage.name, len(work), language)
        slices, isolating = cut(spans, self.workers), instead is not None
        batches: list[PrefectFuture[list[Outcome[Out]]] | list[Done[Out]]] = []
        for part in slices:
            batch = Batch(
                stage, [stage.keyed(each) for each in work[part]], self.store, self.since, isolating=isolating
            )
            if (done := batch.recalled()) is not None:
                batches.append(done)
                continue
            named = perform.with_options(
                name=stage.name,
                task_run_name=_run_name(stage.name, language, part.start, len(batch.pieces), len(work)),
                # No tags: Prefect would ask for a concurrency slot of each, which takes two seconds a task.
            )
            batches.append(named.submit(batch))
        in_batches = [spans[part] for part in slices]
        submitted = Submitted(stage, work, instead, self.journal, language, in_batches, batches)
        for index, each in enumerate(batches):
            if isinstance(each, PrefectFuture):
                each.add_done_callback(partial(_tell, submitted, index))
            else:
                submitted.tell(index)
        return submitted


def _tell(submitted: Submitted[Any, Any], index: int, future: PrefectFuture[Any]) -> None:  # noqa: ARG001
    """In a thread of its own: Ray calls back on the very thread that brings it what a batch came to."""
    threading.Thread(target=submitted.tell, args=(index,), name=f"tell-{index}", daemon=True).start()


def _result(stage: str, batch: PrefectFuture[list[Outcome[Out]]] | list[Done[Out]]) -> Sequence[Outcome[Out]]:
    """What a batch came to. Raises what it raised; Unavailable where its worker died of it, or was taken away."""
    if not isinstance(batch, PrefectFuture):
        return batch
    try:
        return batch.result()
    except Exception as error:
        if lost_worker(error):
            raise Unavailable(
                f"the workers that {stage} was handed to ended again and again; what is finished is kept: run again"
            ) from error
        raise


def _run_name(stage: str, language: str | None, start: int, size: int, total: int) -> str:
    which = f"{start + 1}" if size == 1 else f"{start + 1}-{start + size}"
    return " ".join(part for part in (stage, language, f"{which} of {total}") if part)
