"""A real dub through the studio's API: uploaded, killed amid its work, reviewed, mended, heard, taken home."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.provenance import verify

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

REDUB = Path(sys.executable).parent / "redub"
LONGEST_S = 1800.0


@contextmanager
def serving(folder: Path, weights: Path) -> Iterator[tuple[httpx.Client, int]]:
    """`redub studio` as somebody starts it, and who asks of it; killed at the end, if it stands still."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        "REDUB_CACHE": str(folder / "cache"),
        "REDUB_STATE": str(folder / "state"),
        "REDUB_WEIGHTS": str(weights),
    }
    process = subprocess.Popen(
        [str(REDUB), "studio", "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        url = said.split()[2]
        with httpx.Client(base_url=url, headers={"x-redub": "1"}, timeout=120) as asks:
            yield asks, process.pid
    finally:
        process.terminate()
        process.wait(60)


def uploaded(asks: httpx.Client, file: Path) -> str:
    content = file.read_bytes()
    name = base64.b64encode(file.name.encode()).decode()
    announced = {"upload-length": str(len(content)), "upload-metadata": f"name {name}"}
    place = asks.post("/api/uploads", headers=announced).headers["location"]
    half = len(content) // 2
    for start, piece in ((0, content[:half]), (half, content[half:])):
        headers = {"upload-offset": str(start), "content-type": "application/offset+octet-stream"}
        assert asks.patch(place, headers=headers, content=piece).status_code == 204
    return place.rpartition("/")[2]


def comes_to(asks: httpx.Client, place: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + LONGEST_S
    while True:
        project: dict[str, Any] = asks.get(place).json()
        if holds(project):
            return project
        assert project["state"] != "failed", project["error"]
        assert time.monotonic() < deadline, project["progress"]
        time.sleep(0.5)


def test_a_lecture_through_the_studio(tmp_path: Path, short_lecture: Path, usual_weights: Path) -> None:
    with serving(tmp_path, usual_weights) as (asks, server):
        assert "fr" in {each["code"] for each in asks.get("/api/offer").json()["targets"]}
        order = {"kind": "dub", "source": {"upload": uploaded(asks, short_lecture)}, "to": ["fr"], "review": True}
        made = asks.post("/api/projects", json=order).json()
        assert made["estimate"]["seconds"] > made["source"]["duration_s"]
        place = f"/api/projects/{made['id']}"
        assert asks.post(f"{place}/start").json()["state"] == "queued"
        comes_to(asks, place, lambda project: project["progress"]["fraction"] > 0.02)
        os.kill(server, signal.SIGKILL)

    with serving(tmp_path, usual_weights) as (asks, _):
        waiting = comes_to(asks, place, lambda project: project["state"] == "review")
        assert waiting["run_page"].startswith("http://127.0.0.1:")
        shown = asks.get(f"{place}/lines?language=fr").json()
        assert len(shown["lines"]) >= 2
        first = {"id": shown["lines"][0]["id"], "translation": "La Lune attire la mer.", "reviewed": True}
        put = asks.put(f"{place}/lines?language=fr", headers={"if-match": shown["etag"]}, json={"changes": [first]})
        assert put.status_code == 200, put.text
        assert asks.post(f"{place}/continue").json()["state"] == "running"
        done = comes_to(asks, place, lambda project: project["state"] == "done")
        (result,) = done["results"]
        assert result["disclosure"]["synthetic"][0] == "speech"
        kinds = {each["kind"] for each in result["files"]}
        assert kinds == {"video", "subtitles", "sheet", "report", "disclosure", "figures"}
        home = tmp_path / "home"
        home.mkdir()
        for each in result["files"]:
            answer = asks.get(each["url"])
            assert len(answer.content) == each["size_bytes"]
            (home / each["name"]).write_bytes(answer.content)
        assert verify(home / result["video"]["name"], short_lecture).statement.language == "fr"
        shown = asks.get(f"{place}/lines?language=fr").json()
        line = shown["lines"][0]
        assert line["translation"] == "La Lune attire la mer."
        assert line["dub_end_s"] > line["dub_start_s"]
        assert len(asks.get(f"{place}/waveform?language=fr").json()["peaks"]) > 300

        said = {"language": "fr", "translation": "La Lune, elle, attire la mer.", "voice": ""}
        heard = asks.post(f"{place}/lines/{line['id']}/hear", json=said)
        assert heard.status_code == 200, heard.text
        with wave.open(BytesIO(heard.content)) as sound:
            assert sound.getnframes() / sound.getframerate() > 0.5
        change = {"id": line["id"], "translation": said["translation"]}
        asks.put(f"{place}/lines?language=fr", headers={"if-match": shown["etag"]}, json={"changes": [change]})
        assert asks.get(place).json()["edited"] is True
        assert asks.post(f"{place}/render").json()["state"] == "queued"
        mended = comes_to(asks, place, lambda project: project["state"] == "done")
        assert "1 line changed" in mended["results"][0]["mended"]
        assert mended["edited"] is False
        assert said["translation"] in asks.get(f"{place}/lines?language=fr").text
