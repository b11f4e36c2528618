"""Turns at a device, among real threads and processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from infra.turns import turn

WAITS = """
import sys, time
from pathlib import Path
from infra.turns import turn
print("up", flush=True)
with turn(Path(sys.argv[1]), float(sys.argv[2])):
    print(f"in {time.time()}", flush=True)
    time.sleep(float(sys.argv[3]))
    print(f"out {time.time()}", flush=True)
"""


def waiting(folder: Path, since: float, held_s: float) -> subprocess.Popen[str]:
    """A process that has its turn at `folder`, started."""
    command = [sys.executable, "-c", WAITS, str(folder), str(since), str(held_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def until_tickets(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(list(folder.glob("*.ticket"))) != count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_began_first_goes_first_whoever_asked_first(tmp_path: Path) -> None:
    order: list[float] = []

    def have_it(since: float) -> None:
        with turn(tmp_path, since):
            order.append(since)

    with ThreadPoolExecutor(4) as threads, turn(tmp_path, 100.0):
        for already, since in enumerate((3.0, 1.0, 12.5, 2.0)):
            threads.submit(have_it, since)
            until_tickets(tmp_path, already + 1)
    assert order == [1.0, 2.0, 3.0, 12.5]
    assert [each.name for each in tmp_path.iterdir()] == ["held"]


def test_processes_are_never_both_inside_and_the_older_goes_first(tmp_path: Path) -> None:
    processes: list[subprocess.Popen[str]] = []
    with turn(tmp_path, 0.0):
        for since in (30.0, 20.0, 10.0):
            processes.append(waiting(tmp_path, since, 0.2))
            until_tickets(tmp_path, len(processes))
    told = [process.communicate(timeout=60)[0].split() for process in processes]
    inside = [(float(said[1]), float(said[3])) for said in reversed(told)]  # the oldest first
    assert inside == sorted(inside)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(inside))


def test_the_turn_and_the_ticket_of_a_killed_process_are_free(tmp_path: Path) -> None:
    holder = waiting(tmp_path, 2.0, 3600)
    assert holder.stdout is not None
    assert holder.stdout.readline().startswith("in ")
    first_in_line = waiting(tmp_path, 1.0, 3600)
    until_tickets(tmp_path, 1)
    for process in (first_in_line, holder):
        process.send_signal(signal.SIGKILL)
        process.communicate()
    got = threading.Event()

    def have_it() -> None:
        with turn(tmp_path, 3.0):
            got.set()

    thread = threading.Thread(target=have_it, daemon=True)
    thread.start()
    assert got.wait(30)
    thread.join(30)
    assert [each.name for each in tmp_path.iterdir()] == ["held"]
