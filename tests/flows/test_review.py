"""A review on a real Prefect server: pausing, the form, going on and stopping from another thread."""

from __future__ import annotations

import json
import os
import pty
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.server import Server
from manifests.errors import BadInput
from manifests.records import SheetRow
from manifests.time import Span

SHEETS = ("lecture.fr.csv", "lecture.de.csv")

ROW = SheetRow(
    id="bdfk-0000-001",
    utterance_id="v/chunk00000/utterance00001",
    video_id="v",
    language="fr",
    lecture=Span(0, 100),
    span=Span(1, 2),
    speaker="speaker1",
    voice="fr-kokoro-ff-siwis",
    source="A | b <script>",
    translation="Un *b*",
    check="heard unsurely: b",
    note="",
    worry=1.0,
    machine_span=Span(1, 2),
    machine_speaker="speaker1",
    machine_voice="fr-kokoro-ff-siwis",
    machine_source="A | b <script>",
    machine_translation="Un *b*",
)


def reviewed(reviewer: Any, read: Callable[[], str] = lambda: "as read", *, patience_s: int = 60) -> str:
    """One flow run that is reviewed by `reviewer`."""
    from prefect import flow

    from flows.review import await_review, reviewing

    @flow(name="reviewed", persist_result=False)
    def waits() -> str:
        return await_review(SHEETS, [ROW], read, key="fr-de", patience_s=patience_s)

    with reviewing(reviewer):
        return waits()


def never() -> str:
    raise AssertionError


def answering(*decisions: str, told: list[Any]) -> Any:
    """A reviewer that gives each decision in turn, as the page would."""
    from flows.review import ReviewRequest, resume

    left = list(decisions)

    @contextmanager
    def reviewer(request: ReviewRequest) -> Iterator[None]:
        told.append(request)
        thread = threading.Thread(target=resume, args=(request.flow_run_id, left.pop(0), threading.Event()))
        thread.start()
        yield
        thread.join()

    return reviewer


def test_a_slip_in_a_sheet_costs_no_new_run(server: Server) -> None:
    answers = [BadInput("no such voice;", where="lecture.fr.csv, row 3, column voice"), "mended"]

    def read() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    told: list[Any] = []
    assert reviewed(answering("go on", "go on", told=told), read) == "mended"
    assert [bool(request.problem) for request in told] == [False, True]
    assert "row 3" in told[1].problem
    assert told[0].flow_run_id == told[1].flow_run_id
    assert told[0].sheets == SHEETS
    assert str(told[0].flow_run_id) in told[0].page


def test_a_reviewer_who_never_comes_ends_the_run(server: Server) -> None:
    from flows.review import ReviewEnded, at_the_terminal

    said: list[str] = []
    with (Path(os.devnull)).open() as nothing, pytest.raises(ReviewEnded, match="in time"):
        reviewed(at_the_terminal(nothing, said.append), patience_s=1)
    assert "go on from http://127.0.0.1" in said[-1]
    assert "without --review" in said[-1]


@pytest.mark.parametrize(("typed", "goes_on"), [("\n", True), ("q\n", False)])
def test_a_key_at_the_terminal_decides(server: Server, typed: str, goes_on: bool) -> None:
    from flows.review import ReviewEnded, at_the_terminal

    ours, theirs = pty.openpty()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "press Enter" in line:
            threading.Timer(0.5, os.write, args=(ours, typed.encode())).start()

    os.write(ours, b"\n")  # impatient: before the question was asked
    try:
        with os.fdopen(theirs, encoding="utf-8") as keyboard:
            if goes_on:
                assert reviewed(at_the_terminal(keyboard, say)) == "as read"
            else:
                with pytest.raises(ReviewEnded, match=r"lecture\.fr\.csv.*is kept"):
                    reviewed(at_the_terminal(keyboard, say), never)
    finally:
        os.close(ours)
    assert any(ROW.id in line and ROW.check in line for line in said)
    assert not [thread for thread in threading.enumerate() if thread.name == "review"]


def test_the_form_on_the_page_offers_both_and_shows_text_as_text(server: Server) -> None:
    from prefect.client.orchestration import get_client

    from flows.review import ReviewRequest, resume

    seen: dict[str, Any] = {}

    @contextmanager
    def looking(request: ReviewRequest) -> Iterator[None]:
        def look() -> None:
            with get_client(sync_client=True) as client:
                while not any(key.endswith("description") for key in seen):
                    asked = f"/flow_runs/{request.flow_run_id}/input/filter"
                    found = client.request("POST", asked, json={"prefix": "", "limit": 9})
                    seen.update({entry["key"]: entry["value"] for entry in found.json()})
            resume(request.flow_run_id, "go on", threading.Event())

        thread = threading.Thread(target=look)
        thread.start()
        yield
        thread.join()

    assert reviewed(looking) == "as read"
    [description] = [value for key, value in seen.items() if key.endswith("description")]
    [schema] = [value for key, value in seen.items() if key.endswith("schema")]
    assert "review-fr-de-1" in next(iter(seen))
    assert r"A \| b \<script\>" in json.loads(description)
    assert '"stop"' in schema
