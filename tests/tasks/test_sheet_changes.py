"""A program changes the sheet as a person would: what it writes is what the next run reads, and nothing else moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_sheets import HEARD, IDS, TEXTS, row, run

from manifests.errors import BadInput
from manifests.time import Span
from tasks.sheet import read_sheet, write_sheet
from tasks.sheet_changes import (
    Change,
    Changing,
    Join,
    SheetChanged,
    SheetLine,
    SheetView,
    Split,
    change_sheet,
    view_sheet,
)
from tasks.split_lines import cut_again


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a dub left its sheet."""
    assert write_sheet([row(each) for each in HEARD], read_sheet(tmp_path, "lecture", "fr"))
    return tmp_path


def change(folder: Path, *changes: Changing, expected: str | None = None) -> SheetView:
    return change_sheet(folder, "lecture", "fr", changes, expected=expected)


def line(view: SheetView, name: str) -> SheetLine:
    (found,) = [each for each in view.lines if each.id == name]
    return found


def test_a_cell_that_is_changed_is_an_edit_until_it_is_emptied(folder: Path) -> None:
    before = view_sheet(folder, "lecture", "fr")
    assert [each.id for each in before.lines] == list(IDS)
    assert not any(each.edited or each.unrendered for each in before.lines)
    view = change(
        folder, Change(line=IDS[1], cells={"translation": "Elle tire fort.", "start": "0:00:21", "end": "0:00:24"})
    )
    changed = line(view, IDS[1])
    assert (changed.translation, changed.span) == ("Elle tire fort.", Span.of_seconds(21, 24))
    assert changed.edited == ("times", "translation")
    assert changed.unrendered
    assert view == view_sheet(folder, "lecture", "fr")
    run(folder)
    assert not line(view_sheet(folder, "lecture", "fr"), IDS[1]).unrendered
    view = change(folder, Change(line=IDS[1], cells={"translation": "", "start": "", "end": ""}))
    assert (line(view, IDS[1]).translation, line(view, IDS[1]).edited) == (f"<{TEXTS[1]}>", ())
    assert line(view, IDS[1]).unrendered


def test_who_changed_meanwhile_is_not_written_over(folder: Path) -> None:
    first = view_sheet(folder, "lecture", "fr").digest
    change(folder, Change(line=IDS[0], cells={"note": "seen"}), expected=first)
    with pytest.raises(SheetChanged, match="changed meanwhile"):
        change(folder, Change(line=IDS[0], cells={"note": "not seen"}), expected=first)
    assert line(view_sheet(folder, "lecture", "fr"), IDS[0]).note == "seen"


def test_a_line_is_split_at_the_nearest_word_and_joined_again(folder: Path) -> None:
    at = TEXTS[0].index("and") + 1
    view = change(folder, Split(line=IDS[0], at_source=at, at_s=6.0, at_translation=7))
    first, second, *others = view.lines
    assert (first.id, second.id) == (f"{IDS[0]}.1", f"{IDS[0]}.2")
    assert (first.source, second.source) == ("We look at the moon", "and why it moves the sea.")
    assert f"{first.translation} {second.translation}" == f"<{TEXTS[0]}>"
    assert (first.span, second.span) == (Span.of_seconds(0, 6), Span.of_seconds(6, 11))
    assert first.report_id != second.report_id
    assert first.utterance_ids == second.utterance_ids == (HEARD[0].id,)
    assert "split" in first.edited
    assert [each.id for each in others] == list(IDS[1:])
    assert [each.text for each in cut_again(HEARD, run(folder))][:2] == [first.source, second.source]
    view = change(folder, Join(lines=(f"{IDS[0]}.1", f"{IDS[0]}.2")))
    assert [each.id for each in view.lines] == list(IDS)
    assert run(folder) == ()


def test_neighbours_are_joined_and_translated_anew_unless_a_person_wrote_them(folder: Path) -> None:
    view = change(folder, Join(lines=(IDS[1], IDS[0])))
    one = view.lines[0]
    assert (one.id, one.source, one.translation) == (f"{IDS[0]}+001", f"{TEXTS[0]} {TEXTS[1]}", "")
    assert one.edited == ("joined",)
    assert one.utterance_ids == (HEARD[0].id, HEARD[1].id)
    run(folder)
    assert not view_sheet(folder, "lecture", "fr").lines[0].unrendered


def test_joined_lines_keep_what_a_person_wrote(folder: Path) -> None:
    change(folder, Change(line=IDS[0], cells={"translation": "La lune."}))
    view = change(folder, Join(lines=IDS[:2]))
    assert view.lines[0].translation == f"La lune. <{TEXTS[1]}>"


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        pytest.param(Change(line="nobody", cells={}), "there is no line", id="nobody"),
        pytest.param(Change(line=IDS[0], cells={"id": "x"}), "cannot be changed", id="a column"),
        pytest.param(Change(line=IDS[0], cells={"voice": "nobody"}), "voice", id="a voice"),
        pytest.param(Change(line=IDS[0], cells={"start": "0:00:20.500"}), "overlaps|before it starts", id="times"),
        pytest.param(Split(line=IDS[0], at_source=9, at_s=30.0), "lasts from|before it starts", id="beyond the line"),
        pytest.param(Join(lines=(IDS[0],)), "single line", id="one line"),
        pytest.param(Join(lines=(IDS[0], IDS[2])), "do not follow each other", id="over another"),
        pytest.param(Join(lines=(IDS[2], IDS[3])), "do not follow each other", id="over chunks"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(folder: Path, asked: Changing, what: str) -> None:
    before = view_sheet(folder, "lecture", "fr")
    with pytest.raises(BadInput, match=what):
        change(folder, Change(line=IDS[1], cells={"note": "x"}), asked)
    assert view_sheet(folder, "lecture", "fr") == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(at=st.integers(-5, 80), at_translation=st.none() | st.integers(-5, 80), index=st.sampled_from([0, 2, 3]))
def test_wherever_a_line_is_split_its_words_are_all_there(
    at: int, at_translation: int | None, index: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("split")
    assert write_sheet([row(each) for each in HEARD], read_sheet(folder, "lecture", "fr"))
    view = change(folder, Split(line=IDS[index], at_source=at, at_translation=at_translation))
    parts = [each for each in view.lines if each.id.startswith(f"{IDS[index]}.")]
    assert " ".join(part.source for part in parts) == TEXTS[index]
    assert all(part.source for part in parts)
    if at_translation is not None:
        assert " ".join(part.translation for part in parts) == f"<{TEXTS[index]}>"
