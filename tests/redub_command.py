"""The real command, as a person or a machine starts it: a process of its own, with folders of its own."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from manifests.tables import read_table

Event = dict[str, Any]
Row = TypeVar("Row")

REDUB = Path(sys.executable).parent / "redub"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left: its exit code (negative: the signal that ended it), JSON lines, and standard error."""

    code: int
    events: tuple[Event, ...]
    errors: str

    def of_kind(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["event"] == kind]

    @property
    def result(self) -> Event:
        assert self.code == 0, f"exit code {self.code}: {self.events[-1:]} {self.errors}"
        assert self.events[-1]["event"] == "result"
        return self.events[-1]


@dataclass(frozen=True, slots=True)
class Redub:
    """`redub` with its cache, its state and its weights in the folders given, and no other Prefect server in sight.

    `program` is the command, or what stands in for it.
    """

    cache: Path
    state: Path
    weights: Path
    environment: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (str(REDUB),)

    def run(self, *arguments: str | Path) -> Ended:
        """Run to the end; `--json` is added."""
        return self.run_until(lambda event: False, *arguments)

    def run_until(self, fatal: Callable[[Event], bool], *arguments: str | Path) -> Ended:
        """Run, and kill this one process (SIGKILL) at the first event that is `fatal`."""
        errors = self.state.parent / f"{self.state.name}.stderr"
        with errors.open("w", encoding="utf-8") as sink:
            process = subprocess.Popen(
                [*self.program, *map(str, arguments), "--json"],
                stdout=subprocess.PIPE,
                stderr=sink,
                stdin=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env=self._environment(),
            )
            events = []
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    events.append(json.loads(line))
                    if fatal(events[-1]):
                        os.kill(process.pid, signal.SIGKILL)
                code = process.wait()
            finally:
                process.kill()
                process.wait()
        return Ended(code, tuple(events), errors.read_text(encoding="utf-8"))

    def dub(self, source: Path, out: Path, *options: str) -> Dubbed:
        """Dub `source` into French, into the folder `out`."""
        return Dubbed(self, source, out, self.run("dub", source, "--to", "fr", "--out", out, *options))

    def servers(self) -> list[int]:
        """The ids of the embedded servers that live now and belong to this state folder."""
        mine = f"REDUB_STATE={self.state}".encode()
        return [pid for pid in _processes_of("flows.embedded_server") if mine in _read(pid, "environ").split(b"\0")]

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REDUB_"))}
        return {
            **inherited,
            "REDUB_CACHE": str(self.cache),
            "REDUB_STATE": str(self.state),
            "REDUB_WEIGHTS": str(self.weights),
            "PREFECT_HOME": str(self.state / "no-profile"),  # a developer's own profile may name a server
            **self.environment,
        }


@dataclass(frozen=True, slots=True)
class Dubbed:
    """A lecture that `redub` dubbed into French, and how that went."""

    redub: Redub
    source: Path
    out: Path
    ended: Ended

    @property
    def video(self) -> Path:
        return self.out / f"{self.source.stem}.fr.mp4"

    @property
    def manifests(self) -> Path:
        return self.out / f"{self.source.stem}.redub"

    def rows(self, kind: type[Row], name: str) -> list[Row]:
        """The rows of a manifest."""
        return read_table(kind, self.manifests / f"{name}.parquet")

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file in `out` but what differs from run to run by its nature.

        The record of the run holds times of the clock, and a signature is another each time it is made.
        """
        return {
            path.relative_to(self.out).as_posix(): sha256_of(path)
            for path in sorted(self.out.rglob("*"))
            if path.is_file() and path.name != "run.json" and path.suffix != ".c2pa"
        }


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _processes_of(module: str) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and module.encode() in _read(int(entry.name), "cmdline").split(b"\0"):
            yield int(entry.name)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path("/proc", str(pid), name).read_bytes()
    except OSError:  # it ended meanwhile
        return b""
