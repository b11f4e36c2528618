"""What an archive run should do next: pure judgement over rows, outcomes and what stands where."""

from __future__ import annotations

import dataclasses
import fnmatch
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from infra.locations import SourceVersion
from manifests.archive import DONE, FAILED, GONE, RUNNING, STATES, UNREADABLE, WAITING, ArchivedLecture, Outcome
from manifests.errors import BadInput

TRIES = 3
"""How often a lecture that fails is tried, over all runs, unless it or what is asked for it changes."""

REPLACED = "it was replaced while it was dubbed; the next run takes the new one"
_SLACK_HOURS = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one run may dub: hours of lecture (one for each language), or `money` at a price an hour. None: no end."""

    hours: float | None = None
    money: float | None = None
    price_per_hour: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("hours", self.hours), ("money", self.money), ("price", self.price_per_hour)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise BadInput(f"{value} is no budget;", where=f"--{name}", remedy="give a number that is not negative")
        if self.money is not None and not self.price_per_hour:
            raise BadInput(
                "a budget of money needs the price of an hour;",
                where="--money",
                remedy="add --price, what an hour of lecture costs in one language",
            )

    @property
    def limit_hours(self) -> float:
        """The hours that it comes to; infinity where it has no end."""
        paid = math.inf if self.money is None or not self.price_per_hour else self.money / self.price_per_hour
        return min(math.inf if self.hours is None else self.hours, paid)

    def cost(self, hours: float) -> float:
        """What so many hours cost; 0 where no price was given."""
        return hours * (self.price_per_hour or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for every lecture below a root. `priorities` are patterns of names and numbers, the last counts."""

    root: str
    out_root: str
    languages: tuple[str, ...]
    preset: str = "lecture"
    source_language: str | None = None
    glossary: str | None = None
    gate: bool = False
    priorities: tuple[tuple[str, int], ...] = ()

    def priority(self, name: str, before: int) -> int:
        """The priority of the lecture `name` (below the root); what it had before where no pattern says."""
        given = [number for pattern, number in self.priorities if fnmatch.fnmatchcase(name, pattern)]
        return given[-1] if given else before


def is_due(row: ArchivedLecture, tries: int) -> bool:
    """Whether there is something to do about it: languages missing, and not tried too often already."""
    may = row.state == WAITING or (row.state == FAILED and row.attempts < tries)
    return may and bool(row.missing) and row.duration_s is not None


def in_order(rows: Iterable[ArchivedLecture], tries: int) -> list[ArchivedLecture]:
    """What is due, the most urgent first: by priority, what did not fail before what did, then by name."""
    due = [row for row in rows if is_due(row, tries)]
    return sorted(due, key=lambda row: (-row.priority, row.attempts, row.source))


def next_starts(
    queue: Sequence[ArchivedLecture], *, touched: Collection[str], free: int, left_hours: float
) -> list[ArchivedLecture]:
    """Which of the `queue` (see `in_order`) to start now: `free` at most, none twice in a run (`touched`).

    One that would go beyond the budget is passed over for smaller ones after it, so a budget is used as far as it goes.
    """
    chosen: list[ArchivedLecture] = []
    for row in queue:
        if len(chosen) >= free:
            break
        if row.source in touched or row.missing_hours > left_hours + _SLACK_HOURS:
            continue
        left_hours -= row.missing_hours
        chosen.append(row)
    return chosen


def as_wanted(row: ArchivedLecture, wanted: Wanted, name: str) -> ArchivedLecture:
    """A known row as it is asked for now; tries start anew where it is asked for otherwise."""
    asked = dataclasses.replace(
        row,
        root=wanted.root,
        languages=wanted.languages,
        preset=wanted.preset,
        source_language=wanted.source_language,
        glossary=wanted.glossary,
        gate=wanted.gate,
        priority=wanted.priority(name, row.priority),
    )
    if asked.asked != row.asked:
        return dataclasses.replace(asked, made=(), attempts=0, reason="", state=WAITING)
    if set(asked.languages) - set(row.languages):
        return dataclasses.replace(asked, attempts=0, reason="", state=WAITING)
    return asked


def new_row(source: str, out: str, name: str, version: SourceVersion, wanted: Wanted) -> ArchivedLecture:
    """The row of a lecture that was not known before; its length is still to be found."""
    return ArchivedLecture(
        source=source,
        root=wanted.root,
        out_root=wanted.out_root,
        out=out,
        etag=version.etag,
        version_id=version.version_id,
        size_bytes=version.size_bytes,
        duration_s=None,
        languages=wanted.languages,
        made=(),
        preset=wanted.preset,
        source_language=wanted.source_language,
        glossary=wanted.glossary,
        gate=wanted.gate,
        priority=wanted.priority(name, 0),
        state=WAITING,
        reason="",
        attempts=0,
        ticket="",
        started="",
        ended="",
        spent_hours=0.0,
        spent_money=0.0,
        outcome_etag="",
    )


def at_version(row: ArchivedLecture, now: SourceVersion | None) -> ArchivedLecture:
    """The row about the content that is there now: another one has no length yet, no languages and no failures."""
    if now is None:
        return dataclasses.replace(row, state=GONE, reason="it is no longer there")
    if (now.etag, now.size_bytes) == (row.etag, row.size_bytes):
        return dataclasses.replace(row, state=WAITING, reason="") if row.state == GONE else row
    return dataclasses.replace(
        row,
        etag=now.etag,
        version_id=now.version_id,
        size_bytes=now.size_bytes,
        duration_s=None,
        made=(),
        state=WAITING,
        reason="",
        attempts=0,
    )


def with_outcome(row: ArchivedLecture, outcome: Outcome | None, outcome_etag: str) -> ArchivedLecture:
    """The row with what its outcome says, as far as that is about this content and what is asked for it now."""
    if outcome is None or outcome.source != row.source:
        return row
    # What was spent was spent on the lecture, whatever content it had.
    row = dataclasses.replace(
        row,
        outcome_etag=outcome_etag,
        spent_hours=max(row.spent_hours, outcome.spent_hours),
        spent_money=max(row.spent_money, outcome.spent_money),
    )
    if (outcome.etag, outcome.size_bytes, outcome.asked) != (row.etag, row.size_bytes, row.asked):
        return row
    more = set(row.languages) - set(outcome.languages)
    return dataclasses.replace(
        row,
        duration_s=outcome.duration_s if row.duration_s is None else row.duration_s,
        made=outcome.made,
        state=WAITING if more and outcome.state != RUNNING else outcome.state,
        reason="" if more else outcome.reason,
        attempts=0 if more else outcome.attempts,
        ticket=outcome.ticket,
        started=outcome.started,
        ended=outcome.ended,
    )


def with_standing(row: ArchivedLecture, standing: Collection[str]) -> ArchivedLecture:
    """The row given the languages whose videos stand in its folder: a dub that is gone counts as not made."""
    made = tuple(each for each in row.made if each in standing)
    row = dataclasses.replace(row, made=made)
    if row.state in (GONE, UNREADABLE, RUNNING):
        return row
    if not row.missing:
        return dataclasses.replace(row, state=DONE, reason="")
    if row.state == DONE:
        return dataclasses.replace(row, state=WAITING, reason="", attempts=0)
    return row


def begun(row: ArchivedLecture, ticket: str, at: str, budget: Budget) -> ArchivedLecture:
    """The row when its dub is started. What it will cost is written down now, so that a crash does not hide it."""
    hours = row.missing_hours
    return dataclasses.replace(
        row,
        state=RUNNING,
        reason="",
        attempts=row.attempts + 1,
        ticket=ticket,
        started=at,
        ended="",
        spent_hours=row.spent_hours + hours,
        spent_money=row.spent_money + budget.cost(hours),
    )


def finished(row: ArchivedLecture, standing: Collection[str], at: str) -> ArchivedLecture:
    """The row after a run that says it is done; failed where a language's video is not there all the same."""
    made = tuple(each for each in row.languages if each in row.made or each in standing)
    row = dataclasses.replace(row, made=made, ended=at)
    if row.missing:
        why = f"the run ended well, but there is no video in {', '.join(row.missing)}"
        return dataclasses.replace(row, state=FAILED, reason=why)
    return dataclasses.replace(row, state=DONE, reason="", attempts=0)


def failed(row: ArchivedLecture, reason: str, at: str, *, counts: bool) -> ArchivedLecture:
    """The row after a failed run; one that says nothing about the lecture (a full disk) does not count as a try."""
    attempts = row.attempts if counts else max(0, row.attempts - 1)
    return dataclasses.replace(row, state=FAILED, reason=reason, attempts=attempts, ended=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """An archive in numbers. `left_hours` are those of the languages that are missing of what can be dubbed."""

    states: dict[str, int]
    given_up: int
    done_hours: float
    left_hours: float
    spent_hours: float
    spent_money: float


def tally(rows: Iterable[ArchivedLecture], tries: int) -> Tally:
    """How far the archive is."""
    rows = list(rows)
    states = dict.fromkeys(STATES, 0)
    for row in rows:
        states[row.state] = states.get(row.state, 0) + 1
    return Tally(
        states=states,
        given_up=sum(row.state == FAILED and row.attempts >= tries for row in rows),
        done_hours=sum((row.duration_s or 0.0) / 3600 * len(set(row.made) & set(row.languages)) for row in rows),
        left_hours=sum(row.missing_hours for row in rows if row.state in (WAITING, RUNNING, FAILED)),
        spent_hours=sum(row.spent_hours for row in rows),
        spent_money=sum(row.spent_money for row in rows),
    )
