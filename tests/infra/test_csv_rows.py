from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import csv_rows
from infra.csv_rows import Row, read_rows, write_rows
from manifests.errors import BadInput

COLUMNS = ("source", "target")


def table(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "terms.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path: Path) -> list[Row]:
    return read_rows(path, required=COLUMNS, optional=("keep as is",))


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as raised:
        read(path)
    return raised.value


# Signs that spreadsheets run, quote or end a line at come up often, beside all of Unicode.
cells = st.text(alphabet=st.one_of(st.sampled_from("='+-@\t\n\r\"; ,1'"), st.characters(codec="utf-8")), max_size=12)


@given(st.lists(st.tuples(cells, cells), max_size=4))
def test_what_is_written_for_a_spreadsheet_comes_back(rows: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.csv"
        write_rows(path, COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in rows])
        came_back = [(row["source"], row["target"]) for row in read_rows(path, required=COLUMNS)]
        tidy = [(csv_rows._tidy(one), csv_rows._tidy(other)) for one, other in rows]
        assert came_back == [row for row in tidy if any(row)]
        for raw in list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))[1:]:
            for cell in raw:
                assert not cell.startswith(("=", "+", "@"))
                assert not cell.startswith("-") or cell[1:].replace(".", "").replace(",", "").isdigit()


def test_excel_sees_a_byte_order_mark_and_numbers_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    write_rows(path, COLUMNS, [{"source": "-3.5", "target": "=HYPERLINK(1)"}])
    assert path.read_bytes() == b"\xef\xbb\xbfsource,target\r\n-3.5,'=HYPERLINK(1)\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_spreadsheets_way_of_saving_is_read(tmp_path: Path, delimiter: str, mark: str, end: str) -> None:
    lines = ["Target;SOURCE ;Keep_As Is", '"noyau; le ""vrai""";kernel;', "", ";NumPy;yes;"]
    text = end.join(line.replace("; ", "SEMI").replace(";", delimiter).replace("SEMI", "; ") for line in lines)
    rows = read(table(tmp_path, mark + text))
    assert [(row.number, dict(row.cells)) for row in rows] == [
        (2, {"source": "kernel", "target": 'noyau; le "vrai"', "keep as is": ""}),
        (4, {"source": "NumPy", "target": "", "keep as is": "yes"}),
    ]


def test_a_row_counts_once_however_many_lines_it_has(tmp_path: Path) -> None:
    path = table(tmp_path, 'source,target\n"two\r\nlines",a\nb,c\n')
    assert [(row.number, row["source"]) for row in read(path)] == [(2, "two\nlines"), (3, "b")]
    assert read(path)[1].bad("target", "is odd.", "Mend it.").args[0] == (
        f"{path}, row 3, column target: is odd. Mend it."
    )


def test_the_line_that_tells_excel_the_separator_is_no_row(tmp_path: Path) -> None:
    assert read(table(tmp_path, "sep=;\r\nsource;target\r\na,b;c\r\n"))[0]["source"] == "a,b"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ('source,target\n"a\nb",c\nd,é\n'.encode("latin-1"), ("byte 24 (0xe9)", "row 3", "CSV UTF-8")),
        ("\ufeffsource,target\na,".encode() + b"\xff", ("byte 19 (0xff)", "row 2")),
        ("source,target\na,é\n".encode("utf-16"), ("UTF-16", "CSV UTF-8")),
        ("source,target\na,b\n".encode("utf-16-le"), ("byte 1 is zero",)),
        (b"PK\x03\x04xlsx", ("not CSV", "CSV UTF-8")),
        ("source,note\n", ("row 1", "column target is missing", "source, target, keep as is")),
        ("a|b\n", ("columns source, target are missing",)),
        ("source,target,kep as is\n", ("'kep as is' is unknown", "Did you mean keep as is?")),
        ("source,target,colour\n", ("'colour' is unknown", "Known columns: source, target")),
        ("source,target,Source\n", ("column source stands there twice",)),
        ("source,target\na,b\nc\n", ("row 3", "1 cells where the header has 2")),
        ("source,target\na,b,c\n", ("row 2", "3 cells where the header has 2")),
        ('source,target\na,b\n"c,d\n', ("row 3", "quotation mark")),
        ("", ("is empty", "source, target")),
        ("\n , \n", ("is empty",)),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, data: str | bytes, told: tuple[str, ...]
) -> None:
    message = str(refused(table(tmp_path, data)))
    assert all(part in message for part in ("terms.csv", *told)), message


def test_absent_files_folders_and_huge_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no such file" in str(refused(tmp_path / "absent.csv"))
    assert "directory" in str(refused(tmp_path))
    monkeypatch.setattr(csv_rows, "MAX_BYTES", 10)
    assert "more than" in str(refused(table(tmp_path, "source,target\n")))
