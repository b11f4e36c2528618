"""The queue: projects in their turn, each run a process that the server starts, hears of, and ends.

All of it happens in the event loop's thread but for reading and writing files. A run says what it does in its project's
events; what becomes of the project is decided here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from studio import events, orders
from studio.answers import Refused, told_problem
from studio.events import Bell, Event
from studio.probing import Source
from studio.projects import Projects
from studio.records import ACTIVE, Project, Result, Trouble
from studio.running import Command, Running, kill, merged, run_command
from studio.settings import Settings

_LOG = logging.getLogger(__name__)
_POLL_S = 0.25
_PATIENCE_S = 8.0
_MOST_RESTARTS = 3
_DIED = Trouble(error="the run ended in the middle of its work", remedy="resume it; what is finished is kept")
_RESULTS: TypeAdapter[tuple[Result, ...]] = TypeAdapter(tuple[Result, ...])
_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


async def _at_once() -> None:
    return


@dataclass(slots=True)
class Queue:
    """Runs projects, at most `settings.at_once` at a time. `ready` waits for the server that they need."""

    projects: Projects
    bell: Bell
    settings: Settings
    command: Command = run_command
    ready: Callable[[], Awaitable[None]] = _at_once
    progress: dict[str, dict[str, Any]] = field(default_factory=dict)
    _running: dict[str, Running] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    async def work(self) -> None:
        """Run what waits, and what was running when a server ended, until `stop`."""
        await self._take_up()
        while not self._stopping:
            self._wake.clear()
            await self._fill()
            await self._wake.wait()

    async def stop(self) -> None:
        """End every run; they are taken up by the next server."""
        self._stopping = True
        self._wake.set()
        for project_id in list(self._running):
            project = self.projects.now(project_id)
            if project is not None and project.state == "running":  # in its turn again; only a crash is counted
                await self._set(project_id, state="queued", touch=False)
        for each in self._running.values():
            if each.process.stdin is not None:
                each.process.stdin.close()  # whose end a run takes for the server's
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_PATIENCE_S)
        for each in self._running.values():
            kill(each.process)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_PATIENCE_S)

    def waiting(self) -> list[Project]:
        """Those in the queue, the next first."""
        found = [each for each in self.projects.all() if each.state == "queued"]
        return sorted(found, key=lambda each: (each.queued_s or 0.0, each.id))

    def place(self, project: Project) -> int | None:
        """A project's place in the queue, 1 for the next; None where it is not in it."""
        ids = [each.id for each in self.waiting()]
        return ids.index(project.id) + 1 if project.id in ids else None

    async def enqueue(self, project: Project, only_in: frozenset[str], **values: Any) -> Project:
        """Put a project at the end of the queue. Refused (409) in other states than `only_in`."""
        changed = await run_in_threadpool(
            lambda: self.projects.change(
                project.id,
                only_in=only_in,
                state="queued",
                queued_s=time.time(),
                run_page=None,
                trouble=None,
                restarts=0,
                **values,
            )
        )
        self.progress.pop(project.id, None)
        await self.announce(project.id)
        self._wake.set()
        return changed

    async def go_on(self, project: Project) -> Project:
        """Let a reviewed project go on: where its run still waits, at once; else when its turn comes."""
        running = self._running.get(project.id)
        if running is None or not running.paused or running.leaving or running.process.stdin is None:
            return await self.enqueue(project, frozenset({"review"}), reviewed=True)
        changed = await run_in_threadpool(
            lambda: self.projects.change(
                project.id, only_in=frozenset({"review"}), state="running", trouble=None, reviewed=True
            )
        )
        running.paused = False
        running.process.stdin.write(f"{orders.CONTINUE}\n".encode())
        await self.announce(project.id)
        return changed

    async def cancel(self, project: Project) -> Project:
        """End a project's work, or its wait; what is finished stays finished."""
        changed = await run_in_threadpool(
            lambda: self.projects.change(project.id, only_in=ACTIVE, state="cancelled", trouble=None)
        )
        await self.announce(project.id)
        if project.id in self._running:
            self._end_soon(project.id)
        return changed

    async def forget(self, project: Project) -> None:
        """End a project's run, and wait until it has ended."""
        if project.id in self._running:
            self._end_soon(project.id)
            with suppress(asyncio.CancelledError):
                await asyncio.shield(self._tasks[project.id])
        self.progress.pop(project.id, None)
        self._wake.set()

    def at_work(self, project_id: str) -> bool:
        """Whether a process works for the project: it may read the sheets at any moment, unless it is paused."""
        running = self._running.get(project_id)
        return running is not None and not running.paused

    async def announce(self, project_id: str) -> None:
        """Write where a project stands into its events, and that of those in the queue, whose places have changed."""
        project = self.projects.now(project_id)
        if project is not None:
            await self._announce(project)
        for each in self.waiting():
            if each.id != project_id:
                await self._announce(each)

    async def _announce(self, project: Project) -> None:
        data = {
            "state": project.state,
            "place_in_queue": self.place(project),
            "error": None if project.trouble is None else asdict(project.trouble),
            "run_page": project.run_page,
        }
        with suppress(FileNotFoundError):
            await run_in_threadpool(events.append, self.projects.place(project), "state", data)
        self.bell.ring(project.id)

    async def _take_up(self) -> None:
        """What was running when a server ended goes first again, unless it ends every server."""
        for each in self.projects.all():
            if each.state != "running":
                continue
            if each.restarts >= _MOST_RESTARTS:
                values: dict[str, Any] = {"state": "failed", "trouble": _DIED}
            else:
                values = {"state": "queued", "restarts": each.restarts + 1}
            await self._set(each.id, touch=False, **values)
            await self.announce(each.id)

    async def _fill(self) -> None:
        waiting = [each for each in self.waiting() if each.id not in self._running]
        free = max(0, self.settings.at_once - len(self._running))
        if waiting and free:
            await self.ready()
        for project in waiting[:free]:
            now = self.projects.now(project.id)
            if now is not None and now.state == "queued":  # not cancelled while the server was waited for
                await self._start(now)
        if len(waiting) > 0 and len(self._running) >= self.settings.at_once:
            for each in self._running.values():  # a run that waits for a person keeps nobody waiting
                if each.paused and not each.leaving and each.process.stdin is not None:
                    each.leaving = True
                    each.process.stdin.write(f"{orders.LEAVE}\n".encode())
                    break

    async def _start(self, project: Project) -> None:
        folder = self.projects.place(project)
        await run_in_threadpool(
            lambda: self.projects.change(project.id, state="running", run_page=None, trouble=None, touch=False)
        )
        after = await run_in_threadpool(events.size, folder)
        await run_in_threadpool(events.append, folder, events.BEGAN, {})
        with (folder / "run.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self.command(folder, self.settings),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,  # so that all that a run starts can be ended with it
            )
        running = Running(process)
        self._running[project.id] = running
        self._tasks[project.id] = asyncio.create_task(self._follow(project.id, folder, running, after))
        await self.announce(project.id)

    async def _follow(self, project_id: str, folder: Path, running: Running, after: int) -> None:
        """Hear what a run tells until it has ended, then say how the project stands."""
        ended = False
        try:
            while True:
                found, after = await run_in_threadpool(events.read, folder, after)
                for each in found:
                    await self._heard(project_id, running, each)
                if found:
                    self.bell.ring(project_id)
                elif ended:
                    break
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_S):
                        await running.process.wait()
                ended = running.process.returncode is not None
            kill(running.process)  # what a run left behind of its own
            if running.process.stdin is not None:
                running.process.stdin.close()
            if not self._stopping:
                await self._close(project_id, running)
        except Exception:
            _LOG.exception("the run of %s is followed no longer", project_id)
            kill(running.process)
            raise
        finally:
            self._running.pop(project_id, None)
            self._tasks.pop(project_id, None)
            self._wake.set()

    async def _heard(self, project_id: str, running: Running, event: Event) -> None:
        project = self.projects.now(project_id)
        if project is None or running.unwanted:
            return
        match event.kind:
            case "progress":
                self.progress[project_id] = dict(event.data)
            case "page":
                await self._set(project_id, run_page=event.data["url"] or None)
                await self.announce(project_id)
            case "brought":
                await self._set(project_id, source=_SOURCE.validate_python(event.data["source"]))
            case "paused":
                running.paused = True
                problem = event.data.get("problem")
                trouble = Trouble(**told_problem(str(problem))) if problem else None
                await self._set(project_id, state="review", trouble=trouble, reviewed=False)
                await self.announce(project_id)
                self._wake.set()
            case "going-on":
                running.paused = False
                if project.state == "review":  # somebody let it go on at the Prefect page
                    await self._set(project_id, state="running", trouble=None, reviewed=True)
                    await self.announce(project_id)
            case "results" | "failed" | "left":
                running.ended = event

    async def _close(self, project_id: str, running: Running) -> None:
        project = self.projects.now(project_id)
        if project is None or running.unwanted or project.state not in ("running", "review"):
            return  # what it was told to be meanwhile holds
        ended = running.ended
        if ended is not None and ended.kind == "results":
            results = _RESULTS.validate_python(ended.data["results"])
            self.progress.pop(project_id, None)
            await self._set(
                project_id,
                state="done",
                results=merged(project.results, results),
                edited=False,
                worked_s=ended.data.get("worked_s"),
            )
        elif ended is not None and ended.kind == "left":
            await self._set(project_id, state="review")
        else:
            trouble = _DIED if ended is None else Trouble(**ended.data)
            await self._set(project_id, state="failed", trouble=trouble)
        await self.announce(project_id)

    async def _set(self, project_id: str, **values: Any) -> None:
        with suppress(Refused):  # it was deleted meanwhile
            await run_in_threadpool(lambda: self.projects.change(project_id, **values))

    def _end_soon(self, project_id: str) -> None:
        running = self._running[project_id]
        if running.unwanted:
            return
        running.unwanted = True
        with suppress(ProcessLookupError):
            running.process.send_signal(signal.SIGINT)
        loop = asyncio.get_running_loop()
        loop.call_later(_PATIENCE_S, kill, running.process)
