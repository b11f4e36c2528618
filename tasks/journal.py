"""The journal of a run: which work was done, how long it took, what the cache gave."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol

from manifests.time import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One piece of work in a run. `failure` says why it came to nothing and the original was kept; else it is ""."""

    stage: str
    language: str | None
    span: Span
    key: str
    hit: bool
    seconds: float
    failure: str = ""


class Listener(Protocol):
    """Is told as a run goes on; a progress display, or a machine's log. Calls come from several threads."""

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """`pieces` more of `stage` were handed over."""
        ...

    def performed(self, entry: Entry) -> None:
        """One piece is done."""
        ...


class Silent:
    """A listener that says nothing."""

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """Say nothing."""

    def performed(self, entry: Entry) -> None:
        """Say nothing."""


@dataclass(slots=True)
class Journal:
    """Collects the entries of one run, from any thread, and passes them on to `listener`."""

    listener: Listener = field(default_factory=Silent)
    entries: list[Entry] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """`pieces` more of `stage` begin."""
        with self._lock:
            self.listener.began(stage, pieces, language)

    def performed(
        self,
        stage: str,
        span: Span,
        language: str | None,
        key: str,
        *,
        hit: bool,
        seconds: float,
        failure: str = "",
    ) -> None:
        """A piece of `stage` about `span` is done, or came to nothing for the reason `failure`."""
        entry = Entry(stage=stage, language=language, span=span, key=key, hit=hit, seconds=seconds, failure=failure)
        with self._lock:
            self.entries.append(entry)
            self.listener.performed(entry)
