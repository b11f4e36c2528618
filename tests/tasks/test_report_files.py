"""The files of a report, and pages made again from them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from made_up_people import noise_video
from made_up_reports import plain_report

from manifests.errors import BadInput
from manifests.records import Video
from manifests.report import LineReport, read_report
from manifests.tables import read_table, write_table
from tasks.illustrations import Illustrations, illustrate
from tasks.report_files import rebuild_pages, report_files, write_report


def test_a_page_made_again_is_the_page(tmp_path: Path) -> None:
    dub, source = (noise_video(tmp_path / name, 75) for name in ("lecture.fr.mp4", "lecture.mp4"))
    folder = tmp_path / "lecture.redub"
    report = dataclasses.replace(plain_report(), video_id=source.id)
    report = dataclasses.replace(report, lines=report.lines[:1])
    files = write_report(report, folder, illustrate(report, Path(dub.uri), Path(source.uri)))
    first = files.page.read_bytes()
    assert first.count(b"data:image/jpeg") == 2
    assert read_report(files.figures) == report
    assert read_table(LineReport, files.lines) == list(report.lines)
    write_table([source], Video, folder / "videos.parquet")
    files.page.unlink()
    assert rebuild_pages(folder) == [files.page]
    assert files.page.read_bytes() == first


def test_without_the_videos_there_are_figures_still(tmp_path: Path) -> None:
    write_report(plain_report(), tmp_path, Illustrations())
    (page,) = rebuild_pages(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "data:image" not in text
    assert "Timeline" in text


def test_languages_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for language in ("fr", "de"):
        write_report(dataclasses.replace(plain_report(), language=language), tmp_path, Illustrations())
    assert rebuild_pages(tmp_path) == [report_files(tmp_path, language).page for language in ("de", "fr")]


def test_a_folder_without_a_report_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no report in it"):
        rebuild_pages(tmp_path)
