"""Changes to a sheet by a program, as a person would make them in a spreadsheet: cells, lines split, neighbours joined.

The CSV stays the truth: what is changed here is written there, whole or not at all, and read by the next run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from infra.csv_rows import Row, read_rows, write_rows
from manifests.errors import BadInput
from manifests.records import Edit, SheetRow
from manifests.time import Span, flicks
from tasks import sheet
from tasks.sheet_cells import SILENCE, TEXTS, TIMES, clock_text, on_one_line
from tasks.sheet_reading import Reading, machine_in, written_in
from tasks.sheet_shapes import plain_id
from tasks.split_lines import JOINED, SPLIT, members

EDITABLE = ("start", "end", *TEXTS)


class SheetChanged(BadInput):
    """Somebody else changed the sheet meanwhile: it is to be looked at again first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Cells of the row `line`, by column (`EDITABLE`), as one would type them; "" is the machine's own again."""

    line: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The row `line` becomes two: before and from the word that starts nearest to a character of its source.

    `at_translation` is a character of its translation (None: both parts are translated again), `at_s` where the second
    part starts, in seconds on the source's clock (None: the planner decides where both are heard).
    """

    line: str
    at_source: int
    at_translation: int | None = None
    at_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """The rows `lines`, neighbours in one chunk, become one; all parts of a split line become that line again."""

    lines: tuple[str, ...]


Changing: TypeAlias = Change | Split | Join


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """A row as it stands. `report_id` is what records call the line, `utterance_ids` what was heard of which it is.

    `span` is on the source's clock; where the line was split or joined since the last run, where the source says it.
    An empty `translation` is made by the next run. `edited` are the columns that a person changed ("times" for start
    and end, "split", "joined"); `unrendered`: since the last run.
    """

    id: str
    report_id: str
    utterance_ids: tuple[str, ...]
    span: Span
    speaker: str
    voice: str
    source: str
    translation: str
    note: str
    check: str
    worry: float
    edited: tuple[str, ...]
    unrendered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetView:
    """A sheet as it stands; `digest` tells it from any other."""

    digest: str
    lines: tuple[SheetLine, ...]


def view_sheet(folder: Path, stem: str, language: str) -> SheetView:
    """The sheet of a dub that is published in `folder`. BadInput as `read_sheet`, and where there is none."""
    lying = sheet.read_sheet(folder, stem, language)
    return _view(lying, _reading(lying, language).by_row(_rows(lying)))


def change_sheet(
    folder: Path, stem: str, language: str, changes: Sequence[Changing], *, expected: str | None = None
) -> SheetView:
    """Make `changes`, one after the other, and write the CSV; the sheet as it then stands.

    SheetChanged where its digest is not `expected`; BadInput, with row and column, for what cannot be done. Nothing is
    written then.
    """
    lying = sheet.read_sheet(folder, stem, language)
    if expected is not None and lying.digest != expected:
        what = "the sheet was changed meanwhile;"
        raise SheetChanged(what, where=str(lying.files.csv), remedy="load the lines again, then change them.")
    cells = [dict(row.cells) for row in _rows(lying)]
    known = {row.id: row for row in lying.rows}
    for change in changes:
        if isinstance(change, Change):
            _set(cells, change, str(lying.files.csv))
        elif isinstance(change, Split):
            _split(cells, change, known, str(lying.files.csv))
        else:
            _join(cells, change, known, str(lying.files.csv))
    reading = _reading(lying, language)
    lines = reading.by_row(_numbered(cells, lying))
    reading.require_sound()
    write_rows(lying.files.csv, sheet.COLUMNS, cells)
    return _view(sheet.read_sheet(folder, stem, language), lines)


def _reading(lying: sheet.Sheet, language: str) -> Reading:
    return Reading(csv=lying.files.csv, language=language, generations=[{row.id: row for row in lying.rows}])


def _rows(lying: sheet.Sheet) -> list[Row]:
    if lying.digest is None:
        if not lying.rows:
            raise BadInput("there is no sheet yet;", where=str(lying.files.csv), remedy="dub the lecture first.")
        return _numbered([sheet.cells_of(row) for row in lying.rows], lying)
    return read_rows(lying.files.csv, required=sheet.REQUIRED, optional=("check",))


def _numbered(cells: Sequence[Mapping[str, str]], lying: sheet.Sheet) -> list[Row]:
    return [Row(str(lying.files.csv), number, dict(each)) for number, each in enumerate(cells, start=2)]


def _view(lying: sheet.Sheet, found: Sequence[tuple[SheetRow, Sequence[Edit]]]) -> SheetView:
    known = {row.id for row in lying.rows}
    return SheetView(digest=lying.digest or "", lines=tuple(_line(row, edits, row.id in known) for row, edits in found))


def _line(row: SheetRow, edits: Sequence[Edit], known: bool) -> SheetLine:  # noqa: FBT001 (one of its three facts)
    cells = {edit.column: edit for edit in edits if edit.column not in (SPLIT, JOINED)}
    texts = {column: cells[column].value if column in cells else machine_in(row, column) for column in TEXTS}
    pinned = cells[TIMES].span if TIMES in cells else None
    own = row.machine_span if TIMES in row.edited else row.span
    shape = {0: (), 1: (SPLIT,)}.get(len(row.made_of), (JOINED,))
    before = {column: written_in(row, column) for column in row.edited}
    return SheetLine(
        id=row.id,
        report_id=row.utterance_id,
        utterance_ids=members(row.utterance_id),
        span=pinned or own,
        check=row.check,
        worry=row.worry,
        edited=(*sorted(cells), *shape),
        unrendered=not known or {name: edit.value for name, edit in cells.items()} != before,
        **texts,
    )


def _at(cells: Sequence[dict[str, str]], line: str, csv: str) -> int:
    for place, each in enumerate(cells):
        if plain_id(each["id"]) == plain_id(line):
            return place
    raise BadInput(f"there is no line {line!r};", where=csv, remedy="load the lines again.")


def _where(csv: str, place: int, column: str) -> str:
    return f"{csv}, row {place + 2}, column {column}"


def _set(cells: list[dict[str, str]], change: Change, csv: str) -> None:
    place = _at(cells, change.line, csv)
    for column, value in change.cells.items():
        if column not in EDITABLE:
            remedy = f"these may be: {', '.join(EDITABLE)}."
            raise BadInput(f"{column!r} cannot be changed;", where=_where(csv, place, column), remedy=remedy)
        cells[place][column] = value


def _split(cells: list[dict[str, str]], change: Split, known: Mapping[str, SheetRow], csv: str) -> None:
    place = _at(cells, change.line, csv)
    row = cells[place]
    name = plain_id(row["id"])
    if "." in name or "+" in name:
        what = f"{name!r} is {'a part of a line' if '.' in name else 'made of several lines'} already;"
        raise BadInput(what, where=_where(csv, place, "id"), remedy="put it together or apart first.")
    source = on_one_line(row["source"]) or (known[name].machine_source if name in known else "")
    words = source.split()
    if len(words) < 2:
        raise BadInput("a single word cannot be split;", where=_where(csv, place, "source"))
    count = min(max(_words_before(source, change.at_source), 1), len(words) - 1)
    texts = [" ".join(words[:count]), " ".join(words[count:])]
    said = _cut(on_one_line(row["translation"]), change.at_translation)
    times = [("", ""), ("", "")]
    if change.at_s is not None:
        border = clock_text(flicks(change.at_s))
        times = [(row["start"], border), (border, row["end"])]
    parts = [
        row | {"id": f"{name}.{number}", "source": text, "translation": spoken, "start": start, "end": end, "check": ""}
        for number, (text, spoken, (start, end)) in enumerate(zip(texts, said, times, strict=True), start=1)
    ]
    parts[1]["note"] = ""
    cells[place : place + 1] = parts


def _words_before(text: str, at: int) -> int:
    """How many words lie before the border of words that is nearest to a character."""
    starts, position = [], 0
    for word in text.split():
        starts.append(text.index(word, position))
        position = starts[-1] + len(word)
    return min(range(len(starts)), key=lambda index: (abs(starts[index] - at), index))


def _cut(text: str, at: int | None) -> list[str]:
    """A translation in two; where it shows no words, at the very character. Both empty for none, or for silence."""
    if at is None or text in ("", SILENCE):
        return [text if text == SILENCE else ""] * 2
    words = text.split()
    if len(words) < 2:
        return [text[:at].strip(), text[at:].strip()]
    count = min(max(_words_before(text, at), 1), len(words) - 1)
    return [" ".join(words[:count]), " ".join(words[count:])]


def _join(cells: list[dict[str, str]], change: Join, known: Mapping[str, SheetRow], csv: str) -> None:
    places = sorted({_at(cells, line, csv) for line in change.lines})
    if len(places) < 2:
        raise BadInput("a single line cannot be joined;", where=csv, remedy="name two neighbours or more.")
    rows = [cells[place] for place in places]
    names = [plain_id(row["id"]) for row in rows]
    told = {"start": "", "end": "", "check": ""}
    if any("." in name for name in names):
        one = (
            rows[0]
            | told
            | {"id": _whole_of(names, cells, _where(csv, places[0], "id")), "source": "", "translation": ""}
        )
    else:
        mine = [known[name] for name in names if name in known]
        sources = [on_one_line(row["source"]) for row in rows]
        said = [on_one_line(row["translation"]) for row in rows]
        # Sentences that a person wrote are kept as they are; the machine's are made anew, of the whole.
        kept = any(text != machine_in(row, "translation") for text, row in zip(said, mine, strict=False))
        one = (
            rows[0]
            | told
            | {
                "id": plain_id("+".join(names)),
                "source": " ".join(sources) if all(sources) else "",
                "translation": " ".join(text for text in said if text != SILENCE) if kept and all(said) else "",
                "note": " ".join(filter(None, (row["note"] for row in rows))),
            }
        )
    for place in reversed(places[1:]):
        del cells[place]
    cells[places[0]] = one


def _whole_of(names: Sequence[str], cells: Sequence[dict[str, str]], where: str) -> str:
    """The line whose parts `names` are. BadInput where they are of several, or not all of it."""
    whole = names[0].partition(".")[0]
    every = {name for each in cells if (name := plain_id(each["id"])).startswith(f"{whole}.")}
    if set(names) != every:
        what = f"parts of {whole!r} can only be joined with all its other parts;"
        raise BadInput(what, where=where, remedy=f"name {', '.join(sorted(every))}.")
    return whole
