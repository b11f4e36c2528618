"""Who is told of a run in this process as it goes on: the command line's progress. No part of a flow's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tasks.journal import Listener, Silent

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
