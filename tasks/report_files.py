"""The files of a report, one set a language: the page, its figures as JSON, and a row a line as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.files import published
from manifests.errors import BadInput
from manifests.records import Video
from manifests.report import DubReport, LineReport, read_report, to_json
from manifests.tables import read_table, write_table
from tasks.illustrations import Illustrations, illustrate
from tasks.report_page import write_page


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Where the report of one language lies."""

    page: Path
    figures: Path
    lines: Path


def report_files(folder: Path, language: str) -> ReportFiles:
    """The names of a report's files in the manifests' `folder`."""
    return ReportFiles(
        page=folder / f"report.{language}.html",
        figures=folder / f"report.{language}.json",
        lines=folder / f"report_lines.{language}.parquet",
    )


def write_report(report: DubReport, folder: Path, pictures: Illustrations) -> ReportFiles:
    """Write `report` to `folder`, the page last, with what it shows."""
    files = report_files(folder, report.language)
    with published(files.figures) as draft:
        draft.write_text(to_json(report), encoding="utf-8")
    with published(files.lines) as draft:
        write_table(report.lines, LineReport, draft)
    write_page(report, pictures, files.page)
    return files


def rebuild_pages(folder: Path, bring: Callable[[str], Path | None] = Path) -> Sequence[Path]:
    """Make the pages of `folder` (a lecture's manifests) again from their JSON. BadInput where there is no report.

    They are illustrated from the dubs beside the folder, and from the source, where these are still there; `bring`
    gives the file of a source by its address.
    """
    found = sorted(folder.glob("report.*.json"))
    if not found:
        raise BadInput("there is no report in it;", where=str(folder), remedy="name the NAME.redub folder of a dub")
    pages = []
    for file in found:
        report = read_report(file)
        dub = folder.parent / f"{report.title}.{report.language}.mp4"
        page = report_files(folder, report.language).page
        pictures = illustrate(report, dub if dub.is_file() else None, _source(folder, report.video_id, bring))
        write_page(report, pictures, page)
        pages.append(page)
    return pages


def _source(folder: Path, video_id: str, bring: Callable[[str], Path | None]) -> Path | None:
    """Where the source was, if the manifests say so and a file is there."""
    try:
        videos = read_table(Video, folder / "videos.parquet")
    except (OSError, ValueError):
        return None
    found = (bring(each.uri) for each in videos if each.id == video_id)
    return next((file for file in found if file is not None and file.is_file()), None)
