"""What the commands that only look have to say: weights, doctor, show."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from cli_command import Redub

from infra.places import state_folder
from manifests.records import Degradation
from manifests.time import Span
from models import weights
from tasks.journal import Entry
from tasks.runs import LanguageOutcome, RunRecord, write_record

RUN = RunRecord(
    name="lecture-fr-1",
    command="dub",
    source="/lectures/a [very] odd name.mp4",
    source_duration_s=90.0,
    started="2026-11-23T10:00:00+00:00",
    seconds=30.0,
    outcome="finished",
    page="",
    entries=tuple(
        Entry(stage=stage, language=language, span=Span.of_seconds(0, 1), key="k", hit=hit, seconds=seconds)
        for stage, language, hit, seconds in [
            ("shots", None, True, 0.0),
            ("speak", "fr", False, 6.0),
            ("speak", "fr", True, 0.0),
            ("lips", "fr", False, 2.0),
        ]
    ),
    languages=(
        LanguageOutcome(
            language="fr",
            files=("/lectures/out.fr.mp4",),
            copied_frames=100,
            rendered_frames=20,
            lip_frames=15,
            loudness_lufs=-16.0,
            degradations=tuple(
                Degradation(stage="lips", span=Span.of_seconds(start, start + 2), reason="no weights [here]")
                for start in range(0, 90, 3)
            ),
        ),
    ),
)


def test_weights_are_listed_with_licence_and_state(redub: Redub) -> None:
    ended = redub("weights", "list")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    rows = [line.split() for line in ended.out.split("\n\n")[0].splitlines() if not line.startswith(" ")]
    assert {row[1]: row[0] == "here" for row in rows} == {
        each.name: weights.present(each.name) for each in weights.table()
    }
    assert "research and personal use only" in ended.out

    (event,) = redub("weights", "list", "--json").events
    assert {row["name"]: row["present"] for row in event["weights"]} == {row[1]: row[0] == "here" for row in rows}
    assert all(row["licence"] for row in event["weights"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nope"], ["'nope'", "kokoro"]),
        ([], ["no weights were named", "--for fr"]),
        (["--for", "xx"], ["unknown language 'xx'"]),
        (["--for", "ja"], ["en to ja"]),
        (["kokoro", "yunet", "--from", "x"], ["exactly one NAME"]),
    ],
    ids=lambda value: " ".join(value) or "none",
)
def test_weights_that_cannot_be_pulled(redub: Redub, arguments: list[str], told: list[str]) -> None:
    ended = redub("weights", "pull", *arguments)
    assert ended.code == 2
    for part in told:
        assert part in ended.complaint


def test_a_file_that_is_not_there_is_no_weights(redub: Redub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path / "weights"))
    ended = redub("weights", "pull", "wav2lip", "--from", tmp_path / "missing.pth", "--json")
    assert ended.code == 2
    assert ended.events[-1]["event"] == "error"
    assert str(tmp_path / "missing.pth") in ended.events[-1]["message"]
    assert not weights.present("wav2lip")


@pytest.mark.weights
def test_weights_that_are_here_are_not_pulled_again(redub: Redub) -> None:
    if not weights.present("kokoro"):
        pytest.skip("weights that are not on this machine: kokoro (make weights)")
    ended = redub("weights", "pull", "kokoro")
    assert (ended.code, ended.out) == (0, "")
    assert "kokoro" in ended.err
    (event,) = redub("weights", "pull", "kokoro", "--json").events
    assert event == {"event": "result", "pulled": []}


def test_doctor_without_weights_finds_faults_and_their_remedies(
    redub: Redub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    ended = redub("doctor")
    assert ended.code == 3
    assert max(map(len, ended.out.splitlines())) <= max(80, len(str(tmp_path)) + 40)
    assert "redub weights pull --for fr" in " ".join(ended.out.split())
    ended = redub("doctor", "--json")
    assert ended.code == 3
    (event,) = ended.events
    states = {finding["what"]: finding["state"] for finding in event["findings"]}
    assert states["weights, en to fr"] == "fault"
    assert states["lips"] == "fault"
    assert states["media"] == "ok"


def test_doctor_finds_a_server_that_does_not_answer(redub: Redub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    ended = redub("doctor", "--json")
    assert ended.code == 3
    (event,) = ended.events
    (finding,) = [each for each in event["findings"] if each["what"] == "Prefect server"]
    assert finding["state"] == "fault"
    assert "127.0.0.1:9" in finding["detail"]


@pytest.mark.weights
def test_doctor_with_weights_is_content(redub: Redub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if not all(
        weights.present(name) for name in ("whisper-base", "yunet", "sface", "facemesh", "opus-mt-en-fr", "kokoro")
    ):
        pytest.skip("weights that are not on this machine (make weights)")
    ended = redub("doctor")
    assert ended.code == 0, ended.out
    assert "fault" not in ended.out
    assert "en to fr" in ended.out
    assert "rewrite (" in ended.out


@pytest.mark.weights
def test_doctor_counts_on_no_lips_where_faces_cannot_be_followed(
    redub: Redub, usual_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in usual_weights.iterdir():
        if name.name != "facemesh":
            (tmp_path / name.name).symlink_to(name.resolve())
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (event,) = redub("doctor", "--json").events
    (lips,) = [finding for finding in event["findings"] if finding["what"] == "lips"]
    assert (lips["state"], lips["detail"]) == ("fault", "none: redub weights pull --for fr")


def test_show_adds_a_run_up(redub: Redub) -> None:
    write_record(RUN, None)
    ended = redub("show")
    assert ended.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines() if line[:1].isalpha()}
    assert rows["shots"] == ["1", "1", "0.00", "0%"]
    assert rows["speak"] == ["fr", "2", "1", "6.00", "75%"]
    assert rows["lips"] == ["fr", "1", "0", "2.00", "25%"]
    assert "/lectures/a [very] odd name.mp4" in ended.out
    assert ended.out.count("no weights [here]") == 1
    assert "60.00 s in all" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_show_finds_a_run_by_name_and_by_folder(redub: Redub, tmp_path: Path) -> None:
    write_record(RUN, tmp_path / "lecture.redub")
    write_record(dataclasses.replace(RUN, name="other-1", outcome="lecture.mp4: the file is empty;"), None)
    assert "lecture-fr-1  finished" in redub("show", "lecture-fr-1").out
    assert "lecture-fr-1  finished" in redub("show", tmp_path / "lecture.redub").out
    assert "failed: lecture.mp4: the file is empty" in redub("show", "other-1").out
    (event,) = redub("show", "lecture-fr-1", "--json").events
    assert event["event"] == "result"
    assert event["name"] == "lecture-fr-1"
    assert len(event["languages"][0]["degradations"]) == 30


def test_show_without_such_a_run(redub: Redub, tmp_path: Path) -> None:
    assert "redub dub SOURCE" in redub("show").complaint
    write_record(RUN, None)
    ended = redub("show", "nope")
    assert ended.code == 2
    assert "lecture-fr-1" in ended.complaint
    (tmp_path / "run.json").write_text("{}")
    ended = redub("show", tmp_path)
    assert ended.code == 2
    assert str(tmp_path / "run.json") in ended.complaint
    ended = redub("show", tmp_path / "run.json")
    assert ended.code == 2
    (tmp_path / "empty").mkdir()
    assert redub("show", tmp_path / "empty").code == 2
    assert state_folder().exists()
