"""The lines of a dub as the page shows and mends them: the sheet's rows, with what the report measured and doubts.

Functions read and write files: to be called from threads.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.files import published
from manifests.clock import HeldClock
from manifests.errors import BadInput
from manifests.report import DubReport, LineReport, read_report
from manifests.time import FLICKS_PER_SECOND, Flicks, seconds
from studio.answers import Refused
from studio.records import Project, direction
from studio.voice_names import voice_names

if TYPE_CHECKING:
    from tasks.sheet_changes import Change, Join, SheetLine, SheetView, Split

OUT = "out"
_REVIEWED = "reviewed.json"
_TEXTS = ("source", "translation", "speaker", "voice", "note")
_MOST_CHANGES = 5_000
_LONGEST_TEXT = 10_000


def lines_view(project: Project, folder: Path, language: str) -> dict[str, Any]:
    """All lines of the dub into `language`. Refused (409) where there is no sheet yet; BadInput for a spoilt one."""
    from tasks.sheet_changes import view_sheet

    _require_sheet(project, folder, language)
    view = view_sheet(folder / OUT, stem_of(project), language)
    return _view(view, project, folder, language)


def change_lines(
    project: Project, folder: Path, language: str, changes: Sequence[Mapping[str, Any]], etag: str
) -> dict[str, Any]:
    """The lines with `changes` made, all or none. Refused (412) where the sheet is not `etag` any more; BadInput."""
    from tasks.sheet_changes import SheetChanged, change_sheet, view_sheet

    _require_sheet(project, folder, language)
    if len(changes) > _MOST_CHANGES:
        raise Refused(413, f"{len(changes)} changes at once", f"send at most {_MOST_CHANGES}")
    reviewed, wanted = _reviewed(folder, language), [_change(each) for each in changes]
    asked = [each for each in wanted if each is not None]
    try:
        if asked:
            view = change_sheet(folder / OUT, stem_of(project), language, asked, expected=etag)
        else:
            view = view_sheet(folder / OUT, stem_of(project), language)
            if view.digest != etag:
                raise Refused(412, "the sheet was changed meanwhile", "load the lines again")
    except SheetChanged as error:
        raise Refused(412, "the sheet was changed meanwhile", "load the lines again") from error
    for each in changes:
        if isinstance(each.get("reviewed"), bool):
            (reviewed.add if each["reviewed"] else reviewed.discard)(str(each.get("id")))
    _keep_reviewed(folder, language, reviewed & {line.id for line in view.lines})
    return _view(view, project, folder, language)


def stem_of(project: Project) -> str:
    """What the run calls the lecture."""
    return Path(project.source.file).stem


def _require_sheet(project: Project, folder: Path, language: str) -> None:
    if project.kind != "dub" or language not in project.to:
        raise Refused(404, "this project has no lines in that language", "choose one of its languages")
    from tasks.sheet import SheetFiles

    if not SheetFiles.of(folder / OUT, stem_of(project), language).csv.is_file():
        raise Refused(409, "there are no lines yet", "wait until they are translated")


def _change(asked: Mapping[str, Any]) -> Change | Split | Join | None:
    """A change as the sheet takes it; None where it only marks a line as reviewed. Refused where it is none."""
    from tasks.sheet_changes import Change, Join, Split

    if "split" in asked:
        at_s, at_translation = _number(asked, "at_s"), _number(asked, "at_translation")
        return Split(
            line=_text(asked, "split"),
            at_source=int(_number(asked, "at_source") or 0),
            at_translation=None if at_translation is None else int(at_translation),
            at_s=at_s,
        )
    if "merge" in asked:
        ids = asked["merge"]
        if not isinstance(ids, list) or len(ids) < 2 or not all(isinstance(each, str) for each in ids):
            raise Refused(422, "two lines or more are needed to merge", "give their ids")
        return Join(lines=tuple(ids))
    cells = {column: _text(asked, column) for column in _TEXTS if column in asked}
    cells |= {column: _clock(asked, f"{column}_s") for column in ("start", "end") if f"{column}_s" in asked}
    line = _text(asked, "id")
    return Change(line=line, cells=cells) if cells else None


def _text(asked: Mapping[str, Any], field: str) -> str:
    value = asked.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise Refused(422, f"{field} is no text, or too long", "send a shorter string", column=field)
    return value


def _number(asked: Mapping[str, Any], field: str) -> float | None:
    value = asked.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise Refused(422, f"{field} is no number from 0 up", "send seconds, or a count", column=field)
    return float(value)


def _clock(asked: Mapping[str, Any], field: str) -> str:
    """Seconds as the sheet writes times; "" for the machine's own."""
    from tasks.sheet_cells import clock_text

    value = _number(asked, field)
    return "" if value is None else clock_text(round(value * FLICKS_PER_SECOND))


def _view(view: SheetView, project: Project, folder: Path, language: str) -> dict[str, Any]:
    report = _report(project, folder, language)
    measured = {} if report is None else {line.id: line for line in report.lines}
    doubts = _doubts(report)
    reviewed = _reviewed(folder, language)
    clock = HeldClock(report.holds) if report is not None else None
    lines = [
        _line(each, measured.get(each.report_id), doubts.get(each.report_id, []), clock, each.id in reviewed)
        for each in view.lines
    ]
    source_language = report.source_language if report is not None else project.from_
    return {
        "etag": view.digest,
        "language": language,
        "direction": direction(language),
        "source_language": source_language,
        "source_direction": direction(source_language or ""),
        "duration_s": project.source.duration_s,
        "dub_duration_s": None if clock is None else _s(clock.dub_time(report.span.end)) if report else None,
        "holds": [] if clock is None else [{"at_s": _s(h.at), "held_s": _s(h.duration)} for h in clock.holds],
        "speakers": _speakers(view.lines),
        "voices": _voices(language, view.lines),
        "lines": lines,
    }


def _line(
    line: SheetLine,
    measured: LineReport | None,
    doubts: list[dict[str, Any]],
    clock: HeldClock | None,
    reviewed: bool,  # noqa: FBT001
) -> dict[str, Any]:
    """A line. What the report measured of it holds only as long as the line is as it was rendered."""
    known = measured if not line.unrendered else None
    dub = None if known is None or not known.spoken else known.dub_span
    if dub is None and clock is not None:
        dub = clock.dub_span(line.span)
    own = [] if not line.check else [{"kind": "check", "text": line.check, "weight": round(line.worry, 3)}]
    return {
        "id": line.id,
        "start_s": _s(line.span.start),
        "end_s": _s(line.span.end),
        "source_start_s": None if measured is None else _s(measured.source_span.start),
        "source_end_s": None if measured is None else _s(measured.source_span.end),
        "dub_start_s": None if dub is None else _s(dub.start),
        "dub_end_s": None if dub is None else _s(dub.end),
        "speaker": line.speaker,
        "voice": line.voice,
        "source": line.source,
        "translation": line.translation,
        "note": line.note,
        "reviewed": reviewed,
        "doubts": (doubts or own) if known is not None or measured is None else own,
        "held_s": 0.0 if known is None else round(known.held_s, 3),
        "rate": None if known is None else known.rate,
        "edited": list(line.edited),
        "unrendered": line.unrendered,
    }


def _doubts(report: DubReport | None) -> dict[str, list[dict[str, Any]]]:
    from tasks.doubts import doubtful

    if report is None:
        return {}
    return {
        line.id: [{"kind": each.kind, "text": each.text, "weight": round(each.weight, 3)} for each in line.doubts]
        for line in doubtful(report)
    }


def _report(project: Project, folder: Path, language: str) -> DubReport | None:
    """The report of the latest dub, None where there is none of this version."""
    file = folder / OUT / f"{stem_of(project)}.redub" / f"report.{language}.json"
    try:
        return read_report(file)
    except (BadInput, OSError):
        return None


def _speakers(lines: Sequence[SheetLine]) -> list[dict[str, str]]:
    voices: dict[str, str] = {}
    for each in lines:
        if each.speaker:
            voices.setdefault(each.speaker, each.voice)
    names = sorted(voices, key=lambda name: (len(name), name))
    return [{"id": name, "name": name.replace("speaker", "Speaker "), "voice": voices[name]} for name in names]


def _voices(language: str, lines: Sequence[SheetLine]) -> list[dict[str, str]]:
    from tasks import installed

    here = {row.id: row for row in installed.voice_rows() if row.language == language and row.missing is None}
    names = voice_names(here)
    used = sorted({each.voice for each in lines if each.voice} - here.keys())
    return [
        *({"id": row.id, "name": names[row.id], "gender": row.gender} for row in here.values()),
        *({"id": voice, "name": voice, "gender": "unknown"} for voice in used),
    ]


def _reviewed(folder: Path, language: str) -> set[str]:
    try:
        return set(json.loads((folder / _REVIEWED).read_text(encoding="utf-8")).get(language, ()))
    except (OSError, ValueError, AttributeError):
        return set()


def _keep_reviewed(folder: Path, language: str, ids: set[str]) -> None:
    file = folder / _REVIEWED
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    with published(file) as draft:
        draft.write_text(json.dumps({**kept, language: sorted(ids)}), encoding="utf-8")


def _s(time: Flicks) -> float:
    return round(seconds(time), 3)
