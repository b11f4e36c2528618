"""Engines are loaded early for the lines that changed, as they will be asked for, and for no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_sheets import HEARD, IDS, row

from manifests.errors import MissingWeights
from models.asr import engines as asr
from models.speech import engines as speech
from tasks.sheet import read_sheet, write_sheet
from tasks.sheet_changes import Change, Split, change_sheet
from tasks.warming import warm_up


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int] | str]:
    """What was loaded; stands in for trained weights."""
    asked: list[tuple[str, int] | str] = []
    monkeypatch.setattr(speech, "load_for", lambda engine, requests: asked.append((engine, requests)))
    monkeypatch.setattr(asr, "load", asked.append)
    return asked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert write_sheet([row(each) for each in HEARD], read_sheet(tmp_path, "lecture", "fr"))
    return tmp_path


def warmed(folder: Path) -> bool:
    thread = warm_up([read_sheet(folder, "lecture", "fr")], "whisper")
    if thread is not None:
        thread.join(10)
    return thread is not None


def test_nothing_is_loaded_where_nothing_is_spoken_again(folder: Path, loaded: list[object]) -> None:
    change_sheet(
        folder, "lecture", "fr", [Change(line=IDS[0], cells={"note": "x", "start": "0:00:01", "end": "0:00:09"})]
    )
    assert not warmed(folder)
    assert loaded == []


def test_one_line_has_its_voice_alone_and_several_share_it(folder: Path, loaded: list[object]) -> None:
    change_sheet(folder, "lecture", "fr", [Change(line=IDS[0], cells={"translation": "Autre chose."})])
    assert warmed(folder)
    assert loaded == [("kokoro", 1), "whisper"]
    loaded.clear()
    change_sheet(folder, "lecture", "fr", [Split(line=IDS[2], at_source=9)])
    assert warmed(folder)
    assert loaded == [("kokoro", 2), "whisper"]


def test_what_cannot_be_loaded_is_left_to_the_work_that_needs_it(
    folder: Path, loaded: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(engine: str, requests: int) -> None:
        raise MissingWeights("are not here", where=f"{engine} {requests}")

    monkeypatch.setattr(speech, "load_for", missing)
    change_sheet(folder, "lecture", "fr", [Change(line=IDS[0], cells={"translation": "Autre chose."})])
    assert warmed(folder)
    assert loaded == []
