"""Turns at a device of this machine, among threads and processes: of all who wait, who began first goes first.

So of two lectures that share a device one is finished early, and while its results are written the other has the device
to itself; served by turns, both would be finished at the same time, and nobody would use it then.

A turn is a lock of the kernel's on a file, which ends with its process. Whoever waits shows it by a ticket: a file
whose name sorts by age, and which it keeps locked, so that a ticket whose owner has died is known by that.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

_GIVE_WAY_S = 0.02
_NUMBERS = count()


@contextmanager
def turn(folder: Path, since: float) -> Iterator[None]:
    """Hold what `folder` stands for, alone. `since` is when the caller's work began, in seconds of the machine's clock.

    Waits for as long as another lives that holds it. The folder is made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "held").open("ab") as held:
        with _ticket(folder, since) as own:
            fcntl.flock(held, fcntl.LOCK_EX)
            while _someone_before(own):
                fcntl.flock(held, fcntl.LOCK_UN)
                time.sleep(_GIVE_WAY_S)
                fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def _ticket(folder: Path, since: float) -> Iterator[Path]:
    named = folder / f"{_time_order(since)}-{os.getpid()}-{next(_NUMBERS)}.ticket"
    draft = named.with_suffix(".draft")
    with draft.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        draft.rename(named)  # never seen without its lock
        try:
            yield named
        finally:
            named.unlink(missing_ok=True)


def _time_order(since: float) -> str:
    """`since` as text that sorts as the times do, to the microsecond."""
    return f"{round(since * 1e6):020d}"


def _someone_before(own: Path) -> bool:
    tickets = sorted(own.parent.glob("*.ticket"))
    return any(_waits(each) for each in tickets[: tickets.index(own)])


def _waits(ticket: Path) -> bool:
    """Whether its owner lives; the ticket of a dead one is taken away."""
    with suppress(FileNotFoundError), ticket.open("rb") as file:
        if not _free(file):
            return True
        ticket.unlink(missing_ok=True)
    return False


def _free(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
