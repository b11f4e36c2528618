"""Batches made ahead in another thread, so that decoding overlaps with arithmetic."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Batch = TypeVar("Batch")

_AHEAD = 2
_PATIENCE_S = 0.2


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class Ahead(Generic[Batch]):
    """Gives `make(step)` for one step after the other from `first` on. An error of `make` comes out of `next`."""

    def __init__(self, make: Callable[[int], Batch], first: int) -> None:
        self._make = make
        self._ready: queue.Queue[Batch | _Failed] = queue.Queue(_AHEAD)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(first,), name="batches", daemon=True)
        self._thread.start()

    def next(self) -> Batch:
        """The next step's batch."""
        batch = self._ready.get()
        if isinstance(batch, _Failed):
            raise batch.error
        return batch

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()

    def _run(self, step: int) -> None:
        while not self._over.is_set():
            made: Batch | _Failed
            try:
                made = self._make(step)
            except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
                made = _Failed(error)
            while not self._over.is_set():
                try:
                    self._ready.put(made, timeout=_PATIENCE_S)
                    break
                except queue.Full:
                    continue
            if isinstance(made, _Failed):
                return
            step += 1


@contextmanager
def ahead(make: Callable[[int], Batch], first: int) -> Iterator[Ahead[Batch]]:
    """`Ahead`, ended on leaving."""
    batches = Ahead(make, first)
    try:
        yield batches
    finally:
        batches.close()
