"""The Prefect server that a command's flow runs talk to: the one that is configured, else an embedded local one."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.places import state_folder
from manifests.errors import Unavailable

_USUAL_PORT = 4200
_START_LIMIT_S = 180.0
_LOCK_PATIENCE_S = 5.0
_BACKLOG = 128
# Services that only a standing server needs, off unless the environment says otherwise. Task runs are recorded by two
# that stay on.
_IDLE_SERVICES = (
    "SCHEDULER",
    "LATE_RUNS",
    "FOREMAN",
    "CANCELLATION_CLEANUP",
    "CLEANUP_RECONCILER",
    "PAUSE_EXPIRATIONS",
    "REPOSSESSOR",
    "TRIGGERS",
)
_IDLE = {f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in _IDLE_SERVICES}
_GO = b"go\n"


@dataclass(frozen=True, slots=True)
class Server:
    """`api_url` for clients, `page_url` for people; `embedded` where it lives and dies with this process."""

    api_url: str
    page_url: str
    embedded: bool


def configured_api_url(environment: Mapping[str, str]) -> str | None:
    """The API that the environment or the active Prefect profile names, None where neither does."""
    if environment.get("PREFECT_API_URL"):
        return environment["PREFECT_API_URL"]
    home = Path(environment.get("PREFECT_HOME", Path.home() / ".prefect"))
    try:
        profiles = tomllib.loads((home / "profiles.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return None
    active = environment.get("PREFECT_PROFILE", profiles.get("active", ""))
    url = profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return str(url) if url else None


class StartingServer:
    """A server that may still be starting. It imports what it needs at once, and serves once it was told to `go`."""

    def __init__(self, server: Server, process: subprocess.Popen[bytes] | None, log: Path | None) -> None:
        self.server = server
        self._process, self._log, self._gone = process, log, False

    def go(self) -> None:
        """Let it serve, and write its history, from now on. Does not wait for it."""
        if self._process is not None and self._process.stdin is not None and not self._gone:
            with suppress(BrokenPipeError):  # it stopped: `ready` says so
                self._process.stdin.write(_GO)
                self._process.stdin.flush()
        self._gone = True

    def ready(self) -> Server:
        """Let it serve and wait until it answers. Unavailable where it does not, or stops."""
        self.go()
        deadline = time.monotonic() + (_START_LIMIT_S if self.server.embedded else 10)
        while not _healthy(self.server.api_url):
            if self._process is not None and self._process.poll() is not None:
                raise Unavailable(f"the embedded Prefect server stopped while starting; its log is {self._log}")
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"no Prefect server answers at {self.server.api_url}; start it, or unset PREFECT_API_URL"
                )
            time.sleep(0.05)
        return self.server


PATIENCE = {"PREFECT_CLIENT_RETRY_EXTRA_CODES": "500"}
"""For whoever runs flows: a server whose database is away for a moment answers so, and Prefect takes that as final."""


@contextmanager
def prefect_server() -> Iterator[StartingServer]:
    """The server for this process's flow runs, with the environment set for Prefect to find it.

    To be entered before `prefect` is first imported: Prefect reads its settings then. An embedded server listens on
    loopback alone, keeps its history in the state folder, and ends with this process, however that ends. Its imports
    take seconds of another core: enter early, and do what may still fail before `StartingServer.go`.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    url = configured_api_url(os.environ)
    if url:
        yield StartingServer(Server(url, url.removesuffix("/").removesuffix("/api"), embedded=False), None, None)
        return
    with ExitStack() as stack:
        folder = state_folder() / "prefect"
        folder.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context((folder / "lock").open("wb"))
        database = folder / ("prefect.db" if _locked(lock) else f"prefect-{os.getpid()}.db")
        if database.name != "prefect.db":
            # Another command uses the history now; this run's page is its own, and goes with it.
            stack.callback(_remove_all, folder, f"{database.name}*")
        listener = stack.enter_context(_listener())
        port = int(listener.getsockname()[1])
        server = Server(f"http://127.0.0.1:{port}/api", f"http://127.0.0.1:{port}", embedded=True)
        os.environ["PREFECT_API_URL"] = server.api_url
        os.environ["PREFECT_HOME"] = str(folder / "home")
        # The embedded server speaks no TLS, and each client would read the system's certificates for it.
        os.environ["PREFECT_API_TLS_INSECURE_SKIP_VERIFY"] = "true"
        log = folder / "server.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.embedded_server", str(listener.fileno())],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**_IDLE, **os.environ, **_server_environment(port, database, server)},
                pass_fds=(lock.fileno(), listener.fileno()),
                start_new_session=True,  # Ctrl-C is for the command; the server ends after it
            )
        listener.close()  # the server's alone now: should it stop, its port refuses
        stack.callback(_stop, process)
        stack.callback(_send_remaining_logs)
        yield StartingServer(server, process, log)


def _server_environment(port: int, database: Path, server: Server) -> dict[str, str]:
    return {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_UI_API_URL": server.api_url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_MEMO_STORE_PATH": str(database.with_suffix(".memo.toml")),
        "PREFECT_LOGGING_LEVEL": "WARNING",
        # Blocks of Prefect's integrations: registering them imports each that is installed.
        "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    }


def _locked(lock: IO[bytes]) -> bool:
    """Whether this process got the lock. A server whose command was just killed needs a moment to let go of it."""
    deadline = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        else:
            return True


def _listener() -> socket.socket:
    """A socket that listens on loopback, on Prefect's usual port where that is free.

    Listening from here on keeps the port: a command started in the seconds that a server takes to come up would find
    it free, and then talk to this one's server.
    """
    for port in (_USUAL_PORT, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            continue
        return listener
    raise Unavailable("no free port on loopback for the embedded Prefect server")


def _healthy(api_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api_url.rstrip('/')}/health", timeout=2) as answer:  # noqa: S310 (a configured API)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _remove_all(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink(missing_ok=True)


def _send_remaining_logs() -> None:
    """Prefect sends its log in batches from a thread; what is left must go before the server does."""
    if "prefect.logging.handlers" in sys.modules:
        from prefect.logging.handlers import APILogHandler

        APILogHandler().flush()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
