"""`report.html`: the report of a dub as one file that a browser opens by itself, without asking anything of a network.

Every text is escaped by the template; the page's own policy lets no script run but the one that sorts its table.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from infra.files import published
from manifests.languages import LANGUAGES
from manifests.records import Degradation
from manifests.report import DubReport, Failure, LineReport
from manifests.time import Span
from tasks import report_plots
from tasks.gate import told
from tasks.illustrations import Illustrations, Still
from tasks.report import concern
from tasks.report_plots import clock_text

PAGES = Path(__file__).parent / "pages"

_SPANS_NAMED = 12
_MISSING = "–"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of what was heard, and whether they are in what was meant."""

    text: str
    meant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table: its number in the lecture, and what was heard of it in pieces."""

    number: int
    line: LineReport
    heard: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measure of the whole dub: how it reads, and a few words on it."""

    name: str
    value: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Spans that one stage left alone for one reason: how many, how long together, and the first of them in words."""

    stage: str
    reason: str
    count: int
    total_s: float
    where: str


def render_page(report: DubReport, pictures: Illustrations) -> str:
    """The page as HTML."""
    style, script = (_asset(name) for name in ("report.css", "report.js"))
    return _template().render(
        report=report,
        totals=report.totals,
        policy=(
            f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
        style=style,
        script=script,
        language=_language_name(report.language),
        source_language=_language_name(report.source_language),
        figures=figures(report),
        failures=failures_told(report),
        rows=rows(report),
        stills=[_pictured(still, report) for still in pictures.stills if still.dub or still.source],
        strips=report_plots.timeline(report, pictures),
        plots=report_plots,
        histograms=report_plots.histograms(report),
        kept=kept(report.degradations),
        settings=_indented(report.settings),
        longest_stage=max((stage.seconds for stage in report.stages), default=0.0),
    )


def write_page(report: DubReport, pictures: Illustrations, target: Path) -> None:
    """Write the page to `target`, whole or not at all. NoSpace where that cannot be written."""
    with published(target) as draft:
        draft.write_text(render_page(report, pictures), encoding="utf-8")


def figures(report: DubReport) -> tuple[Figure, ...]:
    """The measures of the whole dub."""
    totals = report.totals
    speed = f"from {_number(totals.slowest)} to {_number(totals.fastest)} times the voice's own"
    lips = f"{_number(totals.mean_sync)}; the real video {_number(totals.mean_real_sync)}; lines: {totals.lip_lines}"
    return (
        Figure(name="Lines at a rate of 0.85 to 1.20", value=_share(totals.within_rate), about=speed),
        Figure(
            name="Dub on the source's speech",
            value=_share(totals.overlap),
            about="dubbed speech that falls where the speaker speaks",
        ),
        Figure(
            name="Speech left unfilled", value=_share(totals.unfilled), about="where the speaker speaks, no dub does"
        ),
        Figure(
            name="Heard back wrong",
            value=_share(totals.mean_cer),
            about=f"characters, mean over lines; the worst {_share(totals.worst_cer)}",
        ),
        Figure(name="Lips over the real ones", value=_number(totals.lip_ratio), about=lips),
        Figure(
            name="Loudness",
            value=_unit(totals.loudness_lufs, "LUFS", 1),
            about=f"true peak {_unit(totals.true_peak_dbtp, 'dBTP', 1)}",
        ),
        Figure(
            name="Drift at the end",
            value=f"{totals.drift_frames} frames",
            about=f"picture held for {totals.held_s:.2f} s; longest overrun {totals.overrun_s:.2f} s",
        ),
        Figure(
            name="Left as it was",
            value=_share(totals.degraded),
            about="of the lecture's time, in some stage; reasons below",
        ),
        Figure(
            name="Frames",
            value=f"{totals.lip_frames}",
            about=f"with new lips; {totals.rendered_frames} encoded, {totals.copied_frames} copied",
        ),
    )


def failures_told(report: DubReport) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What the gate found, each in words with the numbers of the lines to look at."""
    numbers = {line.id: number for number, line in enumerate(report.lines, start=1)}
    failures: Sequence[Failure] = report.gate.failures if report.gate else ()
    return tuple((told(each), tuple(numbers[name] for name in each.lines if name in numbers)) for each in failures)


def rows(report: DubReport) -> list[Row]:
    """All lines, those that most want a look first."""
    numbered = [
        Row(number=number, line=line, heard=compared(line)) for number, line in enumerate(report.lines, start=1)
    ]
    return sorted(numbered, key=lambda row: ([-each for each in concern(row.line)], row.number))


def compared(line: LineReport) -> tuple[Piece, ...]:
    """What was heard, cut where it leaves and joins what was meant."""
    if not line.heard_back:
        return ()
    meant, heard = line.translation.split(), line.heard_back.split()
    matcher = difflib.SequenceMatcher(a=[_bare(word) for word in meant], b=[_bare(word) for word in heard])
    return tuple(
        Piece(" ".join(heard[first:end]), kind == "equal")
        for kind, _, _, first, end in matcher.get_opcodes()
        if end > first
    )


def kept(degradations: Sequence[Degradation]) -> list[Kept]:
    """Degradations by stage and reason, the longest first; of many spans the first few are named."""
    groups: dict[tuple[str, str], list[Span]] = {}
    for each in degradations:
        groups.setdefault((each.stage, each.reason), []).append(each.span)
    found = []
    for (stage, reason), spans in groups.items():
        named = [f"{clock_text(span.start)} to {clock_text(span.end)}" for span in sorted(spans)[:_SPANS_NAMED]]
        more = [f"and {len(spans) - _SPANS_NAMED} more"] if len(spans) > _SPANS_NAMED else []
        total = sum(span.duration_s for span in spans)
        found.append(
            Kept(stage=stage, reason=reason, count=len(spans), total_s=total, where=", ".join([*named, *more]))
        )
    return sorted(found, key=lambda each: (-each.total_s, each.stage, each.reason))


def _bare(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pictured:
    number: int
    line: LineReport
    at: str
    source: str
    dub: str


def _pictured(still: Still, report: DubReport) -> _Pictured:
    number, line = next((n, each) for n, each in enumerate(report.lines, start=1) if each.id == still.line)
    return _Pictured(
        number=number, line=line, at=clock_text(still.at), source=_data(still.source), dub=_data(still.dub)
    )


def _data(jpeg: bytes | None) -> str:
    return "" if jpeg is None else f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _language_name(code: str) -> str:
    return next((each.name for each in LANGUAGES if each.code == code), code)


def _indented(settings: str) -> str:
    try:
        return json.dumps(json.loads(settings), indent=1, ensure_ascii=False)
    except ValueError:
        return settings


def _number(value: float | None, digits: int = 2) -> str:
    return _MISSING if value is None else f"{value:.{digits}f}".replace("-", "−")


def _share(value: float | None) -> str:
    return _MISSING if value is None else f"{value:.1%}"


def _unit(value: float | None, unit: str, digits: int) -> str:
    return _MISSING if value is None else f"{_number(value, digits)} {unit}"


def _sortable(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _asset(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        {
            "clock": clock_text,
            "number": _number,
            "share": _share,
            "sortable": _sortable,
            "rate_kind": report_plots.rate_kind,
        }
    )
    return environment.get_template("report.html.jinja")
