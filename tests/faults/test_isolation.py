"""A piece that always fails is left out; what is the machine's fault, or everybody's, is not taken for a piece's."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dying_stages import WORKING, Piece, pieces, span_of
from s3_server import S3Server, running_s3

from infra.apart import Died, call_apart
from infra.objects.uri import parse_uri
from infra.store import Store
from manifests.errors import MissingWeights, NoSpace, RedubError, StageFailed, Unavailable
from tasks import isolation
from tasks.journal import Journal
from tasks.pool import InProcessPool

HERE = Path(__file__).parent


def submitted(ways: str, folder: Path) -> tuple[list[tuple[str, ...]], dict[int, str], Journal]:
    pool = InProcessPool(Store(folder / "store"), Journal())
    work = pieces(ways, folder)
    done = pool.submit(WORKING, work, [span_of(index) for index in range(len(work))], instead=isolation.nothing)
    return list(done.values()), dict(done.failures()), pool.journal


def begun(folder: Path, piece: int) -> int:
    """How often a piece began."""
    return (folder / "begun").read_text().split().count(f"p{piece}")


@pytest.mark.parametrize(
    ("way", "told"), [("raises", "ValueError: the codec said no"), ("out of memory", "MemoryError")]
)
def test_a_piece_that_always_fails_is_left_out_and_told(way: str, told: str, tmp_path: Path) -> None:
    values, failures, journal = submitted(f"fine/{way}/fine", tmp_path)
    assert values == [("P0",), (), ("P2",)]
    assert list(failures) == [1]
    assert failures[1].startswith(told)
    assert begun(tmp_path, 1) == isolation.TRIES
    (left,) = isolation.degradations(journal, "fr")
    assert (left.stage, left.span, left.failed) == ("working", span_of(1), True)
    assert told in left.reason


def test_what_came_to_nothing_is_tried_again_by_the_next_run(tmp_path: Path) -> None:
    submitted("fine/raises/fine", tmp_path)
    submitted("fine/raises/fine", tmp_path)
    assert begun(tmp_path, 0) == 1
    assert begun(tmp_path, 1) == 2 * isolation.TRIES


@pytest.mark.parametrize(
    ("way", "error"), [("no weights", MissingWeights), ("no space", NoSpace), ("unavailable", Unavailable)]
)
def test_what_a_person_or_time_must_mend_is_nobodys_poison(way: str, error: type[RedubError], tmp_path: Path) -> None:
    with pytest.raises(error):
        submitted(f"fine/{way}/fine", tmp_path)
    assert begun(tmp_path, 1) == 1


def test_a_stage_of_which_most_pieces_fail_fails_with_the_first_error(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match=r"working failed on 2 of 3 pieces.*ValueError: the codec said no"):
        submitted("fine/raises/raises", tmp_path)
    assert submitted("fine/raises/raises/fine", tmp_path / "half")[0] == [("P0",), (), (), ("P3",)]


def test_without_something_to_stand_instead_an_error_is_raised_as_it_is(tmp_path: Path) -> None:
    pool = InProcessPool(Store(tmp_path / "store"), Journal())
    with pytest.raises(ValueError, match="the codec said no"):
        pool.submit(WORKING, pieces("fine/raises/fine", tmp_path), [span_of(index) for index in range(3)])


def a_process_over(ways: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    return subprocess.run(
        [sys.executable, str(HERE / "dying_stages.py"), str(folder), ways],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("way", ["kills", "segfaults", "exits"])
def test_a_piece_that_ends_its_process_ends_no_second_one(way: str, tmp_path: Path) -> None:
    assert a_process_over(f"fine/{way}/fine", tmp_path).returncode != 0
    again = a_process_over(f"fine/{way}/fine", tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("[('P0',), (), ('P2',)]")
    assert "its process" in again.stdout
    assert begun(tmp_path, 0) == 1
    assert begun(tmp_path, 1) == 2


def test_an_innocent_piece_at_which_a_process_was_killed_is_done(tmp_path: Path) -> None:
    """The mark says only that a process died at it: the machine may have been switched off."""
    assert a_process_over("fine/kills/fine", tmp_path).returncode < 0
    (mark,) = (tmp_path / "store" / "begun" / "working").iterdir()
    other = Piece("p9", "fine", str(tmp_path / "begun"))
    store = Store(tmp_path / "store")
    mark.rename(mark.with_name(f"{WORKING.key(other)}.json"))
    done = isolation.attempt(WORKING, WORKING.keyed(other), store)
    assert not isinstance(done, isolation.Failed)
    assert done.value == ("P9",)
    assert store.recall("working", WORKING.key(other)) is not None
    assert not list((tmp_path / "store" / "begun" / "working").iterdir())


def test_a_mark_of_a_process_that_lives_says_nothing(tmp_path: Path) -> None:
    store, piece = Store(tmp_path / "store"), pieces("fine", tmp_path)[0]
    from infra.marks import begun as marked

    with marked(store, "working", WORKING.key(piece)) as first, marked(store, "working", WORKING.key(piece)) as second:
        assert (first, second) == (False, False)


def test_errors_come_back_from_another_process_as_they_are_or_as_they_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(MissingWeights, match="pull them"):
        call_apart(WORKING.perform, pieces("no weights", tmp_path)[0], store)
    with pytest.raises(RuntimeError, match="Unsendable: the codec said no"):
        call_apart(WORKING.perform, pieces("unsendable", tmp_path)[0], store)
    with pytest.raises(Died, match="SIGSEGV"):
        call_apart(WORKING.perform, pieces("segfaults", tmp_path)[0], store)


@pytest.mark.slow
def test_another_machine_finds_the_mark_in_the_bucket(tmp_path: Path) -> None:
    with running_s3(tmp_path / "s3") as s3:
        remote = parse_uri(f"s3://{s3.make_bucket('cache')}/shared")
        killed = _piece_in_bucket("kills", tmp_path / "one", remote, s3)
        assert killed.returncode < 0
        elsewhere = _piece_in_bucket("kills", tmp_path / "two", remote, s3)
        assert elsewhere.returncode == 0, elsewhere.stderr
        assert ast.literal_eval(elsewhere.stdout.partition("] ")[0] + "]") == [("P0",), (), ("P2",)]
        left = s3.client().list_objects_v2(Bucket="cache", Prefix="shared/begun/").get("Contents", [])
        assert not left


def _piece_in_bucket(way: str, folder: Path, remote: object, s3: S3Server) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    environment = {**s3.environment(), "REDUB_CACHE_REMOTE": str(remote), "REDUB_CACHE": str(folder / "store")}
    return a_process_over(f"fine/{way}/fine", folder, **environment)
