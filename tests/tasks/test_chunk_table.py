"""The table of a run's chunks: whose a piece is, and what each chunk says of itself."""

from __future__ import annotations

import pytest

from manifests.time import Span
from tasks.chunk_table import SHARED, ChunkTable, clock_time
from tasks.journal import Entry

CHUNKS = [Span.of_seconds(0, 30), Span.of_seconds(30, 70), Span.of_seconds(70, 100)]


def entry(stage: str, span: Span, language: str | None = None, *, hit: bool = False, failure: str = "") -> Entry:
    return Entry(stage=stage, language=language, span=span, key="k", hit=hit, seconds=1.5, failure=failure)


@pytest.fixture
def table() -> ChunkTable:
    made = ChunkTable()
    made.handed_over("shots", [Span.of_seconds(0, 100)], None)
    made.handed_over("faces", CHUNKS, None)
    made.handed_over("listen", CHUNKS, None)
    return made


def test_there_is_no_row_before_the_chunks_are_known() -> None:
    table = ChunkTable()
    table.handed_over("shots", [Span.of_seconds(0, 100)], None)
    table.performed(entry("shots", Span.of_seconds(0, 100)))
    assert table.tables() == {}


def test_a_row_says_where_the_chunk_is_and_what_was_done_of_it(table: ChunkTable) -> None:
    table.performed(entry("faces", CHUNKS[0]))
    table.performed(entry("listen", CHUNKS[0], hit=True))
    table.performed(entry("faces", CHUNKS[1]))
    first, second, third = table.tables()[SHARED]
    assert first == {
        "chunk": 1,
        "from": "0:00",
        "to": "0:30",
        "state": "waiting",
        "faces": "1.5 s",
        "listen": "cached",
        "in all": "3.0 s",
    }
    assert (second["state"], second["faces"], second["listen"]) == ("listen", "1.5 s", "…")
    assert third["state"] == "faces, listen"
    assert (third["from"], third["to"]) == ("1:10", "1:40")


def test_a_run_that_stops_says_before_what(table: ChunkTable) -> None:
    table.performed(entry("faces", CHUNKS[0]))
    table.performed(entry("listen", CHUNKS[0]))
    states = [row["state"] for row in table.tables(ended=True)[SHARED]]
    assert states == ["done", "stopped before faces, listen", "stopped before faces, listen"]


def test_a_chunk_that_failed_keeps_the_original_and_says_why(table: ChunkTable) -> None:
    table.performed(entry("faces", CHUNKS[1], failure="a library gave up"))
    assert table.tables()[SHARED][1]["state"] == "original kept (faces: a library gave up)"
    assert table.tables()[SHARED][1]["faces"] == "failed"


def test_each_language_has_a_table_and_groups_of_pictures_belong_where_their_middle_is(table: ChunkTable) -> None:
    runs = [Span.of_seconds(25, 40), Span.of_seconds(72, 90)]
    table.handed_over("render", runs, "fr")
    table.handed_over("assemble", [Span.of_seconds(0, 100)], "fr")
    for span in runs:
        table.performed(entry("render", span, "fr"))
    rows = table.tables()["fr"]
    assert [row["render"] for row in rows] == ["", "1.5 s", "1.5 s"]
    assert all("assemble" not in row for row in rows)  # which is of the whole lecture, and no chunk's
    assert "render" not in table.tables()[SHARED][0]


def test_what_is_of_both_of_two_chunks_is_neither_ones() -> None:
    table = ChunkTable()
    table.handed_over("listen", CHUNKS[:2], None)
    table.handed_over("library", [Span.of_seconds(0, 70)], None)
    assert all("library" not in row for row in table.tables()[SHARED])


def test_of_a_lecture_of_one_chunk_everything_is_that_chunks() -> None:
    table = ChunkTable()
    table.handed_over("listen", [CHUNKS[0]], None)
    table.handed_over("library", [CHUNKS[0]], None)
    table.performed(entry("library", CHUNKS[0]))
    assert table.tables()[SHARED][0]["library"] == "1.5 s"


@pytest.mark.parametrize(("time_s", "said"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3661, "1:01:01")])
def test_times_are_written_as_people_write_them(time_s: float, said: str) -> None:
    assert clock_time(time_s) == said
