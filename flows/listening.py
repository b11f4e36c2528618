"""Who is told of a run in this process as it goes on: the command line's progress. No part of a flow's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tasks.journal import Entry, Listener, Silent

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Flows that are called inside tell `listener`."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def current_listener() -> Listener:
    """The listener of this run; a silent one where a worker runs the flow."""
    return _LISTENER.get() or Silent()


def current_page() -> str:
    """Where the Prefect server shows the run that this is called in; "" outside of one."""
    from prefect.runtime import flow_run

    return flow_run.ui_url or ""


@dataclass(frozen=True, slots=True)
class Several:
    """A listener that passes on to others, in turn."""

    listeners: tuple[Listener, ...]

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """Tell all that `pieces` more of `stage` were handed over."""
        for each in self.listeners:
            each.began(stage, pieces, language)

    def performed(self, entry: Entry) -> None:
        """Tell all that a piece is done."""
        for each in self.listeners:
            each.performed(entry)
