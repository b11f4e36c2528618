"""Uploads over HTTP: tus 1.0 (core, creation, termination, expiration), straight to disk, in bounded memory."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from manifests.errors import RedubError
from studio.answers import Refused, refusal, status_of
from studio.settings import Limits
from studio.uploads import Upload, Uploads

VERSION = "1.0.0"
_PIECE_BYTES = 1 << 20
_TYPE = "application/offset+octet-stream"
_LONGEST_METADATA = 4096
_MOST_DRAINED_BYTES = 32 << 20
_DRAIN_S = 10.0
_SLOW = 408

UploadsOf = Callable[[Request], Uploads]


@dataclass(slots=True)
class UploadDesk:
    """Where uploads are taken in. `uploads_of` gives the uploads of whoever asks, `owner_of` their name.

    Of two requests that bring bytes of one upload the later one is right: the earlier is one whose cut nobody noticed.
    """

    uploads_of: UploadsOf
    owner_of: Callable[[Request], str]
    limits: Limits
    _turns: Counter[str] = field(default_factory=Counter)
    _writing: dict[str, asyncio.Lock] = field(default_factory=dict)
    _open: Counter[str] = field(default_factory=Counter)

    def routes(self) -> list[Route]:
        """The routes below /api/uploads."""
        return [
            Route("/api/uploads", self._answered(self.options), methods=["OPTIONS"]),
            Route("/api/uploads", self._answered(self.create), methods=["POST"]),
            Route("/api/uploads/{id}", self._answered(self.stand), methods=["HEAD"]),
            Route("/api/uploads/{id}", self._answered(self.append), methods=["PATCH"]),
            Route("/api/uploads/{id}", self._answered(self.remove), methods=["DELETE"]),
        ]

    def _answered(self, work: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            try:
                response = await work(request)
            except RedubError as error:
                response = refusal(error)
                if status_of(error) == _SLOW or not await _drained(request):
                    response.headers["connection"] = "close"
            response.headers["tus-resumable"] = VERSION
            return response

        return answered

    async def options(self, _: Request) -> Response:
        """What this server can do."""
        headers = {
            "tus-version": VERSION,
            "tus-extension": "creation,termination,expiration",
            "tus-max-size": str(self.limits.upload_bytes),
        }
        return Response(status_code=204, headers=headers)

    async def create(self, request: Request) -> Response:
        """Announce an upload."""
        length = _number(request, "upload-length")
        name = _metadata(request).get("name", "lecture")
        uploads = self.uploads_of(request)
        async with self._lock(f"new:{self.owner_of(request)}"):  # one after the other, so that each sees those before
            upload = await run_in_threadpool(uploads.create, name, length)
        headers = {"location": f"/api/uploads/{upload.id}", "upload-offset": "0", **self._expiry(uploads, upload)}
        return Response(status_code=201, headers=headers)

    async def stand(self, request: Request) -> Response:
        """How much of it is here."""
        uploads = self.uploads_of(request)
        upload = await run_in_threadpool(uploads.get, request.path_params["id"])
        headers = {"upload-offset": str(upload.offset), "upload-length": str(upload.length)}
        return Response(status_code=200, headers=headers | self._expiry(uploads, upload))

    async def remove(self, request: Request) -> Response:
        """Give it up."""
        uploads = self.uploads_of(request)
        upload = await run_in_threadpool(uploads.get, request.path_params["id"])
        self._turns[upload.id] += 1
        async with self._lock(upload.id):
            await run_in_threadpool(uploads.remove, upload)
        self._forget(upload.id)
        return Response(status_code=204)

    async def append(self, request: Request) -> Response:
        """Take the next bytes in."""
        if request.headers.get("content-type", "").lower() != _TYPE:
            raise Refused(415, "the bytes of an upload have another type", f"send Content-Type: {_TYPE}")
        uploads, owner = self.uploads_of(request), self.owner_of(request)
        upload = await run_in_threadpool(uploads.get, request.path_params["id"])
        self._turns[upload.id] += 1
        turn = self._turns[upload.id]
        if self._open[owner] >= self.limits.uploads_at_once:
            raise Refused(429, "too many uploads at once", "wait until one of them is done")
        self._open[owner] += 1
        try:
            upload = await self._take(request, uploads, upload, turn)
        finally:
            self._open[owner] -= 1
        if upload.complete:
            self._forget(upload.id)
        return Response(status_code=204, headers={"upload-offset": str(upload.offset)} | self._expiry(uploads, upload))

    async def _take(self, request: Request, uploads: Uploads, upload: Upload, turn: int) -> Upload:
        """The upload with all that the request brings, written a piece at a time, and the last one at a cut, too."""
        async with self._lock(upload.id):
            upload = await run_in_threadpool(uploads.get, upload.id)
            if _number(request, "upload-offset") != upload.offset:
                raise Refused(409, "the upload stands elsewhere", "ask where, and go on from there", at=upload.offset)
        pace, held = _Pace(self.limits), bytearray()
        stream = aiter(request.stream())
        while True:
            try:
                async with asyncio.timeout(self.limits.stall_s):
                    piece = await anext(stream, None)
            except (ClientDisconnect, TimeoutError):
                piece = None
                pace.stalled = True
            held += piece or b""
            if (piece is None or len(held) >= _PIECE_BYTES) and held:
                upload = await self._write(uploads, upload, bytes(held), turn)
                held.clear()
            if piece is None:
                break
            pace.came(len(piece))
        if pace.stalled and not upload.complete:
            raise Refused(408, "the upload stalled", "go on from where it stands", at=upload.offset)
        return upload

    async def _write(self, uploads: Uploads, upload: Upload, piece: bytes, turn: int) -> Upload:
        async with self._lock(upload.id):
            if self._turns[upload.id] != turn:
                raise Refused(409, "another request goes on with this upload", "ask where it stands")
            return await run_in_threadpool(uploads.append, upload, piece)

    def _lock(self, id_: str) -> asyncio.Lock:
        return self._writing.setdefault(id_, asyncio.Lock())

    def _forget(self, id_: str) -> None:
        self._writing.pop(id_, None)
        self._turns.pop(id_, None)

    def _expiry(self, uploads: Uploads, upload: Upload) -> dict[str, str]:
        until_s = max(upload.created_s, time.time()) + uploads.limits.upload_days * 86_400
        return {"upload-expires": formatdate(until_s, usegmt=True)}


async def _drained(request: Request) -> bool:
    """Read on a while after a refusal: whoever is still sending would not see the answer of a closed connection."""
    left = _MOST_DRAINED_BYTES
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for piece in request.stream():
                left -= len(piece)
                if left < 0:
                    return False
    except (ClientDisconnect, TimeoutError, RuntimeError):  # the last where the stream was read to its end before
        return False
    return True


@dataclass(slots=True)
class _Pace:
    """Whether an upload comes at a pace worth a connection: so many bytes in each stretch of time."""

    limits: Limits
    stalled: bool = False
    _since_s: float = field(default_factory=time.monotonic)
    _bytes: int = 0

    def came(self, count: int) -> None:
        """`count` bytes came. Refused where too few did for a whole stretch."""
        self._bytes += count
        now = time.monotonic()
        if now - self._since_s >= self.limits.stall_s:
            if self._bytes < self.limits.stall_bytes:
                raise Refused(408, "the upload is too slow", "go on from where it stands")
            self._since_s, self._bytes = now, 0


def _number(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise Refused(400, f"{header.title()} is missing or no number", "say it in bytes")
    return int(text)


def _metadata(request: Request) -> dict[str, str]:
    """The pairs of Upload-Metadata: names with values in base64."""
    text = request.headers.get("upload-metadata", "")
    if len(text) > _LONGEST_METADATA:
        raise Refused(400, "Upload-Metadata is too long", "give the name alone")
    found = {}
    for pair in filter(None, (each.strip() for each in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(400, "Upload-Metadata is not well formed", "give values in base64") from None
    return found
