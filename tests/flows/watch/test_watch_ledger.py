"""What the ledger keeps: one event for each content of an object, whatever is said twice, lost, late or cut off."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.watch.counts import Counts
from flows.watch.ledger import Ledger
from flows.watch.uploads import Upload, event_id
from flows.watch.watching import advance
from infra.objects.uri import ObjectUri
from manifests.errors import BadInput, Unavailable

URI = ObjectUri("lectures", "a.mp4")


def upload(etag: str, uri: ObjectUri = URI) -> Upload:
    return Upload(uri=uri, etag=etag, version=None, size_bytes=9)


@dataclass
class FakeServer:
    """A stand-in for the Prefect server: what it was sent, what it acted on, and whether it is there."""

    away: bool = False
    forgetful: bool = False
    posted: list[uuid.UUID] = field(default_factory=list)
    runs: list[ObjectUri] = field(default_factory=list)
    answered: set[uuid.UUID] = field(default_factory=set)
    known: set[uuid.UUID] = field(default_factory=set)

    def post(self, sent: Upload, identity: uuid.UUID) -> None:
        self._there()
        self.posted.append(identity)
        if not self.forgetful and identity not in self.known:
            self.known.add(identity)
            self.answered.add(identity)
            self.runs.append(sent.uri)

    def is_known(self, identity: uuid.UUID) -> bool:
        self._there()
        return identity in self.known

    def is_answered(self, identity: uuid.UUID) -> bool:
        self._there()
        return identity in self.answered

    def has_run(self, uri: ObjectUri, since_s: float) -> bool:
        self._there()
        return uri in self.runs

    def _there(self) -> None:
        if self.away:
            raise Unavailable("it is away")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path)
    yield ledger
    ledger.close()


def settle(ledger: Ledger, store: dict[ObjectUri, str], server: FakeServer, now: float) -> None:
    """What the worker does, with a dictionary for a store."""
    while (told := ledger.next_told(now)) is not None:
        if told.uri in store:
            ledger.found(told, upload(store[told.uri], told.uri), wanted=True, now_s=now)
        else:
            ledger.gone(told)
    while (task := ledger.next_task(now)) is not None:
        try:
            advance(task, server, ledger, Counts(), now)
        except Unavailable:
            return


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from("ABC")),
        st.tuples(st.just("tell"), st.integers(1, 3)),
        st.tuples(st.sampled_from(["settle", "restart", "away", "back", "remove"]), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
def test_each_content_that_is_seen_starts_one_run(steps: list[tuple[str, object]]) -> None:
    store: dict[ObjectUri, str] = {}
    server, now, seen = FakeServer(), 1000.0, []
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        for step, value in [*steps, ("back", 0), ("tell", 1), ("settle", 0)]:
            now += 1
            if step == "write":
                store[URI] = str(value)
            elif step == "remove":
                store.pop(URI, None)
            elif step == "tell":
                for _ in range(int(str(value))):
                    ledger.hear([URI], now)
            elif step == "restart":
                ledger.close()
                ledger = Ledger(Path(folder))
            elif step in ("away", "back"):
                server.away = step == "away"
            else:
                told = ledger.next_told(now) is not None
                if told and URI in store and (not seen or seen[-1] != store[URI]):
                    seen.append(store[URI])
                settle(ledger, store, server, now)
        # A content that was replaced while the server was away is not dubbed any more; all others are, once each.
        assert len(server.posted) == len(set(server.posted)) <= len(seen)
        if seen:
            last = [event_id(URI, seen[-1], turn) for turn in range(len(seen))]
            assert server.posted[-1] in last
        ledger.close()


def test_the_same_content_is_news_again_after_another_one(ledger: Ledger) -> None:
    server, now = FakeServer(), 0.0
    for etag in ("A", "A", "B", "A", "A"):
        now += 1
        ledger.hear([URI], now)
        settle(ledger, {URI: etag}, server, now)
    assert server.posted == [event_id(URI, "A"), event_id(URI, "B"), event_id(URI, "A", 1)]


def test_what_lay_there_before_is_left_alone_unless_someone_tells_of_it(ledger: Ledger) -> None:
    server = FakeServer()
    ledger.note([upload("A")], 0.0)
    assert ledger.knows(URI, "A")
    assert ledger.next_task(1.0) is None
    ledger.hear([URI], 1.0)
    settle(ledger, {URI: "A"}, server, 1.0)
    assert server.posted == [event_id(URI, "A")]


def test_an_event_that_the_server_lost_is_posted_again_until_a_run_comes_of_it(ledger: Ledger) -> None:
    server = FakeServer(forgetful=True)
    ledger.hear([URI], 0.0)
    settle(ledger, {URI: "A"}, server, 0.0)
    settle(ledger, {}, server, 20.0)
    assert len(server.posted) == 1, "it is asked after once before it is posted again"
    settle(ledger, {}, server, 90.0)
    assert server.posted == [event_id(URI, "A")] * 2
    assert ledger.standing().unanswered == 1
    server.forgetful = False
    settle(ledger, {}, server, 400.0)
    settle(ledger, {}, server, 4000.0)
    assert len(server.runs) == 1
    assert ledger.standing().unanswered == 0
    settle(ledger, {}, server, 1e6)
    assert len(server.posted) == 3


def test_a_run_whose_event_is_not_on_record_is_not_started_twice(ledger: Ledger) -> None:
    server = FakeServer()
    ledger.hear([URI], 0.0)
    settle(ledger, {URI: "A"}, server, 0.0)
    server.answered.clear()
    server.known.clear()
    for now in (20.0, 100.0, 1000.0, 10_000.0):
        settle(ledger, {}, server, now)
    assert len(server.posted) == 1


def test_an_event_that_nobody_wants_is_given_up_after_a_week(ledger: Ledger) -> None:
    server = FakeServer(forgetful=True)
    ledger.hear([URI], 0.0)
    settle(ledger, {URI: "A"}, server, 0.0)
    for hour in range(8 * 24):
        settle(ledger, {}, server, hour * 3600.0)
    assert ledger.next_task(1e9) is None
    assert len(server.posted) < 8 * 24


def test_a_word_that_comes_while_an_object_is_looked_at_is_not_lost(ledger: Ledger) -> None:
    ledger.hear([URI], 0.0)
    told = ledger.next_told(0.0)
    assert told is not None
    ledger.hear([URI], 1.0)
    ledger.found(told, upload("A"), wanted=True, now_s=1.0)
    again = ledger.next_told(2.0)
    assert again is not None
    ledger.found(again, upload("B"), wanted=True, now_s=2.0)
    task = ledger.next_task(2.0)
    assert task is not None
    assert task.upload.etag == "B"


def test_an_object_that_cannot_be_read_keeps_no_other_waiting(ledger: Ledger) -> None:
    other = ObjectUri("lectures", "b.mp4")
    ledger.hear([URI], 0.0)
    ledger.hear([other], 1.0)
    told = ledger.next_told(1.0)
    assert told is not None
    ledger.look_later(told, 50.0)
    following = ledger.next_told(1.0)
    assert following is not None
    assert following.uri == other
    standing = ledger.standing()
    assert (standing.waiting, standing.oldest_s) == (2, 0.0)


def test_two_receivers_do_not_share_records(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="another receiver"):
        Ledger(tmp_path)


def test_records_that_are_none_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "uploads.db").write_bytes(b"not a database, and longer than a header would be" * 9)
    with pytest.raises(BadInput, match="cannot be read"):
        Ledger(tmp_path)


def test_a_killed_receiver_leaves_whole_records(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.hear([URI], 0.0)
    told = ledger.next_told(0.0)
    assert told is not None
    ledger._db.execute("BEGIN IMMEDIATE")
    ledger._db.execute("DELETE FROM heard")
    # The process ends here: what was not committed never was.
    other = sqlite3.connect(tmp_path / "uploads.db")
    assert other.execute("SELECT count(*) FROM heard").fetchone() == (1,)
    other.close()
    ledger._db.execute("ROLLBACK")
    ledger.close()
