"""Does `redub data prepare` say what it does, and in one line what is wrong with what it was given?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli.data import app
from manifests.errors import BadInput

sys.path.insert(0, str(Path(__file__).parents[1] / "tasks"))
from talking_clips import ffmpeg, needs_grid


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["prepare", *map(str, arguments)])


def test_help_names_every_layout() -> None:
    told = run("--help").output
    for word in ("grid", "lombard", "lrs2", "vidtimit", "clips.parquet", "kill -9"):
        assert word in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--layout", "lrs3"), "no layout is called 'lrs3'"),
        (("--limit", "0"), "--limit"),
        (("--size", "4"), "--size"),
        (("--max-offset", "16"), "--max-offset"),
        (("--jobs", "0"), "--jobs"),
        ((), "no video is in this folder"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    result = run(tmp_path / "source", "--out", tmp_path / "out", *options)
    assert isinstance(result.exception, BadInput)
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


class TestRun:
    pytestmark = needs_grid[:1]

    def test_a_run_that_keeps_nothing_still_tells_why(self, tmp_path: Path) -> None:
        (tmp_path / "source").mkdir()
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25", "-t", "1.5", tmp_path / "source" / "mute.mp4")
        options = ("--out", tmp_path / "out", "--jobs", "1")
        lines = [json.loads(line) for line in run(tmp_path / "source", *options, "--json").stdout.splitlines()]
        assert lines[-1]["event"] == "result"
        assert (lines[-1]["kept"], lines[-1]["clips"], lines[-1]["dropped"]) == (0, 1, {"no sound": 1})
        assert [line["done"] for line in lines if line.get("what") == "preparing"] == [0, 1]
        again = run(tmp_path / "source", *options).output
        assert "nothing kept" in again or "0 of 1 clips kept" in again
        assert "dropped 1: no sound" in again
        assert "0 shards made, 1 found" in again
