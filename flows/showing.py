"""What a finished dub leaves on its run's page: stills, what was measured, and the files."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from manifests.errors import BadInput
from manifests.report import DubReport
from manifests.time import Span
from tasks import report_summary
from tasks.before_after import before_after
from tasks.chunk_table import clock_time
from tasks.runs import RunRecord

LINKS = "REDUB_LINKS"
"""`PLACE=URL`: what lies below PLACE (a path or s3://BUCKET/PREFIX) a browser finds below URL."""


def leave_report(report: DubReport, page: str) -> None:
    """What was measured, and where the whole report lies; `page` is its address."""
    where = link_to(page)
    said = f"[The whole report]({where})" if where else f"The whole report: `{page}`"
    create_markdown_artifact(
        f"{report_summary.markdown(report)}\n{said}\n",
        key=f"report-{report.language}",
        description=f"What was measured of the dub into {report.language} ({report.title})",
    )


def leave_stills(report: DubReport, dub: Path, source: Path) -> None:
    """Moments of the lecture before and after; none where no line is spoken.

    The pictures are part of the artifact: the page shows them wherever it is looked at, from no other host.
    """
    pairs = before_after(report, dub, source)
    if not pairs:
        return
    parts = [f"Left the source, right the dub into {report.language}."]
    for each in pairs:
        picture = base64.b64encode(each.jpeg).decode()
        moment = clock_time(Span(0, each.at).duration_s)
        parts.append(f"**{moment}** {report_summary.plain(each.says)}")
        parts.append(f"![{report.language} at {moment}](data:image/jpeg;base64,{picture})")
    create_markdown_artifact(
        "\n\n".join(parts),
        key=f"stills-{report.language}",
        description=f"Before and after, {report.language} ({report.title})",
    )


def leave_dubs(record: RunRecord, title: str, chunk_count: int) -> None:
    """The files of the run, a row a language."""
    rows = [
        {
            "language": each.language,
            "file": each.files[0],
            "report": each.report,
            "frames copied": each.copied_frames,
            "frames rendered": each.rendered_frames,
            "loudness (LUFS)": each.loudness_lufs,
            "degraded spans": len(each.degradations),
        }
        for each in record.languages
    ]
    took = f"{record.seconds:.0f} s for {record.source_duration_s:.0f} s of lecture"
    create_table_artifact(table=rows, key="dubs", description=f"{chunk_count} chunks, {took} ({title})")


def link_to(address: str) -> str | None:
    """Where a browser finds `address`; None where `REDUB_LINKS` does not say. BadInput where that is no PLACE=URL."""
    links = links_given()
    if links is None or not address.startswith(links[0]):
        return None
    place, url = links
    return f"{url.rstrip('/')}/{quote(address.removeprefix(place).lstrip('/'))}"


def links_given() -> tuple[str, str] | None:
    """The pair in `REDUB_LINKS`, None where there is none. BadInput where it is no pair of a place and a URL."""
    given = os.environ.get(LINKS, "").strip()
    if not given:
        return None
    place, _, url = (part.strip() for part in given.partition("="))
    if not (place and url.startswith(("http://", "https://"))):
        remedy = "as in s3://lectures/dubbed/=https://files.example.org/dubbed/"
        raise BadInput(f"{given!r} is no PLACE=URL;", where=LINKS, remedy=remedy)
    return place, url
