"""The studio as one ASGI application: its desks, their routes, and the layers that every request passes."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from manifests.errors import RedubError
from studio.answers import Refused, on_fault, on_refused, refusal
from studio.event_routes import EventDesk
from studio.events import Bell
from studio.files import FileDesk
from studio.helper import Helper
from studio.mend_routes import MendDesk
from studio.offer import Offer
from studio.origin import SameOrigin
from studio.project_routes import ProjectDesk
from studio.projects import Projects
from studio.queue import Queue
from studio.retention import Retention
from studio.running import Command, run_command
from studio.session_routes import KnownCaller, SessionDesk
from studio.sessions import Doorkeeper, owner_folder
from studio.settings import Settings
from studio.upload_routes import UploadDesk
from studio.uploads import Uploads

_WORDS = {404: "there is no such thing here", 405: "that cannot be done with this"}


@dataclass(slots=True)
class Studio:
    """The application and what stands behind it: a queue to be worked, streams to be ended, a process to be ended."""

    app: Starlette
    projects: Projects
    queue: Queue
    bell: Bell
    offer: Offer
    voices: Helper
    retention: Retention
    _events: EventDesk

    def end_streams(self) -> None:
        """Let go of everybody who listens: the server is about to end."""
        self._events.stopping = True
        self.bell.ring_all()


async def _at_once() -> None:
    return


def studio(
    settings: Settings,
    *,
    command: Command = run_command,
    ready: Callable[[], Awaitable[None]] = _at_once,
    prefect_page: str | None = None,
) -> Studio:
    """A studio over what lies in `settings.folder`, which it takes up. `command` starts runs, once it is `ready`."""
    projects, bell = Projects(settings.folder / "owners"), Bell()
    projects.load()
    queue = Queue(projects, bell, settings, command=command, ready=ready)
    # Who has Prefect's page can do everything with it: it is nothing for people who log in here.
    own = not settings.login and settings.proxy_secret is None
    offer = Offer(settings, prefect_page if own else None)
    voices = Helper((sys.executable, "-m", "studio.voice_process"), settings.folder / "voices.log")
    doorkeeper, limits = Doorkeeper(settings), settings.limits

    def uploads_of(request: Request) -> Uploads:
        return Uploads(projects.folder / owner_folder(request.state.user) / "uploads", limits)

    listening = EventDesk(projects, bell, limits)
    desks = (
        SessionDesk(doorkeeper),
        UploadDesk(uploads_of, lambda request: str(request.state.user), limits),
        ProjectDesk(projects, queue, settings, offer, uploads_of, shows_prefect=own),
        listening,
        MendDesk(projects, queue, settings, voices, offer),
        FileDesk(projects),
    )
    app = Starlette(
        routes=[route for desk in desks for route in desk.routes()] + [offer.route()],
        middleware=[Middleware(SameOrigin, names=settings.names), Middleware(KnownCaller, doorkeeper=doorkeeper)],
        exception_handlers={RedubError: on_refused, HTTPException: _on_http, Exception: on_fault},
    )
    return Studio(app, projects, queue, bell, offer, voices, Retention(projects, queue, limits), listening)


async def _on_http(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refusal(Refused(status, _WORDS.get(status, "this cannot be done"), "go back to the list of projects"))
