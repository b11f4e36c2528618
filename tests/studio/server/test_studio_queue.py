"""The queue: turns, places, what is cancelled, crashes or waits for a person, and a server that dies.

The run is a stand-in for the hour of computing (`fake_run.py`); processes, files and the server are real.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from studio_client import client, made, project, settings, until

from studio import events
from studio.app import Studio
from studio.projects import Projects, read_project
from studio.records import Project
from studio.settings import Settings

HERE = Path(__file__).parent


def fake(folder: Path, _: Settings) -> list[str]:
    return [sys.executable, str(HERE / "fake_run.py"), str(folder)]


def working(folder: Path, work: Callable[[Studio, httpx.AsyncClient], Awaitable[None]], *, at_once: int = 1) -> None:
    """Do `work` while the queue of a studio over `folder` is at work."""

    async def run() -> None:
        found = made(settings(folder, at_once=at_once), fake)
        queue = asyncio.create_task(found.queue.work())
        try:
            async with client(found) as asks:
                await work(found, asks)
        finally:
            await found.queue.stop()
            queue.cancel()

    asyncio.run(run())


async def comes_to(found: Studio, of: Project, *states: str) -> Project:
    deadline = time.monotonic() + 60
    while True:
        now = found.projects.now(of.id)
        assert now is not None
        if now.state in states:
            return now
        assert time.monotonic() < deadline, f"it is still {now.state}"
        await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids(found: Studio, of: Project) -> list[int]:
    return [int(each) for each in (found.projects.place(of) / "pids").read_text(encoding="utf-8").split()]


def test_a_project_runs_and_what_it_made_can_be_had(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient) -> None:
        one = project(found.projects, "quick")
        answer = (await asks.post(f"/api/projects/{one.id}/start")).json()
        assert answer["state"] == "queued"
        assert answer["place_in_queue"] == 1
        done = await comes_to(found, one, "done")
        assert done.run_page == "http://127.0.0.1:4200/runs/1"
        shown = (await asks.get(f"/api/projects/{one.id}")).json()
        assert shown["progress"]["fraction"] == 1.0
        (result,) = shown["results"]
        video = await asks.get(result["video"]["url"], headers={"range": "bytes=1-"})
        assert (video.status_code, video.content, video.headers["content-type"]) == (206, b"ub", "video/mp4")
        assert read_project(found.projects.place(one)) == done, "what is on disk is what is told"

    working(tmp_path, work)


def test_states_allow_what_makes_sense_in_them(tmp_path: Path) -> None:
    allowed = {
        "new": {"start"},
        "queued": {"cancel"},
        "review": {"continue", "cancel"},
        "done": {"render"},
        "failed": {"resume", "render"},
        "cancelled": {"resume", "render"},
    }

    async def ask() -> None:
        found = made(settings(tmp_path), fake)  # whose queue nobody works
        async with client(found) as asks:
            for state, ways in allowed.items():
                for way in ("start", "cancel", "resume", "continue", "render"):
                    one = project(found.projects, "quick", state=state)
                    answer = await asks.post(f"/api/projects/{one.id}/{way}")
                    assert answer.status_code == (200 if way in ways else 409), (state, way)
                    assert "remedy" in answer.json() or way in ways

    asyncio.run(ask())


def test_turns_are_taken_in_order_and_places_move_up(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient) -> None:
        hangs, *rest = (project(found.projects, title) for title in ("hang", "quick", "quick", "quick"))
        for each in (hangs, *rest):
            await asks.post(f"/api/projects/{each.id}/start")
        await comes_to(found, hangs, "running")
        places = {each.id: found.queue.place(found.projects.now(each.id) or each) for each in rest}
        assert list(places.values()) == [1, 2, 3]
        await asks.post(f"/api/projects/{rest[0].id}/cancel")
        assert found.queue.place(found.projects.now(rest[2].id) or rest[2]) == 2
        told = [each for each in events.every(found.projects.place(rest[2])) if each.kind == "state"]
        assert told[-1].data["place_in_queue"] == 2, "who waits is told when the place changes"
        await asks.post(f"/api/projects/{hangs.id}/cancel")
        for each in rest[1:]:
            await comes_to(found, each, "done")
        assert found.projects.now(rest[0].id).state == "cancelled"  # type: ignore[union-attr]

    working(tmp_path, work)


def test_cancelling_ends_everything_that_the_run_started(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient) -> None:
        one = project(found.projects, "hang")
        await asks.post(f"/api/projects/{one.id}/start")
        while not (found.projects.place(one) / "pids").exists():
            await asyncio.sleep(0.02)
        started = pids(found, one)
        assert all(map(alive, started))
        answer = await asks.post(f"/api/projects/{one.id}/cancel")
        assert answer.json()["state"] == "cancelled"
        while any(map(alive, started)):
            await asyncio.sleep(0.02)
        found.projects.change(one.id, title="quick")
        assert (await asks.post(f"/api/projects/{one.id}/resume")).status_code == 200
        await comes_to(found, one, "done")

    working(tmp_path, work)


@pytest.mark.parametrize(("title", "said"), [("die", "in the middle of its work"), ("fail", "it is cut off")])
def test_a_run_that_ends_badly_says_so_and_holds_up_nobody(tmp_path: Path, title: str, said: str) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient) -> None:
        bad, good = project(found.projects, title), project(found.projects, "quick")
        for each in (bad, good):
            await asks.post(f"/api/projects/{each.id}/start")
        await comes_to(found, good, "done")
        shown = (await asks.get(f"/api/projects/{bad.id}")).json()
        assert shown["state"] == "failed"
        assert said in shown["error"]["error"]
        assert shown["error"]["remedy"]
        if title == "fail":
            assert (shown["error"]["row"], shown["error"]["column"]) == (3, "start")

    working(tmp_path, work)


def test_a_review_goes_on_in_the_same_run(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient) -> None:
        one = project(found.projects, "review", review=True)
        await asks.post(f"/api/projects/{one.id}/start")
        await comes_to(found, one, "review")
        answer = await asks.post(f"/api/projects/{one.id}/continue")
        assert answer.json()["state"] == "running"
        await comes_to(found, one, "done")
        began = [each for each in events.every(found.projects.place(one)) if each.kind == events.BEGAN]
        assert len(began) == 1

    working(tmp_path, work)


def test_a_run_in_review_makes_room_and_goes_on_in_its_turn(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient) -> None:
        reviewed, other = project(found.projects, "review", review=True), project(found.projects, "quick")
        await asks.post(f"/api/projects/{reviewed.id}/start")
        await comes_to(found, reviewed, "review")
        await asks.post(f"/api/projects/{other.id}/start")
        await comes_to(found, other, "done")
        assert found.projects.now(reviewed.id).state == "review"  # type: ignore[union-attr]
        answer = await asks.post(f"/api/projects/{reviewed.id}/continue")
        assert answer.json()["state"] == "queued"
        await comes_to(found, reviewed, "done")

    working(tmp_path, work)


def test_a_deleted_project_leaves_nothing(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient) -> None:
        one = project(found.projects, "hang")
        place = found.projects.place(one)
        await asks.post(f"/api/projects/{one.id}/start")
        while not (place / "pids").exists():
            await asyncio.sleep(0.02)
        started = pids(found, one)
        assert (await asks.delete(f"/api/projects/{one.id}")).status_code == 204
        while any(map(alive, started)):
            await asyncio.sleep(0.02)
        assert not list(place.parent.iterdir())
        assert (await asks.get(f"/api/projects/{one.id}")).status_code == 404

    working(tmp_path, work)


def test_a_killed_server_loses_nothing(tmp_path: Path) -> None:
    """Killed amid a run: the run ends with it, and the next server goes on with the project first."""
    command = [sys.executable, str(HERE / "standing_studio.py"), str(tmp_path), str(HERE / "fake_run.py")]
    kept = Projects(tmp_path / "owners")
    hangs = project(kept, "hang", state="queued", queued_s=1.0)
    waits = project(kept, "quick", state="queued", queued_s=2.0)
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    until((kept.place(hangs) / "pids").exists)
    run = int((kept.place(hangs) / "pids").read_text(encoding="utf-8").split()[0])
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert read_project(kept.place(hangs)).state == "running"
    until(lambda: not alive(run))
    kept.load()
    kept.change(hangs.id, title="quick", touch=False)
    second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: read_project(kept.place(waits)).state == "done")
        done = read_project(kept.place(hangs))
        assert done.state == "done"
        assert done.restarts == 1
    finally:
        second.terminate()
        second.wait(30)


def test_a_server_that_is_ended_in_good_order_counts_as_no_crash(tmp_path: Path) -> None:
    one = project(Projects(tmp_path / "owners"), "hang", state="queued", queued_s=1.0)

    async def work(found: Studio, _: httpx.AsyncClient) -> None:
        while not (found.projects.place(one) / "pids").exists():
            await asyncio.sleep(0.02)

    working(tmp_path, work)
    kept = Projects(tmp_path / "owners")
    left = read_project(kept.place(one))
    assert (left.state, left.restarts, left.queued_s) == ("queued", 0, 1.0)
    run = int((kept.place(one) / "pids").read_text(encoding="utf-8").split()[0])
    until(lambda: not alive(run))


def test_a_project_that_kills_every_server_is_given_up(tmp_path: Path) -> None:
    async def work(found: Studio, _: httpx.AsyncClient) -> None:
        one = await comes_to(found, given, "failed")
        assert one.trouble is not None

    given = project(Projects(tmp_path / "owners"), "quick", state="running", restarts=3)
    working(tmp_path, work)


def test_a_record_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    projects = Projects(tmp_path)
    good, bad = project(projects, "quick"), project(projects, "quick")
    (projects.place(bad) / "project.json").write_text("{half", encoding="utf-8")
    again = Projects(tmp_path)
    again.load()
    assert [each.id for each in again.all()] == [good.id]
    assert (projects.place(bad) / "upload" / "a.mp4").exists()


def test_a_record_of_one_owner_is_no_good_in_anothers_folder(tmp_path: Path) -> None:
    projects = Projects(tmp_path)
    one = project(projects, "quick", owner="ada")
    moved = projects.place(replace(one, owner="bob"))
    moved.parent.mkdir(parents=True)
    projects.place(one).rename(moved)
    again = Projects(tmp_path)
    again.load()
    assert not again.all()
