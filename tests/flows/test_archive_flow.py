"""The archive as a flow on a real Prefect server: dubs are made up, flow runs, deployments and states are real.

Where runs of a deployment are asked for, a thread stands in for the worker: it takes scheduled runs through the API and
puts them into the states that a worker's run goes through.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tasks"))
from archive_makings import lecture_bytes, put

from flows.server import Server
from infra import locations
from manifests.archive import DONE, FAILED, RUNNING, ArchivedLecture
from manifests.errors import BadInput, Unavailable
from tasks.archive_desk import Desk
from tasks.archive_lease import leased
from tasks.archive_plan import dub_place, planned, wanted_below


@pytest.fixture
def manifest(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The manifest of four lectures."""
    from flows import archive

    monkeypatch.setattr(archive, "_POLL_S", (0.1, 0.2))
    for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4"):
        put(tmp_path / "lectures" / name, lecture_bytes())
    wanted = wanted_below(str(tmp_path / "lectures"), ("fr", "es"), out=None)
    place = tmp_path / "archive.parquet"
    Desk(place).write(planned([], wanted, lambda _: None))
    return str(place)


def rows_of(manifest: str) -> dict[str, ArchivedLecture]:
    return {locations.name(locations.location(row.source)): row for row in Desk(Path(manifest)).read()}


def made_up_dub(row: ArchivedLecture) -> None:
    """A dub that is a file."""
    for language in row.missing:
        put(dub_place(row, language), b"dub")


def made_up_flow(row: ArchivedLecture) -> None:
    """A dub as a flow run of its own, which fails for one lecture."""
    from prefect import flow

    @flow(name="made-up-dub", persist_result=False)
    def dub() -> None:
        if row.source.endswith("b.mp4"):
            raise BadInput("there is no sound in it;", where=row.source, remedy="give another")
        made_up_dub(row)

    dub()


def test_lectures_are_dubbed_here_and_failures_are_a_table(
    server: Server, manifest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.client.orchestration import get_client

    from flows import archive

    monkeypatch.setattr(archive, "chosen_runner", lambda *_: archive.HereRunner(work=made_up_flow))
    summary = archive.dub_archive(manifest)
    assert len(summary.done) == 3
    [failure] = summary.failed
    assert "there is no sound in it; give another" in failure.reason
    assert {name: row.state for name, row in rows_of(manifest).items()} == {
        **dict.fromkeys(("a.mp4", "c.mp4", "d.mp4"), DONE),
        "b.mp4": FAILED,
    }
    with get_client(sync_client=True) as client:
        artifacts = {each["key"]: each for each in latest_artifacts(client)}
    assert "there is no sound in it" in artifacts["archive-failures"]["data"]
    assert float(artifacts["archive"]["data"]) == 100.0


def latest_artifacts(client: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.request("POST", "/artifacts/latest/filter", json={}).json()
    return found


def test_new_lectures_are_found_where_the_source_is_given(
    server: Server, manifest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import archive

    monkeypatch.setattr(archive, "chosen_runner", lambda *_: archive.HereRunner(work=made_up_dub))
    put(tmp_path / "lectures" / "later.mp4", lecture_bytes())
    summary = archive.dub_archive(manifest, source=str(tmp_path / "lectures"), to=["fr"])
    assert str(tmp_path / "lectures" / "later.mp4") in summary.done


def test_a_second_run_refuses(server: Server, manifest: str) -> None:
    from flows.archive import dub_archive

    with leased(Path(manifest), "process 7 on host"), pytest.raises(BadInput, match="process 7 on host"):
        dub_archive(manifest)


def test_where_nobody_works_it_is_done_here(server: Server, deployment: str) -> None:
    from flows.archive import HereRunner, WorkersRunner, chosen_runner

    assert isinstance(chosen_runner("auto", "dub-lecture/nowhere", 4), HereRunner)
    assert isinstance(chosen_runner("here", deployment, 4), HereRunner)
    assert isinstance(chosen_runner("auto", deployment, 4), HereRunner)
    assert isinstance(chosen_runner("workers", deployment, 4), WorkersRunner)
    with pytest.raises(BadInput, match="set-up"):
        chosen_runner("workers", "dub-lecture/nowhere", 4)
    for where, at_once in (("there", 4), ("auto", 0), ("auto", 101)):
        with pytest.raises(BadInput):
            chosen_runner(where, "dub-lecture/nowhere", at_once)


@pytest.fixture
def deployment(server: Server, tmp_path: Path) -> str:
    """A deployment of a flow with the parameters of `dub-lecture`."""
    from prefect.client.orchestration import get_client

    from flows.dub import dub

    with get_client(sync_client=True) as client:
        flow_id = client.create_flow(dub)
        name = f"made-up-{tmp_path.name}"
        client.create_deployment(
            flow_id,
            name=name,
            parameter_openapi_schema=dub.parameters.model_dump(),
            enforce_parameter_schema=True,
        )
    return f"dub-lecture/{name}"


@contextmanager
def made_up_worker(deployment: str, troubles: dict[str, list[Any]]) -> Iterator[list[dict[str, Any]]]:
    """Takes up scheduled runs of `deployment`; gives the parameters of those it took. `troubles` are other end states.

    Of that one alone: other tests leave the runs that a schedule has planned.
    """
    from prefect import states
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterName,
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    took: list[dict[str, Any]] = []
    stop = threading.Event()
    of_it = DeploymentFilter(name=DeploymentFilterName(any_=[deployment.partition("/")[2]]))
    waiting = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])))

    def work() -> None:
        with get_client(sync_client=True) as client:
            while not stop.wait(0.1):
                runs = client.read_flow_runs(flow_run_filter=waiting, deployment_filter=of_it, limit=2)
                for run in runs:
                    took.append(run.parameters)
                    client.set_flow_run_state(run.id, states.Running(), force=True)
                for run in runs:
                    name = Path(run.parameters["source"]).name
                    endings = troubles.get(name) or [states.Completed()]
                    end = endings.pop(0)
                    if end.is_completed():
                        for language in run.parameters["to"]:
                            put(Path(run.parameters["out"]) / f"{Path(name).stem}.{language}.mp4", b"dub")
                    client.set_flow_run_state(run.id, end, force=True)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield took
    finally:
        stop.set()
        worker.join()


@pytest.mark.slow
def test_lectures_are_runs_of_a_deployment_and_each_end_is_understood(
    server: Server, manifest: str, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import states

    from flows import archive

    def runner(*_: object) -> archive.WorkersRunner:
        return archive.WorkersRunner(deployment=deployment, at_once=4, crash_rest_s=1.0)

    monkeypatch.setattr(archive, "chosen_runner", runner)
    said = "Flow run encountered an exception: BadInput: there is no sound in it; give another"
    troubles: dict[str, list[Any]] = {
        "b.mp4": [states.Failed(message=said)],
        "c.mp4": [states.Crashed(message="Nothing was heard of this run.")],
        "d.mp4": [states.Cancelled()],
    }
    with made_up_worker(deployment, troubles) as took:
        summary = archive.dub_archive(manifest)
        assert len(summary.done) == 1
        rows = rows_of(manifest)
        assert rows["b.mp4"].reason == "there is no sound in it; give another"
        assert "Nothing was heard" in rows["c.mp4"].reason
        assert [rows[name].attempts for name in ("b.mp4", "c.mp4", "d.mp4")] == [1, 1, 0]
        assert len(archive.dub_archive(manifest).done) == 3
    assert [each["to"] for each in took] == [["fr", "es"]] * 7
    assert {row.state for row in rows_of(manifest).values()} == {DONE}


@pytest.mark.slow
def test_runs_of_an_archive_that_died_are_adopted(
    server: Server, manifest: str, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import archive

    class Dying(archive.WorkersRunner):
        def ended(self) -> list[Any]:
            raise Unavailable("as if the process were gone")

    chosen = iter((Dying, archive.WorkersRunner))
    monkeypatch.setattr(archive, "chosen_runner", lambda *_: next(chosen)(deployment=deployment, at_once=2))
    with pytest.raises(Unavailable):
        archive.dub_archive(manifest)
    assert [row.state for row in rows_of(manifest).values()].count(RUNNING) == 2
    with made_up_worker(deployment, {}) as took:
        archive.dub_archive(manifest)
    assert len(took) == 4  # the two that were asked for before were not asked for again
    assert {row.state for row in rows_of(manifest).values()} == {DONE}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_worker_dubs_and_its_failure_is_read_off_its_run(server: Server, manifest: str, tmp_path: Path) -> None:
    """The real flow in a real worker's process; the lectures have no sound, which is all that is asked of it here."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.workers.process import ProcessWorker

    from flows.archive import dub_archive
    from flows.dub import dub

    pool = f"pool-{tmp_path.name}"
    with get_client(sync_client=True) as client:
        template = ProcessWorker.get_default_base_job_template()
        client.create_work_pool(WorkPoolCreate(name=pool, type="process", base_job_template=template))
        client.create_deployment(
            client.create_flow(dub),
            name=pool,
            entrypoint="flows.dub:dub",
            work_pool_name=pool,
            parameter_openapi_schema=dub.parameters.model_dump(),
            enforce_parameter_schema=True,
        )
    prefect = [sys.executable, "-m", "prefect"]
    command = [*prefect, "worker", "start", "--pool", pool, "--type", "process", "--limit", "1"]
    one = 1.01 * rows_of(manifest)["a.mp4"].missing_hours
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parents[2])
    try:
        summary = dub_archive(manifest, where="workers", deployment=f"dub-lecture/{pool}", tries=1, hours=one)
    finally:
        worker.terminate()
        worker.wait(60)
    assert summary.over_budget == 3
    [failure] = summary.failed
    # Whether it comes to the missing sound depends on what weights are here; both kinds of error are told apart.
    lacking = "redub weights pull" in failure.reason
    assert lacking or "sound" in failure.reason
    assert failure.attempts == (0 if lacking else 1)
