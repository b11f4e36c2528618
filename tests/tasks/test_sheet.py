"""The sheet: what a person changes comes back as that and nothing else; what cannot be done is told by its cell."""

from __future__ import annotations

import csv
import dataclasses
import io
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifests.errors import BadInput
from manifests.records import Edit, SheetRow
from manifests.tables import write_table
from manifests.time import Span, flicks
from tasks.sheet import COLUMNS, Sheet, SheetFiles, edits_in, read_sheet, row_id, worst_first, write_sheet
from tasks.sheet_cells import TIMES, on_the_grid

VIDEO = "5f" * 32
VOICES = ("fr-kokoro-ff-siwis", "fr-kokoro-em-alex", "fr-kokoro-pm-alex")
SPEAKERS = ("speaker1", "speaker2")


def made(index: int, **changes: object) -> SheetRow:
    """A row of the machine's own: utterance `index`, four seconds from second 5 * index."""
    utterance_id = f"{VIDEO}/chunk{index // 3:05d}/utterance{index % 3:05d}"
    span = Span(flicks(5 * index) + 12345, flicks(5 * index + 4))
    row = SheetRow(
        id=row_id(utterance_id, "fr"),
        utterance_id=utterance_id,
        video_id=VIDEO,
        language="fr",
        lecture=Span(0, flicks(100)),
        span=span,
        speaker=SPEAKERS[index % 2],
        voice=VOICES[index % 2],
        source=f"Sentence {index}.",
        translation=f"Phrase {index}.",
        check="",
        note="",
        worry=float(index),
        machine_span=span,
        machine_speaker=SPEAKERS[index % 2],
        machine_voice=VOICES[index % 2],
        machine_source=f"Sentence {index}.",
        machine_translation=f"Phrase {index}.",
    )
    return dataclasses.replace(row, **changes)  # type: ignore[arg-type]


ROWS = tuple(made(index) for index in range(5))


def written(folder: Path, rows: tuple[SheetRow, ...] = ROWS) -> SheetFiles:
    """A sheet as a run leaves it."""
    sheet = read_sheet(folder, "lecture", "fr")
    assert write_sheet(rows, sheet)
    return sheet.files


def cells(files: SheetFiles) -> list[dict[str, str]]:
    """The CSV as a spreadsheet shows it: what keeps formulas from running is not seen there."""
    text = files.csv.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def save(files: SheetFiles, rows: list[dict[str, str]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> None:
    """Save the CSV as a spreadsheet does."""
    with files.csv.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(
            file,
            COLUMNS,
            delimiter=delimiter,
            quoting=quoting,
            lineterminator="\r\n",  # type: ignore[arg-type]
        )
        writer.writeheader()
        writer.writerows(rows)


def change(files: SheetFiles, index: int, **given: str) -> None:
    """Type `given` into cells of a row."""
    rows = cells(files)
    rows[index].update(given)
    save(files, rows)


def changed(folder: Path, index: int, **given: str) -> tuple[Edit, ...]:
    """The edits after typing into a fresh sheet."""
    change(written(folder), index, **given)
    return read_sheet(folder, "lecture", "fr").edits


def applied(rows: tuple[SheetRow, ...], edits: tuple[Edit, ...]) -> tuple[SheetRow, ...]:
    """The rows that the next run writes: the machine's own, with the edits."""
    out = []
    for row in rows:
        mine = {edit.column: edit for edit in edits if edit.utterance_id == row.utterance_id}
        fresh = {f"{name}": getattr(row, f"machine_{name}") for name in ("speaker", "voice", "source", "translation")}
        fresh |= {column: edit.value for column, edit in mine.items() if column != TIMES}
        span = mine[TIMES].span if TIMES in mine else row.machine_span
        out.append(dataclasses.replace(row, **{"note": "", **fresh, "span": span, "edited": tuple(sorted(mine))}))
    return tuple(out)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffd"), max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(texts=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4), starts=st.integers(0, 10**9))
def test_a_sheet_that_nobody_touched_has_no_edits(
    texts: list[tuple[str, str, str]], starts: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = tuple(
        made(
            index,
            source=source,
            machine_source=source,
            translation=translation,
            machine_translation=translation,
            check=check,
            span=Span(starts * (index + 1), starts * (index + 1) + index),
            machine_span=Span(starts * (index + 1), starts * (index + 1) + index),
        )
        for index, (source, translation, check) in enumerate(texts)
    )
    folder = tmp_path_factory.mktemp("sheet")
    written(folder, rows)
    sheet = read_sheet(folder, "lecture", "fr")
    assert sheet.edits == ()
    assert sheet.rows == rows


# What stands behind an apostrophe is a formula that the spreadsheet shows without it (`infra.csv_rows`).
LINE = TEXT.map(lambda text: " ".join(text.split())).filter(
    lambda text: text not in ("", "-", "–", "—") and not text.startswith("'")
)
CELLS = st.one_of(
    st.tuples(st.sampled_from(["source", "translation", "note"]), LINE),
    st.tuples(st.just("speaker"), st.sampled_from(SPEAKERS)),
    st.tuples(st.just("voice"), st.sampled_from(VOICES)),
    st.tuples(st.just("translation"), st.just("-")),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(typed=st.lists(st.tuples(st.integers(0, 4), CELLS), min_size=1, max_size=4), taken_back=st.booleans())
def test_any_edit_comes_back_as_exactly_that_edit_until_it_is_taken_back(
    typed: list[tuple[int, tuple[str, str]]], taken_back: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("sheet")
    files = written(folder)
    wanted = {}
    for index, (column, value) in typed:
        change(files, index, **{column: value})
        wanted[ROWS[index].utterance_id, column] = unicodedata.normalize("NFC", value)
    for row in ROWS:
        for column in ("speaker", "voice", "source", "translation"):
            if wanted.get((row.utterance_id, column)) == getattr(row, f"machine_{column}"):
                del wanted[row.utterance_id, column]
    sheet = read_sheet(folder, "lecture", "fr")
    assert {(edit.utterance_id, edit.column): edit.value for edit in sheet.edits} == wanted

    # The next run writes them back; they stay, however often it is run.
    assert write_sheet(applied(ROWS, sheet.edits), sheet)
    again = read_sheet(folder, "lecture", "fr")
    assert again.edits == sheet.edits
    assert set(edits_in(again.rows)) == set(sheet.edits)

    for index, (column, _) in typed:
        machine = "" if column == "note" else getattr(ROWS[index], f"machine_{column}")
        change(files, index, **{column: machine if taken_back else ""})
    assert read_sheet(folder, "lecture", "fr").edits == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(start=st.integers(5_000, 8_999), length=st.integers(1, 900))
def test_times_come_back_to_the_thousandth(start: int, length: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("sheet")
    end = min(start + length, 10_000)
    files = written(folder)
    change(files, 1, start=f"0:00:{start / 1000:06.3f}", end=f"{end / 1000:.3f}")
    sheet = read_sheet(folder, "lecture", "fr")
    [edit] = sheet.edits
    assert edit.value == f"0:00:{start / 1000:06.3f}-0:00:{end / 1000:06.3f}"
    assert edit.span is not None
    assert on_the_grid(edit.span) == Span(flicks(start) // 1000, flicks(end) // 1000)
    assert write_sheet(applied(ROWS, sheet.edits), sheet)
    assert read_sheet(folder, "lecture", "fr").edits == sheet.edits
    change(files, 1, start="", end="")
    assert read_sheet(folder, "lecture", "fr").edits == ()


def test_line_ends_in_a_cell_are_blanks(tmp_path: Path) -> None:
    assert changed(tmp_path, 1, translation="Phrase\n1.", source="Sentence\n1") == (
        Edit(
            utterance_id=ROWS[1].utterance_id, language="fr", column="source", value="Sentence 1", heard="Sentence 1."
        ),
    )


def test_a_voice_that_the_machine_cast_is_known_though_no_table_has_it(tmp_path: Path) -> None:
    files = written(tmp_path, (made(0, voice="clone:speaker1", machine_voice="clone:speaker1"), *ROWS[1:]))
    change(files, 2, voice="clone:speaker1")
    assert [edit.value for edit in read_sheet(tmp_path, "lecture", "fr").edits] == ["clone:speaker1"]
    change(files, 2, voice="clone:speaker2")
    with pytest.raises(BadInput, match="no voice is called"):
        read_sheet(tmp_path, "lecture", "fr")


def test_the_table_is_read_without_redub(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is a reader's own")
    table = pandas.read_parquet(written(tmp_path).table)
    assert list(table["translation"]) == [row.translation for row in ROWS]
    assert list(table["start_s"]) == [row.span.start_s for row in ROWS]
    assert {"machine_translation", "edited", "check", "worry", "video_id"} <= set(table.columns)


def test_one_emptied_time_keeps_the_length(tmp_path: Path) -> None:
    [edit] = changed(tmp_path, 1, start="0:00:04.500", end="")
    assert edit.span == Span(flicks(4.5), flicks(4.5) + ROWS[1].span.duration)
    [edit] = changed(tmp_path, 1, start="", end="9.5")
    assert edit.span == Span(flicks(9.5) - ROWS[1].span.duration, flicks(9.5))
    assert changed(tmp_path, 1, start="") == ()


SPREADSHEETS: dict[str, Callable[[str], str]] = {
    "Excel": lambda time: f"{time[2:7]}.{time[8]}",
    "Excel, German": lambda time: f"{time[2:7]},{time[8]}",
    "LibreOffice": lambda time: f"0{time[:10]}",
    "whole seconds": lambda time: time[:7],
    "as seconds": lambda time: str(int(time[2:4]) * 60 + float(time[5:])),
}


@pytest.mark.parametrize("habit", SPREADSHEETS.values(), ids=SPREADSHEETS)
@pytest.mark.parametrize(("delimiter", "quoting"), [(",", csv.QUOTE_ALL), (";", csv.QUOTE_MINIMAL)])
def test_opening_and_saving_in_a_spreadsheet_is_no_edit(
    tmp_path: Path, habit: Callable[[str], str], delimiter: str, quoting: int
) -> None:
    files = written(tmp_path, (*ROWS, made(13, span=Span(flicks(66.987), flicks(69.0625)))))
    rows = [{**row, "start": habit(row["start"]), "end": habit(row["end"])} for row in cells(files)]
    save(files, [*reversed(rows), dict.fromkeys(COLUMNS, ""), dict.fromkeys(COLUMNS, "")], delimiter, quoting)
    assert read_sheet(tmp_path, "lecture", "fr").edits == ()
    rows[0]["translation"] = "Autre chose ; ou « presque »."
    save(files, rows, delimiter, quoting)
    assert [edit.value for edit in read_sheet(tmp_path, "lecture", "fr").edits] == ["Autre chose ; ou « presque »."]


REFUSED = {
    "no time": (1, {"start": "soon"}, "start", "no time"),
    "seconds beyond a minute": (1, {"start": "0:01:75"}, "start", "no time"),
    "end before start": (1, {"end": "0:00:02.000"}, "end", "before it starts"),
    "overlap with the next": (1, {"end": "0:00:11.000"}, "start", "overlaps"),
    "overlap with the one before": (1, {"start": "0:00:03.000"}, "start", "overlaps"),
    "beyond the lecture": (4, {"end": "0:01:41"}, "end", "lasts from"),
    "unknown speaker": (0, {"speaker": "the dean"}, "speaker", "speaker1, speaker2"),
    "unknown voice": (0, {"voice": "fr-nobody"}, "voice", "no voice is called"),
    "voice of another language": (0, {"voice": "es-kokoro-ef-dora"}, "voice", "speaks es, not fr"),
    "too long": (0, {"translation": "la " * 400}, "translation", "600 at most"),
    "control character": (0, {"translation": "un\x07deux"}, "translation", "control character"),
    "lost character": (0, {"source": "d\ufffdj\ufffd"}, "source", "lost"),
    "unknown id": (2, {"id": f"{ROWS[0].id[:4]}-0009-000"}, "id", "no utterance"),
    "the same id twice": (2, {"id": ROWS[1].id}, "id", "row 3 already"),
    "another lecture": (2, {"id": row_id(f"{'a' * 64}/chunk00000/utterance00002", "fr")}, "id", "another lecture"),
    "another language": (2, {"id": row_id(ROWS[2].utterance_id, "de")}, "id", "another lecture or language"),
}


@pytest.mark.parametrize(("index", "given", "column", "what"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_told_by_row_and_column(
    tmp_path: Path, index: int, given: dict[str, str], column: str, what: str
) -> None:
    with pytest.raises(BadInput, match=what) as refused:
        changed(tmp_path, index, **given)
    assert refused.value.where.endswith(f"lecture.fr.csv, row {index + 2}, column {column}")
    assert refused.value.remedy


def test_the_first_problem_is_told_and_how_many_there_are(tmp_path: Path) -> None:
    files = written(tmp_path)
    change(files, 3, voice="x")
    change(files, 1, speaker="x", start="y")
    with pytest.raises(BadInput, match=r"row 3, column start.*3 problems in all"):
        read_sheet(tmp_path, "lecture", "fr")


def test_a_row_that_is_gone_is_missed(tmp_path: Path) -> None:
    files = written(tmp_path)
    save(files, cells(files)[:-2])
    with pytest.raises(BadInput, match=rf"{ROWS[3].id}.* and 1 more.*write - as its translation"):
        read_sheet(tmp_path, "lecture", "fr")


def test_lines_that_the_machine_itself_laid_over_each_other_are_no_edit(tmp_path: Path) -> None:
    late = Span(ROWS[0].span.start, ROWS[1].span.start + flicks(1))
    written(tmp_path, (made(0, span=late, machine_span=late), *ROWS[1:]))
    assert read_sheet(tmp_path, "lecture", "fr").edits == ()


def test_room_is_made_by_emptying_the_times_of_a_neighbour_or_silencing_it(tmp_path: Path) -> None:
    files = written(tmp_path)
    change(files, 1, end="0:00:11")
    change(files, 2, start="", end="")
    assert [edit.column for edit in read_sheet(tmp_path, "lecture", "fr").edits] == [TIMES]
    change(files, 2, start="0:00:10", end="0:00:14", translation="–")
    assert [edit.value for edit in read_sheet(tmp_path, "lecture", "fr").edits][1:] == ["-"]


def test_no_sheet_no_edits_and_a_sheet_without_its_table_is_refused(tmp_path: Path) -> None:
    assert read_sheet(tmp_path, "lecture", "fr").edits == ()
    files = written(tmp_path)
    files.table.unlink()
    with pytest.raises(BadInput, match=r"sheet\.fr\.parquet"):
        read_sheet(tmp_path, "lecture", "fr")
    files.table.write_bytes(b"PAR1")
    with pytest.raises(BadInput, match="damaged"):
        read_sheet(tmp_path, "lecture", "fr")
    files.csv.unlink()
    assert read_sheet(tmp_path, "lecture", "fr") == Sheet(files=files)


def test_a_csv_that_was_there_before_or_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    files = written(tmp_path)
    sheet = read_sheet(tmp_path, "lecture", "fr")
    change(files, 0, note="while it ran")
    assert not write_sheet(ROWS, sheet)
    assert [edit.value for edit in read_sheet(tmp_path, "lecture", "fr").edits] == ["while it ran"]

    other = read_sheet(tmp_path, "other", "fr")
    other.files.csv.write_text("my own data")
    assert not write_sheet(ROWS, other)
    assert other.files.csv.read_text() == "my own data"


def test_an_interruption_between_the_two_files_loses_and_invents_nothing(tmp_path: Path) -> None:
    files = written(tmp_path)
    change(files, 0, translation="Mieux.")
    sheet = read_sheet(tmp_path, "lecture", "fr")
    moved = Span(flicks(5.75), flicks(9.5))
    after = applied((*ROWS[:1], made(1, span=moved, machine_span=moved), *ROWS[2:]), sheet.edits)

    write_table(after, SheetRow, files.upcoming)  # ended before the CSV was written
    assert read_sheet(tmp_path, "lecture", "fr").edits == sheet.edits

    before = files.csv.read_bytes()
    assert write_sheet(after, read_sheet(tmp_path, "lecture", "fr"))
    new_csv = files.csv.read_bytes()
    write_table(after, SheetRow, files.upcoming)
    files.table.unlink()
    files.csv.write_bytes(before)
    write_sheet(ROWS, dataclasses.replace(sheet, digest=read_sheet(tmp_path, "lecture", "fr").digest))
    write_table(after, SheetRow, files.upcoming)
    files.csv.write_bytes(new_csv)  # ended before the table took its name
    assert read_sheet(tmp_path, "lecture", "fr").edits == sheet.edits


def test_the_lines_that_deserve_it_come_first() -> None:
    rows = (*ROWS[:3], made(3, translation="-"), made(4, worry=0.5, check="fast: 1.25 x"))
    assert worst_first(rows, 9) == (rows[4], rows[2], rows[1])
    assert worst_first(rows, 1) == rows[4:]


def test_ids_are_no_numbers_or_dates_and_tell_sheets_apart() -> None:
    first = row_id(f"{VIDEO}/chunk00003/utterance00002", "fr")
    assert first.endswith("-0003-002")
    assert not set(first[:4]) & set("aeiouy0123456789")
    assert first[:4] != row_id(f"{VIDEO}/chunk00003/utterance00002", "de")[:4]
