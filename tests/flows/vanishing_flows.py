"""Flows for the tests of the stack, which its workers import: one is killed under way, one cannot but die."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from prefect import flow


@flow(name="killed-once", persist_result=False)
def killed_once(folder: str) -> None:
    """The first time it waits to be killed; the second time it ends well. Each begin leaves a file with its process."""
    if _begun(folder) == 1:
        time.sleep(600)


@flow(name="always-dies", persist_result=False)
def always_dies(folder: str) -> None:
    """Kills its own process, each time."""
    _begun(folder)
    time.sleep(2)
    os.kill(os.getpid(), signal.SIGKILL)


@flow(name="by-the-clock", persist_result=False)
def by_the_clock() -> None:
    """Nothing."""


def _begun(folder: str) -> int:
    marks = Path(folder)
    marks.mkdir(parents=True, exist_ok=True)
    count = len(list(marks.iterdir())) + 1
    (marks / f"{count}").write_text(str(os.getpid()))
    return count
