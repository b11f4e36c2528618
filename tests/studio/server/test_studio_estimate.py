"""Estimates: by figures of another machine at first, by this machine's own runs as soon as there are any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from studio_client import project

from studio.estimate import cores, estimated, expected_s, pace
from studio.projects import Projects

ENTRY = {
    "stage": "lips", "language": "fr", "span": {"start": 0, "end": 1}, "key": "k", "hit": False, "seconds": 1.0,
}  # fmt: skip
LANGUAGE = {
    "language": "fr", "files": [], "copied_frames": 0, "rendered_frames": 0, "lip_frames": 0, "loudness_lufs": None,
    "degradations": [],
}  # fmt: skip


def record(folder: Path, name: str, seconds: float, *, hit: bool = False, outcome: str = "finished") -> None:
    folder.mkdir(exist_ok=True)
    found = {
        "name": name, "command": "dub", "source": "a.mp4", "source_duration_s": 100.0, "started": "2026-01-01T00:00:00",
        "seconds": seconds, "outcome": outcome, "page": "", "entries": [{**ENTRY, "hit": hit}], "languages": [LANGUAGE],
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")


def test_more_cores_fewer_languages_and_no_lips_take_less() -> None:
    usual = expected_s(True, 600, 2, lips=True, cores=2)
    assert expected_s(True, 600, 2, lips=True, cores=8) < usual
    assert expected_s(True, 600, 1, lips=True, cores=2) < usual
    assert expected_s(True, 600, 2, lips=False, cores=2) < usual
    assert expected_s(True, 1200, 2, lips=True, cores=2) > usual


def test_what_was_measured_is_about_what_is_expected() -> None:
    """docs/benchmarks.md: 122.4 s for 45.3 s on two cores."""
    assert expected_s(True, 45.3, 1, lips=True, cores=2) == pytest.approx(122.4, rel=0.15)


def test_runs_of_this_machine_say_more(tmp_path: Path) -> None:
    one = project(Projects(tmp_path / "owners"), "quick")
    runs = tmp_path / "runs"
    first = estimated(one, runs)
    assert "another machine" in first.basis
    expected = expected_s(True, 100.0, 1, lips=True, cores=cores())
    for index, ratio in enumerate((2.0, 3.0, 9.0)):
        record(runs, f"run-{index}", expected * ratio)
    record(runs, "cached", 1.0, hit=True)
    record(runs, "failed", 1.0, outcome="it failed")
    (runs / "damaged.json").write_text("{", encoding="utf-8")
    assert pace(True, runs) == (pytest.approx(3.0), 3)
    now = estimated(one, runs)
    assert now.basis == "by 3 earlier runs on this machine"
    assert now.seconds == pytest.approx((first.seconds or 0) * 3, rel=0.02)


def test_without_a_length_there_is_no_estimate(tmp_path: Path) -> None:
    from dataclasses import replace

    one = project(Projects(tmp_path / "owners"), "quick")
    unknown = replace(one, source=replace(one.source, duration_s=None))
    assert estimated(unknown, tmp_path).seconds is None
