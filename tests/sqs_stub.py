"""A stand-in for SQS on loopback that speaks its JSON protocol to the real boto3: receive, delete, redelivery.

It checks no signature and knows one queue; moto is not among redub's packages.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class SqsStub:
    """`waiting` maps receipts to bodies; one that was received and not deleted comes again after `hidden_s`."""

    url: str = ""
    hidden_s: float = 0.5
    waiting: dict[str, str] = field(default_factory=dict)
    hidden_until: dict[str, float] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)

    def send(self, body: str) -> None:
        self.waiting[f"receipt-{len(self.waiting) + len(self.deleted)}"] = body

    def answer(self, action: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.errors:
            status, code = self.errors.pop(0)
            return status, {"__type": f"com.amazonaws.sqs#{code}", "message": "as the test wants it"}
        if action == "DeleteMessage":
            self.waiting.pop(asked["ReceiptHandle"], None)
            self.deleted.append(asked["ReceiptHandle"])
            return 200, {}
        deadline = time.monotonic() + min(0.2, asked.get("WaitTimeSeconds", 0))
        while True:
            now = time.monotonic()
            ready = [each for each in self.waiting if self.hidden_until.get(each, 0) <= now]
            if ready or now >= deadline:
                break
            time.sleep(0.02)
        messages = []
        for receipt in ready[: asked.get("MaxNumberOfMessages", 1)]:
            self.hidden_until[receipt] = time.monotonic() + self.hidden_s
            body = self.waiting[receipt]
            digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
            messages.append({"MessageId": receipt, "ReceiptHandle": receipt, "Body": body, "MD5OfBody": digest})
        return 200, {"Messages": messages}


@contextmanager
def running_sqs() -> Iterator[SqsStub]:
    stub = SqsStub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            action = self.headers["X-Amz-Target"].partition(".")[2]
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, told = stub.answer(action, asked)
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}/000000000000/uploads"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
