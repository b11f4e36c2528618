"""Lines over HTTP: shown, changed all or none, split and merged, marked, and heard; the sheet on disk is the truth."""

from __future__ import annotations

import asyncio
import csv
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from studio_client import client, made, project, settings

from infra.media.audio import write_wav
from manifests.errors import Unavailable
from manifests.records import SheetRow
from manifests.time import Span, flicks
from studio.answers import Refused
from studio.app import Studio
from studio.helper import Helper
from studio.records import Project
from tasks.sheet import Sheet, SheetFiles, write_sheet

LINES = [
    ("Good morning.", "Bonjour."),
    ("Tides come twice a day.", "Il y a deux marées par jour."),
    ("Thank you.", "Merci."),
]


def row(number: int, source: str, translation: str) -> SheetRow:
    span = Span(flicks(3 * number), flicks(3 * number + 2))
    return SheetRow(
        id=f"bdfk-0000-{number:03d}",
        utterance_id=f"v/chunk00000/utterance{number:05d}",
        video_id="v",
        language="fr",
        lecture=Span(0, flicks(10)),
        span=span,
        speaker="speaker1",
        voice="fr-kokoro-ff-siwis",
        source=source,
        translation=translation,
        check="heard unsurely: tides" if number == 1 else "",
        note="",
        worry=0.7 if number == 1 else 0.0,
        machine_span=span,
        machine_speaker="speaker1",
        machine_voice="fr-kokoro-ff-siwis",
        machine_source=source,
        machine_translation=translation,
    )


def mending(folder: Path, work: Callable[[Studio, httpx.AsyncClient, Project], Awaitable[None]]) -> None:
    """Do `work` with a project in review, whose sheet has the lines above."""

    async def run() -> None:
        found = made(settings(folder))
        one = project(found.projects, "lecture", state="review")
        out = found.projects.place(one) / "out"
        out.mkdir()
        rows = [row(number, *texts) for number, texts in enumerate(LINES)]
        assert write_sheet(rows, Sheet(files=SheetFiles.of(out, "a", "fr")))
        async with client(found) as asks:
            await work(found, asks, one)
        await found.voices.close()

    asyncio.run(run())


def place(one: Project, language: str = "fr") -> str:
    return f"/api/projects/{one.id}/lines?language={language}"


async def put(
    asks: httpx.AsyncClient, one: Project, *changes: dict[str, Any], etag: str | None = None
) -> httpx.Response:
    tag = etag or (await asks.get(place(one))).headers["etag"]
    return await asks.put(place(one), headers={"if-match": tag}, json={"changes": list(changes)})


def test_lines_are_shown_with_what_deserves_a_look(tmp_path: Path) -> None:
    async def work(_: Studio, asks: httpx.AsyncClient, one: Project) -> None:
        answer = await asks.get(place(one))
        assert answer.status_code == 200, answer.text
        shown = answer.json()
        assert [(each["source"], each["translation"]) for each in shown["lines"]] == LINES
        first, second, _third = shown["lines"]
        assert (first["start_s"], first["end_s"], first["dub_start_s"]) == (0.0, 2.0, None)
        assert second["doubts"] == [{"kind": "check", "text": "heard unsurely: tides", "weight": 0.7}]
        assert shown["speakers"] == [{"id": "speaker1", "name": "Speaker 1", "voice": "fr-kokoro-ff-siwis"}]
        assert shown["direction"] == "ltr"
        assert (await asks.get(place(one, "de"))).status_code == 404
        assert (await asks.get(place(one, "../fr"))).status_code == 404

    mending(tmp_path, work)


def test_a_change_is_in_the_sheet_and_only_there(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient, one: Project) -> None:
        answer = await put(
            asks, one, {"id": "bdfk-0000-001", "translation": "Deux marées.", "start_s": 3.5, "reviewed": True}
        )
        assert answer.status_code == 200, answer.text
        line = answer.json()["lines"][1]
        assert (line["translation"], line["start_s"], line["reviewed"]) == ("Deux marées.", 3.5, True)
        assert line["edited"] == ["times", "translation"]
        assert line["unrendered"] is True
        with (found.projects.place(one) / "out" / "a.fr.csv").open(encoding="utf-8-sig", newline="") as file:
            cells = list(csv.DictReader(file))
        assert cells[1]["translation"] == "Deux marées."
        assert cells[1]["start"] == "0:00:03.500"
        assert found.projects.now(one.id).edited  # type: ignore[union-attr]
        back = await put(asks, one, {"id": "bdfk-0000-001", "translation": "", "start_s": None, "end_s": None})
        assert back.json()["lines"][1]["translation"] == LINES[1][1], "emptied, it is the machine's own again"
        assert back.json()["lines"][1]["reviewed"] is True

    mending(tmp_path, work)


def test_marking_a_line_changes_no_sheet(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient, one: Project) -> None:
        sheet = found.projects.place(one) / "out" / "a.fr.csv"
        before = sheet.read_bytes()
        answer = await put(asks, one, {"id": "bdfk-0000-000", "reviewed": True}, {"id": "nobody", "reviewed": True})
        assert [each["reviewed"] for each in answer.json()["lines"]] == [True, False, False]
        assert sheet.read_bytes() == before
        assert not found.projects.now(one.id).edited  # type: ignore[union-attr]

    mending(tmp_path, work)


def test_of_two_who_change_one_sheet_the_second_is_told(tmp_path: Path) -> None:
    async def work(_: Studio, asks: httpx.AsyncClient, one: Project) -> None:
        etag = (await asks.get(place(one))).headers["etag"]
        change = {"id": "bdfk-0000-000", "note": "mine"}
        assert (await put(asks, one, change, etag=etag)).status_code == 200
        for late in (change, {"id": "bdfk-0000-000", "reviewed": True}):
            answer = await put(asks, one, late, etag=etag)
            assert answer.status_code == 412
            assert answer.json()["remedy"]
        assert (await asks.put(place(one), json={"changes": []})).status_code == 428

    mending(tmp_path, work)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"id": "bdfk-0000-001", "voice": "nobody"}, "voice"),
        ({"id": "bdfk-0000-001", "speaker": "speaker9"}, "speaker"),
        ({"id": "bdfk-0000-001", "start_s": 400.0}, None),
        ({"id": "bdfk-0000-001", "start_s": -1}, "start_s"),
        ({"id": "bdfk-0000-001", "start_s": "soon"}, "start_s"),
        ({"id": "bdfk-0000-001", "translation": ["a"]}, "translation"),
        ({"id": "bdfk-0000-001", "translation": "x" * 20_000}, "translation"),
        ({"id": "nobody", "note": "x"}, None),
        ({"merge": ["bdfk-0000-000"]}, None),
        ({"split": "bdfk-0000-002", "at_source": "a"}, "at_source"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_of_it_is_done(
    tmp_path: Path, change: dict[str, Any], column: str | None
) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient, one: Project) -> None:
        sheet = found.projects.place(one) / "out" / "a.fr.csv"
        before = sheet.read_bytes()
        answer = await put(asks, one, {"id": "bdfk-0000-000", "translation": "Salut."}, change)
        assert answer.status_code == 422, answer.text
        told = answer.json()
        assert told["error"]
        if column is not None:
            assert told["column"] == column
        assert str(tmp_path) not in answer.text, "where it lies is nothing for the page"
        assert sheet.read_bytes() == before

    mending(tmp_path, work)


def test_a_line_is_split_and_put_together_again(tmp_path: Path) -> None:
    async def work(_: Studio, asks: httpx.AsyncClient, one: Project) -> None:
        answer = await put(asks, one, {"split": "bdfk-0000-001", "at_source": 11, "at_translation": 18, "at_s": 4.0})
        assert answer.status_code == 200, answer.text
        parts = answer.json()["lines"][1:3]
        assert [each["id"] for each in parts] == ["bdfk-0000-001.1", "bdfk-0000-001.2"]
        assert [each["source"] for each in parts] == ["Tides come", "twice a day."]
        assert parts[1]["start_s"] == 4.0
        answer = await put(asks, one, {"merge": [each["id"] for each in parts]})
        assert [each["source"] for each in answer.json()["lines"]] == [source for source, _ in LINES]
        answer = await put(asks, one, {"merge": ["bdfk-0000-000", "bdfk-0000-001"]})
        assert len(answer.json()["lines"]) == 2

    mending(tmp_path, work)


def test_a_sheet_is_not_changed_under_a_run(tmp_path: Path) -> None:
    async def work(found: Studio, asks: httpx.AsyncClient, one: Project) -> None:
        etag = (await asks.get(place(one))).headers["etag"]
        for state in ("queued", "running"):
            found.projects.change(one.id, state=state)
            assert (await put(asks, one, {"id": "bdfk-0000-000", "note": "x"}, etag=etag)).status_code == 409

    mending(tmp_path, work)


def test_before_there_is_a_sheet_there_are_no_lines(tmp_path: Path) -> None:
    async def ask() -> None:
        found = made(settings(tmp_path))
        one = project(found.projects, "lecture")
        async with client(found) as asks:
            assert (await asks.get(place(one))).status_code == 409

    asyncio.run(ask())


SPEAKER = """
import json, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("translation") == "die": sys.exit(1)
    if asked.get("translation") == "hang": time.sleep(60)
    if "warm" in asked: answer = {}
    elif asked.get("translation") == "refuse": answer = {"error": "nothing is said", "status": 422}
    else: answer = {"audio": sys.argv[1], "duration_s": 1.0, "rate": 1.1}
    print(json.dumps(answer), flush=True)
"""


def test_a_line_is_heard_as_it_is_written_now(tmp_path: Path) -> None:
    """Behind a stand-in for the process with the voices, which needs trained weights."""
    sound, speaker = tmp_path / "said.wav", tmp_path / "speaker.py"
    import numpy as np

    write_wav(sound, np.zeros(100, np.float32), 24_000)
    speaker.write_text(textwrap.dedent(SPEAKER), encoding="utf-8")

    async def work(found: Studio, asks: httpx.AsyncClient, one: Project) -> None:
        found.voices.command = (sys.executable, str(speaker), str(sound))
        path = f"/api/projects/{one.id}/lines/bdfk-0000-001/hear"
        asked = {"language": "fr", "translation": "Deux marées.", "voice": "fr-kokoro-ff-siwis"}
        answer = await asks.post(path, json=asked)
        assert answer.status_code == 200, answer.text
        assert answer.content == sound.read_bytes()
        assert (answer.headers["content-type"], answer.headers["x-rate"]) == ("audio/wav", "1.1")
        for wrong, status in [
            ({"translation": "refuse"}, 422),
            ({"voice": "en-kokoro-af-heart"}, 422),
            ({"voice": "../../x"}, 422),
            ({"language": "de"}, 422),
            ({"translation": "x" * 3000}, 422),
            ({"translation": 3}, 422),
            ({"translation": "die"}, 503),
        ]:
            assert (await asks.post(path, json={**asked, **wrong})).status_code == status, wrong
        assert (await asks.post(path, json=asked)).status_code == 200, "another process answers the next"

    mending(tmp_path, work)


def test_a_helper_that_hangs_is_ended_and_its_late_answer_is_nobodys(tmp_path: Path) -> None:
    speaker = tmp_path / "speaker.py"
    speaker.write_text(textwrap.dedent(SPEAKER), encoding="utf-8")

    async def ask() -> None:
        helper = Helper((sys.executable, str(speaker), "sound"), tmp_path / "log")
        with pytest.raises(Unavailable):
            await helper.ask({"translation": "hang"}, limit_s=0.5)
        assert (await helper.ask({"translation": "a"}, limit_s=30))["audio"] == "sound"
        asked = [asyncio.create_task(helper.ask({"translation": "hang"}, limit_s=1)) for _ in range(12)]
        ended = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(each, Refused) and each.status == 429 for each in ended) == 4
        await helper.close()

    asyncio.run(ask())
