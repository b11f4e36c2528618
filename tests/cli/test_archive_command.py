"""`redub archive` as a user meets it: plans and status without a server, mistakes in one line each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_command import Redub

sys.path.insert(0, str(Path(__file__).parents[1] / "tasks"))
from archive_makings import lecture_bytes, made_row, put

from manifests.archive import DONE, FAILED
from tasks.archive_desk import Desk
from tasks.archive_lease import leased


@pytest.fixture
def lectures(tmp_path: Path) -> Path:
    put(tmp_path / "lectures" / "a.mp4", lecture_bytes())
    put(tmp_path / "lectures" / "broken.mp4", b"nothing of the kind")
    return tmp_path / "lectures"


def test_a_plan_and_its_status(redub: Redub, lectures: Path) -> None:
    ended = redub("archive", "plan", lectures, "--to", "fr,es", "--priority", "a*=3", "--json")
    assert ended.code == 0
    told = ended.events[-1]
    assert (told["states"]["waiting"], told["states"]["unreadable"]) == (1, 1)
    manifest = told["manifest"]
    assert [row.priority for row in Desk(Path(manifest)).read()] == [3, 0]
    ended = redub("archive", "status", manifest)
    assert "unreadable" in ended.out
    assert "cannot be read as a video" in ended.out
    assert max(map(len, ended.out.replace(str(lectures), "").splitlines())) <= 80


def test_status_tells_reasons_cost_and_who_works_on_it(redub: Redub, tmp_path: Path) -> None:
    rows = [
        made_row("a.mp4", state=DONE, made=("fr",), spent_hours=1.0, spent_money=3.2),
        made_row("b [1].mp4", state=FAILED, reason="there is no [sound] in it", attempts=3),
    ]
    Desk(tmp_path / "archive.parquet").write(rows)
    with leased(tmp_path / "archive.parquet", "process 7 on host"):
        ended = redub("archive", "status", tmp_path / "archive.parquet")
    assert "there is no [sound] in it" in ended.out
    assert "b [1].mp4" in ended.out
    assert "1 of them given up" in ended.out
    assert "for 3.20" in ended.out
    assert "process 7 on host" in ended.out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["plan", "NOWHERE", "--to", "fr"], "no such folder"),
        (["plan", "LECTURES", "--to", "xx"], "unknown language"),
        (["plan", "LECTURES", "--to", ""], "no language"),
        (["plan", "LECTURES", "--to", "fr", "--priority", "a"], "PATTERN=NUMBER"),
        (["plan", "s3://", "--to", "fr"], "names no bucket"),
        (["status", "NOWHERE/archive.parquet"], "redub archive plan"),
        (["run", "NOWHERE/archive.parquet"], "redub archive plan"),
        (["run", "NOWHERE/archive.parquet", "--money", "5"], "--price"),
        (["run", "NOWHERE/archive.parquet", "--hours", "nan"], "no budget"),
    ],
)
def test_mistakes_are_told_in_one_line(redub: Redub, lectures: Path, arguments: list[str], what: str) -> None:
    nowhere = lectures.parent / "nowhere"
    named = [each.replace("NOWHERE", str(nowhere)).replace("LECTURES", str(lectures)) for each in arguments]
    ended = redub("archive", *named)
    assert ended.code == 2
    assert what in ended.complaint
    assert not nowhere.exists()


def test_an_archive_that_is_worked_on_is_not_planned(redub: Redub, lectures: Path) -> None:
    with leased(lectures / "archive.parquet", "process 7 on host"):
        ended = redub("archive", "plan", lectures, "--to", "fr")
    assert ended.code == 2
    assert "process 7 on host" in ended.complaint
