"""A whole archive in a folder: planned, dubbed by made-up dubs, interrupted, replaced, lost and found again."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from archive_makings import MadeUpRunner, lecture_bytes, put

from infra import locations
from infra.objects.faults import Replaced
from manifests.archive import DONE, FAILED, GONE, RUNNING, UNREADABLE, WAITING, ArchivedLecture
from manifests.errors import BadInput, MissingWeights, NoSpace, Unavailable
from tasks import archive_plan, archive_run
from tasks.archive import REPLACED, Budget
from tasks.archive_desk import Desk, record_dub
from tasks.archive_lease import holder_of, leased
from tasks.archive_plan import default_manifest, looked_at_again, planned, wanted_below
from tasks.archive_run import Summary, run_archive


class Archive:
    """A folder of lectures, with what a user does to it."""

    def __init__(self, root: Path, *names: str) -> None:
        self.root, self.out = root, root / "dubbed"
        for name in names:
            put(root / name, lecture_bytes())
        self.manifest = self.out / "archive.parquet"

    def plan(self, *languages: str, **more: Any) -> dict[str, ArchivedLecture]:
        wanted = wanted_below(str(self.root), languages or ("fr",), out=str(self.out), **more)
        assert default_manifest(wanted) == str(self.manifest)
        desk = Desk(self.manifest)
        with leased(self.manifest, "plan"):
            desk.write(planned(desk.read() if desk.exists() else [], wanted, lambda _: None))
        return self.rows()

    def run(self, runner: MadeUpRunner | None = None, **more: Any) -> Summary:
        with leased(self.manifest, "run") as lease:
            desk = Desk(self.manifest)
            rows = looked_at_again(desk.read(), lambda _: None)
            return run_archive(rows, desk, lease, runner or MadeUpRunner(), **more)

    def rows(self) -> dict[str, ArchivedLecture]:
        return {Path(row.source).relative_to(self.root).as_posix(): row for row in Desk(self.manifest).read()}

    def states(self) -> dict[str, str]:
        return {name: row.state for name, row in self.rows().items()}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "lectures", "a.mp4", "physics/b.MP4", "physics/c.mp4")


def test_a_plan_knows_what_there_is_and_reads_no_lecture(tmp_path: Path) -> None:
    archive = Archive(tmp_path, "a.mp4", "physics/b.mkv", ".trash/x.mp4", "._a.mp4", "notes.txt", "old.redub/x.mp4")
    put(tmp_path / "broken.mp4", b"nothing of the kind")
    put(tmp_path / "empty.mp4", b"")
    put(tmp_path / "a.mkv", lecture_bytes())
    put(tmp_path / "cache" / "blobs" / "ab" / f"ab{'0' * 62}.mp4", lecture_bytes())  # a store's, in the same bucket
    rows = archive.plan("fr", "es", priorities=(("physics/*", 3),))
    assert list(rows) == ["a.mkv", "a.mp4", "broken.mp4", "empty.mp4", "physics/b.mkv"]
    assert rows["a.mkv"].duration_s == pytest.approx(2.0, abs=0.2)
    assert rows["physics/b.mkv"].priority == 3
    assert rows["physics/b.mkv"].out == str(tmp_path / "dubbed" / "physics")
    assert [name for name, row in rows.items() if row.state == UNREADABLE] == ["a.mp4", "broken.mp4", "empty.mp4"]
    assert "a.mkv" in rows["a.mp4"].reason  # two outputs of one name
    assert "cannot be read as a video" in rows["broken.mp4"].reason


def test_dubs_beside_their_sources_are_not_lectures(tmp_path: Path) -> None:
    names = ["a.mp4", "a.fr.mp4", "a.fr.burned.mp4", "a.fr-es.mp4", "b.en.mp4"]
    Archive(tmp_path, *names)
    wanted = wanted_below(str(tmp_path), ("fr",), out=None)
    rows = planned([], wanted, lambda _: None)
    assert [Path(row.source).name for row in rows] == ["a.mp4", "b.en.mp4"]


def test_a_lecture_dubbed_by_itself_counts_as_made(tmp_path: Path) -> None:
    put(tmp_path / "physics" / "a.mp4", lecture_bytes())
    put(tmp_path / "physics" / "a.fr.mp4", b"dub")
    wanted = wanted_below(str(tmp_path), ("fr",), out=None)
    version = locations.version_of(tmp_path / "physics" / "a.mp4")
    assert version is not None
    record_dub(version, wanted, tmp_path / "physics", ("fr",), 2.0)
    [row] = planned([], wanted, lambda _: None)
    assert (row.state, row.made) == (DONE, ("fr",))
    [row] = planned([], wanted_below(str(tmp_path), ("fr", "es"), out=None), lambda _: None)
    assert (row.state, row.missing) == (WAITING, ("es",))


def test_a_run_makes_all_and_a_second_one_nothing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.plan("fr", "es")
    runner = MadeUpRunner(at_once=2)
    summary = archive.run(runner)
    assert (len(summary.done), summary.failed, runner.most) == (3, (), 2)
    assert set(archive.states().values()) == {DONE}
    assert (archive.out / "physics" / "b.es.mp4").exists()
    assert (archive.out / "physics" / "b.redub" / "archive.json").exists()

    def read(*_: object) -> float:
        raise AssertionError("a finished lecture was opened")

    monkeypatch.setattr(archive_plan, "length_s", read)
    again = MadeUpRunner()
    assert archive.run(again).done == ()
    assert again.started == []


def test_only_what_is_missing_or_changed_is_made_again(archive: Archive) -> None:
    archive.plan("fr", "es")
    archive.run()
    (archive.out / "a.es.mp4").unlink()
    put(archive.root / "physics/b.MP4", lecture_bytes(3.0))
    put(archive.root / "new.mp4", lecture_bytes())
    (archive.root / "physics/c.mp4").unlink()
    asked: dict[str, tuple[str, ...]] = {}
    runner = MadeUpRunner(before=lambda row: asked.update({Path(row.source).name: row.missing}))
    archive.run(runner)
    assert asked == {"a.mp4": ("es",), "b.MP4": ("fr", "es")}
    assert archive.states() == {"a.mp4": DONE, "physics/b.MP4": DONE, "physics/c.mp4": GONE}
    assert archive.rows()["physics/b.MP4"].duration_s == pytest.approx(3.0, abs=0.3)
    assert archive.plan("fr", "es")["new.mp4"].state == WAITING


def test_a_lost_manifest_is_found_again_by_the_outcomes(archive: Archive) -> None:
    archive.plan()
    archive.run(MadeUpRunner(troubles={"a.mp4": [BadInput("no sound in it;")]}))
    before = archive.rows()
    archive.manifest.unlink()
    assert archive.plan() == before
    assert archive.states() == {"a.mp4": FAILED, "physics/b.MP4": DONE, "physics/c.mp4": DONE}


def test_a_poisoned_lecture_is_tried_so_often_and_then_left_until_it_changes(archive: Archive) -> None:
    archive.plan()
    for attempt in (1, 2):
        runner = MadeUpRunner(troubles={"a.mp4": [ValueError("poison")]})
        summary = archive.run(runner, tries=2)
        assert [row.reason for row in summary.failed] == ["ValueError: poison"]
        assert archive.rows()["a.mp4"].attempts == attempt
    assert archive.states()["physics/c.mp4"] == DONE
    runner = MadeUpRunner()
    archive.run(runner, tries=2)
    assert runner.started == []
    put(archive.root / "a.mp4", lecture_bytes(3.0))
    archive.run(runner, tries=2)
    assert runner.started == ["a.mp4"]
    assert archive.states()["a.mp4"] == DONE


def test_a_lecture_replaced_while_it_is_dubbed_is_done_again_by_the_next_run(archive: Archive) -> None:
    archive.plan()

    def replace(row: ArchivedLecture) -> None:
        if row.source.endswith("a.mp4"):
            put(archive.root / "a.mp4", lecture_bytes(3.0))

    archive.run(MadeUpRunner(before=replace))
    row = archive.rows()["a.mp4"]
    assert (row.state, row.reason, row.made) == (WAITING, REPLACED, ())
    runner = MadeUpRunner()
    archive.run(runner)
    assert runner.started == ["a.mp4"]
    row = archive.rows()["a.mp4"]
    assert (row.state, row.duration_s) == (DONE, pytest.approx(3.0, abs=0.3))


def test_a_dub_that_noticed_the_replacement_has_not_failed(archive: Archive) -> None:
    archive.plan()

    def replace(row: ArchivedLecture) -> None:
        if row.source.endswith("a.mp4"):
            put(archive.root / "a.mp4", lecture_bytes(3.0))

    summary = archive.run(MadeUpRunner(before=replace, troubles={"a.mp4": [Replaced("it was replaced;")]}))
    assert summary.failed == ()
    assert archive.rows()["a.mp4"].reason == REPLACED


def test_priorities_and_the_budget(archive: Archive) -> None:
    archive.plan(priorities=(("physics/*", 1),))
    runner = MadeUpRunner(at_once=1)
    hour = archive.rows()["a.mp4"].missing_hours
    summary = archive.run(runner, budget=Budget(money=20 * hour, price_per_hour=10.0))
    assert runner.started == ["b.MP4", "c.mp4"]
    assert (summary.over_budget, summary.money) == (1, pytest.approx(20 * hour))
    assert archive.rows()["physics/b.MP4"].spent_money == pytest.approx(10 * hour)


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(NoSpace("full"), 0), (MissingWeights("no weights;"), 0), (Unavailable("no answer"), 0)],
)
def test_where_the_place_fails_the_run_stops_and_blames_no_lecture(
    tmp_path: Path, error: Exception, attempts: int
) -> None:
    archive = Archive(tmp_path, *(f"{number}.mp4" for number in range(6)))
    archive.plan()
    runner = MadeUpRunner(at_once=1, troubles={f"{number}.mp4": [error] for number in range(6)})
    summary = archive.run(runner)
    assert len(runner.started) == archive_run.SAME_FAULTS
    assert str(error) in summary.halted
    assert {row.attempts for row in archive.rows().values()} == {attempts}
    assert len(archive.run(MadeUpRunner()).done) == 6


def test_a_run_that_says_it_is_done_but_left_nothing_has_failed(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.plan()
    monkeypatch.setattr(archive_run, "standing_languages", lambda _: set())
    summary = archive.run()
    assert len(summary.failed) == 3
    assert "no video in fr" in summary.failed[0].reason


def test_an_interrupted_lecture_has_not_failed(archive: Archive) -> None:
    archive.plan()
    with pytest.raises(KeyboardInterrupt):
        archive.run(MadeUpRunner(at_once=1, troubles={"b.MP4": [KeyboardInterrupt()]}))
    rows = archive.rows()
    assert (rows["a.mp4"].state, rows["physics/b.MP4"].state) == (DONE, WAITING)
    assert rows["physics/b.MP4"].attempts == 0
    runner = MadeUpRunner()
    archive.run(runner)
    assert runner.started == ["b.MP4", "c.mp4"]


def run_and_die(archive: Archive) -> None:
    """A process that ends in the middle of its second lecture as `kill -9` would end it."""

    def die(row: ArchivedLecture) -> None:
        if row.source.endswith("b.MP4"):
            os._exit(9)

    archive.run(MadeUpRunner(at_once=1, before=die))


def test_a_killed_run_is_taken_up_where_it_stopped(archive: Archive) -> None:
    archive.plan()
    process = multiprocessing.get_context("fork").Process(target=run_and_die, args=(archive,))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    runner = MadeUpRunner()
    summary = archive.run(runner)  # its lock went with it
    assert runner.started == ["c.mp4", "b.MP4"]  # the one that was going when all ended comes last
    assert len(summary.done) == 2
    assert set(archive.states().values()) == {DONE}


def test_dubs_that_outlive_their_archive_run_are_adopted(archive: Archive) -> None:
    archive.plan()
    with pytest.raises(KeyboardInterrupt):
        archive.run(MadeUpRunner(at_once=1, outlives=True, troubles={"a.mp4": [KeyboardInterrupt()]}))
    row = archive.rows()["a.mp4"]
    assert (row.state, row.attempts) == (RUNNING, 1)
    runner = MadeUpRunner(at_once=3, adoptable={row.source})
    archive.run(runner)
    assert runner.started == ["b.MP4", "c.mp4"]
    assert set(archive.states().values()) == {DONE}


def test_two_runs_at_once_the_second_refuses_and_says_who(archive: Archive) -> None:
    archive.plan()
    with leased(archive.manifest, "process 7 on host"):
        holding = holder_of(archive.manifest)
        assert holding is not None
        assert holding.holder == "process 7 on host"
        with pytest.raises(BadInput, match="process 7 on host"):
            archive.run()
    assert holder_of(archive.manifest) is None
    archive.run()


def test_a_manifest_written_by_another_is_not_overwritten(archive: Archive) -> None:
    archive.plan()
    one, other = Desk(archive.manifest), Desk(archive.manifest)
    rows = one.read()
    other.write(other_rows := other.read())
    with pytest.raises(BadInput):
        one.write(rows)
    assert Desk(archive.manifest).read() == other_rows


@pytest.mark.parametrize("wrong", [lambda path: path.write_bytes(b"PAR1"), lambda path: path.write_bytes(b"")])
def test_another_file_is_no_manifest(archive: Archive, wrong: Callable[[Path], Any]) -> None:
    archive.plan()
    wrong(archive.manifest)
    with pytest.raises(BadInput, match="no archive's manifest"):
        archive.run()
    with pytest.raises(BadInput, match="redub archive plan"):
        Desk(archive.root / "nothing.parquet").read()


def test_an_unmounted_folder_is_no_empty_archive(archive: Archive) -> None:
    archive.plan()
    archive.root.rename(archive.root.with_name("elsewhere"))
    with pytest.raises(BadInput, match="no such folder"):
        looked_at_again(Desk(archive.root.with_name("elsewhere") / "dubbed" / "archive.parquet").read(), lambda _: None)


def test_rows_of_other_roots_stay_in_one_manifest(tmp_path: Path) -> None:
    one, other = Archive(tmp_path / "one", "a.mp4"), Archive(tmp_path / "other", "b.mp4")
    first = planned([], wanted_below(str(one.root), ("fr",), out=None), lambda _: None)
    both = planned(first, wanted_below(str(other.root), ("es",), out=None), lambda _: None)
    assert [(Path(row.source).name, row.languages) for row in both] == [("a.mp4", ("fr",)), ("b.mp4", ("es",))]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="no lecture"):
        planned([], wanted_below(str(tmp_path / "empty"), ("fr",), out=None), lambda _: None)
