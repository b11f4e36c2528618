"""Serving the studio: one server for a folder, with a Prefect server for its runs, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import socket

from rich.markup import escape

from flows.cli.output import Output
from flows.server import StartingServer, prefect_server
from flows.watch.receiver import Limits as HttpLimits
from flows.watch.serving import listener, server
from infra.files import require_writable
from infra.places import cache_folder
from manifests.errors import BadInput, RedubError, Unavailable
from studio.app import Studio, studio
from studio.retention import EVERY_S
from studio.running import Command, run_command
from studio.settings import Settings

_LOG = logging.getLogger(__name__)

_AGAIN_S = 10.0


def serve(settings: Settings, *, output: Output, command: Command = run_command) -> None:
    """Serve until Ctrl-C or SIGTERM, and say where.

    BadInput where it cannot listen there, or another studio has the folder; NoSpace where that cannot be written.
    """
    for folder in (settings.folder, cache_folder()):
        require_writable(folder.absolute())
    _log()
    with _alone(settings.folder), listener(settings.host, settings.port) as here, prefect_server() as starting:
        asyncio.run(_serve(settings, here, starting, command, output))


async def _serve(settings: Settings, here: socket, starting: StartingServer, command: Command, output: Output) -> None:
    async def ready() -> None:
        """Wait for the Prefect server. One of this process's own that is gone does not come back: Unavailable."""
        while True:
            try:
                await asyncio.to_thread(starting.ready)
            except Unavailable as error:
                if starting.server.embedded:
                    raise
                _LOG.warning("projects wait: %s", error)
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    made = studio(settings, command=command, ready=ready, prefect_page=starting.server.page_url)
    limits = HttpLimits(header_s=settings.limits.header_s, connections=settings.limits.connections)
    http = server(made.app, limits)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stopped.set)
    tasks = [
        asyncio.create_task(made.queue.work(), name="queue"),
        asyncio.create_task(_sweep(made), name="retention"),
        asyncio.create_task(_warm(made), name="offer"),
    ]
    serving = asyncio.create_task(http.serve(sockets=[here]))
    host, port = here.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    output.event("serving", url=url)
    output.say(escape(f"The studio: {url} (Ctrl-C ends it)"))
    try:
        await _until(stopped, tasks[0], serving)
    finally:
        output.say("ending; what is under way goes on at the next start")
        made.end_streams()
        http.should_exit = True
        await made.queue.stop()
        await made.voices.close()
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await serving


async def _until(stopped: asyncio.Event, queue: asyncio.Task[None], serving: asyncio.Task[None]) -> None:
    """Until it is told to stop; raises what ended the queue, which nothing can go on without."""
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait({stopping, queue, serving}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if queue.done() and not queue.cancelled():
        queue.result()


async def _sweep(made: Studio) -> None:
    while True:
        await made.retention.sweep()
        await asyncio.sleep(EVERY_S)


async def _warm(made: Studio) -> None:
    """Have the offer at hand before anybody asks."""
    try:
        await made.offer.now()
    except RedubError as error:
        _LOG.warning("what this machine offers is not known yet: %s", error)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. BadInput where another studio has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "use that one, end it first, or set REDUB_STATE to another folder"
            raise BadInput("a studio stands here already;", where=str(folder), remedy=remedy) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _log() -> None:
    """The studio's own log, to standard error: a standing process has no other voice."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("studio")
    if not logger.handlers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
