import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from infra.store import Store
from manifests.records import Blob
from manifests.time import Span
from tasks.journal import Journal
from tasks.pool import InProcessPool
from tasks.stage import Stage


@dataclass(frozen=True)
class Work:
    text: str


@dataclass(frozen=True)
class Outcome:
    audio: Blob
    spans: tuple[Span, ...]


class Shouting:
    """A stage's function that counts how often it really worked."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, work: Work, store: Store) -> Outcome:
        self.calls.append(work.text)
        with store.scratch() as folder:
            (folder / "a.txt").write_text(work.text.upper())
            return Outcome(store.put(folder / "a.txt"), (Span(0, len(work.text)),))


def stage(shout: Shouting) -> Stage[Work, Outcome]:
    return Stage("shout", 1, Outcome, shout)


def test_finished_work_is_not_done_again_by_another_process(tmp_path: Path) -> None:
    shout = Shouting()
    first = stage(shout).perform(Work("a"), Store(tmp_path))
    again = stage(shout).perform(Work("a"), Store(tmp_path))
    assert shout.calls == ["a"]
    assert (first.hit, again.hit) == (False, True)
    assert again.value == first.value


def test_other_input_or_another_version_is_other_work(tmp_path: Path) -> None:
    shout = Shouting()
    stage(shout).perform(Work("a"), Store(tmp_path))
    stage(shout).perform(Work("b"), Store(tmp_path))
    replace(stage(shout), version=2).perform(Work("a"), Store(tmp_path))
    assert shout.calls == ["a", "b", "a"]


def test_a_damaged_blob_or_record_is_redone(tmp_path: Path) -> None:
    shout, store = Shouting(), Store(tmp_path)
    done = stage(shout).perform(Work("a"), store)
    store.path(done.value.audio).write_text("?")
    assert stage(shout).perform(Work("a"), store).value == done.value
    (tmp_path / "work" / "shout" / f"{done.key}.json").write_text('{"half": ')
    assert stage(shout).perform(Work("a"), store).value == done.value
    assert shout.calls == ["a", "a", "a"]


def other_each_time(work: Work, store: Store) -> Outcome:
    """A stage's function that does not come to the same twice, as a network on a GPU may."""
    with store.scratch() as folder:
        (folder / "a.txt").write_text(f"{work.text} {uuid4()}")
        return Outcome(store.put(folder / "a.txt"), ())


CHANCE: Stage[Work, Outcome] = Stage("chance", 1, Outcome, other_each_time)


def at_one_time(barrier: threading.Barrier, root: Path, name: str) -> Outcome:
    """The work, remembered when all of them have done it."""
    store, work = Store(root), Work(name)
    value = other_each_time(work, store)
    barrier.wait(20)
    return CHANCE.remember(CHANCE.keyed(work), value, store)


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_all_who_are_given_the_same_work_go_on_with_the_first_ones(tmp_path: Path, kind: str) -> None:
    count, names = 2, [f"word {number}" for number in range(5)]
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        barrier = threading.Barrier(count) if kind == "threads" else manager.Barrier(count)
        pool = ThreadPoolExecutor(count) if kind == "threads" else ProcessPoolExecutor(count, mp_context=context)
        with pool:
            for name in names:
                told = list(pool.map(at_one_time, [barrier] * count, [tmp_path] * count, [name] * count))
                assert len(set(told)) == 1
                done = CHANCE.recall(CHANCE.keyed(Work(name)), Store(tmp_path))
                assert done is not None
                assert done.value == told[0]


def test_what_no_longer_stands_gives_way(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = CHANCE.perform(Work("a"), store)
    piece = CHANCE.keyed(Work("a"))
    assert CHANCE.remember(piece, other_each_time(Work("a"), store), store) == first.value
    record = tmp_path / "work" / "chance" / f"{first.key}.json"
    for damaged in (b'{"half": ', b"\xff\xfe", b'{"of another version": 1}', b"{}"):
        record.write_bytes(damaged)
        later = CHANCE.perform(Work("a"), store)
        assert not later.hit
        assert CHANCE.perform(Work("a"), store).value == later.value
    store.path(later.value.audio).unlink()
    again = CHANCE.perform(Work("a"), store)
    assert not again.hit
    assert again.value != later.value
    assert CHANCE.perform(Work("a"), store).value == again.value


def test_a_failing_piece_leaves_the_finished_ones_finished(tmp_path: Path) -> None:
    class Tired(Shouting):
        def __call__(self, work: Work, store: Store) -> Outcome:
            if work.text == "c" and len(self.calls) == 2:
                raise RuntimeError
            return super().__call__(work, store)

    shout, journal = Tired(), Journal()
    pool = InProcessPool(Store(tmp_path), journal)
    works, spans = [Work("a"), Work("b"), Work("c")], [Span(0, 1)] * 3
    try:
        pool.submit(stage(shout), works, spans)
    except RuntimeError:
        shout.calls.append("failed")
    values = pool.submit(stage(shout), works, spans).values()
    assert shout.calls == ["a", "b", "failed", "c"]
    assert len(values) == 3
    assert [entry.hit for entry in journal.entries] == [False, False, True, True, False]
