"""A standing redub for tests: `redub stack up` in a folder of its own, on ports that are free, ended by its handle."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.processes import free_port

ROOT = Path(__file__).parents[1]
_UP_S = 600.0
_DOWN_S = 120.0


@dataclass(frozen=True)
class Stack:
    """A stack whose parts answer. `environment` is what a client of it needs."""

    folder: Path
    process: subprocess.Popen[str]
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return self.environment["PREFECT_API_URL"]

    def pids(self) -> dict[str, int]:
        found: dict[str, int] = json.loads((self.folder / "stack.json").read_text())["pids"]
        return found

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def python(self, code: str) -> Any:
        """What `code` prints as JSON, run as a client of the stack."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """Tell it to end; its exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=_DOWN_S)


def begun(folder: Path, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """`redub stack up` as it starts, with `more` in its environment."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT_", "AWS_", "REDUB_"))}
    environment |= {"PYTHONPATH": str(ROOT / "tests" / "flows"), "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    environment |= {"REDUB_CACHE": str(folder / "cache"), "REDUB_STATE": str(folder / "state"), **(more or {})}
    with (folder / "said").open("a") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli.stack", "up", "--folder", str(folder)],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=ROOT,
            text=True,
        )


def until(true: Callable[[], object], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.5)


def stood_up(folder: Path, more: Mapping[str, str] | None = None) -> Stack:
    """The stack of `folder`, once all of it is up."""
    if not (folder / "ports.json").exists():
        # Not the usual ones: other tests' servers come and go there.
        ports = {name: free_port() for name in ("server", "database", "objects", "receiver")}
        (folder / "ports.json").write_text(json.dumps(ports))
    process = begun(folder, more)
    stack = Stack(folder, process, {})

    def up() -> bool:
        assert process.poll() is None, stack.said()
        return (folder / "stack.json").exists()

    until(up, _UP_S)
    lines = (line.removeprefix("export ").split("=", 1) for line in (folder / "stack.env").read_text().splitlines())
    return Stack(folder, process, {name: shlex.split(value)[0] for name, value in lines})


@contextmanager
def standing(more: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack in a new folder, for as long as this lasts."""
    # Not pytest's own folder, which is closed to others: root's database runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="redub-stack-"))
    folder.chmod(0o711)
    try:
        stack = stood_up(folder, more)
        try:
            yield stack
        finally:
            stack.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
