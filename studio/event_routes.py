"""A project's events over HTTP, as they come: server-sent events, resumed by the id of the last one that was heard."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from studio import events
from studio.answers import Refused
from studio.events import PUBLIC, Bell, Event
from studio.projects import Projects
from studio.settings import Limits

_HEARTBEAT_S = 15.0


@dataclass(slots=True)
class EventDesk:
    """Where events are listened to. `stopping` ends all streams: the browser comes back to the next server."""

    projects: Projects
    bell: Bell
    limits: Limits
    stopping: bool = False
    _open: Counter[str] = field(default_factory=Counter)

    def routes(self) -> list[Route]:
        """The route of events."""
        return [Route("/api/projects/{id}/events", self.listen, methods=["GET"])]

    async def listen(self, request: Request) -> Response:
        """The events of a project from now on, or from where they were left."""
        owner = request.state.user
        project = self.projects.get(owner, request.path_params["id"])
        if self._open[owner] >= self.limits.streams_at_once:
            raise Refused(429, "this page is open too often", "close some of its tabs")
        after = _after(request)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        stream = self._stream(request, project.id, self.projects.place(project), after)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def _stream(self, request: Request, project_id: str, folder: Path, after: int | None) -> AsyncIterator[bytes]:
        owner, rung = request.state.user, self.bell.listen(project_id)
        gone = asyncio.create_task(_gone(request, rung))
        self._open[owner] += 1
        try:
            yield b"retry: 2000\n\n"
            if after is None:
                found, at = await run_in_threadpool(events.opening, folder)
            else:
                found, at = [], after
            for each in found:
                yield _line(each)
            while not (self.stopping or gone.done() or self.projects.now(project_id) is None):
                found, then = await run_in_threadpool(events.read, folder, at)
                for each in found:
                    if each.kind in PUBLIC:
                        yield _line(each)
                if then != at:
                    at = then
                elif not await self.bell.wait(rung, _HEARTBEAT_S):
                    yield b": still here\n\n"
        finally:
            gone.cancel()
            self._open[owner] -= 1
            self.bell.leave(project_id, rung)


async def _gone(request: Request, rung: asyncio.Event) -> None:
    """Until whoever listens is gone, which rings, too: a stream at rest would notice at its next heartbeat only."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    rung.set()


def _after(request: Request) -> int | None:
    text = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _line(event: Event) -> bytes:
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.id}\nevent: {event.kind}\ndata: {data}\n\n".encode("utf-8", "replace")
