"""What an archive run does next, as pure judgement: budgets, priorities, tries, versions."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from archive_makings import made_row
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.locations import SourceVersion
from manifests.archive import (
    DONE,
    FAILED,
    GONE,
    RUNNING,
    STATES,
    UNREADABLE,
    WAITING,
    ArchivedLecture,
    outcome_json,
    outcome_of,
    read_archive,
    read_outcome,
    write_archive,
)
from manifests.errors import BadInput
from manifests.tables import read_table
from tasks.archive import (
    Budget,
    Wanted,
    as_wanted,
    at_version,
    begun,
    failed,
    finished,
    in_order,
    is_due,
    next_starts,
    tally,
    with_outcome,
    with_standing,
)

LANGUAGES = ("de", "es", "fr")
ROWS = st.lists(
    st.builds(
        lambda number, state, made, priority, attempts, seconds: made_row(
            f"{number}.mp4",
            state=state,
            languages=LANGUAGES,
            made=made,
            priority=priority,
            attempts=attempts,
            duration_s=seconds,
        ),
        st.integers(0, 10**6),
        st.sampled_from(STATES),
        st.lists(st.sampled_from(LANGUAGES), unique=True).map(tuple),
        st.integers(-2, 2),
        st.integers(0, 4),
        st.none() | st.floats(0.5, 20_000),
    ),
    max_size=12,
    unique_by=lambda row: row.source,
)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.floats(0, 20), st.integers(1, 4), st.integers(1, 4))
def test_a_whole_run_keeps_to_its_budget_its_width_and_its_order(
    rows: list[ArchivedLecture], limit: float, width: int, tries: int
) -> None:
    queue, touched, left, going = in_order(rows, tries), set[str](), limit, list[ArchivedLecture]()
    started: list[ArchivedLecture] = []
    while True:
        chosen = next_starts(queue, touched=touched, free=width - len(going), left_hours=left)
        going += chosen
        started += chosen
        assert len(going) <= width
        touched |= {row.source for row in chosen}
        left -= sum(row.missing_hours for row in chosen)
        if not going:
            break
        going.pop(0)
    assert len(started) == len({row.source for row in started})
    assert all(is_due(row, tries) for row in started)
    assert sum(row.missing_hours for row in started) <= limit + 1e-6
    # Nothing that is due and fits in what is left was left out.
    assert not [row for row in rows if is_due(row, tries) and row.source not in touched and row.missing_hours <= left]
    # Whoever came later was less urgent, or the other did not fit at that time: without a budget, by priority alone.
    if limit >= sum(row.missing_hours for row in rows):
        assert [row.priority for row in started] == sorted((row.priority for row in started), reverse=True)


@given(ROWS)
def test_what_is_given_up_done_or_unreadable_is_never_due(rows: list[ArchivedLecture]) -> None:
    for row in rows:
        if row.state in (DONE, RUNNING, UNREADABLE, GONE) or not row.missing:
            assert not is_due(row, 3)
        if row.state == FAILED and row.attempts >= 3:
            assert not is_due(row, 3)


@settings(deadline=None, max_examples=40)
@given(ROWS)
def test_rows_and_outcomes_come_back_as_they_were(rows: list[ArchivedLecture]) -> None:
    for row in rows:
        outcome = outcome_of(row, ("a.fr.mp4",))
        assert read_outcome(outcome_json(outcome)) == outcome


def test_the_manifest_is_a_table_like_the_others(tmp_path: Path) -> None:
    rows = [made_row("a.mp4"), made_row("b.mp4", duration_s=None, made=("fr",), glossary="terms.csv")]
    write_archive(rows, tmp_path / "archive.parquet")
    assert read_archive(tmp_path / "archive.parquet") == rows
    assert read_table(ArchivedLecture, tmp_path / "archive.parquet") == rows
    write_archive([], tmp_path / "none.parquet")
    assert read_archive(tmp_path / "none.parquet") == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"format": "redub-archive-outcome/1"}'])
def test_what_is_no_outcome_counts_as_none(content: bytes) -> None:
    assert read_outcome(content) is None


def version(etag: str, size: int = 10) -> SourceVersion:
    return SourceVersion(location="", etag=etag, version_id=None, size_bytes=size)


def test_another_content_starts_anew() -> None:
    row = made_row(state=FAILED, attempts=3, made=("fr",), spent_hours=4.0)
    assert at_version(row, version("e1")) == row
    now = at_version(row, version("e2"))
    assert (now.state, now.attempts, now.made, now.duration_s, now.spent_hours) == (WAITING, 0, (), None, 4.0)
    assert at_version(row, None).state == GONE
    assert at_version(at_version(row, None), version("e1")).state == WAITING


def test_an_outcome_counts_for_its_content_and_its_order_alone() -> None:
    done = made_row(state=DONE, made=("fr",), spent_hours=1.0, ended="2026-11-25T10:00:00+00:00")
    outcome = outcome_of(done, ("a.fr.mp4",))
    fresh = made_row(duration_s=None)
    told = with_outcome(fresh, outcome, "tag")
    assert (told.state, told.made, told.duration_s, told.outcome_etag) == (DONE, ("fr",), 3600.0, "tag")
    replaced = with_outcome(dataclasses.replace(fresh, etag="e2"), outcome, "tag")
    assert (replaced.state, replaced.made, replaced.spent_hours) == (WAITING, (), 1.0)
    other = with_outcome(dataclasses.replace(fresh, preset="draft"), outcome, "tag")
    assert (other.state, other.made) == (WAITING, ())
    elsewhere = dataclasses.replace(outcome, source="s3://b/p/another.mp4")
    assert with_outcome(fresh, elsewhere, "tag") == fresh


def test_a_language_more_is_to_be_made_even_where_another_was_given_up() -> None:
    outcome = outcome_of(made_row(state=FAILED, attempts=3, reason="poisoned"), ())
    more = with_outcome(made_row(languages=("fr", "es")), outcome, "tag")
    assert (more.state, more.attempts) == (WAITING, 0)
    wanted = Wanted(root="s3://b/p/", out_root="s3://b/o/", languages=("fr", "es"))
    again = as_wanted(made_row(state=FAILED, attempts=3), wanted, "a.mp4")
    assert (again.state, again.attempts) == (WAITING, 0)
    same = as_wanted(made_row(state=FAILED, attempts=3), dataclasses.replace(wanted, languages=("fr",)), "a.mp4")
    assert (same.state, same.attempts) == (FAILED, 3)


def test_another_preset_makes_all_of_it_again() -> None:
    wanted = Wanted(root="s3://b/p/", out_root="s3://b/o/", languages=("fr",), preset="draft")
    row = as_wanted(made_row(state=DONE, made=("fr",)), wanted, "a.mp4")
    assert (row.state, row.made) == (WAITING, ())


def test_a_dub_that_is_gone_is_made_again() -> None:
    row = made_row(languages=("fr", "es"), made=("fr", "es"), state=DONE)
    assert with_standing(row, {"fr", "es"}) == row
    lost = with_standing(row, {"es"})
    assert (lost.state, lost.missing) == (WAITING, ("fr",))


def test_a_try_is_counted_when_it_begins_and_cleared_by_success() -> None:
    budget = Budget(money=100, price_per_hour=2)
    row = begun(made_row(languages=("fr", "es")), "ticket", "now", budget)
    assert (row.state, row.attempts, row.spent_hours, row.spent_money) == (RUNNING, 1, 2.0, 4.0)
    assert failed(row, "why", "now", counts=True).attempts == 1
    assert failed(row, "the disk is full", "now", counts=False).attempts == 0
    done = finished(row, {"fr", "es"}, "now")
    assert (done.state, done.attempts) == (DONE, 0)
    half = finished(row, {"fr"}, "now")
    assert (half.state, half.made) == (FAILED, ("fr",))
    assert "es" in half.reason


def test_money_is_hours_at_a_price() -> None:
    assert Budget(money=10, price_per_hour=4).limit_hours == 2.5
    assert Budget(hours=1, money=10, price_per_hour=4).limit_hours == 1
    assert Budget().limit_hours == float("inf")
    for wrong in ({"money": 5.0}, {"hours": -1.0}, {"hours": float("nan")}, {"money": 5.0, "price_per_hour": 0.0}):
        with pytest.raises(BadInput):
            Budget(**wrong)


def test_the_last_pattern_says_the_priority() -> None:
    wanted = Wanted(root="", out_root="", languages=("fr",), priorities=(("exam*", 5), ("exam-old*", -1)))
    assert [wanted.priority(name, 2) for name in ("exam1.mp4", "exam-old.mp4", "talk.mp4")] == [5, -1, 2]


def test_the_tally_adds_up() -> None:
    rows = [
        made_row("a.mp4", state=DONE, made=("fr",), spent_hours=1.0, spent_money=3.0),
        made_row("b.mp4", state=FAILED, attempts=3, spent_hours=3.0, spent_money=9.0),
        made_row("c.mp4"),
        made_row("d.mp4", state=UNREADABLE, duration_s=None),
    ]
    counted = tally(rows, 3)
    assert counted.states == {DONE: 1, FAILED: 1, WAITING: 1, UNREADABLE: 1, RUNNING: 0, GONE: 0}
    assert (counted.given_up, counted.done_hours, counted.left_hours) == (1, 1.0, 2.0)
    assert (counted.spent_hours, counted.spent_money) == (4.0, 12.0)
