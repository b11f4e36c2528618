"""Work through real Prefect tasks on a real server: caching across runs, retries, batches."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from flows.server import Server
from infra.store import Store
from manifests.errors import BadInput, Unavailable
from manifests.records import Blob
from manifests.time import Span
from tasks.journal import Journal
from tasks.stage import Stage


@dataclass(frozen=True)
class Work:
    text: str


@dataclass(frozen=True)
class Outcome:
    audio: Blob


CALLS: list[str] = []
TROUBLES: dict[str, list[Exception]] = {}
FLOW_RUNS: list[UUID] = []


def shout(work: Work, store: Store) -> Outcome:
    CALLS.append(work.text)
    if TROUBLES.get(work.text):
        raise TROUBLES[work.text].pop(0)
    with store.scratch() as folder:
        (folder / "a.txt").write_text(work.text.upper())
        return Outcome(store.put(folder / "a.txt"))


SHOUT: Stage[Work, Outcome] = Stage("shout", 1, Outcome, shout)


@pytest.fixture(autouse=True)
def _clean() -> None:
    CALLS.clear()
    TROUBLES.clear()


def run(texts: list[str], store: Store, journal: Journal | None = None) -> list[Outcome]:
    """One flow run over `texts`."""
    from prefect import flow
    from prefect.context import FlowRunContext

    from flows.pool import PrefectPool

    @flow(name="shouting", persist_result=False)
    def shouting() -> list[Outcome]:
        context = FlowRunContext.get()
        assert context is not None
        assert context.flow_run is not None
        FLOW_RUNS.append(context.flow_run.id)
        pool = PrefectPool(store, journal or Journal())
        return list(pool.submit(SHOUT, [Work(text) for text in texts], [Span(0, 1)] * len(texts)).values())

    return shouting()


def test_a_second_run_is_answered_by_the_cache(server: Server, tmp_path: Path) -> None:
    store, first, second = Store(tmp_path), Journal(), Journal()
    values = run(["a", "b"], store, first)
    assert run(["a", "b", "c"], store, second)[:2] == values
    assert sorted(CALLS) == ["a", "b", "c"]
    assert [entry.hit for entry in first.entries] == [False, False]
    assert sorted((entry.hit) for entry in second.entries) == [False, True, True]


def test_prefect_does_not_answer_for_work_that_the_store_has_lost(server: Server, tmp_path: Path) -> None:
    store = Store(tmp_path)
    [value] = run(["lost"], store)
    store.path(value.audio).unlink()
    assert run(["lost"], store) == [value]
    assert store.intact(value.audio)
    assert CALLS == ["lost", "lost"]


def test_only_what_may_pass_is_retried(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import pool

    quick = pool.perform.with_options(retry_delay_seconds=0)
    monkeypatch.setattr(pool, "perform", quick)
    TROUBLES["net"] = [Unavailable("no answer"), Unavailable("no answer")]
    assert len(run(["net"], Store(tmp_path))) == 1
    assert CALLS == ["net"] * 3
    TROUBLES["bad"] = [BadInput("no good", where="x.mp4"), RuntimeError()]
    with pytest.raises(BadInput, match="no good"):
        run(["bad"], Store(tmp_path))
    assert CALLS.count("bad") == 1


def test_much_work_is_batched_and_a_failure_keeps_what_was_done(server: Server, tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    count = 60
    texts = [f"word {index}" for index in range(count)]
    TROUBLES[texts[-1]] = [RuntimeError("once")]
    store = Store(tmp_path)
    with pytest.raises(RuntimeError):
        run(texts, store)
    CALLS.clear()
    assert len(run(texts, store)) == count
    assert [texts[-1]] == CALLS
    with get_client(sync_client=True) as client:
        # By id: the latest run that the server knows may be one that a deployment of another test has planned.
        ours = FlowRunFilter(id=FlowRunFilterId(any_=[FLOW_RUNS[-1]]))
        deadline = time.monotonic() + 30
        # The server records task runs a moment after they ran.
        while not (tasks := client.read_task_runs(flow_run_filter=ours, limit=200)) and time.monotonic() < deadline:
            time.sleep(0.2)
    assert len(tasks) == 1  # of two for each of two workers, the others were finished, and need none
