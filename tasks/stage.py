"""A stage: a pure function with a name, a version and a key, whose finished work is never done twice.

The key of a piece of work is a hash of the stage's name and version and of its inputs: records (which name content by
hash), settings, and the revisions of the weights. What the work came to is remembered in the store under that key,
so a run that died is resumed by running the same command again, and a later run or another machine shares it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from infra.store import Store
from manifests.keys import fingerprint
from manifests.records import Blob

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Keyed(Generic[In]):
    """A piece of work and its key, which is made once: that takes as long as all the rest of handing it over."""

    work: In
    key: str


@dataclass(frozen=True, slots=True)
class Done(Generic[Out]):
    """What a piece of work came to. `seconds` is the time it took now: next to nothing where it was a cache `hit`."""

    value: Out
    key: str
    hit: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Stage(Generic[In, Out]):
    """A kind of work. Raise `version` when `compute` comes to give something else for the same input.

    `output` is the type that `compute` returns: records, spans and plain data, so that it goes to JSON and back.
    `alone`: a process does one piece at a time, because a piece fills its cores and much of its memory by itself.
    `gpu`: its model computes on a GPU where there is one, so workers that share a device take turns (`flows.gpu`).
    """

    name: str
    version: int
    output: Any
    compute: Callable[[In, Store], Out]
    alone: bool = False
    gpu: bool = False

    def key(self, work: In) -> str:
        """The key of this piece of work: equal for equal content, settings and weights."""
        return fingerprint(self.name, self.version, work)

    def keyed(self, work: In) -> Keyed[In]:
        """This piece of work with its key."""
        return Keyed(work, self.key(work))

    def perform(self, work: In, store: Store) -> Done[Out]:
        """Finished work from the store, else computed now and remembered."""
        return self.finish(self.keyed(work), store)

    def finish(self, piece: Keyed[In], store: Store) -> Done[Out]:
        """As `perform`, of work whose key is made."""
        done = self.recall(piece, store)
        if done is not None:
            return done
        started = time.perf_counter()
        value = self.remember(piece, self.compute(piece.work, store), store)
        return Done(value, piece.key, hit=False, seconds=time.perf_counter() - started)

    def finish_together(
        self, works: Iterable[In], store: Store, compute: Callable[[Sequence[In]], Iterable[Out]]
    ) -> dict[In, Out]:
        """Each of `works` with what it came to; those that the store lacks are computed in one go, then remembered.

        `compute` gives one outcome for each that it is asked for, in their order.
        """
        pieces = [self.keyed(each) for each in dict.fromkeys(works)]
        known = {each.work: done.value for each in pieces if (done := self.recall(each, store)) is not None}
        missing = [each for each in pieces if each.work not in known]
        made = compute([each.work for each in missing]) if missing else ()
        for piece, value in zip(missing, made, strict=True):
            known[piece.work] = self.remember(piece, value, store)
        return known

    def recall(self, piece: Keyed[In], store: Store) -> Done[Out] | None:
        """Finished work, if the store has it whole: a missing or damaged blob means that it must be redone."""
        started = time.perf_counter()
        text = store.recall(self.name, piece.key)
        if text is None:
            return None
        try:
            value = self._read(text)
        except ValidationError:
            return None
        if not _intact(value, store):
            return None
        return Done(value, piece.key, hit=True, seconds=time.perf_counter() - started)

    def remember(self, piece: Keyed[In], value: Out, store: Store) -> Out:
        """Record that a piece came to `value`; gives what stands, which the caller goes on with.

        That is another worker's where it was first and what it made is still whole: so all who are given the same
        work agree, even where it does not come to the same twice.
        """
        outcome = _adapter(self.output).dump_json(value).decode()
        standing = store.remember(self.name, piece.key, outcome, lambda text: self._stands(text, store))
        return value if standing == outcome else self._read(standing)

    def _read(self, text: str) -> Out:
        value: Out = _adapter(self.output).validate_json(text)
        return value

    def _stands(self, text: str, store: Store) -> bool:
        try:
            return _intact(self._read(text), store)
        except ValidationError:
            return False


def _intact(value: object, store: Store) -> bool:
    return all(store.intact(blob) for blob in blobs(value))


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def blobs(value: object) -> Iterator[Blob]:
    """Every blob that `value` (records, tuples and lists of them) refers to."""
    if isinstance(value, Blob):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for entry in dataclasses.fields(value):
            yield from blobs(getattr(value, entry.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from blobs(item)
