"""Telling of a run as it goes on: a listener to its journal that writes progress into the project's events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from studio import events
from studio.records import Progress
from tasks.journal import Entry
from tasks.progress import At, Meter
from tasks.stage_names import said

_LEAST_BETWEEN_S = 0.5

PHASES: tuple[tuple[str, str, frozenset[str]], ...] = (
    (
        "listen",
        "Listening",
        frozenset({"speech", "identify", "listen", "voice_samples", "background", "reference", "sound"}),
    ),
    (
        "look",
        "Looking at faces",
        frozenset({"shots", "faces", "meshes", "speaking", "library", "appearances", "prepare", "cut"}),
    ),
    ("translate", "Translating", frozenset({"translate"})),
    ("speak", "Speaking", frozenset({"speak", "mix", "voice"})),
    ("lips", "Moving lips", frozenset({"lips", "render"})),
    (
        "finish",
        "Finishing and checking",
        frozenset({"assemble", "sign", "burn", "heard_back", "levels", "real_lips", "dubbed_lips", "assemble_many"}),
    ),
)
"""What the page draws: the parts of a run, in the order in which they come to their ends, and their stages."""


def talk_plan(language: str, *, speaks: bool) -> tuple[dict[At, float], ...]:
    """What making a face speak is expected to do, as `tasks.progress.plan_of` has it for dubs: seconds, roughly."""
    said: dict[At, float] = {("speak", language): 12.0, ("mix", language): 0.5} if speaks else {("sound", None): 0.5}
    return (
        said | {("voice", language): 1.0},
        {("prepare", None): 3.0},
        {("shots", None): 1.0, ("cut", None): 0.2, ("faces", None): 3.0},
        {("meshes", None): 3.0, ("library", None): 4.0},
        {("lips", language): 4.0},
        {("render", language): 12.0},
        {("assemble", language): 0.5, ("sign", language): 0.2},
    )


@dataclass(slots=True)
class Teller:
    """A `tasks.journal.Listener`. `on_piece` is told each piece too, `on_first` once, in the flow's own thread.

    Progress is written where it moved, twice a second at most; what was held back is written a moment later.
    """

    folder: Path
    meter: Meter
    total_s: float
    on_first: Callable[[], None] = lambda: None
    on_piece: Callable[[Entry], None] = lambda _: None
    _counts: dict[At, list[int]] = field(default_factory=dict)
    _told_s: float = 0.0
    _latest: At = ("", None)
    _later: threading.Timer | None = None
    _first: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """`pieces` more of `stage` were handed over."""
        if self._first:
            self._first = False
            self.on_first()
        self.meter.began(stage, pieces, language)
        with self._lock:
            self._counts.setdefault((stage, language), [0, 0])[1] += pieces
        self._tell(stage, language)

    def performed(self, entry: Entry) -> None:
        """One piece is done."""
        self.meter.performed(entry)
        with self._lock:
            self._counts.setdefault((entry.stage, entry.language), [0, 1])[0] += 1
        self.on_piece(entry)
        self._tell(entry.stage, entry.language)

    def _tell(self, stage: str, language: str | None) -> None:
        with self._lock:
            self._latest = stage, language
            if self._later is not None:
                return
            wait_s = self._told_s + _LEAST_BETWEEN_S - time.monotonic()
            if wait_s > 0:
                self._later = threading.Timer(wait_s, self._write)
                self._later.daemon = True
                self._later.start()
                return
        self._write()

    def _write(self) -> None:
        with self._lock:
            self._later, self._told_s = None, time.monotonic()
            events.append(self.folder, "progress", asdict(self._progress(*self._latest)))

    def _progress(self, stage: str, language: str | None) -> Progress:
        standing = self.meter.standing()
        # Of the stages at work the one that came last is what people want to read.
        at = standing.working[-1] if standing.working else (stage, language)
        done, of = self._counts.get(at, [0, 0])
        left_s = standing.left_s if standing.left_s is not None else (1 - standing.share) * self.total_s
        return Progress(
            fraction=round(min(standing.share, 0.99), 4),
            stage=at[0],
            label=said(at[0]).capitalize(),
            done=done,
            of=of,
            language=at[1],
            eta_s=round(left_s, 1),
            stages=tuple(self._stages()),
        )

    def _stages(self) -> Sequence[dict[str, Any]]:
        """The phases that this run has, and how each stands."""
        planned = {stage for step in self.meter.steps for stage, _ in step}
        begun = {stage for stage, _ in self._counts}
        latest = max((index for index, each in enumerate(PHASES) if each[2] & begun), default=-1)
        found = []
        for index, (id_, label, stages) in enumerate(PHASES):
            counts = [each for (stage, _), each in self._counts.items() if stage in stages]
            done, of = sum(each[0] for each in counts), sum(each[1] for each in counts)
            if not of and not stages & planned:
                continue
            # The first two go side by side. What one that was left behind never began was not needed: faces of nobody.
            behind = latest > max(index, 1)
            whole = done >= of and (behind or stages & planned <= begun)
            state = "waiting" if not of else "done" if whole else "running"
            found.append({"id": id_, "label": label, "state": state, "done": done, "of": of})
        return found
