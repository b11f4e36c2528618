"""Ctrl-C while work goes on in threads: given a moment to end by itself, then left as it is."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 130
MESSAGE = "interrupted; run the same command again to go on"
_PATIENCE_S = 3.0


@contextmanager
def leaving_soon(last_words: Callable[[], None]) -> Iterator[None]:
    """Interrupts inside end the process within seconds, even amid a long computation in another thread.

    Nothing is lost by it: finished pieces are in the store, and unfinished files never bear a final name. `last_words`
    are said where the interrupt could not make its way out in time; else whoever catches it speaks.
    """
    out = threading.Event()

    def leave() -> None:
        if not out.is_set():
            last_words()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(EXIT_CODE)

    # Not cancelled once it runs: at its end the interpreter waits for every thread, too.
    timer = threading.Timer(_PATIENCE_S, leave)
    timer.daemon = True

    def interrupted(signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the impatient press it again
        timer.start()
        signal.default_int_handler(signum, frame)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        out.set()
        if signal.getsignal(signal.SIGINT) is interrupted:
            signal.signal(signal.SIGINT, before)
