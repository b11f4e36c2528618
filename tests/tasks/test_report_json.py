"""report.json and the rows beside it: what is written is what is read, and nothing else is taken for a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_up_reports import plain_report

from manifests.errors import BadInput
from manifests.report import DubReport, Failure, GateResult, LineReport, from_json, read_report, to_json
from manifests.tables import read_table, write_table

FAILURE = Failure(
    measure="mean error", figure=0.3, threshold=0.1, at_least=False, lines=("v/chunk00000/utterance00001",)
)


@pytest.fixture
def report() -> DubReport:
    return plain_report(gate=GateResult(preset="lecture", failures=(FAILURE,)))


def test_a_report_comes_back_as_it_was(report: DubReport) -> None:
    assert from_json(to_json(report)) == report
    assert to_json(from_json(to_json(report))) == to_json(report)


def test_times_can_be_read_by_people_and_machines(report: DubReport) -> None:
    content = json.loads(to_json(report))
    assert content["schema"] == "redub.report/1"
    span = content["lines"][1]["dub_span"]
    assert (span["start_s"], span["end_s"]) == (11.0, 15.0)
    assert span["start"] == 11 * 705_600_000
    assert content["holds"] == [{"at": 8 * 705_600_000, "duration": 705_600_000, "at_s": 8.0, "for_s": 1.0}]


def test_what_was_not_measured_is_null_not_nought() -> None:
    content = json.loads(to_json(plain_report()))
    assert content["lines"][1]["sync"] is None
    assert content["gate"] is None


def test_fields_of_a_later_redub_are_passed_over(report: DubReport) -> None:
    content = json.loads(to_json(report))
    content["more"] = 1
    content["lines"][0]["more"] = "x"
    assert from_json(json.dumps(content)) == report


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"lines": 3}', "\x00"])
def test_something_else_is_refused_by_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_report(file)
    assert caught.value.where == str(file)


def test_another_schema_is_refused(report: DubReport) -> None:
    with pytest.raises(BadInput, match=r"schema 'redub\.report/9'"):
        from_json(to_json(report).replace("redub.report/1", "redub.report/9"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_report(tmp_path / "report.json")


def test_lines_are_rows_of_a_table(report: DubReport, tmp_path: Path) -> None:
    write_table(report.lines, LineReport, tmp_path / "report.parquet")
    assert read_table(LineReport, tmp_path / "report.parquet") == list(report.lines)
