"""A proxy on loopback that stands before an HTTP server and fails on demand, as networks and servers do.

    with fault_proxy(server.endpoint) as proxy:
        proxy.fault(status(503, "SlowDown"), method="GET", times=2)
        ...
        assert proxy.bytes_sent("GET") < 300_000

Requests pass with their headers as they are (a signature covers `Host`, and stays valid), one connection upstream each.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "proxy-connection"}


@dataclass
class Seen:
    """One request as it came. `sent` is the number of bytes of its body that went back to the client."""

    method: str
    path: str
    headers: dict[str, str]
    received: int = 0
    sent: int = 0
    status: int = 0


@dataclass
class Fault:
    """What to do instead of, or to, a request that fits; `times` it happens, None for ever."""

    kind: str
    method: str | None = None
    path: str = ""
    times: int | None = 1
    status: int = 500
    code: str = "InternalError"
    after: int = 0
    bytes_per_s: float = 0.0
    seconds: float = 0.0
    where: Callable[[Seen], bool] = field(default=lambda _: True)

    def fits(self, seen: Seen) -> bool:
        """Whether it is due for this request."""
        return self.times != 0 and self.method in (None, seen.method) and self.path in seen.path and self.where(seen)


def status(code: int, name: str = "InternalError", **which: Any) -> Fault:
    """The server answers with an error, without having done anything."""
    return Fault("status", status=code, code=name, **which)


def slow(bytes_per_s: float, **which: Any) -> Fault:
    """The answer trickles."""
    return Fault("slow", bytes_per_s=bytes_per_s, **which)


def hung(seconds: float, **which: Any) -> Fault:
    """Nothing is heard for a while, then the request goes on."""
    return Fault("hung", seconds=seconds, **which)


def cut_answer(after: int, **which: Any) -> Fault:
    """The connection goes after so many bytes of the answer's body."""
    return Fault("cut answer", after=after, **which)


def cut_upload(after: int, **which: Any) -> Fault:
    """The connection goes after so many bytes of the request's body; the server never sees it."""
    return Fault("cut upload", after=after, **which)


def lost_answer(**which: Any) -> Fault:
    """The server does what was asked, and the answer is lost."""
    return Fault("lost answer", **which)


def wrong_bytes(at: int = 0, **which: Any) -> Fault:
    """One byte of the answer's body, the `at`-th, is another."""
    return Fault("wrong bytes", after=at, **which)


def wrong_upload(at: int = 0, **which: Any) -> Fault:
    """One byte of the request's body, the `at`-th, is another by the time it reaches the server."""
    return Fault("wrong upload", after=at, **which)


class FaultProxy:
    """The proxy: `endpoint` for clients, `seen` for what came by."""

    def __init__(self, upstream: str) -> None:
        parts = urllib.parse.urlsplit(upstream)
        self.upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.seen: list[Seen] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._down_until = 0.0
        self._server = _Server(self)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def fault(self, fault: Fault, **which: Any) -> Fault:
        """Have `fault` happen to the requests that it fits (`which`: method, path, times, where)."""
        for name, value in which.items():
            setattr(fault, name, value)
        with self._lock:
            self._faults.append(fault)
        return fault

    def down(self, seconds: float) -> None:
        """Drop every connection for a while, as a network that is gone does."""
        self._down_until = time.monotonic() + seconds

    def clear(self) -> None:
        """No more faults; forget what was seen."""
        with self._lock:
            self._faults.clear()
            self.seen.clear()
        self._down_until = 0.0

    def count(self, method: str | None = None, path: str = "") -> int:
        """How many such requests came."""
        return sum(method in (None, each.method) and path in each.path for each in list(self.seen))

    def bytes_sent(self, method: str | None = None, path: str = "") -> int:
        """How many bytes of answers' bodies went to the client."""
        return sum(each.sent for each in list(self.seen) if method in (None, each.method) and path in each.path)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def due(self, seen: Seen) -> Fault | None:
        """The fault that this request meets, if any; it counts as one of its times."""
        with self._lock:
            self.seen.append(seen)
            if time.monotonic() < self._down_until:
                return Fault("cut upload")
            for fault in self._faults:
                if fault.fits(seen):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: FaultProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy

    def handle_error(self, *args: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    """Passes one client's requests on."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do(self) -> None:
        seen = Seen(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        fault = self.server.proxy.due(seen)
        with suppress(OSError, http.client.HTTPException):
            self._pass_on(seen, fault)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do  # noqa: N815 (the base class's names)

    def _pass_on(self, seen: Seen, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        length = int(self.headers.get("Content-Length") or 0)
        if fault and kind == "cut upload":
            self.rfile.read(min(fault.after, length))
            self._cut()
            return
        if fault and kind == "hung":
            time.sleep(fault.seconds)
        if fault and kind == "status":
            self._drain(length, seen)
            self._answer(fault, seen)
            return
        upstream = http.client.HTTPConnection(*self.server.proxy.upstream, timeout=60)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP and name.lower() != "expect":
                    upstream.putheader(name, value)
            upstream.endheaders()
            self._send_body(upstream, length, seen, fault)
            answer = upstream.getresponse()
            if kind == "lost answer":
                answer.read()
                self._cut()
                return
            self._return_answer(answer, seen, fault)
        finally:
            upstream.close()

    def _send_body(self, upstream: http.client.HTTPConnection, length: int, seen: Seen, fault: Fault | None) -> None:
        while seen.received < length:
            piece = self.rfile.read(min(1 << 16, length - seen.received))
            if not piece:
                raise OSError("the client went away")
            if fault and fault.kind == "wrong upload":
                piece = _flipped(piece, fault.after - seen.received)
            seen.received += len(piece)
            upstream.send(piece)

    def _return_answer(self, answer: http.client.HTTPResponse, seen: Seen, fault: Fault | None) -> None:
        seen.status = answer.status
        self.send_response_only(answer.status, answer.reason)
        chunked = answer.getheader("Content-Length") is None and self.command != "HEAD"
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if chunked:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        size = 1 << 16
        if fault and fault.kind == "slow":
            size = max(1, int(fault.bytes_per_s / 20))
        while piece := answer.read(size):
            if fault and fault.kind == "cut answer" and seen.sent + len(piece) > fault.after:
                piece = piece[: fault.after - seen.sent]
                self.wfile.write(piece)
                self.wfile.flush()
                seen.sent += len(piece)
                self._cut()
                return
            if fault and fault.kind == "wrong bytes":
                piece = _flipped(piece, fault.after - seen.sent)
            self.wfile.write(piece)
            seen.sent += len(piece)
            if fault and fault.kind == "slow":
                time.sleep(len(piece) / fault.bytes_per_s)
        if chunked:
            self.close_connection = True

    def _answer(self, fault: Fault, seen: Seen) -> None:
        seen.status = fault.status
        body = f"<?xml version='1.0'?><Error><Code>{fault.code}</Code><Message>asked for</Message></Error>".encode()
        if self.command == "HEAD":
            body = b""
        self.send_response_only(fault.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drain(self, length: int, seen: Seen) -> None:
        while seen.received < length:
            piece = self.rfile.read(min(1 << 16, length - seen.received))
            if not piece:
                return
            seen.received += len(piece)

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def _flipped(piece: bytes, at: int) -> bytes:
    if not 0 <= at < len(piece):
        return piece
    return piece[:at] + bytes([piece[at] ^ 0x55]) + piece[at + 1 :]


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy before `upstream` (an http URL on loopback)."""
    proxy = FaultProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
