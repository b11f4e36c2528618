"""What the benchmark runs on: the parts of `make stack`, as processes, and as many workers as are wanted.

PostgreSQL, SeaweedFS and the Prefect server are started as the stack starts them, with its settings; a worker is the
stack's worker, in a pool of its own. Everything listens on loopback and ends with this process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scale.declared import LEDGER, RATE, WORKER
from flows import stack
from infra import object_server, postgres
from infra.object_server import Keys
from infra.processes import Supervisor

POOL = "scale"
DEPLOYMENT = "dub-lecture/scale"
BUCKET = "scale"
_DEPLOY = """
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.workers.process import ProcessWorker
from benchmarks.scale.standing import POOL
from flows.dub import dub

with get_client(sync_client=True) as client:
    template = ProcessWorker.get_default_base_job_template()
    client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))
    client.create_deployment(
        client.create_flow(dub),
        name="scale",
        entrypoint="benchmarks.scale.dubbing:dub",
        path="",
        pull_steps=[],
        work_pool_name=POOL,
        parameter_openapi_schema=dub.parameters.model_dump(),
    )
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands. `environment` is for every process that uses it; `folder` holds all that is kept."""

    folder: Path
    plan: stack.StackPlan
    supervisor: Supervisor
    environment: Mapping[str, str]

    @contextmanager
    def workers(self, count: int, ledger: Path, rate: float, lectures: int = 1) -> Iterator[None]:
        """`count` workers, each of `lectures` at a time, which write into `ledger`; they end on leaving."""
        ledger.mkdir(parents=True, exist_ok=True)
        environment = {**self.environment, LEDGER: str(ledger), RATE: str(rate)}
        team = Supervisor(ledger / "logs", print)
        try:
            for number in range(count):
                name = f"scale-{number}"
                own = {**environment, WORKER: name}
                team.start(stack._worker(name, POOL, lectures, self.folder, own))  # noqa: SLF001
            yield
        finally:
            team.stop()

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds that each service has used, its children's included."""
        used = {}
        for name, leader in self.supervisor.pids.items():
            used[name] = sum(_ticks(stat) for stat in _stats() if int(stat[2]) == leader) / os.sysconf("SC_CLK_TCK")
        return used

    def run(self, code: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        """A Python process that uses it. Raises where that fails, with what it said."""
        done = subprocess.run(
            [sys.executable, *code],
            env={**self.environment, **more},
            cwd=stack.PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError((done.stdout + done.stderr)[-4000:])
        return done


def _stats() -> Iterator[list[str]]:
    """What the kernel tells of each process, from its state on; the third figure is its group's leader."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it may have ended
            yield file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _ticks(stat: list[str]) -> int:
    return sum(int(each) for each in stat[11:15])


@contextmanager
def standing(where: Path | None) -> Iterator[Standing]:
    """Database, store and server, with the deployment made; gone on leaving, with their folder."""
    with tempfile.TemporaryDirectory(dir=where, prefix="redub-scale-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # where this runs as root, the database does not
        plan = stack.StackPlan(folder=folder, ports=stack.Ports().settled(), bucket=BUCKET)
        kept = stack.Secrets.kept(folder)
        supervisor = Supervisor(folder / "logs", print)
        plain = {each: value for each, value in os.environ.items() if not each.startswith(("PREFECT_", "AWS_"))}
        try:
            database = postgres.prepared(folder / "database", port=plan.ports.database, password=kept.database)
            keys = Keys(access_key=kept.access_key, secret_key=kept.secret_key)
            store = object_server.prepared(folder / "objects", port=plan.ports.objects, keys=keys)
            (folder / "prefect").mkdir()
            for service in (
                database.service(plain),
                store.service(plain),
                stack._server(plan, kept, database.url, plain),  # noqa: SLF001
            ):
                supervisor.start(service)
            environment = {
                **plain,
                **stack.client_environment(plan, kept, store),
                **stack._worker_environment(folder),  # noqa: SLF001
                "REDUB_CACHE": str(folder / "cache"),
                "REDUB_STATE": str(folder / "state"),
                "PYTHONPATH": str(stack.PROJECT),
                "OMP_NUM_THREADS": "1",
            }
            up = Standing(folder, plan, supervisor, environment)
            os.environ.update(store.environment())
            object_server.ensure_bucket(BUCKET)
            up.run(["-c", _DEPLOY])
            yield up
        finally:
            supervisor.stop()


def ask(up: Standing, path: str, body: dict[str, Any]) -> Any:
    """What the Prefect API answers to a POST of `body`."""
    import httpx

    user, password = up.environment["PREFECT_API_AUTH_STRING"].split(":", 1)
    url = f"{up.environment['PREFECT_API_URL']}{path}"
    answer = httpx.post(url, json=body, auth=(user, password), timeout=120)
    answer.raise_for_status()
    return answer.json()
