"""The editable sheet of a dub: `lecture.fr.csv` for people, `lecture.redub/sheet.fr.parquet` for what they changed.

Every run leaves both. A person edits the CSV in a spreadsheet and runs the same command again. Its columns:

| column | holds | an edit means |
|---|---|---|
| `id` | which utterance: a tag of lecture and language, the chunk's number, the utterance's number in it | refused |
| `start`, `end` | when the dubbed line is heard, on the source's clock, h:mm:ss.mmm | the line stands exactly there |
| `speaker` | who speaks, as in `speaker1` | it is said by that speaker's voice |
| `voice` | the voice that speaks, by its id in `redub doctor` | this line is spoken by that voice |
| `source` | what was heard | it is translated again from this |
| `translation` | what is spoken instead | this is spoken; a lone `-` leaves the line silent |
| `check` | why the line deserves a look; empty where nothing does | nothing |
| `note` | nothing: it is the person's own | it is kept |

Rows may be sorted, but none may be missing. An emptied cell is the machine's own again, and so is a cell that is given
the machine's own value back. Of the two times one alone may be emptied: the line then keeps its own length. Where there
is no CSV there are no edits.

What the CSV held when it was written, and what the machine itself would have put there, is in the Parquet table
(`manifests.records.SheetRow`): a cell that differs from what was written is an edit, and an edit that is left as it was
stays one. A person's file is never written over before its edits are in the table, and not at all where it was changed
while the run went on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.csv_rows import Row, read_rows, write_rows
from infra.files import published
from manifests.errors import BadInput
from manifests.records import Edit, SheetRow
from manifests.tables import read_table, write_table
from manifests.time import Span
from models.speech import voices
from tasks.sheet_cells import SILENCE, clock_text, fault_of, on_one_line, on_the_grid, read_time, says

COLUMNS = ("id", "start", "end", "speaker", "voice", "source", "translation", "check", "note")
REQUIRED = tuple(column for column in COLUMNS if column != "check")
TEXTS = ("speaker", "voice", "source", "translation", "note")
TIMES = "times"

_DASHES = ("-", "–", "—")  # a spreadsheet may make a typed hyphen longer
_MOVE = "or move the sheet away to start from a new one"


@dataclass(frozen=True, slots=True)
class SheetFiles:
    """Where the sheet of one dub lies. `upcoming` is the table of a sheet that is just being written."""

    csv: Path
    table: Path
    upcoming: Path

    @classmethod
    def of(cls, folder: Path, stem: str, language: str) -> SheetFiles:
        """The files of the dub of `stem` into `language` that is published in `folder`."""
        tables = folder / f"{stem}.redub"
        return cls(
            csv=folder / f"{stem}.{language}.csv",
            table=tables / f"sheet.{language}.parquet",
            upcoming=tables / f"sheet.{language}.upcoming.parquet",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet as a person left it: their `edits`, and the `rows` as they were last written, with the edits of then.

    `digest` is the SHA-256 of the CSV, None where there is none.
    """

    files: SheetFiles
    edits: tuple[Edit, ...] = ()
    rows: tuple[SheetRow, ...] = ()
    digest: str | None = None


def read_sheet(folder: Path, stem: str, language: str) -> Sheet:
    """The sheet of a dub that is published in `folder`; one without edits where there is no CSV.

    BadInput, with the row and the column, for what cannot be done; where more than one thing is wrong, the first in the
    order of the rows, and how many there are.
    """
    files = SheetFiles.of(folder, stem, language)
    if not files.csv.exists():
        return Sheet(files=files, rows=_rows_if_readable(files.table))
    digest = _digest(files.csv)  # first: what is saved between the two is then not written over
    rows = read_rows(files.csv, required=REQUIRED, optional=("check",))
    generations = [_rows_of(file, files) for file in (files.upcoming, files.table) if file.exists()]
    if not generations:
        raise BadInput(
            f"there is no {files.table.name} in {files.table.parent} to tell what was changed in it;",
            where=str(files.csv),
            remedy=f"put it back, {_MOVE}.",
        )
    reading = _Reading(files=files, language=language, generations=[{row.id: row for row in g} for g in generations])
    edits = reading.edits(rows)
    if reading.problems:
        raise _first_of([problem for _, problem in sorted(reading.problems, key=lambda each: each[0])])
    return Sheet(files=files, edits=edits, rows=tuple(generations[0]), digest=digest)


def write_sheet(rows: Sequence[SheetRow], sheet: Sheet) -> bool:
    """Write `rows` over the sheet that was read as `sheet`; False, and nothing written, where its CSV changed since.

    An interruption at any point leaves the CSV with a table that explains it.
    """
    files = sheet.files
    if _digest(files.csv) != sheet.digest:
        return False
    with published(files.upcoming) as draft:
        write_table(rows, SheetRow, draft)
    write_rows(files.csv, COLUMNS, [_cells(row) for row in rows])
    files.upcoming.replace(files.table)
    return True


def edits_in(rows: Iterable[SheetRow]) -> tuple[Edit, ...]:
    """The edits that `rows` were written with."""
    return tuple(_edit(row, column, _written(row, column)) for row in rows for column in row.edited)


def worst_first(rows: Iterable[SheetRow], count: int) -> tuple[SheetRow, ...]:
    """The `count` lines that deserve a look the most, those with something to check first.

    Lines that are silent, or nothing to worry about, are none of them.
    """
    worrying = [row for row in rows if row.worry > 0 and row.translation != SILENCE]
    return tuple(sorted(worrying, key=lambda row: (not row.check, -row.worry, row.span))[:count])


def row_id(utterance_id: str, language: str) -> str:
    """What the sheet of `language` calls an utterance, as in `bdfk-0003-002`: chunk 3, utterance 2.

    The letters are of lecture and language, so the rows of one sheet are told from another's. They come first and are
    consonants, so that no spreadsheet takes the id for a number or a date.
    """
    video_id, chunk, utterance = utterance_id.rsplit("/", 2)
    return f"{_tag(video_id, language)}-{_number(chunk):04d}-{_number(utterance):03d}"


def _tag(video_id: str, language: str) -> str:
    number = int.from_bytes(hashlib.sha256(f"{video_id} {language}".encode()).digest()[:8], "big")
    letters = "bcdfghjklmnpqrstvwxz"
    return "".join(letters[number // len(letters) ** place % len(letters)] for place in range(4))


def _number(part: str) -> int:
    return int(part.lstrip("abcdefghijklmnopqrstuvwxyz"))


def _digest(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return "unreadable"  # whoever reads it says why


def _rows_of(file: Path, files: SheetFiles) -> list[SheetRow]:
    try:
        return read_table(SheetRow, file)
    except (ValueError, OSError, KeyError) as error:
        raise BadInput(
            "it cannot tell what was changed in the sheet: it is damaged, or of another version of redub;",
            where=str(file),
            remedy=f"bring back the file that the run left, {_MOVE} ({files.csv}).",
        ) from error


def _rows_if_readable(table: Path) -> tuple[SheetRow, ...]:
    try:
        return tuple(read_table(SheetRow, table))
    except (ValueError, OSError, KeyError):
        return ()


def _cells(row: SheetRow) -> dict[str, str]:
    fixed = {"id": row.id, "check": on_one_line(row.check)}
    times = {"start": clock_text(row.span.start), "end": clock_text(row.span.end)}
    return fixed | times | {column: _written(row, column) for column in TEXTS}


def _written(row: SheetRow, column: str) -> str:
    """What was written into a cell; for `TIMES` both times."""
    if column == TIMES:
        return f"{clock_text(row.span.start)}-{clock_text(row.span.end)}"
    value: str = getattr(row, column)
    return on_one_line(value)


def _machine(row: SheetRow, column: str) -> str:
    own: str = "" if column == "note" else getattr(row, f"machine_{column}")
    return on_one_line(own)


def _edit(row: SheetRow, column: str, value: str, span: Span | None = None) -> Edit:
    pinned = (span or row.span) if column == TIMES else None
    return Edit(
        utterance_id=row.utterance_id,
        language=row.language,
        column=column,
        value=f"{clock_text(pinned.start)}-{clock_text(pinned.end)}" if pinned else value,
        heard=row.machine_source,
        span=pinned,
    )


def _first_of(problems: Sequence[BadInput]) -> BadInput:
    first = problems[0]
    if len(problems) == 1:
        return first
    return BadInput(first.what, where=first.where, remedy=f"{first.remedy} ({len(problems)} problems in all.)".strip())


@dataclass(frozen=True, slots=True)
class _Standing:
    """A row that says when it is heard; `moved` where the person just wrote it so."""

    span: Span
    row: Row
    moved: bool


class _Reading:
    """One pass over a CSV: each edit is found, each problem is kept with its row's number.

    There are two generations of rows, the newer first, where a run ended between writing the CSV and naming its table:
    the CSV is then of either, and a cell is untouched where it is as either wrote it.
    """

    def __init__(self, *, files: SheetFiles, language: str, generations: Sequence[Mapping[str, SheetRow]]) -> None:
        self.problems: list[tuple[int, BadInput]] = []
        self._files, self._language, self._generations = files, language, generations
        self._seen: dict[str, int] = {}
        self._standing: list[_Standing] = []

    def edits(self, rows: Sequence[Row]) -> tuple[Edit, ...]:
        """The edits of all rows, in the order of the sheet as it was written."""
        ids = {row["id"] for row in rows}
        known = next((each for each in self._generations if ids <= each.keys()), self._generations[-1])
        found: dict[str, list[Edit]] = {}
        for row in rows:
            if self._is_known(row, known):
                versions = [each[row["id"]] for each in self._generations if row["id"] in each]
                found[row["id"]] = [*self._times(row, versions), *self._texts(row, versions)]
        self._refuse_missing(rows, known)
        self._refuse_overlaps()
        return tuple(edit for each in known for edit in found.get(each, ()))

    def _problem(self, row: Row, column: str, what: str, remedy: str) -> None:
        self.problems.append((row.number, row.bad(column, what, remedy)))

    def _is_known(self, row: Row, known: Mapping[str, SheetRow]) -> bool:
        name = row["id"]
        if name in self._seen:
            what = f"{name!r} stands in row {self._seen[name]} already;"
            self._problem(row, "id", what, "give each utterance one row.")
        elif name in known:
            self._seen[name] = row.number
            return True
        elif known and name.partition("-")[0] != next(iter(known)).partition("-")[0]:
            what = f"{name!r} is of the sheet of another lecture or language;"
            self._problem(row, "id", what, f"bring back the sheet of this one, {_MOVE}.")
        else:
            self._problem(row, "id", f"there is no utterance {name!r};", "leave the ids as the run wrote them.")
        return False

    def _refuse_missing(self, rows: Sequence[Row], known: Mapping[str, SheetRow]) -> None:
        missing = [name for name in known if name not in self._seen]
        if missing and not self.problems:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            last = rows[-1].number if rows else 1
            where = f"{self._files.csv}, row {last + 1}, column id"
            what = f"the row of {missing[0]!r} is missing{more};"
            remedy = f"bring it back; to leave a line silent, write {SILENCE} as its translation."
            self.problems.append((last + 1, BadInput(what, where=where, remedy=remedy)))

    def _texts(self, row: Row, versions: Sequence[SheetRow]) -> list[Edit]:
        edits = []
        for column in TEXTS:
            cell = on_one_line(row[column])
            as_written = next((each for each in versions if cell == _written(each, column)), None)
            if as_written is not None:
                if column in as_written.edited:
                    edits.append(_edit(as_written, column, self._checked(row, column) or cell))
            elif cell and cell != _machine(versions[0], column):
                value = self._checked(row, column)
                if value is not None and value != _machine(versions[0], column):
                    edits.append(_edit(versions[0], column, value))
        return edits

    def _checked(self, row: Row, column: str) -> str | None:
        """What a cell means, None where it means nothing: the problem is kept."""
        fault, cell = fault_of(row[column]), on_one_line(row[column])
        if fault is not None:
            self._problem(row, column, fault, "shorten it or type it again.")
            return None
        if column == "speaker":
            return self._checked_speaker(row, cell)
        if column == "voice":
            return self._checked_voice(row, cell)
        return SILENCE if column == "translation" and cell in _DASHES else cell

    def _checked_speaker(self, row: Row, cell: str) -> str | None:
        names = sorted(self._as_cast("machine_speaker"))
        wanted = cell.replace(" ", "").casefold()
        speaker = next((name for name in names if name.casefold() == wanted), None)
        if speaker is None:
            self._problem(row, "speaker", f"nobody is called {cell!r};", f"there are: {', '.join(names)}.")
        return speaker

    def _checked_voice(self, row: Row, cell: str) -> str | None:
        if cell in self._as_cast("machine_voice"):
            return cell
        try:
            voice = voices.find(cell)
        except BadInput as error:
            self._problem(row, "voice", error.what, error.remedy)
            return None
        if voice.language != self._language:
            near = ", ".join(each.id for each in voices.voices_for(self._language)) or "none"
            what = f"{cell} speaks {voice.language}, not {self._language};"
            self._problem(row, "voice", what, f"voices for {self._language}: {near}.")
            return None
        return voice.id

    def _as_cast(self, column: str) -> set[str]:
        values = {str(getattr(each, column)) for rows in self._generations for each in rows.values()}
        return values - {""}

    def _times(self, row: Row, versions: Sequence[SheetRow]) -> list[Edit]:
        for each in versions:
            start, end = self._time(row, "start", each), self._time(row, "end", each)
            if (start, end) == (each.span.start, each.span.end):
                self._stand(row, each.span, moved=False)
                return [_edit(each, TIMES, "")] if TIMES in each.edited else []
        newest, problems = versions[0], len(self.problems)
        start, end = self._time(row, "start", newest, problem=True), self._time(row, "end", newest, problem=True)
        if len(self.problems) > problems:
            return []
        own = newest.machine_span
        if start is None and end is None:
            return []
        if (start is None or end is None) and TIMES not in newest.edited:
            given, written = (end, newest.span.end) if start is None else (start, newest.span.start)
            if given == written:
                return []
        begin = start if start is not None else (end or 0) - own.duration
        until = end if end is not None else begin + own.duration
        if not self._in_order(row, begin, until, newest.lecture):
            return []
        span = Span(begin, min(until, newest.lecture.end))
        self._stand(row, span, moved=True)
        return [] if on_the_grid(span) == on_the_grid(own) else [_edit(newest, TIMES, "", span)]

    def _time(self, row: Row, column: str, written: SheetRow, *, problem: bool = False) -> int | None:
        """The time in a cell, in flicks; that of `written` exactly where the cell still says it. None: emptied."""
        cell = row[column]
        if not cell:
            return None
        read = read_time(cell)
        if read is None:
            if problem:
                what, remedy = f"{cell!r} is no time;", "write it as 0:01:02.500 or in seconds."
                self._problem(row, column, what, remedy)
            return None
        for time in (getattr(written.span, column), getattr(written.machine_span, column)):
            if says(read, time):
                return int(time)
        return read.time

    def _in_order(self, row: Row, start: int, end: int, lecture: Span) -> bool:
        if end <= start:
            what = f"the line would end ({clock_text(end)}) before it starts ({clock_text(start)});"
            self._problem(row, "end", what, "change it too, or empty it to keep the line's length.")
        elif start < lecture.start or end > on_the_grid(lecture).end:
            column = "start" if start < lecture.start else "end"
            what = f"the lecture lasts from {clock_text(lecture.start)} to {clock_text(lecture.end)};"
            self._problem(row, column, what, "write a time within it.")
        else:
            return True
        return False

    def _stand(self, row: Row, span: Span, *, moved: bool) -> None:
        if row["translation"] not in _DASHES:
            self._standing.append(_Standing(on_the_grid(span), row, moved))

    def _refuse_overlaps(self) -> None:
        """Two lines at once, where a person put one of them there: the machine's own are its own affair."""
        ordered = sorted(self._standing, key=lambda each: (each.span, each.row.number))
        for index, first in enumerate(ordered):
            for second in ordered[index + 1 :]:
                if second.span.start >= first.span.end:
                    break
                if first.moved or second.moved:
                    late, other = (second, first) if second.moved else (first, second)
                    what = (
                        f"{clock_text(late.span.start)} to {clock_text(late.span.end)} overlaps with "
                        f"{other.row['id']} (row {other.row.number}), {clock_text(other.span.start)} to "
                        f"{clock_text(other.span.end)};"
                    )
                    self._problem(late.row, "start", what, "make room there too, or empty the times of one of them.")
