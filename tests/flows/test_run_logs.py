"""The log of a run as JSON lines, in a process of its own: its handlers are the whole process's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.logs import set_up
from manifests.errors import BadInput

ROOT = Path(__file__).parents[2]

PROGRAM = """
import logging
from flows.logs import AboutLecture, StageLog, set_up, tell_degradations
from manifests.errors import BadInput
from manifests.records import Degradation
from manifests.time import Span
from tasks.journal import Entry
set_up({"REDUB_LOG": "json"})
set_up({"REDUB_LOG": "json"})
logging.getLogger().setLevel(logging.INFO)
run = logging.getLogger("prefect.flow_runs")
log = StageLog(AboutLecture(run, "Waves to fr"))
span = Span.of_seconds(30, 61.5)
log.began("lips", 2, "fr")
for hit, failure in ((True, ""), (False, "no face")):
    log.performed(Entry(stage="lips", language="fr", span=span, key="abc", hit=hit, seconds=2.0, failure=failure))
tell_degradations(log.log, "fr", (Degradation(stage="lips", span=span, reason="a face too small"),))
try:
    raise BadInput("it cannot be read;", where="a.mp4", remedy="give another")
except BadInput:
    run.exception("a task failed")
try:
    raise KeyError("x")
except KeyError:
    logging.getLogger("tasks.any").exception("a fault é")
logging.getLogger("prefect.task_runs").info("Finished in state Completed()")
"""


def test_each_line_is_an_object_with_its_facts() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=ROOT)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    events = [line.get("event") for line in lines]
    assert events == ["began", "performed", "failed", "done", "degraded", None, None]
    assert {line["lecture"] for line in lines[:5]} == {"Waves to fr"}
    began, cached, failed, ended, degraded, mistake, fault = lines
    assert (began["stage"], began["language"], began["pieces"], began["level"]) == ("lips", "fr", 2, "INFO")
    assert (cached["start_s"], cached["end_s"], cached["key"], cached["hit"]) == (30.0, 61.5, "abc", True)
    assert failed["level"] == "WARNING"
    assert "0:30 to 1:01 came to nothing, the original is kept: no face" in failed["message"]
    assert (ended["pieces"], ended["hits"], ended["seconds"]) == (2, 1, 4.0)
    assert (degraded["level"], degraded["stage"]) == ("WARNING", "lips")
    assert mistake["message"] == "a.mp4: it cannot be read; give another"
    assert "traceback" not in mistake
    assert "KeyError" in fault["traceback"]
    assert all(line["time"].endswith("+00:00") for line in lines)


def test_a_form_that_is_not_known_is_told() -> None:
    with pytest.raises(BadInput, match="json or text"):
        set_up({"REDUB_LOG": "xml"})
