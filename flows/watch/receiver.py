"""The HTTP side: a small ASGI application that takes notifications, and says how it is.

It believes nobody who does not show a secret, reads no more than it must, and keeps what it was told before it answers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flows.watch.callers import SIGNATURE_HEADER, Rate, is_signed, shows_secret
from flows.watch.counts import Counts
from flows.watch.ledger import Ledger
from flows.watch.notices import Heard, MalformedNotice, Subscription, heard_in
from flows.watch.scope import Scope
from manifests.errors import NoSpace, Unavailable

_LOG = logging.getLogger(__name__)
_PAGE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`body_s` for a whole body, `header_s` for a whole header; requests a second of each caller, and at once."""

    body_bytes: int = 1 << 20
    body_s: float = 10.0
    header_s: float = 5.0
    per_s: float = 50.0
    burst: int = 500
    connections: int = 128


class _Refused(Exception):
    """The answer to a request that is not taken."""

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


def take(heard: Heard, scope: Scope, ledger: Ledger, counts: Counts, way: str) -> int:
    """Keep what a message tells of lectures, and give how many. Unavailable, NoSpace where it cannot be kept."""
    counts.received(way, len(heard.objects) + heard.senseless)
    if heard.senseless:
        counts.refused("malformed", heard.senseless)
    wanted = []
    for each in heard.objects:
        reason = scope.refusal(each)
        if reason is None:
            wanted.append(each)
        else:
            counts.refused(reason)
    if wanted:
        ledger.hear(wanted, time.time())
    if heard.subscription is not None:
        _tell_of(heard.subscription)
    return len(wanted)


def application(
    *,
    scope: Scope,
    secrets: tuple[str, ...],
    ledger: Ledger,
    counts: Counts,
    ready: Callable[[], bool],
    wake: Callable[[], None],
    limits: Limits | None = None,
) -> Starlette:
    """The application: POST / or /notifications, GET /health, /live and /metrics.

    `ready` says whether what lay there before is noted, `wake` is called where something was taken.
    """
    limits = limits or Limits()
    desk = _Desk(scope, secrets, ledger, counts, wake, limits)

    async def health(_: Request) -> Response:
        standing = await run_in_threadpool(ledger.standing)
        up = ready()
        told = {"status": "ok" if up else "starting", "waiting": standing.waiting, "unanswered": standing.unanswered}
        return JSONResponse(told, status_code=200 if up else 503)

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def metrics(_: Request) -> Response:
        standing = await run_in_threadpool(ledger.standing)
        lag_s = 0.0 if standing.oldest_s is None else max(0.0, time.time() - standing.oldest_s)
        page = counts.page(lag_s=lag_s, waiting=standing.waiting, unanswered=standing.unanswered)
        return Response(page, media_type=_PAGE)

    return Starlette(
        routes=[
            Route("/", desk.notified, methods=["POST"]),
            Route("/notifications", desk.notified, methods=["POST"]),
            Route("/health", health),
            Route("/live", live),
            Route("/metrics", metrics),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where notifications are handed in."""

    scope: Scope
    secrets: tuple[str, ...]
    ledger: Ledger
    counts: Counts
    wake: Callable[[], None]
    limits: Limits
    rate: Rate = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", Rate(self.limits.per_s, self.limits.burst))

    async def notified(self, request: Request) -> Response:
        try:
            accepted = await self._accepted(request)
        except _Refused as refused:
            self.counts.refused(refused.reason)
            # What is left of the body is not read: the connection ends with the answer.
            told = {"refused": refused.reason}
            return JSONResponse(told, status_code=refused.status, headers={"connection": "close"})
        return JSONResponse({"accepted": accepted}, status_code=202)

    async def _accepted(self, request: Request) -> int:
        caller = request.client.host if request.client else ""
        if not self.rate.allows(caller, time.monotonic()):
            raise _Refused(429, "rate")
        shown = shows_secret(request.headers, self.secrets)
        if not shown and SIGNATURE_HEADER not in request.headers:
            raise _Refused(401, "caller")
        body = await _body(request, self.limits)
        if not shown and not is_signed(request.headers, body, self.secrets, time.time()):
            raise _Refused(401, "caller")
        try:
            accepted = await run_in_threadpool(self._taken, body)
        except MalformedNotice as error:
            raise _Refused(400, "malformed") from error
        except (Unavailable, NoSpace) as error:
            _LOG.error("a notification could not be kept, its sender is asked to come again: %s", error)
            raise _Refused(503, "full") from error
        if accepted:
            self.wake()
        return accepted

    def _taken(self, body: bytes) -> int:
        return take(heard_in(body), self.scope, self.ledger, self.counts, "http")


async def _body(request: Request, limits: Limits) -> bytes:
    """The body, as far as it is not too long and does not take too long."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > 15 or int(announced) > limits.body_bytes:
        raise _Refused(413, "size")
    taken = bytearray()
    try:
        async with asyncio.timeout(limits.body_s):
            async for piece in request.stream():
                taken += piece
                if len(taken) > limits.body_bytes:
                    raise _Refused(413, "size")
    except TimeoutError:
        raise _Refused(408, "slow") from None
    except ClientDisconnect:
        raise _Refused(400, "lost") from None
    return bytes(taken)


def _tell_of(subscription: Subscription) -> None:
    _LOG.warning(
        "the topic %s asks to send here; if it is yours, say: aws sns confirm-subscription --topic-arn %s --token %s",
        subscription.topic,
        subscription.topic,
        subscription.token,
    )
