"""Everything that a standing redub needs, on one machine, without containers and without root.

PostgreSQL, an S3 store, the Prefect server, workers and the receiver of uploads, as processes of one supervisor, all on
loopback. What they keep lies in one folder; passwords are made there once, in files that only their owner reads.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path

from flows.server import PATIENCE
from infra import object_server, postgres
from infra.memory import ALLOCATOR
from infra.object_server import Keys, ObjectServer
from infra.places import state_folder
from infra.processes import Restarts, Service, Supervisor, answers, free_port
from manifests.errors import BadInput, Unavailable

PROJECT = Path(__file__).parents[1]
"""The checkout: where prefect.yaml lies."""
CPU_POOL, GPU_POOL, ARCHIVE_POOL = "redub", "redub-gpu", "redub-archive"
HEARTBEAT_S = 30
"""How often a run says that it lives. Prefect allows no less."""
API_USER = "redub"
BUCKET = "lectures"
"""The bucket that prefect.yaml speaks of."""
DUBS = "dubbed/"
"""Where dubs of the bucket's lectures go, as prefect.yaml says."""
_SET_UP_LIMIT_S = 900.0
_STOP_LIMIT_S = 120.0
_ARCHIVES_AT_ONCE = 8
_DATABASE_PATIENCE_S = 60
_REDUB = (sys.executable, "-c", "from flows.cli.main import main; main()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where each part listens on 127.0.0.1."""

    server: int = 4200
    database: int = 5432
    objects: int = 8333
    receiver: int = 8787
    metrics: int = 8789

    def settled(self) -> Ports:
        """Ports that are free now: these where they can be had, else others."""
        return Ports(**{each.name: free_port(getattr(self, each.name)) for each in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What the parts prove themselves with: made once, kept in `secrets.json`."""

    database: str
    api: str
    access_key: str
    secret_key: str
    receiver: str

    @classmethod
    def kept(cls, folder: Path) -> Secrets:
        """The secrets of `folder`, made where there are none."""
        file = folder / "secrets.json"
        if not file.exists():
            made = cls(
                database=secrets.token_urlsafe(24),
                api=secrets.token_urlsafe(24),
                access_key=f"redub{secrets.token_hex(8)}",
                secret_key=secrets.token_urlsafe(30),
                receiver=secrets.token_urlsafe(32),
            )
            write_private(file, json.dumps(asdict(made), indent=2))
        return cls(**json.loads(file.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """What should stand. `runs_at_once` is for the CPU worker: a lecture fills a machine's cores by itself.

    `gpus` starts a GPU worker a device, `bucket` is made where it is missing, `receiver` starts `redub watch`, which
    looks into the bucket every `look_s` seconds. `languages` are those of its dubs, prefect.yaml's where empty.
    """

    folder: Path
    ports: Ports
    bucket: str = BUCKET
    languages: tuple[str, ...] = ()
    look_s: float = 20.0
    runs_at_once: int = 1
    gpus: int = 0
    receiver: bool = True
    restarts: Restarts = field(default_factory=Restarts)


def default_folder() -> Path:
    """Where the stack keeps everything: below the state folder; for root below /var/lib, which others may pass.

    Others, because PostgreSQL refuses to run as root and is handed to a user without privileges.
    """
    if os.geteuid() == 0 and "REDUB_STATE" not in os.environ:
        return Path("/var/lib/redub/stack")
    return state_folder() / "stack"


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    draft.replace(file)


def write_container_secrets(folder: Path) -> tuple[Path, ...]:
    """Make what compose.yaml reads: compose.env, and identities.json for the S3 server. Secrets stay as they were."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = Secrets.kept(folder)
    names = {
        "REDUB_DATABASE_PASSWORD": kept.database,
        "REDUB_API_PASSWORD": kept.api,
        "REDUB_ACCESS_KEY": kept.access_key,
        "REDUB_SECRET_KEY": kept.secret_key,
        "REDUB_WATCH_SECRET": kept.receiver,
    }
    environment, identities = folder / "compose.env", folder / "identities.json"
    write_private(environment, "".join(f"{name}={value}\n" for name, value in names.items()))
    object_server.write_identities(identities, Keys(access_key=kept.access_key, secret_key=kept.secret_key))
    identities.chmod(0o644)  # the container's user is another; the folder keeps others out
    return environment, identities


def client_environment(plan: StackPlan, kept: Secrets, store: ObjectServer) -> dict[str, str]:
    """What a shell, a worker or a receiver needs to talk to the stack, secrets included."""
    return {
        "PREFECT_API_URL": f"http://127.0.0.1:{plan.ports.server}/api",
        "PREFECT_API_AUTH_STRING": f"{API_USER}:{kept.api}",
        **store.environment(),
        "REDUB_BUCKET": plan.bucket,
        "REDUB_WATCH_SECRET": kept.receiver,
        "REDUB_WATCH_PORT": str(plan.ports.receiver),
    }


def run_stack(plan: StackPlan, tell: Callable[[str], None], stopping: threading.Event | None = None) -> None:
    """Bring the stack up and keep it standing until Ctrl-C, SIGTERM or `stopping`; then end all of it, in order.

    BadInput where it stands already or a part is not installed; Unavailable where a part does not come up or stay up.
    """
    stopping = stopping or threading.Event()
    with _alone(plan.folder), _stopped_by_signals(stopping):
        kept = Secrets.kept(plan.folder)
        supervisor = Supervisor(plan.folder / "logs", tell, plan.restarts, partial(_record, plan))
        try:
            _bring_up(plan, kept, supervisor, tell, stopping)
            supervisor.watch(stopping)
        finally:
            tell("stopping")
            supervisor.stop()
            (plan.folder / "stack.json").unlink(missing_ok=True)


def end_stack(folder: Path) -> bool:
    """End the stack of `folder`, from another process; whether one stood. Unavailable where it does not end."""
    lock = folder / "lock"
    if not lock.exists() or not _held(lock):
        return False
    with suppress(ProcessLookupError):
        os.kill(int(lock.read_text(encoding="utf-8")), signal.SIGTERM)
    deadline = time.monotonic() + _STOP_LIMIT_S
    while _held(lock):
        if time.monotonic() > deadline:
            raise Unavailable(f"the stack of {folder} did not end within {_STOP_LIMIT_S:.0f} s; see {folder / 'logs'}")
        time.sleep(0.2)
    return True


def last_ports(folder: Path) -> Ports:
    """The ports of the last time, so that what was told of them stays true; the usual ones at first."""
    try:
        return Ports(**json.loads((folder / "ports.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Ports()


def _bring_up(
    plan: StackPlan, kept: Secrets, supervisor: Supervisor, tell: Callable[[str], None], stopping: threading.Event
) -> None:
    ports, folder = plan.ports, plan.folder
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "AWS_"))}
    database = postgres.prepared(folder / "database", port=ports.database, password=kept.database)
    keys = Keys(access_key=kept.access_key, secret_key=kept.secret_key)
    store = object_server.prepared(folder / "objects", port=ports.objects, keys=keys)
    clients = client_environment(plan, kept, store)
    (folder / "prefect").mkdir(exist_ok=True, mode=0o700)
    write_private(folder / "ports.json", json.dumps(asdict(ports)))
    write_private(folder / "stack.env", "".join(f"export {n}={shlex.quote(v)}\n" for n, v in clients.items()))

    def start(service: Service, where: str) -> None:
        if not stopping.is_set():
            began = time.monotonic()
            supervisor.start(service, stopping)
            tell(f"{service.name:<10} {where} ({time.monotonic() - began:.0f} s)")

    start(database.service(plain), f"PostgreSQL on 127.0.0.1:{ports.database}")
    start(store.service(plain), f"S3 at {store.url}, bucket {plan.bucket}")
    start(_server(plan, kept, database.url, plain), f"Prefect at http://127.0.0.1:{ports.server}")
    gpus = [f"{socket.gethostname()}-{index}" for index in range(plan.gpus)]
    workers = plain | clients | _worker_environment(folder)
    if not stopping.is_set():
        _set_up(workers, plan, gpus)
    for service in _workers(plan, workers, gpus):
        start(service, f"a worker; its log is {supervisor.log(service.name)}")
    if plan.receiver and not stopping.is_set():
        if _has_command("watch"):
            start(_receiver(plan, workers), f"uploads to {plan.bucket} start a dub; http://127.0.0.1:{ports.receiver}")
        else:
            tell("receiver   not started: this redub has no `redub watch`")
    start(_exporter(plan, workers), f"metrics at http://127.0.0.1:{ports.metrics}/metrics")
    _record(plan, supervisor.pids)
    if not stopping.is_set():
        tell(f"All is up. Passwords and keys: {folder / 'stack.env'} (user {API_USER} in the browser). To use it here:")
        tell(f"  source {folder / 'stack.env'}")


def _record(plan: StackPlan, pids: dict[str, int]) -> None:
    """What stands, for whoever asks: processes and ports."""
    write_private(plan.folder / "stack.json", json.dumps({"pids": pids, "ports": asdict(plan.ports)}))


def _server(plan: StackPlan, kept: Secrets, database_url: str, plain: Mapping[str, str]) -> Service:
    port = plan.ports.server
    home = plan.folder / "prefect" / "server"
    home.mkdir(parents=True, exist_ok=True)
    return Service(
        name="server",
        command=[sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        healthy=partial(answers, f"http://127.0.0.1:{port}/api/ready"),
        environment={
            **plain,
            "PREFECT_HOME": str(home),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
            # The default of 5 s is too little where lectures keep every core busy.
            "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": str(_DATABASE_PATIENCE_S),
            "PREFECT_SERVER_DATABASE_TIMEOUT": str(_DATABASE_PATIENCE_S),
            "PREFECT_SERVER_API_AUTH_STRING": f"{API_USER}:{kept.api}",
            "PREFECT_API_AUTH_STRING": f"{API_USER}:{kept.api}",
            "PREFECT_UI_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
        },
        folder=plan.folder,
        start_limit_s=240.0,
    )


def _worker_environment(folder: Path) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(folder / "prefect" / "worker"),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S),
        # Between two lectures a worker waits for its next question: 10 s by default, 1 % of an hour's lecture.
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        # Else each of a flow's many threads holds on to what it freed.
        **ALLOCATOR,
        **PATIENCE,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # A run whose worker is told to stop goes back into the queue, to be taken up by the next one.
        "PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR": "reschedule",
    }


def _workers(plan: StackPlan, environment: Mapping[str, str], gpus: Sequence[str]) -> Iterator[Service]:
    """A worker for lectures, one for archives, one a GPU.

    Archives have a worker of their own because their runs wait for lectures: in one queue with them, they would take
    the places that they wait for.
    """
    yield _worker("worker", CPU_POOL, plan.runs_at_once, plan.folder, environment)
    yield _worker("archivist", ARCHIVE_POOL, _ARCHIVES_AT_ONCE, plan.folder, environment)
    for index, name in enumerate(gpus):
        device = {"CUDA_VISIBLE_DEVICES": str(index), "REDUB_GPU_SLOT": name}
        yield _worker(f"worker-gpu{index}", GPU_POOL, 1, plan.folder, {**environment, **device})


def _worker(name: str, pool: str, limit: int, folder: Path, environment: Mapping[str, str]) -> Service:
    port = free_port()
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process", "--name", name]
    return Service(
        name=name,
        command=[*command, "--limit", str(limit), "--with-healthcheck"],
        healthy=partial(answers, f"http://127.0.0.1:{port}/health"),
        environment={
            **environment,
            "PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1",
            "PREFECT_WORKER_WEBSERVER_PORT": str(port),
        },
        folder=folder,
    )


def _receiver(plan: StackPlan, environment: Mapping[str, str]) -> Service:
    return Service(
        name="receiver",
        command=[
            *(*_REDUB, "watch", plan.bucket, "--ignore", f"s3://{plan.bucket}/{DUBS}"),
            *("--state", str(plan.folder / "receiver"), "--poll", f"{plan.look_s:g}"),
        ],
        healthy=partial(answers, f"http://127.0.0.1:{plan.ports.receiver}/health"),
        environment=environment,
        folder=plan.folder,
    )


def _exporter(plan: StackPlan, environment: Mapping[str, str]) -> Service:
    """For Prometheus: the records of the workers' runs, and what waits."""
    return Service(
        name="exporter",
        command=[*_REDUB, "metrics", "--port", str(plan.ports.metrics)],
        healthy=partial(answers, f"http://127.0.0.1:{plan.ports.metrics}/health"),
        environment=environment,
        folder=plan.folder,
    )


def _set_up(environment: Mapping[str, str], plan: StackPlan, gpus: Sequence[str]) -> None:
    """In a process of its own: Prefect reads its settings once, when it is first imported."""
    command = [sys.executable, "-m", "flows.cli.stack", "set-up", "--bucket", plan.bucket]
    if plan.languages:
        command += ["--to", ",".join(plan.languages)]
    done = subprocess.run(
        [*command, *(part for name in gpus for part in ("--gpu", name))],
        env=dict(environment),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SET_UP_LIMIT_S,
    )
    if done.returncode != 0:
        raise Unavailable(f"the server could not be set up: {(done.stderr or done.stdout).strip()[-2000:]}")


def _has_command(name: str) -> bool:
    done = subprocess.run([*_REDUB, name, "--help"], capture_output=True, check=False, timeout=_SET_UP_LIMIT_S)
    return done.returncode == 0


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, with this process's number in it. BadInput where another stack stands there."""
    folder.mkdir(parents=True, exist_ok=True)
    # Root's database runs as another user, who has to pass; every secret is in a file that others cannot read.
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                "a stack stands here already", where=str(folder), remedy="end it first: redub stack down"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _held(lock: Path) -> bool:
    with lock.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _stopped_by_signals(stopping: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stopping`; a second Ctrl-C changes nothing, since stopping is under way."""
    before = {each: signal.signal(each, lambda *_: stopping.set()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def with_ports(plan: StackPlan, **given: int | None) -> StackPlan:
    """`plan` on the ports that were given; a given one that is taken is a BadInput, any other gives way."""
    chosen = {name: port for name, port in given.items() if port is not None}
    wanted = replace(plan.ports, **chosen)
    settled = wanted.settled()
    for name, port in chosen.items():
        if getattr(settled, name) != port:
            raise BadInput(f"port {port} is taken", where=f"--{name}-port", remedy="choose another, or leave it out")
    return replace(plan, ports=settled)
