"""Logging in and out over HTTP, and the layer that knows who asks before anything else is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from studio.answers import Refused, json_body, refusal
from studio.sessions import COOKIE, SESSION_S, Doorkeeper

_OPEN = frozenset({"/api/session", "/api/login", "/api/logout", "/login", "/"})
_OPEN_BELOW = ("/assets/",)
_LONGEST_TOKEN = 512


class KnownCaller:
    """Asks the doorkeeper who it is; without a name there is only the page, its files, and the login. Plain ASGI."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self._app, self._doorkeeper = app, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set `request.state.user`, or answer 401."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        user = await run_in_threadpool(self._doorkeeper.who, request.headers, request.cookies.get(COOKIE))
        scope.setdefault("state", {})["user"] = user
        if user is None and not _is_open(scope["path"], _OPEN):
            refused = Refused(401, "you are not logged in", "log in, and try again")
            await refusal(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_open(path: str, pages: Iterable[str]) -> bool:
    return path in pages or path.startswith(_OPEN_BELOW)


@dataclass(slots=True)
class SessionDesk:
    """Where people log in and out."""

    doorkeeper: Doorkeeper

    def routes(self) -> list[Route]:
        """The routes of sessions."""
        return [
            Route("/api/session", self.show, methods=["GET"]),
            Route("/api/login", self.log_in, methods=["POST"]),
            Route("/api/logout", self.log_out, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Who asks."""
        return JSONResponse(self._session(request.state.user))

    async def log_in(self, request: Request) -> Response:
        """Take a token, give a cookie."""
        settings = self.doorkeeper.settings
        caller = request.client.host if request.client else ""
        if not settings.login:
            raise Refused(409, "there is no login here", "go to the studio's page")
        if not await run_in_threadpool(self.doorkeeper.may_try, caller):
            raise Refused(429, "too many tries", "wait a minute")
        token = (await json_body(request, settings.limits)).get("token")
        found = None
        if isinstance(token, str) and len(token) <= _LONGEST_TOKEN:
            found = await run_in_threadpool(self.doorkeeper.log_in, token.strip())
        if found is None:
            self.doorkeeper.failed(caller)
            raise Refused(401, "this is nobody's token", "check it, or ask the operator for a new one")
        user, cookie = found
        response = JSONResponse(self._session(user))
        secure = request.headers.get("x-forwarded-proto") == "https" or request.url.scheme == "https"
        response.set_cookie(
            COOKIE, cookie, max_age=SESSION_S, path="/", httponly=True, samesite="strict", secure=secure
        )
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        await run_in_threadpool(self.doorkeeper.log_out, request.cookies.get(COOKIE))
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response

    def _session(self, user: str | None) -> dict[str, object]:
        return {"user": user, "login": self.doorkeeper.settings.login, "needs_login": user is None}
