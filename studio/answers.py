"""Answers: what goes wrong as JSON with a status that says of which kind it is, and JSON bodies of bounded size."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from manifests.errors import BadInput, MissingWeights, NoSpace, RedubError, Unavailable
from studio.settings import Limits

_LOG = logging.getLogger(__name__)
_CUT = (408, 413)
_ROW = re.compile(r"\brow (\d+)")
_COLUMN = re.compile(r"\bcolumn (\w+)")
_PLACE = re.compile(r", row \d+, column \w+: ")
_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s/;,:'\"]+/)+")


class Refused(RedubError):
    """A request that is not done: `status` of HTTP, what is wrong, and what to do about it."""

    def __init__(self, status: int, error: str, remedy: str = "", **more: Any) -> None:
        self.status, self.error, self.remedy, self.more = status, error, remedy, more
        super().__init__(" ".join(part for part in (error, remedy) if part))


def not_there() -> Refused:
    """The answer for what does not exist, and for what is another's: nobody learns which."""
    return Refused(404, "there is no such thing here", "go back to the list of projects")


def told(error: RedubError) -> dict[str, Any]:
    """An error as the page gets it: what is wrong, what to do, and where a sheet is meant, which row and column.

    Where something lies on this machine is nothing for the page: of a path only the file's name is told.
    """
    if isinstance(error, Refused):
        return {"error": error.error, "remedy": error.remedy, **error.more}
    if isinstance(error, BadInput):
        return _told(error.what, error.remedy, error.where)
    what, _, remedy = str(error).partition(";")
    if isinstance(error, NoSpace):
        what = f"on this machine {what.rpartition(': ')[2]}"
    return _told(what, remedy, "")


def told_problem(problem: str) -> dict[str, Any]:
    """As `told`, of an error that comes as one text."""
    place = _PLACE.search(problem)
    end = 0 if place is None else place.end()
    return _told(problem[end:], "", problem[:end])


def _told(what: str, remedy: str, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {"error": _named(what).strip().rstrip(";:"), "remedy": _named(remedy).strip()}
    if (row := _ROW.search(where)) is not None:
        found["row"] = int(row[1])
    if (column := _COLUMN.search(where)) is not None:
        found["column"] = column[1]
    return found


def _named(text: str) -> str:
    """`text` with the names of files in place of their paths."""
    return _FOLDERS.sub("", text)


def refusal(error: RedubError) -> Response:
    """The answer that an error becomes. After a body that is too long or too slow the connection ends with it."""
    status = status_of(error)
    return JSONResponse(told(error), status_code=status, headers={"connection": "close"} if status in _CUT else None)


def status_of(error: RedubError) -> int:
    """The status of HTTP that says of which kind an error is."""
    if isinstance(error, Refused):
        return error.status
    for kind, status in ((MissingWeights, 422), (BadInput, 422), (NoSpace, 507), (Unavailable, 503)):
        if isinstance(error, kind):
            return status
    return 500


async def on_refused(_: Request, error: Exception) -> Response:
    """Starlette's handler for errors that are worded for people."""
    if not isinstance(error, RedubError):
        raise error
    return refusal(error)


async def on_fault(request: Request, error: Exception) -> Response:
    """Starlette's handler for faults of redub's own: the log has the traceback, the page has a line."""
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return JSONResponse(
        {"error": "something went wrong in redub", "remedy": "try again; the server's log says more"}, status_code=500
    )


async def json_body(request: Request, limits: Limits) -> Mapping[str, Any]:
    """The request's JSON object. Refused where it is none, too long or too slow."""
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise Refused(415, "the request is no JSON", "send Content-Type: application/json")
    taken = bytearray()
    try:
        async with asyncio.timeout(limits.body_s):
            async for piece in request.stream():
                taken += piece
                if len(taken) > limits.body_bytes:
                    raise Refused(413, "the request is too long", f"send at most {limits.body_bytes} bytes")
    except TimeoutError:
        raise Refused(408, "the request took too long", "try again") from None
    except ClientDisconnect:
        raise Refused(400, "the request was cut off", "try again") from None
    try:
        found = json.loads(taken or b"{}")
    except (ValueError, RecursionError):
        raise Refused(400, "the request is no JSON", "send an object") from None
    if not isinstance(found, dict):
        raise Refused(400, "the request is no object", "send {...}")
    return found
