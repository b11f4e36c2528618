"""The stack as it stands: real processes, a real database, and what becomes of runs whose worker is killed."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from standing_stack import ROOT, Stack, begun, standing, stood_up, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with standing() as up:
        yield up


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


RUNS = """
import json, sys
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    run = client.read_flow_run({run!r})
    states = [[state.name, state.timestamp.timestamp()] for state in client.read_flow_run_states({run!r})]
    print(json.dumps({{"state": run.state.name, "count": run.run_count, "states": states}}))
"""

START = """
import json
from prefect.client.orchestration import get_client
from prefect.flows import load_flow_from_entrypoint
with get_client(sync_client=True) as client:
    flow = load_flow_from_entrypoint({entry!r})
    made = client.create_deployment(client.create_flow(flow), name="test", entrypoint={entry!r}, pull_steps=[],
        work_pool_name="redub", parameter_openapi_schema=flow.parameters.model_dump())
    print(json.dumps(str(client.create_flow_run_from_deployment(made, parameters={{"folder": {folder!r}}}).id)))
"""


def started(stack: Stack, flow: str, marks: Path) -> str:
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tests' / 'flows')!r})\n"
    run: str = stack.python(code + START.format(entry=f"vanishing_flows:{flow}", folder=str(marks)))
    return run


def test_pools_deployments_slots_and_automations_are_there(stack: Stack) -> None:
    found = stack.python(
        "import json\n"
        "from prefect.client.orchestration import get_client\n"
        "with get_client(sync_client=True) as client:\n"
        "    print(json.dumps({'pools': [p.name for p in client.read_work_pools()],\n"
        "        'deployments': [d.name for d in client.read_deployments()],\n"
        "        'automations': [a.name for a in client.read_automations()]}))\n"
    )
    import yaml

    declared = {each["name"] for each in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}
    assert declared <= set(found["deployments"])
    assert {"redub", "redub-gpu", "redub-archive"} <= set(found["pools"])
    assert sum(name.startswith("redub: ") for name in found["automations"]) == 3


def test_who_knows_no_password_is_refused_and_nobody_else_can_read_it(stack: Stack) -> None:
    assert status_of(f"{stack.url}/work_pools/redub") == 401
    assert status_of(stack.environment["AWS_ENDPOINT_URL_S3"] + "/lectures") == 403
    for name in ("secrets.json", "stack.env", "stack.json"):
        assert stat.S_IMODE((stack.folder / name).stat().st_mode) == 0o600
    password = stack.environment["PREFECT_API_AUTH_STRING"].split(":")[1]
    assert password not in stack.said()
    assert all(password not in log.read_text(errors="replace") for log in (stack.folder / "logs").iterdir())


def test_everything_listens_on_loopback_alone(stack: Stack) -> None:
    def loopback(address: str) -> bool:
        host = address.rsplit(":", 1)[0]
        return (host.endswith("7F") and len(host) == 8) or host.endswith("0100007F") or host == "0" * 24 + "01000000"

    inodes = set()
    for pid in stack.pids().values():
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    listening = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and parts[9] in inodes:
                assert loopback(parts[1]), line
                listening += 1
    assert listening >= 3


def test_a_second_stack_in_the_same_folder_is_refused(stack: Stack) -> None:
    second = begun(stack.folder)
    assert second.wait(timeout=120) == 2
    assert "a stack stands here already" in stack.said()


def test_a_killed_database_comes_back_and_the_server_goes_on(stack: Stack) -> None:
    os.kill(stack.pids()["database"], signal.SIGKILL)
    until(lambda: "database stands again" in stack.said(), 120)
    until(lambda: status_of(f"{stack.url}/ready") == 200, 120)
    assert stack.python(
        "import json\nfrom prefect.client.orchestration import get_client\n"
        "with get_client(sync_client=True) as client:\n    print(json.dumps(len(client.read_work_pools())))\n"
    )


def test_runs_by_the_clock_appear(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "prefect.yaml").write_text(
        "name: clock\nprefect-version: 3.8.8\npull: []\ndeployments:\n"
        "  - name: clock\n    entrypoint: vanishing_flows:by_the_clock\n"
        "    work_pool: {name: redub-gpu}\n    schedules: [{cron: '0 3 * * *', timezone: UTC}]\n"
    )
    deploy = f"from pathlib import Path; from flows.setup import deploy_all; deploy_all(Path({str(tmp_path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", deploy],
        env={**os.environ, **stack.environment, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'flows'}"},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    code = (
        "import json\nfrom prefect.client.orchestration import get_client\n"
        "with get_client(sync_client=True) as client:\n"
        "    made = client.read_deployment_by_name('by-the-clock/clock')\n"
        "    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId\n"
        "    runs = client.read_flow_runs(deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[made.id])))\n"
        "    print(json.dumps([run.expected_start_time.hour for run in runs]))\n"
    )
    until(lambda: bool(stack.python(code)), 180)
    assert set(stack.python(code)) == {3}


def test_the_event_of_an_upload_starts_one_run_however_often_it_is_posted(stack: Stack) -> None:
    post = (
        "import json\nfrom datetime import UTC, datetime\n"
        "from prefect.client.orchestration import get_client\n"
        "event = {'id': '5b7f4ee8-3a52-4d7c-9b0a-0c9f3f0c1a11', 'event': 'redub.lecture.uploaded',\n"
        "    'occurred': datetime.now(UTC).isoformat(), 'resource': {'prefect.resource.id': 's3://elsewhere/a.mp4'},\n"
        "    'payload': {'source': 's3://elsewhere/a.mp4', 'bucket': 'elsewhere', 'folder': ''}}\n"
        "with get_client(sync_client=True) as client:\n"
        "    client._client.post('/events', json=[event]).raise_for_status()\n"
        "    print('null')\n"
    )
    runs = (
        "import json\nfrom prefect.client.orchestration import get_client\n"
        "with get_client(sync_client=True) as client:\n"
        "    made = client.read_deployment_by_name('dub-lecture/dub-on-upload')\n"
        "    runs = [run for run in client.read_flow_runs() if run.deployment_id == made.id]\n"
        "    print(json.dumps([run.parameters for run in runs]))\n"
    )
    stack.python(post)
    until(lambda: bool(stack.python(runs)), 60)
    stack.python(post)
    time.sleep(10)
    assert [each["source"] for each in stack.python(runs)] == ["s3://elsewhere/a.mp4"]


def test_a_run_whose_worker_and_process_are_killed_is_noticed_and_started_again(stack: Stack, tmp_path: Path) -> None:
    marks = tmp_path / "killed-once"
    run = started(stack, "killed_once", marks)
    until((marks / "1").exists, 180)
    time.sleep(10)  # its first heartbeat has to arrive: silence is measured from there
    os.killpg(stack.pids()["worker"], signal.SIGKILL)
    with_own_group = int((marks / "1").read_text())
    if Path(f"/proc/{with_own_group}").exists():
        os.kill(with_own_group, signal.SIGKILL)
    killed = time.time()
    until(lambda: stack.python(RUNS.format(run=run))["state"] == "Completed", 420)
    record = stack.python(RUNS.format(run=run))
    noticed = dict(record["states"])["Crashed"] - killed
    assert noticed < 150, f"noticed only {noticed:.0f} s after the kill"
    assert record["count"] == 2
    assert [name for name, _ in record["states"] if name in ("Crashed", "RetryingSoon", "AwaitingRetry")] == [
        "Crashed",
        "RetryingSoon",
        "AwaitingRetry",
    ]


def test_a_run_that_always_dies_is_started_so_often_and_no_more(stack: Stack, tmp_path: Path) -> None:
    marks = tmp_path / "always"
    run = started(stack, "always_dies", marks)
    until((marks / "4").exists, 900)
    until(lambda: stack.python(RUNS.format(run=run))["state"] == "Crashed", 60)
    time.sleep(60)
    record = stack.python(RUNS.format(run=run))
    assert (record["state"], record["count"], len(list(marks.iterdir()))) == ("Crashed", 4, 4)
    assert "worker died (1)" not in stack.said()


def test_what_was_kept_is_there_when_it_stands_again(stack: Stack) -> None:
    client = (
        "import json, boto3\nfrom botocore.config import Config\n"
        "client = boto3.client('s3', config=Config(s3={'addressing_style': 'path'}))\n"
    )
    put = client + "client.put_object(Bucket='lectures', Key='kept', Body=b'here')\nprint('null')"
    get = client + "print(json.dumps(client.get_object(Bucket='lectures', Key='kept')['Body'].read().decode()))"
    stack.python(put)
    pids = stack.pids()
    ended = subprocess.run(
        [sys.executable, "-m", "flows.cli.stack", "down", "--folder", str(stack.folder)], cwd=ROOT, check=False
    )
    assert ended.returncode == 0
    assert stack.process.wait(timeout=30) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.values())
    for name in ("PREFECT_API_URL", "AWS_ENDPOINT_URL_S3"):
        port = int(stack.environment[name].split(":")[2].split("/")[0])
        with socket.socket() as trial:
            assert trial.connect_ex(("127.0.0.1", port)) != 0
    again = stood_up(stack.folder)
    try:
        assert again.environment == stack.environment
        assert again.python(get) == "here"
    finally:
        again.end(signal.SIGTERM)
