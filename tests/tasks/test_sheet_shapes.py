"""Lines split and joined in the sheet: what the rows say comes back as edits, what cannot be is told by its cell."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_sheets import HEARD, IDS, TEXTS, VIDEO, row, run

from manifests.errors import BadInput
from manifests.records import Edit
from manifests.time import Span, flicks
from tasks.sheet import COLUMNS, SheetFiles, edits_in, read_sheet, write_sheet
from tasks.sheet_rows import sheet_rows
from tasks.split_lines import cut_again, joined_id, members, part_id

Cells = list[dict[str, str]]


@pytest.fixture
def change(tmp_path: Path) -> Callable[[Callable[[Cells], Cells]], tuple[Edit, ...]]:
    """Writes the machine's sheet if there is none, lets a person change its rows, and reads it as the next run does."""
    files = SheetFiles.of(tmp_path, "lecture", "fr")

    def do(by: Callable[[Cells], Cells]) -> tuple[Edit, ...]:
        if not files.csv.exists():
            assert write_sheet([row(each) for each in HEARD], read_sheet(tmp_path, "lecture", "fr"))
        text = files.csv.read_text(encoding="utf-8-sig")
        rows = by(list(csv.DictReader(io.StringIO(text, newline=""))))
        with files.csv.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return run(tmp_path)

    return do


Change = Callable[[Callable[[Cells], Cells]], tuple[Edit, ...]]


def split(index: int, *texts: str, **cells: str) -> Callable[[Cells], Cells]:
    """One row becomes as many as there are `texts`, with empty times and translations; `cells` go to all of them."""

    def by(rows: Cells) -> Cells:
        parts = [
            rows[index]
            | {"id": f"{rows[index]['id']}.{number}", "source": text, "translation": "", "start": "", "end": ""}
            | cells
            for number, text in enumerate(texts, start=1)
        ]
        return [*rows[:index], *parts, *rows[index + 1 :]]

    return by


def join(index: int, count: int = 2, **cells: str) -> Callable[[Cells], Cells]:
    def by(rows: Cells) -> Cells:
        group = rows[index : index + count]
        one = group[0] | {
            "id": "+".join(each["id"] for each in group),
            "source": " ".join(each["source"] for each in group),
            "translation": "",
        }
        return [*rows[:index], one | cells, *rows[index + count :]]

    return by


def beyond(rows: Cells) -> Cells:
    parts = split(2, "Thank you", "for your time.")(rows)
    parts[3] |= {"start": "0:00:43.000", "end": "0:00:49.000"}
    return parts


def columns(edits: tuple[Edit, ...]) -> list[tuple[str, str, str]]:
    return [(edit.utterance_id.rpartition("/")[2], edit.column, edit.value) for edit in edits]


def test_a_line_is_split_at_the_words_that_its_parts_have(change: Change) -> None:
    edits = change(split(0, "We look at the moon", "and why it moves the sea."))
    assert columns(edits) == [("utterance00000", "split", "5")]
    first, second, *others = cut_again(HEARD, edits)
    assert (first.text, second.text) == ("We look at the moon", "and why it moves the sea.")
    assert (first.span, second.span) == (Span.of_seconds(0, 5), Span.of_seconds(5, 11))
    assert first.words + second.words == HEARD[0].words
    assert tuple(others) == HEARD[1:]


def test_what_a_split_leaves_untouched_is_no_edit_in_the_next_run_and_the_split_stays(change: Change) -> None:
    first = change(split(0, "We look at the moon", "and why it moves the sea."))
    assert change(lambda rows: rows) == first
    assert change(lambda rows: rows[::-1]) == first, "rows may be sorted"


def test_parts_may_be_mended_as_they_are_cut(change: Change) -> None:
    edits = change(split(0, "We look at our moon", "and how it moves the sea.", speaker="speaker1", note="cut"))
    assert ("utterance00000", "split", "5") in columns(edits)
    assert ("utterance00000.1", "source", "We look at our moon") in columns(edits)
    assert ("utterance00000.2", "source", "and how it moves the sea.") in columns(edits)
    assert [edit.heard for edit in edits if edit.column == "source"] == [
        "We look at the moon",
        "and why it moves the sea.",
    ]


def test_one_part_may_leave_its_words_to_be_told_by_the_others(change: Change) -> None:
    assert columns(change(split(0, "", "and why it moves the sea."))) == [("utterance00000", "split", "5")]
    assert columns(change(split(4, "Goodbye", ""))) == [
        ("utterance00000", "split", "5"),
        ("utterance00000", "split", "1"),
    ]


def test_a_part_s_own_words_and_times_are_its_edits(change: Change) -> None:
    def by(rows: Cells) -> Cells:
        rows = split(0, "We look at the moon", "and why it moves the sea.")(rows)
        rows[0] |= {"translation": "Regardons la lune"}
        rows[1] |= {"start": "0:00:06.000", "end": "0:00:10.500", "translation": "-"}
        return rows

    edits = change(by)
    assert [each[:2] for each in columns(edits)] == [
        ("utterance00000", "split"),
        ("utterance00000.1", "translation"),
        ("utterance00000.2", "times"),
        ("utterance00000.2", "translation"),
    ]
    assert change(lambda rows: rows) == edits


def test_the_times_of_the_row_that_was_copied_say_nothing(change: Change) -> None:
    edits = change(split(0, "We look at the moon", "and why it moves the sea.", start="0:00:00.000", end="0:00:11.000"))
    assert columns(edits) == [("utterance00000", "split", "5")]


def test_neighbours_are_joined_and_may_be_put_apart_again(change: Change) -> None:
    edits = change(join(0))
    assert columns(edits) == [
        ("utterance00000", "joined", joined_id([HEARD[0].id, HEARD[1].id])),
        ("utterance00001", "joined", joined_id([HEARD[0].id, HEARD[1].id])),
    ]
    one, *others = cut_again(HEARD, edits)
    assert one.text == f"{TEXTS[0]} {TEXTS[1]}"
    assert one.span == Span.hull([HEARD[0].span, HEARD[1].span])
    assert tuple(others) == HEARD[2:]
    assert change(lambda rows: rows) == edits

    def apart(rows: Cells) -> Cells:
        assert rows[0]["id"] == f"{IDS[0]}+001"
        told = {"start": "", "end": "", "translation": ""}
        return [
            rows[0] | {"id": IDS[0], "source": TEXTS[0]} | told,
            rows[0] | {"id": IDS[1], "source": ""} | told,
            *rows[1:],
        ]

    assert change(apart) == ()


def test_a_split_is_taken_back_by_the_line_s_own_id(change: Change) -> None:
    change(split(0, "We look at the moon", "and why it moves the sea."))

    def whole(rows: Cells) -> Cells:
        return [rows[0] | {"id": IDS[0], "source": "", "translation": ""}, *rows[2:]]

    assert change(whole) == ()


@pytest.mark.parametrize(
    ("by", "where", "what"),
    [
        pytest.param(split(0, "We look at the moon"), "row 2, column id", "part 2 of", id="one part alone"),
        pytest.param(split(0, "", ""), "row 3, column source", "does not say which words", id="no words told"),
        pytest.param(
            split(0, TEXTS[0], TEXTS[0]), "row 3, column source", "does not say which words", id="all words twice"
        ),
        pytest.param(
            lambda rows: split(0, "We look at the moon", "and why it moves the sea.")(rows) + rows[:1],
            "row 2, column id",
            "stands in row 7 already",
            id="whole and in parts",
        ),
        pytest.param(
            lambda rows: join(0)(rows) + rows[1:2], "row 5, column id", "stands in row 2 already", id="joined and whole"
        ),
        pytest.param(
            lambda rows: [rows[0] | {"id": f"{IDS[0]}+{IDS[2]}"}, *rows[1:2], *rows[3:]],
            "row 2, column id",
            "do not follow each other",
            id="joined over another",
        ),
        pytest.param(join(2), "row 4, column id", "do not follow each other in one chunk", id="joined over chunks"),
        pytest.param(
            split(0, "We look at the moon", "and why it moves the sea.", start="0:00:01.000"),
            "row 2, column end",
            "no length of its own yet",
            id="one time alone",
        ),
        pytest.param(
            beyond,
            "row 5, column end",
            "lasts from 0:00:40.000 to 0:00:45.000",
            id="beyond the line",
        ),
        pytest.param(
            lambda rows: [rows[0] | {"id": f"{IDS[0]}+009"}, *rows[1:]],
            "row 2, column id",
            "there is no utterance",
            id="joined with nobody",
        ),
    ],
)
def test_what_cannot_be_is_told_by_its_cell(
    change: Change, by: Callable[[Cells], Cells], where: str, what: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=what) as caught:
        change(by)
    assert where in caught.value.where


def test_the_rows_of_a_run_say_of_what_they_are_made(tmp_path: Path) -> None:
    edits = [
        Edit(utterance_id=HEARD[0].id, language="fr", column="split", value="5", heard=TEXTS[0]),
        *(
            Edit(
                utterance_id=each.id,
                language="fr",
                column="joined",
                value=joined_id([HEARD[1].id, HEARD[2].id]),
                heard=each.text,
            )
            for each in HEARD[1:3]
        ),
    ]
    video = dataclasses.make_dataclass("Video", ["id", "span"])(VIDEO, Span(0, flicks(100)))
    rows = sheet_rows(
        video=video, language="fr", utterances=HEARD, translations=(), speakers=(), castings=(), edits=edits
    )
    assert [each.id for each in rows] == [f"{IDS[0]}.1", f"{IDS[0]}.2", f"{IDS[1]}+002", IDS[3]]
    assert [len(each.made_of) for each in rows] == [1, 1, 2, 0]
    assert set(edits_in(rows)) == set(edits)
    assert write_sheet(rows, read_sheet(tmp_path, "lecture", "fr"))
    assert set(read_sheet(tmp_path, "lecture", "fr").edits) == set(edits)


@given(cut=st.integers(1, 9), joined=st.booleans())
def test_no_word_is_lost_or_said_twice(cut: int, joined: bool) -> None:
    words = len(TEXTS[0].split())
    edits = [Edit(utterance_id=HEARD[0].id, language="fr", column="split", value=str(min(cut, words - 1)), heard="")]
    if joined:
        name = joined_id([HEARD[1].id, HEARD[2].id])
        edits += [
            Edit(utterance_id=each.id, language="fr", column="joined", value=name, heard="") for each in HEARD[1:3]
        ]
    lines = cut_again(HEARD, edits)
    assert [word for line in lines for word in line.words] == [word for each in HEARD for word in each.words]
    assert sorted(line.id for line in lines) == [line.id for line in lines]
    for before, after in pairwise(lines):
        assert before.span.end <= after.span.start


def test_ids_say_what_a_line_is_made_of() -> None:
    assert members(part_id(HEARD[0].id, 2)) == (HEARD[0].id,)
    assert members(joined_id([HEARD[0].id, HEARD[1].id])) == (HEARD[0].id, HEARD[1].id)
    assert members(HEARD[0].id) == (HEARD[0].id,)
