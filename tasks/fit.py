"""Fitting speech to the lecture's clock: where each clip starts and how fast it is spoken.

This is the seam that a better timing will replace: `place` takes what is to be said and when, and gives placements; it
knows neither audio nor pictures. Levers, in this order: the slack up to the next utterance, a little lead before the
utterance, then the rate. What still does not fit pushes its neighbours, is recorded as overrun, and is never cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from manifests.records import Placement
from manifests.time import Flicks, Span, flicks


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """Rates (1 is the voice's own) and margins. `gap_s` is kept between utterances, `lead_s` how early one may start.

    Past `fastest` speech is hurried only where it would outlast the lecture itself.
    """

    slowest: float = 0.92
    fastest: float = 1.25
    gap_s: float = 0.08
    lead_s: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPlace:
    """A clip of natural length `duration` that says what was said in `span`; it may not start before `earliest`."""

    clip_id: str
    utterance_id: str
    span: Span
    duration: Flicks
    earliest: Flicks


def place(clips: Sequence[ToPlace], within: Span, settings: FitSettings) -> list[Placement]:
    """Placements of `clips` (ordered by their spans), disjoint, in the same order, inside `within`.

    `overrun` is by how much a placement ends after the start of the next utterance (less the gap), or, for speech
    hurried past `fastest`, how much longer it would have been at that rate.
    """
    if not clips:
        return []
    spans: list[Span] = []
    lead = flicks(settings.lead_s)
    gaps = _gaps_after(clips, flicks(settings.gap_s))
    limits = [min(following.span.start - gap, within.end) for following, gap in zip(clips[1:], gaps, strict=False)]
    limits.append(within.end)
    free_from = within.start
    for clip, gap, limit in zip(clips, gaps, limits, strict=False):
        start = max(clip.span.start, free_from)
        room = max(limit - start, 0)
        if clip.duration > room:
            # Lead only where slack alone does not do, and no more of it than is missing.
            earliest = max(clip.earliest, free_from, clip.span.start - lead)
            start = min(start, max(earliest, start - (clip.duration - room)))
            room = max(limit - start, 0)
        shortest, longest = clip.duration / settings.fastest, clip.duration / settings.slowest
        wanted = clip.span.end - start if clip.duration <= clip.span.end - start else min(clip.duration, room)
        spans.append(Span(start, start + round(min(max(wanted, shortest), longest))))
        free_from = spans[-1].end + gap
    spans = _pull_back(spans, [round(clip.duration / settings.fastest) for clip in clips], within, gaps)
    return [
        Placement(
            clip_id=clip.clip_id,
            utterance_id=clip.utterance_id,
            span=span,
            rate=clip.duration / span.duration,
            overrun=max(0, span.end - limit, round(clip.duration / settings.fastest) - span.duration),
        )
        for clip, span, limit in zip(clips, spans, limits, strict=True)
    ]


def _gaps_after(clips: Sequence[ToPlace], gap: Flicks) -> list[Flicks]:
    """The silence to keep after each clip: as short as the speaker's own, where that was shorter than `gap`."""
    own = [max(after.span.start - before.span.end, 0) for before, after in pairwise(clips)]
    return [*(min(gap, each) for each in own), 0]


def _pull_back(spans: Sequence[Span], shortest: Sequence[Flicks], within: Span, gaps: Sequence[Flicks]) -> list[Span]:
    """Move spans earlier, from the last backwards, until all end inside; squeeze evenly what even then does not fit."""
    pulled: list[Span] = []
    end = within.end
    for index in reversed(range(len(spans))):
        pulled.append(spans[index].shift(min(0, end - spans[index].end)))
        end = pulled[-1].start - (gaps[index - 1] if index else 0)
    pulled.reverse()
    if not pulled or pulled[0].start >= within.start:
        return pulled
    # More speech than lecture at these rates: all of it is hurried alike, and gaps are given up.
    lengths = list(shortest)
    if sum(lengths) > within.duration:
        lengths = [max(1, length * within.duration // sum(shortest)) for length in shortest]
    at, squeezed = within.start, []
    for length in lengths:
        squeezed.append(Span(at, at + length))
        at += length
    return squeezed
