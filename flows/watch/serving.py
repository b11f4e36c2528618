"""uvicorn, with a limit to how long a client may take over its headers, which it lacks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from flows.watch.receiver import Limits
from manifests.errors import BadInput

_LONGEST_HEADER_BYTES = 16 << 10
_BACKLOG = 128
_STOP_S = 5


class Server(uvicorn.Server):
    """A server that leaves signals to whoever started it; `should_exit` ends it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


def server(app: Starlette, limits: Limits) -> Server:
    """A server for `app`, to be run with `listener`'s socket."""

    class Timed(H11Protocol):
        """HTTP/1.1 in which each request's header has to be there in time; the connection is cut where it is not."""

        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._late = self.loop.call_later(limits.header_s, self._cut)

        def data_received(self, data: bytes) -> None:
            if self._late is None and self._awaits_header():
                self._late = self.loop.call_later(limits.header_s, self._cut)
            super().data_received(data)
            if not self._awaits_header():
                self._forget()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _awaits_header(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _forget(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _cut(self) -> None:
            self._late = None
            if self._awaits_header():
                self.transport.abort()

    # The protocol asks for its whole class, and the app is typed as any of three protocols.
    settings: dict[str, Any] = {"http": Timed, "ws": "none", "lifespan": "off", "loop": "asyncio"}
    return Server(
        uvicorn.Config(
            app,
            **settings,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=limits.connections,
            h11_max_incomplete_event_size=_LONGEST_HEADER_BYTES,
            timeout_keep_alive=max(1, int(limits.header_s)),
            timeout_graceful_shutdown=_STOP_S,
            backlog=_BACKLOG,
        )
    )


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 for any that is free. BadInput where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        told = error.strerror or str(error)
        remedy = "choose another with --port or --host"
        raise BadInput(f"nothing can listen there ({told});", where=f"{host}:{port}", remedy=remedy) from error
