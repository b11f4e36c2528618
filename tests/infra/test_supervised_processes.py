"""Services as real processes: health, restarts that are bounded, an orderly end, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.processes import Restarts, Service, Supervisor, answers, free_port
from manifests.errors import Unavailable

SERVER = (
    "import http.server as h, sys; "
    "h.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()"
)


def web(name: str, folder: Path, code: str = SERVER, start_limit_s: float = 30.0) -> Service:
    port = free_port()
    return Service(
        name=name,
        command=[sys.executable, "-c", code, str(port)],
        healthy=partial(answers, f"http://127.0.0.1:{port}/"),
        environment=os.environ,
        folder=folder,
        start_limit_s=start_limit_s,
        stop_limit_s=5,
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"


def eventually(true: Callable[[], bool], limit_s: float = 15.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_a_killed_service_stands_again_and_all_end_in_order(tmp_path: Path) -> None:
    told: list[str] = []
    supervisor = Supervisor(tmp_path / "logs", told.append)
    one, other = web("one", tmp_path), web("other", tmp_path)
    stopping = threading.Event()
    try:
        supervisor.start(one)
        supervisor.start(other)
        first = supervisor.pids["one"]
        os.kill(first, signal.SIGKILL)
        threading.Timer(20, stopping.set).start()
        watched = threading.Thread(target=lambda: eventually(lambda: any("stands again" in line for line in told)))
        watched.start()
        threading.Thread(target=lambda: (watched.join(), stopping.set())).start()
        supervisor.watch(stopping)
        assert told == ["one died (-9); beginning it again in 0.5 s", "one stands again"]
        assert one.healthy()
        assert supervisor.pids["one"] != first
        left = list(supervisor.pids.values())
    finally:
        supervisor.stop()
    assert not any(alive(pid) for pid in left)
    assert not one.healthy()


def test_one_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    dying = "import os, threading as t; t.Timer(0.5, lambda: (print('out of luck', flush=True), os._exit(3))).start()"
    supervisor = Supervisor(tmp_path / "logs", lambda line: None, Restarts(most=1, window_s=60))
    try:
        supervisor.start(web("frail", tmp_path, f"{dying}; {SERVER}"))
        with pytest.raises(Unavailable, match=r"frail died 2 times within 60 s(.|\n)*out of luck"):
            supervisor.watch(threading.Event())
    finally:
        supervisor.stop()


def test_one_that_does_not_come_up_says_what_it_said(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "logs", lambda line: None)
    with pytest.raises(Unavailable, match=r"broken stopped while starting \(1\)(.|\n)*no such table"):
        supervisor.start(web("broken", tmp_path, "raise SystemExit('no such table')"))
    with pytest.raises(Unavailable, match=r"mute was not ready within 1 s"):
        supervisor.start(web("mute", tmp_path, "import time; time.sleep(60)", start_limit_s=1))
    supervisor.stop()


def test_services_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = textwrap.dedent(
        f"""
        import os, sys, threading
        from pathlib import Path
        from infra.processes import Service, Supervisor, answers, free_port
        port = free_port()
        service = Service(name="web", command=[sys.executable, "-c", {SERVER!r}, str(port)],
            healthy=lambda: answers(f"http://127.0.0.1:{{port}}/"), environment=os.environ, folder=Path("."))
        supervisor = Supervisor(Path({str(tmp_path)!r}), print)
        supervisor.start(service)
        print(supervisor.pids["web"], flush=True)
        supervisor.watch(threading.Event())
        """
    )
    command = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert command.stdout is not None
    pid = int(command.stdout.readline())
    command.kill()
    command.wait()
    assert eventually(lambda: not alive(pid))


@given(
    deaths=st.lists(st.floats(0, 10_000), max_size=20),
    most=st.integers(0, 8),
    window_s=st.floats(1, 5_000),
)
def test_restarts_are_bounded_within_the_window_and_wait_longer_each_time(
    deaths: list[float], most: int, window_s: float
) -> None:
    restarts, now = Restarts(most=most, window_s=window_s), 10_000.0
    recent = [each for each in deaths if now - each <= window_s]
    delay = restarts.delay_s(deaths, now)
    assert (delay is None) == (len(recent) > most)
    if delay is not None:
        assert 0 < delay <= 30
        later = restarts.delay_s([*deaths, now], now)
        assert later is None or later >= delay


def test_a_wanted_port_is_given_where_it_is_free_and_another_where_not() -> None:
    import socket

    wanted = free_port()
    assert free_port(wanted) == wanted
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", wanted))
        taken.listen()
        assert free_port(wanted) != wanted
