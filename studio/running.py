"""The process of a run: how it is started, what is known of it, how it is ended, and what its results are added to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from studio.events import Event
from studio.records import Result
from studio.settings import Settings

Command = Callable[[Path, Settings], Sequence[str]]


def run_command(folder: Path, settings: Settings) -> Sequence[str]:
    """How the run of the project in `folder` is started."""
    return sys.executable, "-m", "studio.run", str(folder), json.dumps(asdict(settings.limits))


@dataclass(slots=True)
class Running:
    """A run. `paused`: it waits for its reviewer; `unwanted`: it was told to end; `ended`: how it says that it did."""

    process: asyncio.subprocess.Process
    paused: bool = False
    leaving: bool = False
    unwanted: bool = False
    ended: Event | None = None


def merged(before: Sequence[Result], now: Sequence[Result]) -> tuple[Result, ...]:
    """The results of `now`; of languages that this run did not make, those of `before`."""
    made = {each.language for each in now}
    return (*now, *(each for each in before if each.language not in made))


def kill(process: asyncio.subprocess.Process) -> None:
    """End the group that the process leads, as far as it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
