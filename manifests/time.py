"""Exact time on a video's clock.

The unit is the *flick*, 1/705,600,000 of a second (Horvath, 2018): the smallest unit in which one frame at
24, 25, 30, 48, 50, 60, 90, 100 and 120 frames/s, the same rates over 1.001, and one sample at every usual
sampling rate (8 to 192 kHz, the 44.1 kHz family included) are whole numbers. Times are `int`, so sums do not
drift; seconds as `float` exist only at the edge, for people and for libraries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Self, TypeAlias

Flicks: TypeAlias = int
"""A moment or a length of time, in flicks."""

FLICKS_PER_SECOND: Flicks = 705_600_000


def flicks(seconds: float | Fraction) -> Flicks:
    """The nearest whole number of flicks to `seconds`; a `float` or an exact `Fraction`."""
    return round(Fraction(seconds) * FLICKS_PER_SECOND)


def seconds(time: Flicks) -> float:
    """`time` in seconds, for display and for libraries that want a float."""
    return time / FLICKS_PER_SECOND


def sample_index(time: Flicks, sample_rate: int) -> int:
    """The index of the sample nearest to `time` at `sample_rate` Hz (halves go up)."""
    return (2 * time * sample_rate + FLICKS_PER_SECOND) // (2 * FLICKS_PER_SECOND)


def samples_duration(count: int, sample_rate: int) -> Flicks:
    """How long `count` samples at `sample_rate` Hz last."""
    whole, rest = divmod(count * FLICKS_PER_SECOND, sample_rate)
    return flicks(Fraction(count, sample_rate)) if rest else whole  # of the usual rates, all are whole


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open stretch of time `[start, end)` on one clock, in flicks. Never negative in length."""

    start: Flicks
    end: Flicks

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a span cannot end ({self.end}) before it starts ({self.start})")

    @classmethod
    def of_seconds(cls, start: float | Fraction, end: float | Fraction) -> Self:
        """The span from `start` to `end`, both in seconds."""
        return cls(flicks(start), flicks(end))

    @classmethod
    def hull(cls, spans: Iterable[Span]) -> Self:
        """The smallest span that holds all of `spans`; ValueError where there are none."""
        held = list(spans)
        return cls(min(span.start for span in held), max(span.end for span in held))

    @property
    def duration(self) -> Flicks:
        """Length in flicks."""
        return self.end - self.start

    @property
    def start_s(self) -> float:
        """Start in seconds."""
        return seconds(self.start)

    @property
    def end_s(self) -> float:
        """End in seconds."""
        return seconds(self.end)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return seconds(self.duration)

    def __contains__(self, time: Flicks) -> bool:
        """Whether `time` falls inside, the end excluded."""
        return self.start <= time < self.end

    def shift(self, by: Flicks) -> Span:
        """The same length, `by` flicks later (earlier where negative)."""
        return Span(self.start + by, self.end + by)

    def stretch_to(self, duration: Flicks) -> Span:
        """The same start with another length."""
        return Span(self.start, self.start + duration)

    def widen(self, margin: Flicks) -> Span:
        """`margin` more on either side; a negative margin narrows, at most to the middle."""
        middle = (self.start + self.end) // 2
        return Span(min(self.start - margin, middle), max(self.end + margin, middle))

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a stretch of time; touching ends do not count."""
        return self.start < other.end and other.start < self.end

    def intersection(self, other: Span) -> Span | None:
        """What the two share, None where they do not overlap."""
        return Span(max(self.start, other.start), min(self.end, other.end)) if self.overlaps(other) else None

    def samples(self, sample_rate: int) -> tuple[int, int]:
        """First sample and the one after the last at `sample_rate` Hz, on this span's clock."""
        return sample_index(self.start, sample_rate), sample_index(self.end, sample_rate)


def merge(spans: Iterable[Span], *, gap: Flicks = 0) -> tuple[Span, ...]:
    """Sorted, disjoint spans that cover what `spans` cover; neighbours at most `gap` apart become one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start - merged[-1].end <= gap:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def gaps(spans: Iterable[Span], within: Span) -> tuple[Span, ...]:
    """The stretches of `within` that none of `spans` covers, in order, none empty."""
    free: list[Span] = []
    at = within.start
    for span in merge(spans):
        if at < span.start and at < within.end:
            free.append(Span(at, min(span.start, within.end)))
        at = max(at, span.end)
    if at < within.end:
        free.append(Span(at, within.end))
    return tuple(free)
