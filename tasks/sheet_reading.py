"""Reading a sheet as a person left it: each cell that was changed is an edit, each that cannot be is a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.csv_rows import Row
from manifests.errors import BadInput
from manifests.records import Edit, SheetRow
from manifests.time import Flicks, Span
from models.speech import voices
from tasks.sheet_cells import SILENCE, TEXTS, TIMES, clock_text, fault_of, on_one_line, on_the_grid, read_time, says
from tasks.sheet_shapes import Shapes, Standing, plain_id, shape_edits

_DASHES = ("-", "–", "—")  # a spreadsheet may make a typed hyphen longer


def written_in(row: SheetRow, column: str) -> str:
    """What was written into a cell; for `TIMES` both times."""
    if column == TIMES:
        return f"{clock_text(row.span.start)}-{clock_text(row.span.end)}"
    value: str = getattr(row, column)
    return on_one_line(value)


def machine_in(row: SheetRow, column: str) -> str:
    """What a cell would hold had nobody edited it."""
    own: str = "" if column == "note" else getattr(row, f"machine_{column}")
    return on_one_line(own)


def edit_of(row: SheetRow, column: str, value: str, span: Span | None = None) -> Edit:
    """The edit of a cell; for `TIMES` the value is that of `span`, by default the row's own."""
    pinned = (span or row.span) if column == TIMES else None
    return Edit(
        utterance_id=row.utterance_id,
        language=row.language,
        column=column,
        value=f"{clock_text(pinned.start)}-{clock_text(pinned.end)}" if pinned else value,
        heard=row.machine_source,
        span=pinned,
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """A row that says when it is heard; `moved` where the person just wrote it so."""

    span: Span
    row: Row
    moved: bool


class Reading:
    """One pass over a CSV: each edit is found, each problem is kept with its row's number.

    There are two generations of rows, the newer first, where a run ended between writing the CSV and naming its table:
    the CSV is then of either, and a cell is untouched where it is as either wrote it.
    """

    def __init__(self, *, csv: Path, language: str, generations: Sequence[Mapping[str, SheetRow]]) -> None:
        self.problems: list[tuple[int, BadInput]] = []
        self._csv, self._language, self._generations = csv, language, generations
        self._standing: list[_Heard] = []

    def edits(self, rows: Sequence[Row]) -> tuple[Edit, ...]:
        """The edits of all rows, in the order of the lecture, with those that split and join lines."""
        return tuple(edit for _, edits in self.by_row(rows) for edit in edits)

    def by_row(self, rows: Sequence[Row]) -> list[tuple[SheetRow, list[Edit]]]:
        """The rows as the machine alone would have them, with the edits of each, in the order of the lecture."""
        ids = {plain_id(row["id"]) for row in rows}
        known = next((each for each in self._generations if ids <= each.keys()), self._generations[-1])
        shapes = Shapes(known, self._problem)
        found: list[tuple[SheetRow, list[Edit]]] = []
        for standing in shapes.stand(rows):
            name = plain_id(standing.row["id"])
            written = [each[name] for each in self._generations if name in each] or list(standing.written)
            edits = [*self._times(standing, written), *self._texts(standing.row, written)]
            found.append((standing.written[0], edits))
        self._refuse_missing(rows, shapes.missing())
        self._refuse_overlaps()
        found.sort(key=lambda each: each[0].utterance_id)
        shaped: dict[str, list[Edit]] = {}
        for edit in shape_edits(row for row, _ in found):
            shaped.setdefault(edit.utterance_id, []).append(edit)
        return [
            (row, [*(edit for line in row.made_of for edit in shaped.pop(line.utterance_id, [])), *edits])
            for row, edits in found
        ]

    def require_sound(self) -> None:
        """BadInput for the first problem in the order of the rows, with how many there are."""
        if self.problems:
            problems = [problem for _, problem in sorted(self.problems, key=lambda each: each[0])]
            first, more = problems[0], f"({len(problems)} problems in all.)" if len(problems) > 1 else ""
            raise BadInput(first.what, where=first.where, remedy=f"{first.remedy} {more}".strip())

    def _problem(self, row: Row, column: str, what: str, remedy: str) -> None:
        self.problems.append((row.number, row.bad(column, what, remedy)))

    def _refuse_missing(self, rows: Sequence[Row], missing: Sequence[str]) -> None:
        if missing and not self.problems:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            last = rows[-1].number if rows else 1
            where = f"{self._csv}, row {last + 1}, column id"
            what = f"the row of {missing[0]!r} is missing{more};"
            remedy = f"bring it back; to leave a line silent, write {SILENCE} as its translation."
            self.problems.append((last + 1, BadInput(what, where=where, remedy=remedy)))

    def _texts(self, row: Row, versions: Sequence[SheetRow]) -> list[Edit]:
        edits = []
        for column in TEXTS:
            cell = on_one_line(row[column])
            as_written = next((each for each in versions if cell == written_in(each, column)), None)
            if as_written is not None:
                if column in as_written.edited:
                    edits.append(edit_of(as_written, column, self._checked(row, column) or cell))
            elif cell and cell != machine_in(versions[0], column):
                value = self._checked(row, column)
                if value is not None and value != machine_in(versions[0], column):
                    edits.append(edit_of(versions[0], column, value))
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

    def _times(self, standing: Standing, versions: Sequence[SheetRow]) -> list[Edit]:
        row = standing.row
        for each in versions:
            start, end = self._time(row, "start", each), self._time(row, "end", each)
            if (start, end) == (each.span.start, each.span.end):
                self._stand(row, each.span, moved=False)
                return [edit_of(each, TIMES, "")] if TIMES in each.edited else []
        newest, problems = versions[0], len(self.problems)
        start, end = self._time(row, "start", newest, problem=True), self._time(row, "end", newest, problem=True)
        if len(self.problems) > problems:
            return []
        return self._times_of_new(standing, start, end) if standing.copied else self._moved(row, newest, start, end)

    def _moved(self, row: Row, newest: SheetRow, start: Flicks | None, end: Flicks | None) -> list[Edit]:
        """Times that are not as they were written; one alone moves the line as a whole."""
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
        return [] if on_the_grid(span) == on_the_grid(own) else [edit_of(newest, TIMES, "", span)]

    def _times_of_new(self, standing: Standing, start: Flicks | None, end: Flicks | None) -> list[Edit]:
        """Times of a line that no run has placed: both, or none; those of the row that it was made from say none."""
        row, newest = standing.row, standing.written[0]
        said = [clock_text(time) if time is not None else "" for time in (start, end)]
        copies = [[clock_text(span.start), clock_text(span.end)] for span in standing.copied]
        if (start is None and end is None) or said in copies:
            return []
        if start is None or end is None:
            column = "start" if start is None else "end"
            what = "a line that was just split or joined has no length of its own yet;"
            self._problem(row, column, what, "give both its times, or neither.")
            return []
        if not self._in_order(row, start, end, newest.lecture):
            return []
        span, within = Span(start, min(end, newest.lecture.end)), standing.within
        if within is not None and (span.start < on_the_grid(within).start or span.end > on_the_grid(within).end):
            column = "start" if span.start < on_the_grid(within).start else "end"
            what = f"the line that this is a part of lasts from {clock_text(within.start)} to {clock_text(within.end)};"
            self._problem(row, column, what, "write a time within it, or empty both times.")
            return []
        self._stand(row, span, moved=True)
        return [edit_of(newest, TIMES, "", span)]

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
            self._standing.append(_Heard(on_the_grid(span), row, moved))

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
