"""Standing services as processes of this one: started in order, asked whether they are well, begun again when they die.

Whatever was started ends with the process that started it, even one that is killed: on Linux each service asks the
kernel for a signal at its parent's death.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from manifests.errors import Unavailable

_POLL_S = 0.2
_LOG_TAIL_BYTES = 2000
_LONGEST_DELAY_S = 30.0
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom a process runs as: numbers of a user and of that user's group."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A process that should stand. `healthy` may be asked often and must not raise.

    `stop_signal` ends it in good order within `stop_limit_s`; what is left of its session then is killed.
    `account` is whom it runs as, None for this process's own.
    """

    name: str
    command: Sequence[str]
    healthy: Callable[[], bool]
    environment: Mapping[str, str]
    folder: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    start_limit_s: float = 120.0
    stop_limit_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarts:
    """How often a service may be begun again: `most` times within `window_s` seconds."""

    most: int = 5
    window_s: float = 600.0

    def delay_s(self, deaths: Sequence[float], now: float) -> float | None:
        """Seconds to wait before the next start, None where it died too often; `deaths` are times up to `now`."""
        recent = sum(1 for each in deaths if now - each <= self.window_s)
        if recent > self.most:
            return None
        return min(_LONGEST_DELAY_S, 0.5 * 2.0 ** max(0, recent - 1))


@dataclass(slots=True)
class _Running:
    service: Service
    process: subprocess.Popen[bytes]
    deaths: list[float] = field(default_factory=list)


class Supervisor:
    """Keeps services standing. To be used from the main thread: a service dies with the thread that started it.

    `changed` is told the process of each service whenever one was begun again.
    """

    def __init__(
        self,
        logs: Path,
        tell: Callable[[str], None],
        restarts: Restarts | None = None,
        changed: Callable[[dict[str, int]], None] = lambda _: None,
    ) -> None:
        self._logs, self._tell, self._restarts, self._changed = logs, tell, restarts or Restarts(), changed
        self._running: dict[str, _Running] = {}
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def pids(self) -> dict[str, int]:
        """The process of each service, by its name."""
        return {name: each.process.pid for name, each in self._running.items()}

    def log(self, name: str) -> Path:
        """Where what a service says is written."""
        return self._logs / f"{name}.log"

    def start(self, service: Service, stopping: threading.Event | None = None) -> None:
        """Start `service` and wait until it is well; returns early where `stopping` is set. Unavailable if it fails."""
        self._running[service.name] = _Running(service, self._begin(service))
        self._await_health(self._running[service.name], stopping)

    def watch(self, stopping: threading.Event) -> None:
        """Begin again what dies, until `stopping` is set. Unavailable where something dies too often."""
        while not stopping.wait(_POLL_S):
            for each in self._running.values():
                if each.process.poll() is not None and not stopping.is_set():
                    self._revive(each, stopping)

    def stop(self) -> None:
        """End everything, the last started first."""
        for each in reversed(self._running.values()):
            self._end(each)
        self._running.clear()

    def _begin(self, service: Service) -> subprocess.Popen[bytes]:
        account = service.account
        with self.log(service.name).open("ab") as sink:
            return subprocess.Popen(
                list(service.command),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=dict(service.environment),
                cwd=service.folder,
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends them in order
                preexec_fn=_death_signal(service.stop_signal),  # noqa: PLW1509 (one system call, found beforehand)
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
            )

    def _await_health(self, running: _Running, stopping: threading.Event | None) -> None:
        service, deadline = running.service, time.monotonic() + running.service.start_limit_s
        while not service.healthy():
            if stopping is not None and stopping.is_set():
                return
            code = running.process.poll()
            if code is not None:
                raise Unavailable(f"{service.name} stopped while starting ({code}){self._last_words(service.name)}")
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{service.name} was not ready within {service.start_limit_s:.0f} s{self._last_words(service.name)}"
                )
            time.sleep(_POLL_S)

    def _revive(self, each: _Running, stopping: threading.Event) -> None:
        name, now = each.service.name, time.monotonic()
        each.deaths.append(now)
        delay = self._restarts.delay_s(each.deaths, now)
        if delay is None:
            raise Unavailable(
                f"{name} died {self._restarts.most + 1} times within {self._restarts.window_s:.0f} s"
                f"{self._last_words(name)}"
            )
        self._tell(f"{name} died ({each.process.returncode}); beginning it again in {delay:.1f} s")
        _kill_session(each.process.pid)
        if stopping.wait(delay):
            return
        each.process = self._begin(each.service)
        self._changed(self.pids)
        try:
            self._await_health(each, stopping)
        except Unavailable as error:
            self._tell(str(error))
            self._end(each)  # it counts as one more death, of which there are few
        else:
            self._tell(f"{name} stands again")

    def _end(self, each: _Running) -> None:
        process = each.process
        if process.poll() is None:
            process.send_signal(each.service.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=each.service.stop_limit_s)
        _kill_session(process.pid)
        process.wait()

    def _last_words(self, name: str) -> str:
        said = self.log(name).read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return f"; its log is {self.log(name)}, and ends:\n{said}" if said else f"; its log, {self.log(name)}, is empty"


def answers(url: str, timeout_s: float = 2.0) -> bool:
    """Whether an HTTP server on this machine answers `url` with anything but a server's error."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s):  # noqa: S310 (loopback, from this program)
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False


def free_port(wanted: int | None = None) -> int:
    """A TCP port on loopback that is free now: `wanted` if it can be had."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    raise Unavailable("no free port on loopback")


def _death_signal(number: signal.Signals) -> Callable[[], None] | None:
    """A hook for the child that asks for `number` when its parent dies; None where the kernel offers no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_SET_DEATH_SIGNAL, int(number), 0, 0, 0)


def _kill_session(leader: int) -> None:
    """Kill what is left of the group that a service led; it was given one of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
