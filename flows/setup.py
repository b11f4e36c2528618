"""What a standing Prefect server is told once: work pools, GPU slots, deployments, and what to do when a run vanishes.

Everything here may be said again: what is as it should be stays as it is.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from flows.gpu import SLOT_PREFIX
from flows.stack import ARCHIVE_POOL, BUCKET, CPU_POOL, GPU_POOL, HEARTBEAT_S
from manifests.errors import BadInput, Unavailable
from manifests.languages import language as known_language

PREFECT_FILE = "prefect.yaml"
SILENCE_S = 3 * HEARTBEAT_S
"""After this much silence a run counts as crashed."""
CRASH_RETRIES = 3
VANISHED = "redub: a run that fell silent has crashed"
NOTICED = "redub: a crashed run is to be started again"
RETRIED = "redub: a crashed run is started again"
COOLING_S = 45
"""A crashed run rests so long before it is started again."""
_SOON = "RetryingSoon"
_REMEMBERED = timedelta(days=14)
_DEPLOY_LIMIT_S = 600.0
_RUNNING = {"prefect.flow-run.Running", "prefect.flow-run.Retrying", "prefect.flow-run.Rerunning"}
# A run in one of these is not expected to say anything more.
_ENDED = ("Completed", "Failed", "Cancelled", "Cancelling", "Crashed")
_AT_REST = (*_ENDED, "Paused", "Suspended", "AwaitingRetry", "Scheduled")


def set_up(
    project: Path,
    gpus: Sequence[str] = (),
    *,
    bucket: str | None = None,
    languages: Sequence[str] = (),
    retries: int = CRASH_RETRIES,
) -> None:
    """Tell the configured server all of it. `project` is the folder that holds prefect.yaml; `gpus` name devices.

    Names of devices are the operator's (such as `rack1-0`), one slot each. `bucket` and `languages` as in `declared`.
    Unavailable where the server refuses.
    """
    deployments = declared(project, bucket=bucket, languages=languages)
    with get_client(sync_client=True) as client:
        make_pools(client)
        declare_gpus(client, gpus)
        for automation in automations(retries):
            _upsert(client, automation)
    deploy_all(project, deployments)


def make_pools(client: SyncPrefectClient) -> None:
    """The pools for CPU and GPU workers. One that exists is left alone: its template may be the operator's."""
    described = {
        CPU_POOL: "Lectures for workers without a GPU.",
        GPU_POOL: "Lectures for workers with a GPU, one worker a device.",
        ARCHIVE_POOL: "Archives: runs that plan and wait for lectures, and need next to nothing themselves.",
    }
    for name, description in described.items():
        try:
            client.read_work_pool(name)
        except ObjectNotFound:
            client.create_work_pool(
                WorkPoolCreate(
                    name=name,
                    type="process",
                    description=description,
                    base_job_template=ProcessWorker.get_default_base_job_template(),
                )
            )


def declare_gpus(client: SyncPrefectClient, gpus: Sequence[str]) -> None:
    """One slot a device, as a global concurrency limit of 1."""
    for name in gpus:
        if not name or "/" in name:
            raise BadInput(f"{name!r} is no name of a device", where="--gpu", remedy="use letters, digits and dashes")
        client.upsert_global_concurrency_limit_by_name(f"{SLOT_PREFIX}{name}", limit=1)


def automations(retries: int = CRASH_RETRIES) -> tuple[AutomationCore, ...]:
    """Silence becomes Crashed, and Crashed after a rest another try, `retries` times at most.

    The bound is the server's to keep: its events say how often a run has begun. Only a run that began is started again,
    so one that cannot even start is not started for ever.
    """
    vanished = AutomationCore(
        name=VANISHED,
        description=f"No heartbeat for {SILENCE_S} s: the worker was killed, or its machine is gone.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *(f"prefect.flow-run.{each}" for each in _AT_REST)},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=SILENCE_S),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name="Crashed",
                force=False,
                message=f"Nothing was heard of this run for {SILENCE_S} s: its worker or its machine died.",
            )
        ],
    )
    crashed = AutomationCore(
        name=NOTICED,
        description=f"At most {retries} times for a run; what was finished is recalled from the store.",
        enabled=retries > 0,
        trigger=EventTrigger(
            after=_RUNNING,
            expect={"prefect.flow-run.Crashed"},
            match=ResourceSpecification(
                {
                    "prefect.resource.id": ["prefect.flow-run.*"],
                    "prefect.run-count": [str(count) for count in range(1, max(1, retries) + 1)],
                }
            ),
            # Runs that a command started itself have no work pool, and no worker that would take them up.
            match_related=ResourceSpecification(
                {"prefect.resource.role": ["work-pool"], "prefect.resource.id": ["prefect.work-pool.*"]}
            ),
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
            within=_REMEMBERED,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name=_SOON,
                message=f"It crashed; it is started again in {COOLING_S} s, at most {retries} times.",
                force=True,
            )
        ],
    )
    retried = AutomationCore(
        name=RETRIED,
        description=f"{COOLING_S} s after the crash: a worker that still holds a run dies when it is handed it again.",
        trigger=EventTrigger(
            after={f"prefect.flow-run.{_SOON}"},
            expect={f"prefect.flow-run.{each}" for each in ("Running", "Pending", *_AT_REST)},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=COOLING_S),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.SCHEDULED, name="AwaitingRetry", message="Started again after a crash.", force=True
            )
        ],
    )
    return vanished, crashed, retried


def declared(project: Path, *, bucket: str | None = None, languages: Sequence[str] = ()) -> str:
    """What prefect.yaml declares, with `bucket` and `languages` (ISO 639-1) in the place of its own, where given.

    BadInput for a language that redub does not know.
    """
    text = (project / PREFECT_FILE).read_text(encoding="utf-8")
    if bucket:
        text = text.replace(f"s3://{BUCKET}/", f"s3://{bucket}/")
    if not languages:
        return text
    whole = yaml.safe_load(text)
    codes = [known_language(each).code for each in languages]
    for deployment in whole["deployments"]:
        if "to" in deployment.get("parameters", {}):
            deployment["parameters"]["to"] = codes
    return str(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))


def deploy_all(project: Path, deployments: str | None = None) -> None:
    """Make or renew every deployment that prefect.yaml (or `deployments`, its text) declares, and what starts them."""
    with tempfile.TemporaryDirectory(prefix="redub-") as name:
        file = Path(name) / PREFECT_FILE
        file.write_text(declared(project) if deployments is None else deployments, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
            timeout=_DEPLOY_LIMIT_S,
        )
    if done.returncode != 0:
        raise Unavailable(f"the deployments could not be made: {(done.stderr or done.stdout).strip()[-1500:]}")


def _upsert(client: SyncPrefectClient, automation: AutomationCore) -> None:
    known = client.read_automations_by_name(automation.name)
    if known:
        client.update_automation(known[0].id, automation)
    else:
        client.create_automation(automation)
