"""The clock of a dub: the source's clock, held where a picture without a face waits for the speech to end.

While a hold lasts the picture stands still and the sound goes on, so every moment of the source has one moment of the
dub, and the moments inside a hold have none of the source. Times are exact (`manifests.time`), so holds add up
without drift.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from manifests.time import Flicks, Span


@dataclass(frozen=True, slots=True, order=True)
class Hold:
    """The picture waits for `duration` before it shows the frame of `at` (a frame's start, on the source's clock)."""

    at: Flicks
    duration: Flicks

    def __post_init__(self) -> None:
        if self.duration <= 0:
            raise ValueError(f"a hold lasts some time, not {self.duration}")


@dataclass(frozen=True, slots=True)
class HeldClock:
    """Maps the source's clock to the dub's. `holds` are in order, no two at one moment."""

    holds: tuple[Hold, ...] = ()

    def __post_init__(self) -> None:
        starts = [hold.at for hold in self.holds]
        if starts != sorted(set(starts)):
            raise ValueError("holds stand in order, one at a moment")

    @classmethod
    def of(cls, holds: Iterable[Hold]) -> HeldClock:
        """The clock with all of `holds`, in any order; those at one moment add up."""
        total: dict[Flicks, Flicks] = {}
        for hold in holds:
            total[hold.at] = total.get(hold.at, 0) + hold.duration
        return cls(tuple(Hold(at, total[at]) for at in sorted(total)))

    @property
    def held(self) -> Flicks:
        """How much longer the dub is than the source."""
        return sum(hold.duration for hold in self.holds)

    def dub_time(self, time: Flicks) -> Flicks:
        """When the frame of `time` is first shown: behind a hold at that very moment."""
        return time + self._before(bisect_right([hold.at for hold in self.holds], time))

    def dub_span(self, span: Span) -> Span:
        """Where what the source shows in `span` is shown: without a hold at its start, with none at its end."""
        if span.start == span.end:
            start = self.dub_time(span.start)
            return Span(start, start)
        return Span(
            self.dub_time(span.start), span.end + self._before(bisect_left([hold.at for hold in self.holds], span.end))
        )

    def source_time(self, time: Flicks) -> Flicks:
        """The source's moment that is shown at `time` of the dub; inside a hold, the moment at which it stands."""
        gone = 0
        for hold in self.holds:
            if time < hold.at + gone:
                break
            if time < hold.at + gone + hold.duration:
                return hold.at
            gone += hold.duration
        return time - gone

    def held_spans(self) -> tuple[Span, ...]:
        """When the picture stands, on the dub's clock."""
        gone = accumulate((hold.duration for hold in self.holds), initial=0)
        return tuple(
            Span(hold.at + before, hold.at + before + hold.duration)
            for hold, before in zip(self.holds, gone, strict=False)
        )

    def within(self, span: Span) -> HeldClock:
        """The holds inside `span` of the source's clock alone."""
        return HeldClock(tuple(hold for hold in self.holds if hold.at in span))

    def _before(self, count: int) -> Flicks:
        return sum(hold.duration for hold in self.holds[:count])
