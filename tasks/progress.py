"""How far a run is: the share of its work that is done, evenly in time, before all of its work is known.

A stage's pieces are handed over only when the stages before it are done, so a run cannot count what is to come. It can
weigh it: each stage of a dub takes about so much of the whole, and what its pieces say of themselves moves the share
through that part.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.journal import Entry
from tasks.settings import DubSettings

At = tuple[str, str | None]
"""A stage and its language, None where all languages share it."""

HEARING = {
    "speech": 1.0,
    "shots": 4.0,
    "identify": 5.0,
    "listen": 15.0,
    "voice_samples": 8.0,
    "background": 8.0,
}
HEARING_FACES = {"faces": 18.0, "meshes": 7.0, "speaking": 6.0, "library": 4.0, "appearances": 3.0}
DRAFTING = {"translate": 3.0}
VOICING = {"speak": 40.0, "mix": 0.5, "voice": 2.0}
FINISHING = {"heard_back": 9.0, "assemble": 1.0, "sign": 0.2, "levels": 2.0}
FINISHING_LIPS = {"lips": 8.0, "render": 22.0, "real_lips": 4.0, "dubbed_lips": 6.0}
"""Seconds of work on two cores for three quarters of a minute of lecture, of dubs of the sample. Only their proportions
matter, and only roughly: a stage that is not named here has `_UNNAMED`."""

PUBLISHING = 5.0
"""What follows the last stage: reports, manifests, files."""

_UNNAMED = 2.0
_ROUNDS = {"speak": (0.65, 0.15, 0.2)}
_TOLD_ENOUGH = 0.04


def plan_of(settings: DubSettings, languages: Sequence[str], *, source_known: bool) -> tuple[dict[At, float], ...]:
    """What a dub is expected to do: steps, of which each begins only when the one before is done; rough seconds."""
    with_lips = settings.lips.engine != "none"
    hearing = HEARING | (HEARING_FACES if with_lips else {})
    if source_known:
        hearing = {stage: weight for stage, weight in hearing.items() if stage != "identify"}
    finishing = FINISHING | (FINISHING_LIPS if with_lips else {})
    finish: list[dict[At, float]] = [
        {(stage, None if stage == "real_lips" else language): weight for stage, weight in finishing.items()}
        for language in languages
    ]
    drafts = [_each(DRAFTING, language) for language in languages]
    voices = [_each(VOICING, language) for language in languages]
    return (_each(hearing, None), *drafts, *voices, *finish)


def talk_plan(settings: DubSettings, language: str | None) -> tuple[dict[At, float], ...]:
    """The same for a face that is made to speak: by its own recording, or in `language`."""
    speech: dict[At, float] = _each({"speak": 10.0, "mix": 0.5, "voice": 1.0} if language else {"sound": 1.0}, language)
    looking = {"shots": 2.0, **HEARING_FACES} if settings.lips.engine != "none" else {}
    finishing = {stage: FINISHING_LIPS[stage] for stage in ("lips", "render")} | {"assemble": 1.0, "sign": 0.2}
    return (speech, {("prepare", None): 6.0}, _each(looking, None), _each(finishing, None))


def _each(weights: Mapping[str, float], language: str | None) -> dict[At, float]:
    return {(stage, language): weight for stage, weight in weights.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a run is: `share` 0..1, what it works on (stages and languages), and about how long it still takes.

    `left_s` is None where nothing was computed yet by which it could be told.
    """

    share: float
    working: tuple[At, ...]
    left_s: float | None


@dataclass(slots=True)
class _Part:
    weight: float
    rounds: list[list[int]] = field(default_factory=list)
    """Of each time that pieces were handed over: how many, and how many of them are done."""

    def share(self, stage: str) -> float:
        shares = [done / max(1, total) for total, done in self.rounds]
        weights = _ROUNDS.get(stage)
        if weights is None or len(shares) > len(weights):
            return sum(done for _, done in self.rounds) / max(1, sum(total for total, _ in self.rounds))
        return sum(weight * each for weight, each in zip(weights, shares, strict=False))

    def busy(self) -> bool:
        return any(done < total for total, done in self.rounds)


@dataclass(slots=True)
class Meter:
    """A listener that knows the share of the run that is done; it never goes back. May be asked from any thread."""

    steps: Sequence[Mapping[At, float]]
    after: float = PUBLISHING
    clock: Callable[[], float] = time.monotonic
    _parts: dict[At, _Part] = field(default_factory=dict)
    _step: int = 0
    _began_s: float | None = None
    _computed: float = 0.0
    _highest: float = 0.0
    _finished: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for step in self.steps:
            for at, weight in step.items():
                self._parts.setdefault(at, _Part(weight))

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """`pieces` more of `stage` were handed over."""
        at = (stage, language)
        with self._lock:
            if self._began_s is None:
                self._began_s = self.clock()
            self._parts.setdefault(at, _Part(_UNNAMED)).rounds.append([pieces, 0])
            self._step = max(self._step, next((i for i, step in enumerate(self.steps) if at in step), 0))

    def performed(self, entry: Entry) -> None:
        """One piece is done."""
        with self._lock:
            part = self._parts.setdefault((entry.stage, entry.language), _Part(_UNNAMED, [[1, 0]]))
            before = part.share(entry.stage)
            open_round = next((each for each in part.rounds if each[1] < each[0]), None)
            if open_round is not None:
                open_round[1] += 1
            if not entry.hit:
                self._computed += part.weight * max(0.0, part.share(entry.stage) - before)

    def finished(self) -> None:
        """All of the run is done."""
        with self._lock:
            self._finished = True

    def standing(self) -> Standing:
        """Where the run is now."""
        with self._lock:
            done, total = self._done(), self._total()
            self._highest = 1.0 if self._finished else max(self._highest, done / total)
            left_s = None
            if self._began_s is not None and self._computed >= _TOLD_ENOUGH * total:
                # What came out of the cache took no time, so it says nothing of the pace.
                left_s = (1.0 - self._highest) * total * (self.clock() - self._began_s) / self._computed
            working = tuple(at for at, part in self._parts.items() if part.busy())
            return Standing(share=self._highest, working=working, left_s=left_s)

    def _done(self) -> float:
        # A step whose successor has begun is done, whatever of it was never needed: faces, where there are none.
        behind = {at for step in self.steps[: self._step] for at in step}
        return sum(
            part.weight * (1.0 if at in behind and not part.busy() else part.share(at[0]))
            for at, part in self._parts.items()
        )

    def _total(self) -> float:
        return sum(part.weight for part in self._parts.values()) + self.after
