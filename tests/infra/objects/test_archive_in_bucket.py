"""An archive from bucket to bucket on a real S3 server: the lease, conditional manifests, range reads, dead holders."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from fault_proxy import FaultProxy

sys.path.insert(0, str(Path(__file__).parents[2] / "tasks"))
from archive_makings import MadeUpRunner, lecture_bytes, put

from infra import locations
from infra.objects.reading import find
from infra.objects.uri import ObjectUri
from infra.objects.writing import delete
from manifests.archive import DONE, UNREADABLE, WAITING, ArchivedLecture
from manifests.errors import BadInput, Unavailable
from tasks import archive_lease
from tasks.archive import Wanted
from tasks.archive_desk import Desk, record_dub, require_own_place
from tasks.archive_lease import holder_of, leased
from tasks.archive_plan import looked_at_again, planned, wanted_below
from tasks.archive_run import Summary, run_archive

MANIFEST = "archive.parquet"


def plan(bucket: ObjectUri, *languages: str) -> list[ArchivedLecture]:
    place = bucket.child(MANIFEST)
    with leased(place, "plan"):
        desk = Desk(place)
        wanted = wanted_below(str(bucket), languages or ("fr",), out=None)
        desk.write(planned(desk.read() if desk.exists() else [], wanted, lambda _: None))
    return Desk(place).read()


def run(bucket: ObjectUri, runner: MadeUpRunner) -> Summary:
    place = bucket.child(MANIFEST)
    with leased(place, "run") as lease:
        desk = Desk(place)
        return run_archive(looked_at_again(desk.read(), lambda _: None), desk, lease, runner)


def states(bucket: ObjectUri) -> dict[str, str]:
    return {row.source.rpartition("/")[2]: row.state for row in Desk(bucket.child(MANIFEST)).read()}


def test_a_dub_does_not_take_the_place_of_another_lectures(bucket: ObjectUri) -> None:
    first, second, out = bucket.child("a.mp4"), bucket.child("a.mkv"), bucket.child("dubbed")
    put(first, b"one")
    put(second, b"two")
    version = locations.version_of(first)
    assert version is not None
    wanted = Wanted(root="", out_root="", languages=("fr",))
    require_own_place(first, out)
    record_dub(version, wanted, out, ("fr",), 2.0)
    require_own_place(first, out)
    with pytest.raises(BadInput, match="another name"):
        require_own_place(second, out)
    delete(first)
    require_own_place(second, out)


def test_it_is_planned_by_ranges_dubbed_once_and_found_again(bucket: ObjectUri, proxy: FaultProxy) -> None:
    long = lecture_bytes() + b"\0" * (4 << 20)  # what follows the index is never looked at
    put(bucket.child("physics", "a ü+1.mp4"), long)
    put(bucket.child("physics", "b.mp4"), lecture_bytes())
    put(bucket.child("physics", "broken.mp4"), b"nothing of the kind")
    put(bucket.child("physics", "notes.txt"), b"no lecture")
    proxy.clear()
    rows = plan(bucket)
    assert proxy.bytes_sent("GET") < 500_000
    assert states(bucket) == {"a ü+1.mp4": WAITING, "b.mp4": WAITING, "broken.mp4": UNREADABLE}
    assert rows[0].duration_s == pytest.approx(2.0, abs=0.2)
    runner = MadeUpRunner()
    assert len(run(bucket, runner).done) == 2
    assert find(bucket.child("physics", "a ü+1.fr.mp4")) is not None
    again = MadeUpRunner()
    proxy.clear()
    assert run(bucket, again).done == ()
    assert again.started == []
    assert not [seen.path for seen in proxy.seen if ".mp4" in seen.path and "broken" not in seen.path]
    # A lecture that was replaced, and a dub that is gone; then the manifest is lost altogether.
    put(bucket.child("physics", "b.mp4"), lecture_bytes(3.0))
    run(bucket, again)
    assert again.started == ["b.mp4"]
    delete(bucket.child(MANIFEST))
    plan(bucket)
    assert states(bucket) == {"a ü+1.mp4": DONE, "b.mp4": DONE, "broken.mp4": UNREADABLE}


def test_only_one_works_on_it_and_the_other_is_told_who(bucket: ObjectUri) -> None:
    place = bucket.child("archive.parquet")
    with leased(place, "process 7 on host", lasts_s=2.0) as lease:
        with pytest.raises(BadInput, match="process 7 on host"), leased(place, "another", lasts_s=2.0):
            pass
        threading.Event().wait(2.5)  # beyond its length: it is renewed meanwhile
        with pytest.raises(BadInput, match="process 7 on host"), leased(place, "another", lasts_s=2.0):
            pass
        lease.require()
    assert holder_of(place) is None
    with leased(place, "another", lasts_s=2.0):
        pass


def test_of_many_who_come_at_once_one_gets_it(bucket: ObjectUri) -> None:
    place, got, refused = bucket.child("archive.parquet"), [], []
    ready, over = threading.Barrier(4), threading.Event()

    def come(name: str) -> None:
        ready.wait()
        try:
            with leased(place, name, lasts_s=20.0):
                got.append(name)
                over.wait(10)
        except BadInput as error:
            refused.append(str(error))
        if len(refused) == 3:
            over.set()

    threads = [threading.Thread(target=come, args=(f"run {number}",)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(got) == 1
    assert len(refused) == 3


def test_a_dead_holder_is_followed_and_one_with_a_wrong_clock_is_not(
    bucket: ObjectUri, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = bucket.child("archive.parquet")
    lease_place = archive_lease._beside(place)
    assert isinstance(lease_place, ObjectUri)
    dead = archive_lease.Holding(
        holder="the dead", mark="1", since="2020-01-01T00:00:00+00:00", renewed="2020-01-01T00:00:00+00:00"
    )
    put(lease_place, archive_lease._text(dead))
    with leased(place, "the heir", lasts_s=1.0):
        holding = holder_of(place)
        assert holding is not None
        assert holding.holder == "the heir"
    # A holder whose clock is years behind renews all the same, and that is what counts.
    put(lease_place, archive_lease._text(dead))
    stop = threading.Event()

    def live() -> None:
        number = 0
        while not stop.wait(0.1):
            number += 1
            changed = archive_lease.Holding(holder="the slow", mark=str(number), since="", renewed=dead.renewed)
            put(lease_place, archive_lease._text(changed))

    living = threading.Thread(target=live)
    living.start()
    try:
        with pytest.raises(BadInput, match="is working on this archive"), leased(place, "the eager", lasts_s=2.0):
            pass
    finally:
        stop.set()
        living.join()


def test_who_lost_the_lease_writes_no_more(bucket: ObjectUri) -> None:
    put(bucket.child("a.mp4"), lecture_bytes())
    plan(bucket)
    place = bucket.child(MANIFEST)
    lease_place = archive_lease._beside(place)
    assert isinstance(lease_place, ObjectUri)
    with leased(place, "the silent", lasts_s=1.0) as lease:
        desk = Desk(place)
        rows = desk.read()
        put(lease_place, archive_lease._text(archive_lease._holding("the taker")))
        assert lease.lost.wait(10)
        with pytest.raises(Unavailable, match="took over"):
            run_archive(rows, desk, lease, MadeUpRunner())
    found = find(lease_place)
    assert found is not None  # the taker's lease stays
    assert states(bucket) == {"a.mp4": WAITING}


def test_two_writers_of_one_manifest(bucket: ObjectUri) -> None:
    put(bucket.child("a.mp4"), lecture_bytes())
    rows = plan(bucket)
    one, other = Desk(bucket.child(MANIFEST)), Desk(bucket.child(MANIFEST))
    one.read(), other.read()
    one.write([])
    with pytest.raises(BadInput):
        other.write(rows[:1])
    assert one.read() == []
