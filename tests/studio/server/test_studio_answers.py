"""Errors as the page gets them: in words, with what to do, and without this machine's folders."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from infra.files import no_space_told
from manifests.errors import BadInput, MissingWeights, NoSpace, Unavailable
from studio.answers import Refused, refusal, status_of, told, told_problem

SHEET = "/var/lib/redub/studio/owners/ada/projects/1/out/a.fr.csv"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("no"), 422),
        (MissingWeights("no"), 422),
        (NoSpace("no"), 507),
        (Unavailable("no"), 503),
        (Refused(409, "no"), 409),
    ],
    ids=["input", "weights", "space", "away", "refused"],
)
def test_errors_have_their_status(error: BadInput, status: int) -> None:
    assert status_of(error) == status
    assert refusal(error).status_code == status


def test_a_cell_is_told_by_row_and_column() -> None:
    error = BadInput("no voice is called 'x';", where=f"{SHEET}, row 7, column voice", remedy="there are: a, b.")
    told_ = {"error": "no voice is called 'x'", "remedy": "there are: a, b.", "row": 7, "column": "voice"}
    assert told(error) == told_
    assert told_problem(str(error)) == told_ | {"error": "no voice is called 'x'; there are: a, b.", "remedy": ""}
    assert told_problem("its edits are of another recording") == {
        "error": "its edits are of another recording",
        "remedy": "",
    }


def test_no_folder_of_this_machine_is_told() -> None:
    for error in (
        BadInput(f"there is no sheet.fr.parquet in {SHEET}", where=SHEET, remedy=f"bring back {SHEET}."),
        Unavailable(f"{SHEET} is not in the cache; run again"),
    ):
        assert "/var" not in str(told(error))
        assert "a.fr.csv" in str(told(error))
    assert told(BadInput("see https://example.org/a/b or a/b"))["error"] == "see https://example.org/a/b or a/b"


def test_a_full_disk_is_this_machines() -> None:
    with pytest.raises(NoSpace) as full, no_space_told(Path("/var/lib/redub")):
        raise OSError(errno.ENOSPC, "full")
    assert told(full.value) == {
        "error": "on this machine the disk is full",
        "remedy": "free some space or choose another folder",
    }
