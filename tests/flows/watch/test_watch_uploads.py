"""Uploads to a real S3 server become runs on a real Prefect server, once each, through all three ways in."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from s3_server import S3Server, free_ports, running_s3
from sqs_stub import running_sqs
from watch_receiver import get, post, receiving, until

from flows.server import Server
from flows.watch.events import PrefectEvents
from flows.watch.scope import Scope, place
from flows.watch.uploads import Upload, event_id
from flows.watch.watching import WatchPlan
from infra.objects.uri import ObjectUri
from infra.objects.writing import upload_bytes
from infra.queues import Queue

SECRET = secrets.token_urlsafe(32)
PROJECT = Path(__file__).parents[3]
BUCKET = "lectures"
_NAMES = count()


@dataclass(frozen=True)
class Place:
    """A prefix of its own for each test, in a store that tells the receiver's port of what is written."""

    s3: S3Server
    client: Any
    port: int
    prefix: str

    def uri(self, name: str) -> ObjectUri:
        return ObjectUri(BUCKET, f"{self.prefix}/{name}")

    def write(self, name: str, content: bytes = b"video") -> ObjectUri:
        self.client.put_object(Bucket=BUCKET, Key=self.uri(name).key, Body=content)
        return self.uri(name)

    def plan(self, folder: Path, **given: Any) -> WatchPlan:
        scope = Scope(places=(place(f"s3://{BUCKET}/{self.prefix}"),))
        usual: dict[str, Any] = {"secrets": (SECRET,), "port": self.port, "poll_s": 0.5}
        return WatchPlan(scope=scope, folder=folder, **{**usual, **given})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[S3Server, int]]:
    """SeaweedFS that sends its webhooks to a port where a test may put a receiver, and the port."""
    folder, port = tmp_path_factory.mktemp("s3"), free_ports()["s3"]
    (folder / "notification.toml").write_text(
        f"[notification.webhook]\nenabled = true\n"
        f'endpoint = "http://127.0.0.1:{port}/notifications"\nbearer_token = "{SECRET}"\nmax_retries = 0\n'
        f'path_prefixes = ["/buckets/{BUCKET}"]\n'
    )
    with running_s3(folder) as s3:
        s3.make_bucket(BUCKET)
        yield s3, port


@pytest.fixture
def here(told: tuple[S3Server, int], monkeypatch: pytest.MonkeyPatch) -> Place:
    s3, port = told
    for name in [name for name in os.environ if name.startswith(("AWS_", "REDUB_S3_"))]:
        monkeypatch.delenv(name)
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDUB_S3_PATIENCE_S", "3")
    return Place(s3, s3.client(), port, f"test-{next(_NAMES)}")


@pytest.fixture(scope="module")
def deployment(server: Server) -> uuid.UUID:
    """The deployment dub-on-upload with the very trigger that prefect.yaml declares; no worker takes its runs."""
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger

    @flow(name="dub-on-upload-in-a-test")
    def dubbing(source: str, out: str | None = None) -> None: ...

    declared = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    (mine,) = (each for each in declared if each["name"] == "dub-on-upload")
    trigger = DeploymentEventTrigger.model_validate({**mine["triggers"][0], "name": "on upload"})
    with get_client(sync_client=True) as client:
        made = client.create_deployment(
            client.create_flow(dubbing),
            name="dub-on-upload",
            entrypoint="a:b",
            parameter_openapi_schema=dubbing.parameters.model_dump(),
        )
        trigger.set_deployment_id(made)
        automation = trigger.as_automation().model_dump(mode="json")
        client.request("POST", "/automations/", json=automation)
    return made


def runs(deployment: uuid.UUID, uri: ObjectUri) -> int:
    """How many runs there are of this object."""
    from prefect.client.orchestration import get_client

    asked = {"deployments": {"id": {"any_": [str(deployment)]}}, "limit": 200}
    with get_client(sync_client=True) as client:
        found = client.request("POST", "/flow_runs/filter", json=asked).json()
    return sum(each["parameters"].get("source") == str(uri) for each in found)


def metric(port: int, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(get(port, "/metrics")[1])
    samples = (sample for family in families for sample in family.samples if sample.name == name)
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def record(uri: ObjectUri) -> dict[str, Any]:
    inner = {"bucket": {"name": uri.bucket}, "object": {"key": quote_plus(uri.key)}}
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": inner}]}


def test_the_same_upload_twice_starts_one_run_and_a_new_version_another(
    deployment: uuid.UUID, here: Place, tmp_path: Path
) -> None:
    with receiving(here.plan(tmp_path)):
        uri = here.write("Vorlesung 1+2 é.mp4")
        until(lambda: runs(deployment, uri) == 1)
        for _ in range(3):
            assert post(here.port, record(uri), X_Redub_Secret=SECRET) == 202
        here.write("Vorlesung 1+2 é.mp4")  # once more, with the same content
        until(lambda: metric(here.port, "redub_watch_duplicates_total") >= 1)
        assert metric(here.port, "redub_watch_received_total", way="http") >= 4, "the store itself told of it"
        here.write("Vorlesung 1+2 é.mp4", b"mended")
        until(lambda: runs(deployment, uri) == 2)
        until(lambda: metric(here.port, "redub_watch_waiting") == 0)
        assert metric(here.port, "redub_watch_posted_total") == 2
    with receiving(here.plan(tmp_path)):
        until(lambda: metric(here.port, "redub_watch_last_poll_timestamp_seconds") > time.time() - 5)
        assert metric(here.port, "redub_watch_received_total") == 0
    assert runs(deployment, uri) == 2


def test_what_was_uploaded_while_the_receiver_was_down_is_found(
    deployment: uuid.UUID, here: Place, tmp_path: Path
) -> None:
    before = here.write("before.mp4")
    with receiving(here.plan(tmp_path)):
        pass
    missed = [here.write(f"missed {number}.mp4") for number in range(3)]
    with receiving(here.plan(tmp_path)):
        until(lambda: all(runs(deployment, uri) == 1 for uri in missed))
        assert metric(here.port, "redub_watch_received_total", way="poll") == 3
    assert runs(deployment, before) == 0, "what lay there at first is left alone"


@pytest.mark.slow
def test_what_lay_there_is_dubbed_where_that_is_asked_for_and_records_lost_start_nothing_twice(
    deployment: uuid.UUID, here: Place, tmp_path: Path
) -> None:
    uri = here.write("old.mp4")
    for number in range(2):  # the second time with no records, as in a container whose disk is gone
        with receiving(here.plan(tmp_path / str(number), existing=True)):
            until(lambda: metric(here.port, "redub_watch_received_total") >= 1)
            until(lambda: metric(here.port, "redub_watch_waiting") == 0)
            until(lambda: runs(deployment, uri) == 1)
        time.sleep(1)
    assert runs(deployment, uri) == 1


def test_dubs_start_no_dubs(deployment: uuid.UUID, here: Place, tmp_path: Path) -> None:
    with receiving(here.plan(tmp_path)):
        ours = here.uri("a.fr.mp4")
        upload_bytes(b"a dub, as redub writes it", ours)
        here.write("b.redub/shots.parquet")
        copied = here.write("b.fr.mp4", b"a dub that a person copied there with its manifests")
        french = here.write("c.fr.mp4", b"a lecture with such a name")
        empty = here.write("d.mp4", b"")
        until(lambda: runs(deployment, french) == 1)
        until(lambda: metric(here.port, "redub_watch_refused_total", reason="output") >= 2)
        polled = metric(here.port, "redub_watch_last_poll_timestamp_seconds")
        until(lambda: metric(here.port, "redub_watch_last_poll_timestamp_seconds") > polled)
        assert [runs(deployment, uri) for uri in (ours, copied, empty)] == [0, 0, 0]


def test_an_object_that_is_not_there_or_of_another_bucket_starts_nothing(
    deployment: uuid.UUID, here: Place, tmp_path: Path
) -> None:
    with receiving(here.plan(tmp_path, poll_s=0)):
        forged = [here.uri("never written.mp4"), ObjectUri("elsewhere", "a.mp4")]
        assert [post(here.port, record(uri), X_Redub_Secret=SECRET) for uri in forged] == [202, 202]
        until(lambda: metric(here.port, "redub_watch_refused_total", reason="gone") == 1)
        assert metric(here.port, "redub_watch_refused_total", reason="elsewhere") == 1
        assert metric(here.port, "redub_watch_posted_total") == 0


@pytest.mark.slow
def test_a_queue_is_emptied_and_what_makes_no_sense_stays_in_it(
    deployment: uuid.UUID, here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = here.write("queued.mp4")
    with ExitStack() as stack:
        stub = stack.enter_context(running_sqs())
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://{urlsplit(stub.url).netloc}")
        stub.send(json.dumps({"Type": "Notification", "Message": json.dumps(record(uri))}))
        stub.send("nonsense")
        stub.send(json.dumps({"Event": "s3:TestEvent"}))
        stack.enter_context(receiving(here.plan(tmp_path, poll_s=0), queue=Queue(stub.url)))
        until(lambda: runs(deployment, uri) == 1)
        until(lambda: len(stub.deleted) == 2)
        assert list(stub.waiting.values()) == ["nonsense"]


def test_what_became_of_an_event_is_asked_of_the_server(
    deployment: uuid.UUID, here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.watch.watching._ASK_AFTER_S", (1.0,) * 4)
    began = time.time()
    with receiving(here.plan(tmp_path)):
        uri = here.write("answered.mp4")
        until(lambda: runs(deployment, uri) == 1)
        until(lambda: metric(here.port, "redub_watch_unanswered") == 0)
    etag = str(here.client.head_object(Bucket=uri.bucket, Key=uri.key)["ETag"]).strip('"')
    identity = event_id(uri, etag)
    with PrefectEvents() as events:
        until(lambda: events.is_known(identity) and events.is_answered(identity))
        assert events.has_run(uri, began)
        assert not events.has_run(here.uri("another.mp4"), began)
        assert not events.is_known(uuid.uuid4())
        assert not events.is_answered(uuid.uuid4())
        events.post(Upload(uri=uri, etag=etag, version=None, size_bytes=5), identity)  # the server has seen this id
        time.sleep(1)
    assert runs(deployment, uri) == 1


@pytest.mark.slow
def test_while_the_store_is_away_notifications_are_kept(
    deployment: uuid.UUID, here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_S3_PATIENCE_S", "0.1")
    uri = here.write("patient.mp4")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports()['s3']}")
    with receiving(here.plan(tmp_path, poll_s=0)):
        assert post(here.port, record(uri), X_Redub_Secret=SECRET) == 202
        until(lambda: metric(here.port, "redub_watch_troubles_total", where="store") >= 1)
        assert metric(here.port, "redub_watch_lag_seconds") > 0
        assert get(here.port, "/health")[0] == 200, "starting it again would not help"
        monkeypatch.setenv("AWS_ENDPOINT_URL", here.s3.endpoint)
        until(lambda: runs(deployment, uri) == 1)


@contextmanager
def redub_watch(here: Place, state: Path, server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """`redub watch` as an operator starts it: all of it from the environment."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REDUB_")},
        "PREFECT_API_URL": server.api_url,
        "REDUB_STATE": str(state),
        "REDUB_WATCH_SECRET": SECRET,
        "REDUB_WATCH_PORT": str(here.port),
        "REDUB_WATCH_POLL": "1",
        "REDUB_BUCKET": f"s3://{BUCKET}/{here.prefix}",
    }
    command = [sys.executable, "-c", "from flows.cli.main import main; main()", "watch"]
    with (state / "log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=PROJECT)
    try:
        until(lambda: get(here.port, "/health")[0] == 200, limit_s=120)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_receiver_that_is_killed_loses_nothing_and_says_nothing_twice(
    deployment: uuid.UUID, server: Server, here: Place, tmp_path: Path
) -> None:
    uris = []
    for number in range(3):
        with redub_watch(here, tmp_path, server) as process:
            uris.append(here.write(f"{number} while it stands.mp4"))
            if number:
                until(lambda: all(runs(deployment, uri) == 1 for uri in uris), limit_s=60)
            process.send_signal(signal.SIGKILL)
            process.wait()
        uris.append(here.write(f"{number} while it lies.mp4"))
    with redub_watch(here, tmp_path, server) as process:
        until(lambda: all(runs(deployment, uri) == 1 for uri in uris), limit_s=60)
        time.sleep(3)
        process.terminate()
        assert process.wait(timeout=40) == 0
    assert [runs(deployment, uri) for uri in uris] == [1] * len(uris)
    assert SECRET not in (tmp_path / "log").read_text()


@contextmanager
def prefect_server(folder: Path, port: int, *, triggers: bool) -> Iterator[str]:
    """A Prefect server of its own, killed on leaving; without `triggers` it takes events and acts on none."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": str(triggers).lower(),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: get(port, "/api/health")[0] == 200, limit_s=180)
        yield f"http://127.0.0.1:{port}/api"
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the group is its own
        process.wait()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_event_that_a_real_server_lost_is_posted_again(here: Place, tmp_path: Path) -> None:
    import httpx

    port, folder = free_ports()["s3"], tmp_path / "server"
    folder.mkdir()

    def ask(path: str, body: Any) -> Any:
        for _ in range(10):
            answer = httpx.post(f"http://127.0.0.1:{port}/api{path}", json=body, timeout=30)
            if answer.status_code != 503:  # its database is in use, as may be while it starts
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json()

    def started(uri: ObjectUri) -> int:
        return sum(str(uri) in run["parameters"].values() for run in ask("/flow_runs/filter", {}))

    with prefect_server(folder, port, triggers=False) as url:
        flow = ask("/flows/", {"name": "dub"})["id"]
        made = ask("/deployments/", {"name": "dub-on-upload", "flow_id": flow, "entrypoint": "a:b"})["id"]
        trigger = {
            "type": "event",
            "posture": "Reactive",
            "threshold": 1,
            "within": 0,
            "expect": ["redub.lecture.uploaded"],
            "match": {"prefect.resource.id": "s3://*"},
        }
        source = {"__prefect_kind": "jinja", "template": "{{ event.payload.source }}"}
        action = {
            "type": "run-deployment",
            "source": "selected",
            "deployment_id": made,
            "parameters": {"source": source},
        }
        ask("/automations/", {"name": "on upload", "trigger": trigger, "actions": [action]})
        with redub_watch(here, tmp_path, Server(url, url, embedded=False)):
            lost = here.write("lost.mp4")
            until(lambda: metric(here.port, "redub_watch_posted_total") == 1)
            time.sleep(8)  # the event is on record by now, and only that
            assert started(lost) == 0
    # Both begin anew, and a lecture came while neither stood.
    late = here.write("late.mp4")
    with redub_watch(here, tmp_path, Server(f"http://127.0.0.1:{port}/api", "", embedded=False)):
        until(lambda: metric(here.port, "redub_watch_troubles_total", where="server") >= 1)
        with prefect_server(folder, port, triggers=True):
            until(lambda: started(lost) == 1 and started(late) == 1, limit_s=240)
            until(lambda: metric(here.port, "redub_watch_unanswered") == 0, limit_s=120)
            assert (started(lost), started(late)) == (1, 1)
