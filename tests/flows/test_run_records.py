"""Records of runs: a name each, from the first moment on, and what a run that dies has told.

Prefect takes the server from the environment when it is first imported; so the server comes first, and it within tests.
"""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from manifests.errors import BadInput
from manifests.time import Span
from tasks.journal import Journal
from tasks.runs import GOING, INTERRUPTED, RunRecord, begin_record, read_record, record_files

pytestmark = pytest.mark.usefixtures("server")

EMPTY = RunRecord(
    name="",
    command="dub",
    source="a.mp4",
    source_duration_s=0.0,
    started="2026-11-29T12:00:00+00:00",
    seconds=0.0,
    outcome=GOING,
    page="",
    entries=(),
    languages=(),
)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDUB_STATE", str(tmp_path))


def test_runs_that_begin_at_one_time_have_a_record_each() -> None:
    with ThreadPoolExecutor(8) as threads:
        names = list(threads.map(lambda _: begin_record(EMPTY, "Waves, part 1").name, range(40)))
    assert sorted(names) == sorted(f"Waves-part-1-{number}" for number in range(1, 41))
    assert {read_record(name).name for name in names} == set(names)


def test_a_run_that_goes_on_tells_what_it_did_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import recording
    from flows.recording import recorded

    monkeypatch.setattr(recording, "_WRITE_EVERY_S", 0.0)
    journal = Journal()
    with recorded(command="dub", title="waves", source="a.mp4", journal=journal) as record:
        assert read_record(None).outcome == GOING
        journal.performed("listen", Span(0, 1), None, "k", hit=False, seconds=1.0)
        assert [entry.stage for entry in read_record("waves-1").entries] == ["listen"]
        record.duration_s = 23.0
    assert read_record("waves-1").outcome == "finished"
    assert read_record("waves-1").source_duration_s == 23.0
    assert len(record_files()) == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BadInput("no;", where="a.mp4"), "a.mp4: no;"),
        (KeyError("x"), "KeyError: 'x'"),
        (KeyboardInterrupt(), INTERRUPTED),
    ],
    ids=["mistake", "fault", "Ctrl-C"],
)
def test_it_says_what_ended_it(error: BaseException, outcome: str) -> None:
    from flows.recording import recorded

    def run() -> None:
        with recorded(command="dub", title="waves", source="a.mp4", journal=Journal()):
            raise error

    with pytest.raises(type(error)):
        run()
    assert read_record("waves-1").outcome == outcome


def test_a_name_that_was_only_just_taken_is_no_record_yet() -> None:
    named = begin_record(EMPTY, "waves")
    (record_files()[0].with_name("waves-2.json")).touch()
    assert read_record(None).name == named.name
    assert begin_record(dataclasses.replace(EMPTY), "waves").name == "waves-3"


def test_an_archive_takes_the_words_and_the_kind_that_a_run_gave_itself() -> None:
    from uuid import uuid4

    from prefect.client.schemas.objects import FlowRun

    from flows.archive import _told
    from flows.worded import ERROR_LABEL

    worded = FlowRun(flow_id=uuid4(), labels={ERROR_LABEL: "NoSpace"})
    assert _told(worded, "/cache: the disk is full") == ("NoSpace", "/cache: the disk is full")
    plain = FlowRun(flow_id=uuid4())
    assert _told(plain, "Flow run encountered an exception: BadInput: a.mp4: no;") == ("BadInput", "a.mp4: no;")
