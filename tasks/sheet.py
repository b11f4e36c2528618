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

Rows may be sorted, but none may be missing. A line is split by a row for each part, whose ids end in `.1`, `.2` and so
on; neighbours of one chunk are joined by one row in their place, whose id is theirs with a `+` between. The parts share
out the words of the source; times may be left empty, or lie within the line's; an empty translation is made anew. The
ids as they were put the line back.

An emptied cell is the machine's own again, and so is a cell that is given
the machine's own value back. Of the two times one alone may be emptied: the line then keeps its own length. Where there
is no CSV there are no edits.

What the CSV held when it was written, and what the machine itself would have put there, is in the Parquet table
(`manifests.records.SheetRow`): a cell that differs from what was written is an edit, and an edit that is left as it was
stays one. A person's file is never written over before its edits are in the table, and not at all where it was changed
while the run went on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.csv_rows import read_rows, write_rows
from infra.files import published
from manifests.errors import BadInput
from manifests.records import Edit, SheetRow
from manifests.tables import read_table, write_table
from tasks.sheet_cells import SILENCE, TEXTS, clock_text, on_one_line
from tasks.sheet_reading import Reading, edit_of, written_in
from tasks.sheet_shapes import shape_edits

COLUMNS = ("id", "start", "end", "speaker", "voice", "source", "translation", "check", "note")
REQUIRED = tuple(column for column in COLUMNS if column != "check")
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
    reading = Reading(csv=files.csv, language=language, generations=[{row.id: row for row in g} for g in generations])
    edits = reading.edits(rows)
    reading.require_sound()
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
    write_rows(files.csv, COLUMNS, [cells_of(row) for row in rows])
    files.upcoming.replace(files.table)
    return True


def edits_in(rows: Iterable[SheetRow]) -> tuple[Edit, ...]:
    """The edits that `rows` were written with."""
    rows = tuple(rows)
    cells = (edit_of(row, column, written_in(row, column)) for row in rows for column in row.edited)
    return (*shape_edits(rows), *cells)


def cells_of(row: SheetRow) -> dict[str, str]:
    """The cells of a row, by column, as they are written."""
    fixed = {"id": row.id, "check": on_one_line(row.check)}
    times = {"start": clock_text(row.span.start), "end": clock_text(row.span.end)}
    return fixed | times | {column: written_in(row, column) for column in TEXTS}


def worst_first(rows: Iterable[SheetRow], count: int) -> tuple[SheetRow, ...]:
    """The `count` lines that deserve a look the most, those with something to check first.

    Lines that are silent, or nothing to worry about, are none of them.
    """
    worrying = [row for row in rows if row.worry > 0 and row.translation != SILENCE]
    return tuple(sorted(worrying, key=lambda row: (not row.check, -row.worry, row.span))[:count])


def row_id(utterance_id: str, language: str) -> str:
    """What the sheet of `language` calls an utterance, as in `bdfk-0003-002`: chunk 3, utterance 2.

    A part of one has its number behind it (`bdfk-0003-002.1`), joined ones have those of all (`bdfk-0003-002+003`).

    The letters are of lecture and language, so the rows of one sheet are told from another's. They come first and are
    consonants, so that no spreadsheet takes the id for a number or a date.
    """
    video_id, chunk, utterance = utterance_id.rsplit("/", 2)
    whole, dot, part = utterance.partition(".")
    numbers = "+".join(f"{_number(each):03d}" for each in whole.split("+"))
    return f"{_tag(video_id, language)}-{_number(chunk):04d}-{numbers}{dot}{part}"


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
