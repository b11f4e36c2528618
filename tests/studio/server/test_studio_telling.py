"""What a run tells while it goes on: how far it is, at what, and the pictures that it makes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from studio_client import until
from studio_media import make_lecture

from infra.store import Store
from manifests.time import Span, flicks
from studio import events
from studio.stills import FOLDER, Stills
from studio.telling import Teller, talk_plan
from tasks.journal import Entry
from tasks.progress import Meter, plan_of
from tasks.settings import lecture

LECTURE = [
    "speech",
    "shots",
    "identify",
    "faces",
    "listen",
    "voice_samples",
    "background",
    "meshes",
    "speaking",
    "library",
]
DUB = ["translate", "speak", "speak", "mix", "voice", "heard_back", "lips", "render", "assemble", "sign"]


def entry(stage: str, language: str | None, *, key: str = "k") -> Entry:
    return Entry(stage=stage, language=language, span=Span(0, flicks(2)), key=key, hit=False, seconds=0.1)


def told(folder: Path) -> list[dict[str, Any]]:
    return [dict(each.data) for each in events.every(folder) if each.kind == "progress"]


def test_a_run_never_goes_back_and_its_phases_end(tmp_path: Path) -> None:
    firsts: list[int] = []
    teller = Teller(
        tmp_path, Meter(plan_of(lecture(), ["fr"], source_known=False)), 100.0, on_first=lambda: firsts.append(1)
    )
    teller._told_s = -1e9
    for stage, language in [*((each, None) for each in (*LECTURE, "library")), *((each, "fr") for each in DUB)]:
        teller.began(stage, 2, language)
        for _ in range(2):
            teller.performed(entry(stage, language))
        teller._write()
    found = told(tmp_path)
    fractions = [each["fraction"] for each in found]
    assert fractions == sorted(fractions)
    assert fractions[-1] < 1, "the end is the server's to tell"
    assert firsts == [1]
    by_id = {each["id"]: each for each in found[-1]["stages"]}
    assert list(by_id) == ["listen", "look", "translate", "speak", "lips", "finish"]
    assert {by_id[id_]["state"] for id_ in ("listen", "look", "translate", "speak", "lips")} == {"done"}
    assert all(each["eta_s"] >= 0 for each in found)


def test_the_last_word_is_told_though_nothing_follows_it(tmp_path: Path) -> None:
    teller = Teller(tmp_path, Meter(talk_plan("fr", speaks=True)), 10.0)
    for stage in ("speak", "mix", "voice"):
        teller.began(stage, 1, "fr")
    until(lambda: told(tmp_path) and told(tmp_path)[-1]["stage"] == "voice")
    assert len(told(tmp_path)) < 3, "what comes in one moment is told once"


def test_stills_are_of_the_source_and_of_what_was_rendered(tmp_path: Path) -> None:
    source, store = make_lecture(tmp_path / "lecture.mp4"), Store(tmp_path / "cache")
    with store.scratch() as folder:
        picture = store.put(make_lecture(folder / "run.mp4"))
    blob = {"sha256": picture.sha256, "suffix": picture.suffix, "size_bytes": picture.size_bytes}
    run = {"first": 0, "end": 1, "span": {"start": 0, "end": flicks(2)}}
    store.remember("render", "made", json.dumps({"run": run, "picture": blob, "frame_count": 50}))
    project = tmp_path / "project"
    project.mkdir()
    stills = Stills(project, "/media/x", source, store)
    stills.begin(2.0)
    for key in ("made", "of-nobody"):
        stills.piece(entry("render", "fr", key=key))
    stills.piece(entry("assemble", "fr"))
    stills.end()
    found = [each.data for each in events.every(project) if each.kind == "still"]
    assert [each["kind"] for each in found] == ["before"] * 5 + ["after"]
    assert found[-1]["language"] == "fr"
    assert found[-1]["time_s"] == found[-2]["time_s"] == pytest.approx(1.0, abs=0.05)
    for each in found:
        name = each["url"].removeprefix("/media/x/stills/")
        assert (project / FOLDER / name).read_bytes().startswith(b"\xff\xd8\xff")


ORDERLY = """
import sys, time
from pathlib import Path
from studio.orders import Orders
try:
    Orders(Path(sys.argv[1])).listen()
    print("up", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("ended by itself", flush=True)
"""


def test_a_run_ends_with_its_server(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ORDERLY), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.stdin.close()
    assert process.stdout.readline() == "ended by itself\n"
    process.wait(60)
