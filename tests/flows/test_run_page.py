"""What a run shows on the page of a real server: bar, tables, tags, log, and failures in their own words."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.server import Server
from infra.store import Store
from manifests.errors import BadInput
from manifests.time import Span
from tasks.progress import At
from tasks.stage import Stage

CHUNKS = [Span.of_seconds(0, 30), Span.of_seconds(30, 70)]
PLAN: Sequence[dict[At, float]] = ({("listen", None): 5.0}, {("lips", "fr"): 5.0})


@dataclass(frozen=True)
class Work:
    text: str


def hear(work: Work, store: Store) -> str:
    return work.text.upper()


def move(work: Work, store: Store) -> str:
    if "broken" in work.text:
        raise ZeroDivisionError("by a library")
    if "unfit" in work.text:
        raise BadInput("it cannot be read;", where=f"{work.text}.mp4", remedy="give another one")
    return work.text.lower()


LISTEN: Stage[Work, str] = Stage("listen", 1, str, hear)
LIPS: Stage[Work, str] = Stage("lips", 1, str, move)


@dataclass(frozen=True)
class Page:
    """A flow run as the server has it."""

    run: Any
    artifacts: list[dict[str, Any]]
    logs: list[tuple[int, str]]
    task_tags: set[str]

    def artifact(self, key: str) -> dict[str, Any]:
        [found] = [each for each in self.artifacts if each["key"] == key]
        return found


def pages(name: str) -> Page:
    from prefect.client.orchestration import get_client
    from prefect.logging.handlers import APILogHandler

    APILogHandler().flush()
    with get_client(sync_client=True) as client:
        [found] = client.request("POST", "/flow_runs/filter", json={"flow_runs": {"name": {"any_": [name]}}}).json()
        run = client.read_flow_run(found["id"])
        mine = {"flow_runs": {"id": {"any_": [found["id"]]}}}
        artifacts = client.request("POST", "/artifacts/filter", json=mine).json()
        asked = {"logs": {"flow_run_id": {"any_": [found["id"]]}}, "sort": "TIMESTAMP_ASC"}
        logs = client.request("POST", "/logs/filter", json=asked).json()
        tasks = client.request("POST", "/task_runs/filter", json=mine).json()
    return Page(
        run,
        artifacts,
        [(each["level"], each["message"]) for each in logs],
        {tag for each in tasks for tag in each["tags"]},
    )


def dubbing(name: str, store: Store, texts: Sequence[str]) -> Callable[[], list[str]]:
    """A flow that hears and moves the lips of two chunks, shown as a dub is."""
    from prefect import flow

    from flows.pool import PrefectPool
    from flows.progress import tag_run
    from flows.watched import watched
    from flows.worded import worded

    @flow(name="watched-dub", flow_run_name=name, persist_result=False)
    @worded
    def shown() -> list[str]:
        tag_run("redub", "course:physics", "fr", "")
        with watched(name, PLAN) as run:
            pool = run.watching(PrefectPool(store, run.journal))
            work = [Work(text) for text in texts]
            pool.submit(LISTEN, work, CHUNKS).values()
            return list(pool.submit(LIPS, work, CHUNKS, language="fr").values())

    return shown


def test_a_page_shows_how_far_the_run_is_and_what_each_chunk_came_to(server: Server, tmp_path: Path) -> None:
    assert dubbing("Waves to fr", Store(tmp_path), ["a", "b"])() == ["a", "b"]
    page = pages("Waves to fr")
    bar = page.artifact("progress")
    assert (bar["type"], bar["data"], bar["description"]) == ("progress", 100, "done (Waves to fr)")
    shared, french = (json.loads(page.artifact(key)["data"]) for key in ("chunks", "chunks-fr"))
    assert [row["to"] for row in shared] == ["0:30", "1:10"]
    assert [row["state"] for row in french] == ["done", "done"]
    assert all(row["lips"].endswith(" s") for row in french)
    assert "lips" not in shared[0]


def test_the_run_has_its_tags_and_its_tasks_none(server: Server, tmp_path: Path) -> None:
    """A tag of a task is a slot to wait for, two seconds each."""
    dubbing("Tides to fr", Store(tmp_path), ["c", "d"])()
    page = pages("Tides to fr")
    assert page.run.tags == ["redub", "course:physics", "fr"]
    assert page.task_tags == set()


def test_the_log_has_a_line_as_a_stage_begins_and_one_as_it_ends(server: Server, tmp_path: Path) -> None:
    store = Store(tmp_path)
    dubbing("Moons to fr", store, ["e", "f"])()
    lines = [message for level, message in pages("Moons to fr").logs if level == logging.INFO]
    assert len(lines) == 6  # with Prefect's own, of the beginning and the end
    assert (lines[1], lines[3]) == ("listening: 2 to do", "moving lips fr: 2 to do")
    assert lines[2].startswith("listening: 2 done, ")
    dubbing("Moons again to fr", store, ["e", "f"])()
    assert "listening: 2 taken from the cache" in [message for _, message in pages("Moons again to fr").logs]


def test_a_mistake_is_the_message_of_its_run_word_for_word(server: Server, tmp_path: Path) -> None:
    from flows.worded import ERROR_LABEL

    with pytest.raises(BadInput, match="give another one"):
        dubbing("Rocks to fr", Store(tmp_path), ["g", "unfit"])()
    page = pages("Rocks to fr")
    assert page.run.state.is_failed()
    assert page.run.state.message == "unfit.mp4: it cannot be read; give another one"
    assert page.run.labels[ERROR_LABEL] == "BadInput"
    assert not [message for _, message in page.logs if "Traceback" in message]
    assert (logging.ERROR, page.run.state.message) in page.logs
    assert page.artifact("progress")["description"] == "ended at 50 % (Rocks to fr)"
    assert json.loads(page.artifact("chunks-fr")["data"])[1]["state"] == "stopped before lips"


def test_a_fault_says_where_its_traceback_is(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        dubbing("Stars to fr", Store(tmp_path), ["h", "broken"])()
    page = pages("Stars to fr")
    said = "a fault in redub itself (ZeroDivisionError: by a library); its traceback is in this run's log"
    assert page.run.state.message == f"{said}: please report it"
    assert [message for _, message in page.logs if "Traceback" in message and "by a library" in message]


def test_a_run_that_goes_on_after_a_crash_has_one_bar(server: Server) -> None:
    from prefect import flow

    from flows.watched import watched

    @flow(name="watched-twice", flow_run_name="Suns to fr", persist_result=False)
    def twice() -> None:
        for _ in range(2):
            with watched("Suns to fr", PLAN):
                pass

    twice()
    assert len([each for each in pages("Suns to fr").artifacts if each["key"] == "progress"]) == 1


def test_a_report_that_a_browser_finds_is_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.showing import LINKS, link_to

    monkeypatch.setenv(LINKS, "s3://lectures/dubbed/=https://files.example.org/dubbed/")
    assert link_to("s3://lectures/dubbed/week 1/a.html") == "https://files.example.org/dubbed/week%201/a.html"
    assert link_to("/elsewhere/a.html") is None
    monkeypatch.setenv(LINKS, "s3://lectures/dubbed/=javascript:alert(1)")
    with pytest.raises(BadInput, match="no PLACE=URL"):
        link_to("s3://lectures/dubbed/a.html")
