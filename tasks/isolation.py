"""Isolation: a piece of work that fails always is left out, and its lecture is finished without it.

Whoever hands work over says what stands `instead` of a piece that comes to nothing: the original picture or sound. Such
a piece is never remembered as done, so a later run tries it again. What is no single piece's fault is raised as ever:
the errors that redub raises on purpose, and a stage of which most pieces fail.

A piece may also end the process that works on it. So each is marked in the store while it is in work; one whose mark is
found without its process is worked on in a process of its own, which it may end.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from infra.apart import Died, call_apart, travels
from infra.marks import begun
from infra.store import Store
from manifests.errors import Degraded, RedubError, StageFailed
from manifests.records import Degradation
from tasks.journal import Journal
from tasks.stage import Done, Keyed, Stage

In = TypeVar("In")
Out = TypeVar("Out")

TRIES = 2
"""A piece is begun so often before it counts as one that fails always."""
MOST_FAILING = 0.5
"""Where more than this share of a stage's pieces fail, the stage does, and not they."""

_MEASURES = frozenset({"heard_back", "real_lips", "dubbed_lips"})
"""Stages that make nothing that is seen or heard: where they fail, less is known of a dub that is as it should be."""
_LONGEST_REASON = 300
_ROOT = Path(__file__).parents[1]
_OWN = ("infra", "manifests", "models", "tasks")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """A piece that came to nothing after `seconds`; `reason` is for people, one line."""

    key: str
    reason: str
    seconds: float


Outcome: TypeAlias = Done[Out] | Failed


def nothing(work: object) -> tuple[()]:  # noqa: ARG001 (asked with the piece that failed)
    """What stands instead of records that only add to the original: none."""
    return ()


def attempt(stage: Stage[In, Out], piece: Keyed[In], store: Store) -> Outcome[Out]:
    """The piece done, or Failed where it fails `TRIES` times. Raises what redub raises on purpose."""
    done = stage.recall(piece, store)
    if done is not None:
        return done
    started, key = time.perf_counter(), piece.key
    reason = ""
    with begun(store, stage.name, key) as died:
        apart = died and travels(stage, piece)
        for attempts in range(1, TRIES + 1):
            try:
                return call_apart(stage.finish, piece, store) if apart else stage.finish(piece, store)
            except Degraded as error:
                reason = error.reason
                break
            except RedubError:
                raise
            except Died as error:
                reason = error.how
                break  # it has ended a process before, and now this one
            except Exception as error:  # noqa: BLE001 (a library's, a codec's, the memory's: whatever it is, it is this piece's)
                reason = _told(error)
            _LOG.warning("%s %s failed, attempt %d of %d: %s", stage.name, key, attempts, TRIES, reason)
    return Failed(key, reason, time.perf_counter() - started)


def settled(
    stage: Stage[In, Out],
    work: Sequence[In],
    outcomes: Sequence[Outcome[Out]],
    instead: Callable[[In], Out] | None,
) -> list[Out]:
    """What each piece came to, or what stands `instead`. StageFailed where most came to nothing."""
    lost = failures(outcomes)
    if lost and (instead is None or len(lost) > MOST_FAILING * len(outcomes)):
        raise StageFailed(_systemic(stage.name, lost, len(outcomes)))
    return [
        instead(piece) if isinstance(each, Failed) and instead is not None else _value(each)
        for piece, each in zip(work, outcomes, strict=True)
    ]


def failures(outcomes: Sequence[Outcome[Out]]) -> dict[int, str]:
    """Which pieces came to nothing, by their place, and why."""
    return {index: each.reason for index, each in enumerate(outcomes) if isinstance(each, Failed)}


def degradations(journal: Journal, language: str) -> tuple[Degradation, ...]:
    """What came to nothing of `language` and of what all languages share, by its time, and was left as it was."""
    lost = {
        (each.span, each.stage, each.failure)
        for each in journal.entries
        if each.failure and each.language in (None, language) and each.stage not in _MEASURES
    }
    return tuple(
        Degradation(stage=stage, span=span, reason=f"it failed, and is left as it was: {reason}", failed=True)
        for span, stage, reason in sorted(lost)
    )


def unmeasured(journal: Journal, language: str) -> tuple[str, ...]:
    """What could not be measured of `language`, as notes for its report."""
    lost = sorted(
        (each.span, each.stage, each.failure)
        for each in journal.entries
        if each.failure and each.language in (None, language) and each.stage in _MEASURES
    )
    return tuple(
        f"{stage} failed from {span.start_s:.2f} to {span.end_s:.2f} s, so nothing is known of it there: {reason}"
        for span, stage, reason in lost
    )


def _value(outcome: Outcome[Out]) -> Out:
    if isinstance(outcome, Failed):
        raise StageFailed(outcome.reason)
    return outcome.value


def _systemic(stage: str, lost: Mapping[int, str], total: int) -> str:
    first = lost[min(lost)]
    if total == 1:
        return f"{stage} failed: {first}; run again once that is mended, and what is finished is not done again"
    return (
        f"{stage} failed on {len(lost)} of {total} pieces, so it is not one place in the lecture: {first}; "
        "run again once that is mended, and what is finished is not done again (redub doctor looks at this machine)"
    )


def _told(error: BaseException) -> str:
    """An error in one line, and where in redub it came up."""
    said = " ".join(str(error).split())
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if any(Path(each.filename).is_relative_to(_ROOT / folder) for folder in _OWN)]
    at = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    text = f"{name}: {said}" if said else name
    return f"{text[:_LONGEST_REASON]}{at}"
