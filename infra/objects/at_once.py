"""A few transfers at once: enough to fill a line, few enough to hold in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

_THREADS = 4


def at_once(work: Callable[[In], Out], items: Sequence[In], stop: threading.Event) -> list[Out]:
    """`work` of every item, in their order, four at a time. At the first failure `stop` is set, and it is raised.

    `work` looks at `stop` and ends with InterruptedError, so that nothing goes on once this has returned.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="transfer") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
        return [future.result() for future in futures]
