from dataclasses import dataclass, replace
from pathlib import Path

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
    store.remember("shout", done.key, '{"half": ')
    assert stage(shout).perform(Work("a"), store).value == done.value
    assert shout.calls == ["a", "a", "a"]


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
