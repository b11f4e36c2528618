"""Tables that people edit in a spreadsheet: CSV read strictly, with errors that name row and column.

A cell that starts as a formula does (=, +, -, @) is written behind an apostrophe, the mark that spreadsheets use
for "this is text", and loses one when it is read; a cell that starts with apostrophes before such a sign gets one
more, so every text comes back as it was. A plain negative number is no formula and stays as it is.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from infra.files import published
from manifests.errors import BadInput

MAX_BYTES = 32 * 2**20
"""A lecture's sheet has some hundred bytes a sentence; what is beyond this is another file."""

_SAVE_AS_UTF8 = (
    "Save it again as UTF-8: in Excel as type 'CSV UTF-8 (Comma delimited)', in LibreOffice with the character set "
    "'Unicode (UTF-8)'."
)
_DELIMITERS = (",", ";", "\t")
_NUMBER = re.compile(r"-\d+(?:[.,]\d+)?")
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@＝＋－＠]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row by column: `row["target"]` is stripped text, empty where an optional column is absent.

    `number` is what a spreadsheet shows beside it: the header is row 1.
    """

    file: str
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def bad(self, column: str, what: str, remedy: str = "") -> BadInput:
        """The error for the cell in `column`: `what` is wrong with it, and what to do."""
        return BadInput(what, where=f"{self.file}, row {self.number}, column {column}", remedy=remedy)


def read_rows(path: Path, *, required: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """The rows of a CSV file with all of the `required` columns and any of the `optional` ones, in any order.

    UTF-8 with or without a byte order mark; commas, semicolons or tabs; names of columns in any case and spacing. Rows
    without any text are left out. BadInput, with the row where there is one, for a file that is absent, no text, in
    another encoding or larger than `MAX_BYTES`; for columns that are missing, unknown or named twice; for a row
    with more or fewer cells than the header and for a quotation mark that does not end.
    """
    text = _text(path)
    if marked := re.match(r"sep=([,;\t])\r?\n", text):
        delimiter, text = marked[1], text[marked.end() :]
    else:
        delimiter = _delimiter(text, (*required, *optional))
    records = _records(text, delimiter, str(path))
    header = next(((number, cells) for number, cells in records if any(cells)), None)
    if header is None:
        raise BadInput("the file is empty.", where=str(path), remedy=f"It needs the columns {', '.join(required)}.")
    columns = _columns(header[1], required, optional, f"{path}, row {header[0]}")
    rows = []
    for number, cells in records:
        if not any(cells):
            continue
        if len(cells) < len(header[1]) or any(cells[len(header[1]) :]):
            raise BadInput(
                f"{len(cells)} cells where the header has {len(header[1])}.",
                where=f"{path}, row {number}",
                remedy="Give every row a cell for every column; put text that holds the separator in quotation marks.",
            )
        found = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
        rows.append(Row(str(path), number, dict.fromkeys(optional, "") | found))
    return rows


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write `rows` (a text for each of `columns`) for spreadsheets: UTF-8 with a byte order mark, published whole.

    `read_rows` gives each text back, stripped, with lines ended by line feeds and spaces for other control characters.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(columns)
    writer.writerows([_guarded(_tidy(row[column])) for column in columns] for row in rows)
    with published(path) as draft:
        # Without the byte order mark, Excel takes the file for the machine's old 8-bit code page.
        draft.write_text(table.getvalue(), encoding="utf-8-sig", newline="")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(
                f"the file has more than {MAX_BYTES // 2**20} MiB.", where=str(path), remedy="Is it the right one?"
            )
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot be read: {(error.strerror or str(error)).lower()}.", where=str(path)) from error
    if data.startswith(b"PK\x03\x04"):
        raise BadInput("this is a spreadsheet's own file, not CSV.", where=str(path), remedy=_SAVE_AS_UTF8)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput("this is UTF-16, from byte 0 on.", where=str(path), remedy=_SAVE_AS_UTF8)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # With a byte order mark, positions count from behind it.
        at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        raise BadInput(
            f"byte {at} ({data[at]:#04x}) is not UTF-8.", where=f"{path}, row {_row_at(data, at)}", remedy=_SAVE_AS_UTF8
        ) from error
    if "\0" in text:
        at = data.index(b"\0")
        raise BadInput(f"byte {at} is zero: this is no text.", where=f"{path}, row {_row_at(data, at)}")
    return text


def _row_at(data: bytes, at: int) -> int:
    """The row that byte `at` is in: the line ends before it that no quotation marks enclose, and one."""
    outside = data[:at].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b'"')[::2]
    return 1 + sum(part.count(b"\n") for part in outside)


def _delimiter(text: str, names: Sequence[str]) -> str:
    """The delimiter with which the first row with any text shows most of `names`."""
    known = {_folded(name) for name in names}

    def recognised(delimiter: str) -> int:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            header = next((cells for cells in reader if any(cells)), [])
        except csv.Error:
            return 0
        return len(known & {_folded(cell) for cell in header})

    return max(_DELIMITERS, key=recognised)


def _records(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells, stripped, of each row of `text`, blank ones too."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(
                f"the row cannot be read as CSV ({error}).",
                where=f"{file}, row {number}",
                remedy='Close every quotation mark, and write one inside quoted text twice: "".',
            ) from error
        yield number, [_unguarded(cell.replace("\r\n", "\n").replace("\r", "\n").strip()) for cell in cells]


def _columns(header: Sequence[str], required: Sequence[str], optional: Sequence[str], where: str) -> list[str]:
    """The known name of each cell of the header, "" for one without any text behind the last name."""
    known = {_folded(name): name for name in (*required, *optional)}
    names: list[str] = []
    for cell in header:
        name = known.get(_folded(cell), "")
        if name in names and name:
            raise BadInput(f"the column {name} stands there twice.", where=where, remedy="Keep one of them.")
        names.append(name)
    if missing := [name for name in required if name not in names]:
        raise BadInput(
            f"the column{'s' * (len(missing) > 1)} {', '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing.",
            where=where,
            remedy=f"The first row names the columns: {', '.join((*required, *optional))}.",
        )
    for cell, name in zip(header, names, strict=True):
        if cell and not name:
            near = get_close_matches(_folded(cell), known, n=1, cutoff=0.6)
            raise BadInput(
                f"the column {cell!r} is unknown.",
                where=where,
                remedy=f"Did you mean {known[near[0]]}?" if near else f"Known columns: {', '.join(known.values())}.",
            )
    return names


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", name)).casefold()


def _tidy(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(" " if unicodedata.category(each) == "Cc" and each not in "\n\t" else each for each in lines).strip()


def _guarded(text: str) -> str:
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _unguarded(text: str) -> str:
    return text[1:] if _GUARDED.match(text) else text
