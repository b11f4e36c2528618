"""The same work through threads, Dask and Ray: real Prefect runs, and workers that are processes of their own."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import small_lecture as small

from flows.runner_setting import VARIABLE, RunnerSetting, is_loopback, runner_setting
from flows.server import Server
from infra.store import Store
from manifests.errors import BadInput, RedubError, Unavailable
from manifests.records import Video
from manifests.time import Span
from tasks.background import BACKGROUND
from tasks.journal import Entry, Journal
from tasks.shots import SHOTS, SPEECH
from tasks.stage import Stage

NEEDS_RAY = pytest.mark.skipif(
    find_spec("prefect_ray") is None, reason="the extra ray is not installed (make test-ray)"
)
OTHERS = ["dask", pytest.param("ray", marks=[pytest.mark.slow, NEEDS_RAY])]
ALL = ["threads", *OTHERS]


@dataclass
class Heard:
    """A listener: what it was told, and in which process."""

    began_in: set[int]
    performed_in: set[int]

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        self.began_in.add(os.getpid())

    def performed(self, entry: Entry) -> None:
        self.performed_in.add(os.getpid())


@dataclass
class Ran:
    """What a run of the small lecture came to."""

    values: list[Any]
    looks: list[small.Look]
    entries: list[Entry]
    listener: Heard
    files: dict[str, str]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return small.make_lecture(tmp_path_factory.mktemp("lecture"))


@pytest.fixture(scope="module")
def dask_cluster(server: Server) -> Iterator[str]:
    """A cluster of two worker processes that stands for all runs of this module; its address."""
    from flows.runners import _local_cluster

    with _local_cluster(2) as cluster:
        yield f"dask:{cluster.scheduler_address}"


@pytest.fixture
def chosen(request: pytest.FixtureRequest, runner: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(VARIABLE, request.getfixturevalue("dask_cluster") if runner == "dask" else runner)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # Ray's workers have no other way to these modules
    return runner


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    """The runs of the small lecture in this module, by runner."""
    return {}


def in_a_flow(work: Any, name: str = "small") -> Any:
    from prefect import flow

    from flows.runners import RunnerOfTheSetting

    small.NOW.append(work)
    return flow(small.what_is_now, name=name, task_runner=RunnerOfTheSetting(), persist_result=False)()


def run_of(runner: str, video: Video, folder: Path, ran: dict[str, Ran]) -> Ran:
    """The run through `runner`, which the environment names; made once."""
    if runner not in ran:
        ran[runner] = run_lecture(video, Store(folder / "cache"))
    return ran[runner]


def run_lecture(video: Video, store: Store) -> Ran:
    from flows.pool import PrefectPool

    listener = Heard(set(), set())
    journal = Journal(listener)
    shots, speech = small.shots_and_speech(video)
    backgrounds, chunks = small.backgrounds(video), small.chunks_of(video)
    looks = [small.LookWork(chunk, uuid4().hex[:8], 2) for chunk in chunks]
    looks = [replace(each, run=looks[0].run) for each in looks]

    def lecture() -> tuple[list[Any], list[small.Look]]:
        pool = PrefectPool(store, journal, workers=2)
        first = [pool.submit(SHOTS, [shots], [video.span]), pool.submit(SPEECH, [speech], [video.span])]
        behind = pool.submit(BACKGROUND, backgrounds, [each.span for each in chunks], language="fr")
        values = [*first[0].values(), *first[1].values(), *behind.values()]
        return values, list(pool.submit(small.LOOK, looks, [each.span for each in chunks]).values())

    values, seen = in_a_flow(lecture)
    files = {
        path.relative_to(store.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("blobs", "work/shots", "work/speech", "work/background")
        for path in sorted((store.root / part).rglob("*"))
        if path.is_file()
    }
    return Ran(values, seen, journal.entries, listener, files)


@pytest.mark.parametrize("runner", ALL)
def test_the_same_lecture_comes_to_the_same_bytes(
    server: Server, chosen: str, video: Video, tmp_path: Path, ran: dict[str, Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    through = run_of(chosen, video, tmp_path, ran)
    if "threads" not in ran:
        monkeypatch.setenv(VARIABLE, "threads")
        run_of("threads", video, tmp_path / "threads", ran)
    reference = ran["threads"]
    assert through.values == reference.values
    assert through.files == reference.files
    assert sum("blobs/" in name for name in through.files) >= 4
    told = [sorted((e.stage, e.span, e.language, e.hit) for e in each.entries) for each in (through, reference)]
    assert told[0] == told[1]


@pytest.mark.parametrize("runner", ALL)
def test_two_workers_are_at_it_and_the_journal_stays_with_the_flow(
    server: Server, chosen: str, video: Video, tmp_path: Path, ran: dict[str, Ran]
) -> None:
    through = run_of(chosen, video, tmp_path, ran)
    workers = {(each.process, each.thread) for each in through.looks}
    processes = {each.process for each in through.looks}
    assert len(workers) == 2
    assert processes == {os.getpid()} if chosen == "threads" else len(processes - {os.getpid()}) == 2
    assert through.listener.began_in == through.listener.performed_in == {os.getpid()}


@pytest.mark.parametrize("runner", ["dask"])
def test_a_model_stays_loaded_from_batch_to_batch_and_from_run_to_run(
    server: Server, chosen: str, video: Video, tmp_path: Path, ran: dict[str, Ran]
) -> None:
    first = run_of(chosen, video, tmp_path, ran)
    again = run_lecture(video, Store(tmp_path / "another"))
    assert len(again.looks) > 2
    assert {each.process for each in again.looks} == {each.process for each in first.looks}
    assert {each.loads for each in (*first.looks, *again.looks)} == {1}


@pytest.mark.parametrize("runner", OTHERS)
def test_what_a_worker_raises_is_told_in_the_same_words(server: Server, chosen: str, tmp_path: Path) -> None:
    from flows.pool import PrefectPool

    def lecture() -> None:
        PrefectPool(Store(tmp_path), Journal()).submit(small.REFUSE, ["a.mp4"], [Span(0, 1)]).values()

    with pytest.raises(BadInput, match=r"^a\.mp4: this cannot be dubbed; give another$"):
        in_a_flow(lecture)


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["dask"])
def test_work_whose_worker_died_is_done_by_another_one_and_not_forever(
    server: Server, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import pool

    monkeypatch.setattr(pool, "perform", pool.perform.with_options(retries=0))

    def lecture(times: int) -> list[str]:
        work = [small.DeadlyWork(f"w{times}", times), small.DeadlyWork(f"harmless {times}", 0)]
        return list(pool.PrefectPool(Store(tmp_path), Journal()).submit(small.DIE, work, [Span(0, 1)] * 2).values())

    assert in_a_flow(lambda: lecture(1), "dies-once") == ["w1 after 1", "harmless 1 after 0"]
    with pytest.raises(Unavailable, match=r"ended again and again.*run again"):
        in_a_flow(lambda: lecture(50), "dies-always")


def other_each_time(work: str, store: Store) -> str:
    """Not the same twice; both runs are at it before either has finished."""
    BOTH.wait(60)
    return f"{work} {uuid4()}"


BOTH = threading.Barrier(2)
CHANCE: Stage[str, str] = Stage("chance", 1, str, other_each_time)


@pytest.mark.parametrize("runner", ["threads"])
def test_two_runs_of_one_lecture_go_on_with_the_same(server: Server, chosen: str, tmp_path: Path) -> None:
    from flows.pool import PrefectPool

    told: list[list[str]] = []

    def lecture() -> None:
        pending = PrefectPool(Store(tmp_path), Journal()).submit(CHANCE, ["a"], [Span(0, 1)])
        told.append(list(pending.values()))

    threads = [threading.Thread(target=in_a_flow, args=(lecture,)) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(told) == 2
    assert told[0] == told[1]


@pytest.mark.parametrize("runner", ["dask"])
def test_worker_processes_listen_on_loopback_alone(server: Server, chosen: str) -> None:
    import psutil

    here = psutil.Process()
    listening = {
        each.laddr.ip
        for process in (here, *here.children(recursive=True))
        for each in process.net_connections(kind="inet")
        if each.status == psutil.CONN_LISTEN
    }
    assert listening
    assert all(is_loopback(ip) for ip in listening)


SETTINGS = {
    "": RunnerSetting("threads", 2),
    " threads ": RunnerSetting("threads", 2),
    "threads:4": RunnerSetting("threads", 4),
    "dask": RunnerSetting("dask", 2),
    "dask:3": RunnerSetting("dask", 3),
    "dask:tcp://10.0.0.7:8786": RunnerSetting("dask", 8, "tcp://10.0.0.7:8786"),
    "dask:tls://[::1]:8786": RunnerSetting("dask", 8, "tls://[::1]:8786"),
    "dask:scheduler:8786": RunnerSetting("dask", 8, "scheduler:8786"),
}


@pytest.mark.parametrize("given", SETTINGS)
def test_a_setting_is_read(given: str) -> None:
    assert runner_setting({VARIABLE: given}) == SETTINGS[given]
    assert runner_setting({}) == RunnerSetting()


@pytest.mark.parametrize(
    "given",
    [
        *(
            "thread",
            "dask-",
            "dask:",
            "dask::8786",
            "threads:0",
            "threads:-1",
            "threads:65",
            "dask:1e3",
            "DASK",
            "ray:²",
        ),
        *("threads:tcp://h:1", "dask:tcp://h", "dask:tcp://h:0", "dask:tcp://h:70000", "dask:http://h:1/x"),
    ],
)
def test_a_setting_that_says_nothing_is_told(given: str) -> None:
    with pytest.raises(BadInput, match=r"^REDUB_TASK_RUNNER: "):
        runner_setting({VARIABLE: given})


@pytest.mark.skipif(find_spec("prefect_ray") is not None, reason="the extra ray is installed here")
def test_an_extra_that_is_not_installed_is_told() -> None:
    with pytest.raises(BadInput, match=r"ray is not installed; pip install 'redub\[ray\]'"):
        runner_setting({VARIABLE: "ray"})


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ("dask:tcp://127.0.0.1:9", Unavailable, "nothing answers at tcp://127.0.0.1:9"),
        ("dask:tcp://192.0.2.1:8786", BadInput, "cannot reach a Prefect server on this machine's loopback"),
        ("dusk", BadInput, "'dusk' is no task runner"),
    ],
    ids=["nobody-there", "elsewhere", "unknown"],
)
def test_a_run_that_gets_no_workers_fails_in_words(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, kind: type[RedubError], words: str
) -> None:
    from prefect.client.orchestration import get_client

    from flows.pool import PrefectPool

    monkeypatch.setenv(VARIABLE, given)
    name = f"no-workers-{uuid4().hex[:8]}"
    with pytest.raises(kind, match=words):
        in_a_flow(lambda: PrefectPool(Store(tmp_path), Journal()).submit(small.REFUSE, ["a"], [Span(0, 1)]), name)
    with get_client(sync_client=True) as client:
        from prefect.client.schemas.filters import FlowFilter, FlowFilterName

        [run] = client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[name])))
        assert run.state is not None
        assert run.state.is_failed()
        assert words in (run.state.message or "")
