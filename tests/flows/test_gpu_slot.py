"""The slot of a device among processes, on a real server: one at a time, and a holder that is killed loses it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from flows.server import Server
from infra.store import Store
from manifests.errors import BadInput, Unavailable
from manifests.time import Span
from tasks.journal import Journal
from tasks.stage import Stage

HOLDER = Path(__file__).with_name("slot_holder.py")
DEVICE = "rack7-0"


@dataclass(frozen=True)
class Held:
    """When a process had the slot: `until` is infinite where it was killed with it."""

    by: int
    since: float
    until: float


def declare(server_url: str) -> None:
    """In a process of its own, as this one talks to another server."""
    code = (
        "from prefect.client.orchestration import get_client\n"
        "from flows.setup import declare_gpus\n"
        f"with get_client(sync_client=True) as client: declare_gpus(client, [{DEVICE!r}])"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(server_url), check=True)


def environment(server_url: str) -> dict[str, str]:
    return {**os.environ, "PREFECT_API_URL": server_url, "REDUB_GPU_SLOT": DEVICE}


@contextmanager
def holder(server_url: str, log: Path, held_s: float, times: int, cache: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One with a `cache` of its own stands for a container of its own."""
    command = [sys.executable, str(HOLDER), str(log), str(held_s), str(times)]
    with subprocess.Popen(command, env={**environment(server_url), "REDUB_CACHE": str(cache)}) as process:
        try:
            yield process
        finally:
            process.kill()


def holds(log: Path) -> list[Held]:
    held: list[Held] = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        what, by, at = line.split()
        if what == "in":
            held.append(Held(int(by), float(at), float("inf")))
        else:
            [last] = [each for each in held if each.by == int(by) and each.until == float("inf")]
            held[held.index(last)] = Held(last.by, last.since, float(at))
    return held


@pytest.mark.parametrize("caches", ["aa", "ab"])
def test_two_processes_are_never_both_inside(server: Server, tmp_path: Path, caches: str) -> None:
    declare(server.api_url)
    log = tmp_path / "log"
    own, others = (tmp_path / each for each in caches)
    with holder(server.api_url, log, 0.3, 3, own) as first, holder(server.api_url, log, 0.3, 3, others) as second:
        assert first.wait(200) == second.wait(200) == 0
    held = sorted(holds(log), key=lambda each: each.since)
    assert sorted(each.by for each in held) == sorted([first.pid] * 3 + [second.pid] * 3)
    for earlier, later in pairwise(held):
        assert earlier.until <= later.since


@contextmanager
def standing_server(folder: Path) -> Iterator[str]:
    """A server as `make stack` runs it, with the service that takes slots back from the dead."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    given |= {
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / 'prefect.db'}",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/api"
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=given, stdout=log, stderr=subprocess.STDOUT, start_new_session=True) as process,
    ):
        try:
            wait_until(lambda: answers(f"{url}/health"), 200)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_until(true: object, patience_s: float) -> None:
    assert callable(true)
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_holder_loses_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "server").mkdir()
    with standing_server(tmp_path / "server") as url:
        declare(url)
        with holder(url, log, 3600, 1, tmp_path) as killed:
            wait_until(lambda: holds(log), 120)
            with holder(url, log, 0.1, 1, tmp_path) as waiting:
                killed.kill()
                killed.wait()
                assert waiting.wait(300) == 0
    assert [each.by for each in holds(log)] == [killed.pid, waiting.pid]


def test_a_server_that_does_not_answer_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.gpu import gpu_slot

    monkeypatch.setenv("REDUB_GPU_SLOT", DEVICE)
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(Unavailable, match="does not answer"),
        gpu_slot(0.0),
    ):
        pass


def double(work: int, store: Store) -> int:
    return 2 * work


def test_a_stage_with_a_model_waits_for_the_device_and_others_do_not(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import flow

    from flows.pool import PrefectPool

    monkeypatch.setenv("REDUB_GPU_SLOT", "never-declared")

    @flow(name="doubling", persist_result=False)
    def doubling(*, gpu: bool) -> list[int]:
        pool = PrefectPool(Store(tmp_path), Journal())
        return list(pool.submit(Stage("double", 1, int, double, gpu=gpu), [1, 2], [Span(0, 1)] * 2).values())

    with pytest.raises(BadInput, match="no device never-declared"):
        doubling(gpu=True)
    assert doubling(gpu=False) == [2, 4]
    monkeypatch.delenv("REDUB_GPU_SLOT")
    assert doubling(gpu=True) == [2, 4]
