"""What the server tells a run at work, line by line on its standard input, whose end means that the server is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from studio import events

if TYPE_CHECKING:
    from flows.review import ReviewRequest

CONTINUE = "continue"
LEAVE = "leave"
"""A run that waits for its reviewer is told to go on, or to give up its place and wait outside of a process."""

_PATIENCE_S = 6.0


@dataclass(slots=True)
class Orders:
    """Hears orders in a thread. A run that outlives its server would be done twice, so it ends with it."""

    folder: Path
    left: bool = False
    _order: str = ""
    _given: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        """Begin."""
        threading.Thread(target=self._hear, name="orders", daemon=True).start()

    def _hear(self) -> None:
        for line in sys.stdin:
            self._order = line.strip()
            self._given.set()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(_PATIENCE_S)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    @contextmanager
    def reviewer(self, request: ReviewRequest) -> Iterator[None]:
        """A `flows.review.Reviewer`: the page is told that a run waits, and the server's order lets it go on."""
        self._given.clear()
        events.append(self.folder, "paused", {"problem": request.problem})
        stopped = threading.Event()
        thread = threading.Thread(target=self._answer, args=(request, stopped), name="review", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            if not self.left:
                events.append(self.folder, "going-on", {})
            thread.join(timeout=5)

    def _answer(self, request: ReviewRequest, stopped: threading.Event) -> None:
        from flows.review import resume

        while not stopped.is_set():
            if self._given.wait(0.2):
                self._given.clear()
                if self._order in (CONTINUE, LEAVE):
                    self.left = self._order == LEAVE
                    resume(request.flow_run_id, "stop" if self.left else "go on", stopped)
                    return
