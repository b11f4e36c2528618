"""Who is told of a run in this process as it goes on: the command line's progress. No part of a flow's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tasks.journal import Entry, Listener, Silent

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[WhileOpen]:
    """Flows that are called inside tell `listener`, and nothing once this is left: threads may bring news then."""
    told = WhileOpen(listener)
    token = _LISTENER.set(told)
    try:
        yield told
    finally:
        _LISTENER.reset(token)
        told.close()


class WhileOpen:
    """Passes on what comes until it is closed: whoever listens has said its last word by then."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def close(self) -> None:
        """Pass on no more. Signal handlers may call it: it waits for nobody."""
        self._listener = Silent()

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """Pass it on."""
        self._listener.began(stage, pieces, language)

    def performed(self, entry: Entry) -> None:
        """Pass it on."""
        self._listener.performed(entry)


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
