"""The receiver under test: the real thing on a free port of loopback, in a thread, and how to talk to it."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flows.watch.watching import Watch, WatchPlan


@contextmanager
def receiving(plan: WatchPlan, **given: Any) -> Iterator[Watch]:
    """The receiver, ready; ended, and its threads with it, on leaving."""
    watch = Watch(plan, **given)
    faults: list[BaseException] = []

    def run() -> None:
        try:
            watch.run()
        except BaseException as fault:  # noqa: BLE001 (told of by the test)
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: get(watch.port, "/health")[0] == 200)
        yield watch
    finally:
        watch.stop()
        thread.join(timeout=30)
        assert not thread.is_alive()
        assert not faults


def until(holds: Callable[[], bool], *, limit_s: float = 60.0) -> None:
    """Wait until it holds; the test fails where it does not."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def get(port: int, path: str) -> tuple[int, str]:
    """Status and text of an answer; status 0 where nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def post(port: int, body: object, **headers: str) -> int:
    """The status of a notification; header names are written with underscores."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/notifications", data=data, headers=named, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
