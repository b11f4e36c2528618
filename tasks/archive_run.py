"""Working through an archive: start what is due, a few at a time, write down what came of each, and go on.

The one place that catches everything a lecture may raise. What starts the dubs (in this process, or on workers) is a
`Runner`; nothing here knows of Prefect.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from infra import locations
from infra.objects.faults import Replaced
from manifests.archive import DONE, FAILED, RUNNING, WAITING, ArchivedLecture
from manifests.errors import BadInput, MissingWeights, NoSpace, RedubError, Unavailable
from tasks.archive import (
    REPLACED,
    TRIES,
    Budget,
    at_version,
    begun,
    failed,
    finished,
    in_order,
    next_starts,
)
from tasks.archive_desk import Desk, publish_outcome, standing_languages
from tasks.archive_lease import Lease
from tasks.archive_plan import looked_at

SAME_FAULTS = 3
"""So many dubs in a row that fail for want of space, weights or a service: it is the place, not the lectures."""

_BETWEEN_WRITES_S = 30.0
# Whose failures never count as tries, and whose count unless they halt the run.
_NEVER_COUNT = frozenset({NoSpace.__name__, MissingWeights.__name__})
_PLACE = _NEVER_COUNT | {Unavailable.__name__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A dub that came to its end. `reason` is "" where it went well; `kind` is the name of the error's class.

    `cancelled`: somebody stopped it, which says nothing about the lecture.
    """

    source: str
    reason: str = ""
    kind: str = ""
    cancelled: bool = False

    @classmethod
    def by(cls, source: str, error: BaseException) -> Ended:
        """The end that `error` brought."""
        told = str(error) if isinstance(error, RedubError) else f"{type(error).__name__}: {error}"
        return cls(source=source, reason=told, kind=type(error).__name__)


class Runner(Protocol):
    """Starts dubs of whole lectures, `at_once` at most, and tells which have ended."""

    @property
    def at_once(self) -> int:
        """How many may go on at one time."""
        ...

    @property
    def outlives(self) -> bool:
        """Whether dubs go on where this process ends: then the next run adopts them."""
        ...

    def start(self, row: ArchivedLecture) -> None:
        """Begin to dub `row` into its missing languages. The same `row.ticket` twice begins one dub.

        BadInput where this one is refused; what else it raises ends the run.
        """
        ...

    def adopt(self, rows: Sequence[ArchivedLecture]) -> set[str]:
        """Of lectures that an earlier run began, the sources whose dubs this runner knows: `ended` will tell of them.

        Those that have ended since count too.
        """
        ...

    def ended(self) -> list[Ended]:
        """Those that ended since the last call; waits a while where there are none yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: `going` are being dubbed; `hours` (of lecture, times languages) and `money` are the run's."""

    done: int
    failed: int
    going: tuple[str, ...]
    due: int
    hours: float
    money: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What an archive run came to. `over_budget` lectures are due, but were passed over; `halted` says why it stopped.

    `seconds` include looking at what there is. `failed` are those that failed in this run.
    """

    done: tuple[str, ...]
    failed: tuple[ArchivedLecture, ...]
    over_budget: int
    hours: float
    money: float
    seconds: float
    halted: str = ""


@dataclass(slots=True)
class _State:
    rows: dict[str, ArchivedLecture]
    touched: set[str] = field(default_factory=set)
    going: dict[str, ArchivedLecture] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    hours: float = 0.0
    faults: list[Ended] = field(default_factory=list)
    halted: str = ""
    written: float = 0.0
    dirty: bool = False

    def put(self, row: ArchivedLecture) -> None:
        self.rows[row.source] = row
        self.dirty = True


def run_archive(
    rows: Iterable[ArchivedLecture],
    desk: Desk,
    lease: Lease,
    runner: Runner,
    *,
    budget: Budget | None = None,
    tries: int = TRIES,
    told: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Dub what is due of `rows`, which were read from `desk` and looked at again, until nothing is or the budget ends.

    Each lecture is started once at most. What one raises is its own row's; where the place itself fails, the rest is
    left for another time. Unavailable where the lease was lost, or the runner cannot go on; the manifest tells how far
    it came.
    """
    since, budget = time.monotonic(), budget or Budget()
    state = _State({row.source: row for row in rows}, dirty=True)
    _take_up(state, runner)
    queue = in_order(state.rows.values(), tries)
    try:
        _write(state, desk, lease, now=True)
        while True:
            begun_some = not state.halted and _start(state, queue, runner, budget, lease, told)
            queue = [row for row in queue if row.source not in state.touched]
            if not state.going and not begun_some:
                break
            for end in runner.ended() if state.going else ():
                _settle(state, end)
            told(_progress(state, queue, budget))
            _write(state, desk, lease)
    except BaseException:
        if not runner.outlives:
            _let_go(state)
        raise
    finally:
        if not lease.lost.is_set():
            _write(state, desk, lease, now=True)
    lease.require()
    return Summary(
        done=tuple(state.done),
        failed=tuple(state.rows[source] for source in state.failed),
        over_budget=0 if state.halted else len(queue),
        hours=state.hours,
        money=budget.cost(state.hours),
        seconds=time.monotonic() - since,
        halted=state.halted,
    )


def _take_up(state: _State, runner: Runner) -> None:
    """Go on with what an earlier run began and is still going, on a worker; the rest of it is to be done again."""
    begun_before = [row for row in state.rows.values() if row.state == RUNNING]
    known = runner.adopt(begun_before) if begun_before else set()
    for row in begun_before:
        if row.source in known:
            state.going[row.source] = row
            state.touched.add(row.source)
        else:
            # A try that took its process with it is a try: a lecture that always does so is given up too.
            state.put(dataclasses.replace(row, state=FAILED, reason="its run ended without a word"))


def _start(
    state: _State,
    queue: Sequence[ArchivedLecture],
    runner: Runner,
    budget: Budget,
    lease: Lease,
    told: Callable[[Progress], None],
) -> bool:
    """Start what has its turn; whether there was any."""
    free = runner.at_once - len(state.going)
    left = budget.limit_hours - state.hours
    chosen = next_starts(queue, touched=state.touched, free=free, left_hours=left)
    for row in chosen:
        lease.require()
        state.touched.add(row.source)
        try:
            ready = _as_it_is_now(row)
            if ready.state not in (WAITING, FAILED) or ready.missing_hours > budget.limit_hours - state.hours + 1e-9:
                state.put(ready)
                continue
            ready = publish_outcome(begun(ready, uuid.uuid4().hex, _now(), budget))
        except (RedubError, OSError) as error:  # its place cannot be read or written; nothing was begun
            _fail(state, row, Ended.by(row.source, error))
            continue
        state.put(ready)
        state.going[row.source] = ready
        state.hours += ready.missing_hours
        told(_progress(state, queue, budget))
        try:
            runner.start(ready)
        except BadInput as error:
            _settle(state, Ended.by(row.source, error))
        except Exception as error:
            _settle(state, dataclasses.replace(Ended.by(row.source, error), cancelled=True))
            raise
    return bool(chosen)


def _let_go(state: _State) -> None:
    """Dubs that end with this process were stopped, and did not fail."""
    for source, row in list(state.going.items()):
        stopped = dataclasses.replace(failed(row, "it was interrupted", _now(), counts=False), state=WAITING)
        with suppress(RedubError, OSError):
            stopped = publish_outcome(stopped)
        state.put(stopped)
        del state.going[source]


def _as_it_is_now(row: ArchivedLecture) -> ArchivedLecture:
    """The row about the content that its source has at this moment."""
    now = at_version(row, locations.version_of(locations.location(row.source)))
    return looked_at(now) if now.duration_s is None and now.state == WAITING else now


def _settle(state: _State, end: Ended) -> None:
    row = state.going.pop(end.source, None)
    if row is None:
        return
    try:
        if _replaced(row, end):
            # Where a dub came of it: whether of the old or the new content is not known, so it counts for neither.
            ended = dataclasses.replace(row, state=WAITING, reason=REPLACED, made=(), attempts=0, ended=_now())
        elif end.reason:
            passing = end.cancelled or end.kind in _NEVER_COUNT or (state.halted and end.kind in _PLACE)
            _fail(state, failed(row, end.reason, _now(), counts=not passing), end)
            return
        else:
            ended = finished(row, standing_languages(row), _now())
        ended = publish_outcome(ended)
    except (RedubError, OSError) as error:
        end = Ended.by(end.source, error)
        _fail(state, failed(row, end.reason, _now(), counts=False), end)
        return
    state.put(ended)
    if ended.state == DONE:
        state.done.append(ended.source)
        state.faults.clear()
    elif ended.state == FAILED:
        state.failed.append(ended.source)


def _replaced(row: ArchivedLecture, end: Ended) -> bool:
    """Whether its source is another than the one that was begun; asked only where that would explain the end."""
    if end.reason and end.kind != Replaced.__name__:
        return False
    now = locations.version_of(locations.location(row.source))
    return now is None or at_version(row, now).etag != row.etag


def _fail(state: _State, row: ArchivedLecture, end: Ended) -> None:
    """Write down a failure, and stop where it is the third in a row that the place is to blame for."""
    row = dataclasses.replace(row, state=FAILED, reason=end.reason, ended=_now())
    try:
        row = publish_outcome(row)
    except (RedubError, OSError):
        row = dataclasses.replace(row, reason=f"{row.reason} (and this could not be written beside its outputs)")
    state.put(row)
    state.failed.append(row.source)
    if end.kind not in _PLACE:
        state.faults.clear()
        return
    state.faults.append(end)
    if len(state.faults) >= SAME_FAULTS and not state.halted:
        state.halted = f"{len(state.faults)} lectures in a row failed for a reason that is not theirs: {end.reason}"
        for fault in state.faults:
            if fault.kind not in _NEVER_COUNT:
                _not_counted(state, state.rows[fault.source])


def _not_counted(state: _State, row: ArchivedLecture) -> None:
    row = dataclasses.replace(row, attempts=max(0, row.attempts - 1))
    with suppress(RedubError, OSError):
        row = publish_outcome(row)
    state.put(row)


def _progress(state: _State, queue: Iterable[ArchivedLecture], budget: Budget) -> Progress:
    return Progress(
        done=len(state.done),
        failed=len(state.failed),
        going=tuple(state.going),
        due=sum(row.source not in state.touched for row in queue),
        hours=state.hours,
        money=budget.cost(state.hours),
    )


def _write(state: _State, desk: Desk, lease: Lease, *, now: bool = False) -> None:
    """Publish the manifest, every now and then: what happens between is in the outcomes."""
    if not state.dirty or not (now or time.monotonic() - state.written >= _BETWEEN_WRITES_S):
        return
    lease.require()
    desk.write(sorted(state.rows.values(), key=lambda row: row.source))
    state.written, state.dirty = time.monotonic(), False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
