"""The events of a project: lines of JSON at the end of a file that only grows, so that an id is a place in it.

The run writes them, and the server writes those of its own between; each is one write, so lines never mix. A line that
a dying process left half is passed over.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PUBLIC = frozenset({"state", "progress", "still", "log"})
"""The kinds that the page hears of; the others are between a run and the server."""

BEGAN = "began"
"""Marks where a run begins: stills and progress of those before are no longer of interest."""

_NAME = "events.jsonl"
_MOST_READ_BYTES = 1 << 20
_LOGS_AT_FIRST = 50


@dataclass(frozen=True, slots=True)
class Event:
    """`id` is where the line ends in the file, so ids grow and say where to read on."""

    id: int
    kind: str
    data: Mapping[str, Any]


def append(folder: Path, kind: str, data: Mapping[str, Any]) -> None:
    """Write an event at the end of the project's."""
    line = json.dumps({"event": kind, "data": data}, ensure_ascii=False, separators=(",", ":"))
    descriptor = os.open(folder / _NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # The line break comes first as well: what a killed process left half does not spoil this line.
        os.write(descriptor, f"\n{line}\n".encode("utf-8", "replace"))
    finally:
        os.close(descriptor)


def size(folder: Path) -> int:
    """Where the events end now: the id to go on after."""
    try:
        return (folder / _NAME).stat().st_size
    except FileNotFoundError:
        return 0


def read(folder: Path, after: int) -> tuple[list[Event], int]:
    """Events after the id `after`, at most so many at once, and the id to go on after; whole lines alone."""
    try:
        with (folder / _NAME).open("rb") as file:
            end = os.fstat(file.fileno()).st_size
            if not 0 <= after <= end:
                after = 0
            file.seek(after)
            taken = file.read(_MOST_READ_BYTES)
    except FileNotFoundError:
        return [], 0
    whole = taken[: taken.rfind(b"\n") + 1]
    events, at = [], after
    for line in whole.splitlines(keepends=True):
        at += len(line)
        found = _event(line, at)
        if found is not None:
            events.append(found)
    return events, at


def _event(line: bytes, at: int) -> Event | None:
    text = line.strip()
    if not text:
        return None
    try:
        found = json.loads(text)
        return Event(at, str(found["event"]), found["data"])
    except (ValueError, KeyError, TypeError):
        return None


def every(folder: Path) -> Iterator[Event]:
    """All events, from the first; at most as far as they reach now."""
    at, end = 0, size(folder)
    while at < end:
        events, then = read(folder, at)
        yield from events
        if then == at:
            return
        at = then


def opening(folder: Path) -> tuple[list[Event], int]:
    """What someone who comes anew is told, and the id to go on after.

    The latest state and progress, the stills of the latest run, the last log lines.
    """
    state: Event | None = None
    progress: Event | None = None
    stills: list[Event] = []
    logs: list[Event] = []
    end = 0
    for event in every(folder):
        end = event.id
        if event.kind == BEGAN:
            progress, stills, logs = None, [], []
        elif event.kind == "state":
            state = event
        elif event.kind == "progress":
            progress = event
        elif event.kind == "still":
            stills.append(event)
        elif event.kind == "log":
            logs = [*logs[-_LOGS_AT_FIRST + 1 :], event]
    return [each for each in (state, progress, *stills, *logs) if each is not None], end


@dataclass(slots=True)
class Bell:
    """Rings for those who wait for a project's next event. Of the event loop's thread."""

    _waiting: defaultdict[str, set[asyncio.Event]] = field(default_factory=lambda: defaultdict(set))

    def ring(self, project_id: str) -> None:
        """Something was written."""
        for each in self._waiting.get(project_id, ()):
            each.set()

    def ring_all(self) -> None:
        """Whoever waits for anything looks again: the server is about to end."""
        for project_id in list(self._waiting):
            self.ring(project_id)

    async def wait(self, rung: asyncio.Event, timeout_s: float) -> bool:
        """Wait until `rung`, which `listen` gave, is; False where nothing came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await rung.wait()
        except TimeoutError:
            return False
        rung.clear()
        return True

    def listen(self, project_id: str) -> asyncio.Event:
        """Something that is set whenever the project's bell rings; to be given back with `leave`."""
        rung = asyncio.Event()
        self._waiting[project_id].add(rung)
        return rung

    def leave(self, project_id: str, rung: asyncio.Event) -> None:
        """Listen no longer."""
        self._waiting[project_id].discard(rung)
        if not self._waiting[project_id]:
            del self._waiting[project_id]

    def listeners(self, project_id: str) -> int:
        """How many listen."""
        return len(self._waiting.get(project_id, ()))
