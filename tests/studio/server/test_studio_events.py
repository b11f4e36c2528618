"""Events: whole lines in order, resumed from any id, and heard over a real connection as they come."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from studio_client import project, settings, standing, until

from studio import events
from studio.settings import Settings

FAKE = str(Path(__file__).parent / "fake_run.py")


def fake(folder: Path, _: Settings) -> list[str]:
    return [sys.executable, FAKE, str(folder)]


@given(st.lists(st.tuples(st.sampled_from(["log", "still"]), st.text(max_size=40)), max_size=20), st.data())
@hypothesis_settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_from_any_id_on_the_rest_comes_once(tmp_path: Path, told: list[tuple[str, str]], data: Any) -> None:
    (tmp_path / "events.jsonl").unlink(missing_ok=True)
    for kind, text in told:
        events.append(tmp_path, kind, {"text": text})
    whole = list(events.every(tmp_path))
    assert [(each.kind, each.data["text"].encode("utf-8", "replace")) for each in whole] == [
        (kind, text.encode("utf-8", "replace")) for kind, text in told
    ]
    ids = [each.id for each in whole]
    assert ids == sorted(set(ids))
    start = data.draw(st.integers(0, len(whole)))
    rest, _ = events.read(tmp_path, ids[start - 1] if start else 0)
    assert [each.id for each in rest] == ids[start:]


def test_what_a_killed_run_left_half_is_passed_over(tmp_path: Path) -> None:
    events.append(tmp_path, "log", {"text": "one"})
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"event":"log","data":{"te')
    found, at = events.read(tmp_path, 0)
    assert [each.data["text"] for each in found] == ["one"]
    events.append(tmp_path, "log", {"text": "two"})
    found, _ = events.read(tmp_path, at)
    assert [each.data["text"] for each in found] == ["two"]


def test_who_comes_anew_is_told_what_is_true_now(tmp_path: Path) -> None:
    for fraction in (0.1, 0.5):
        events.append(tmp_path, "progress", {"fraction": fraction})
    events.append(tmp_path, "still", {"url": "old"})
    events.append(tmp_path, events.BEGAN, {})
    events.append(tmp_path, "state", {"state": "running"})
    for fraction in (0.2, 0.3):
        events.append(tmp_path, "progress", {"fraction": fraction})
        events.append(tmp_path, "still", {"url": str(fraction)})
    for number in range(80):
        events.append(tmp_path, "log", {"text": str(number)})
    found, end = events.opening(tmp_path)
    kinds = [each.kind for each in found]
    assert kinds == ["state", "progress", "still", "still", *["log"] * 50]
    assert found[1].data == {"fraction": 0.3}
    assert found[-1].data == {"text": "79"}
    assert end == events.size(tmp_path)


def heard(answer: httpx.Response, until_state: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Events of a stream up to a state."""
    found: list[tuple[int, str, dict[str, Any]]] = []
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
            continue
        if "event" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
            if fields["event"] == "state" and found[-1][2]["state"] == until_state:
                return found
        fields = {}
    return found


def test_a_page_that_was_closed_hears_the_rest(tmp_path: Path) -> None:
    with standing(settings(tmp_path), fake) as studio, httpx.Client(base_url=studio.url, timeout=60) as asks:
        one = project(studio.found.projects, "steps")
        path = f"/api/projects/{one.id}/events"
        asks.post(f"/api/projects/{one.id}/start", headers={"x-redub": "1"})
        with asks.stream("GET", path) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            begun = heard(answer, "running")
        last = begun[-1][0]
        with asks.stream("GET", path, headers={"last-event-id": str(last)}) as answer:
            rest = heard(answer, "done")
        assert [each[2]["fraction"] for each in rest if each[1] == "progress"] == [step / 10 for step in range(10)]
        assert all(each[0] > last for each in rest)
        assert {each[1] for each in begun + rest} <= events.PUBLIC
        with asks.stream("GET", path) as answer:
            anew = heard(answer, "done")
        assert anew[0][1] == "state"


def test_closed_pages_are_let_go_and_too_many_open_ones_refused(tmp_path: Path) -> None:
    with standing(settings(tmp_path, streams_at_once=2)) as studio, httpx.Client(base_url=studio.url) as asks:
        one = project(studio.found.projects, "quick")
        path, bell = f"/api/projects/{one.id}/events", studio.found.bell
        for _ in range(4):
            with asks.stream("GET", path) as first, asks.stream("GET", path) as second:
                assert (first.status_code, second.status_code) == (200, 200)
                until(lambda: bell.listeners(one.id) == 2)
                assert asks.get(path).status_code == 429
            until(lambda: bell.listeners(one.id) == 0)


def test_an_ending_server_lets_go_of_its_listeners(tmp_path: Path) -> None:
    ended = threading.Event()
    with standing(settings(tmp_path)) as studio:
        one = project(studio.found.projects, "quick")

        def listen() -> None:
            with httpx.stream("GET", f"{studio.url}/api/projects/{one.id}/events", timeout=60) as answer:
                answer.read()
            ended.set()

        threading.Thread(target=listen, daemon=True).start()
        until(lambda: studio.found.bell.listeners(one.id) == 1)
    assert ended.wait(20)
