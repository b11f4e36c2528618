"""How well a dub keeps to its source: rates, overlap with the source's speech, what stays unfilled, drift. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from manifests.clock import HeldClock
from manifests.records import Placement
from manifests.time import Flicks, Span, flicks, gaps, merge
from tasks.timing import TimingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingMeasures:
    """How well a dub keeps to its source. Shares are 0..1.

    `within` is the share of utterances spoken at `slowest`..`fastest`. `overlap` is the share of the dubbed speech
    that is heard while the source speaks, |dub and source| / |dub|; what is spoken while the picture is held has no
    source. `unfilled` is the share of the source's speech during which the dub is silent, |source less dub| / |source|.
    `overruns` counts utterances that did not fit, `held` is by how much the dub is longer. `latest` is the longest that
    an utterance starts after the source says it. `drift_frames` is what of this is left at the end: the least lag of
    the utterances of the last minute, in frames, since a lag that a pause gives back is no drift.
    """

    utterances: int
    within: float
    overlap: float
    unfilled: float
    overruns: int
    held: Flicks
    latest: Flicks
    drift_frames: int


def timing_measures(
    placements: Sequence[Placement],
    said: Mapping[str, Span],
    speech: Iterable[Span],
    clock: HeldClock,
    *,
    frame: Flicks,
    settings: TimingSettings,
) -> TimingMeasures:
    """The measures of `placements`, which are on the dub's clock, `clock`.

    `said` maps utterances to their spans, `speech` is where the source speaks, both on the source's clock.
    """
    dub = merge(placement.span for placement in placements)
    source = _less(merge(clock.dub_span(span) for span in speech if span.duration), clock.held_spans())
    shared = _common(dub, source)
    spoken, heard = _total(dub), _total(source)
    lags = [(each.span.start, each.span.start - clock.dub_time(said[each.utterance_id].start)) for each in placements]
    tail = max((start for start, _ in lags), default=0) - flicks(60)
    slowest, fastest = settings.slowest - 1e-6, settings.fastest + 1e-6
    return TimingMeasures(
        utterances=len(placements),
        within=sum(slowest <= each.rate <= fastest for each in placements) / max(len(placements), 1),
        overlap=shared / spoken if spoken else 1.0,
        unfilled=1 - shared / heard if heard else 0.0,
        overruns=sum(each.overrun > 0 for each in placements),
        held=clock.held,
        latest=max((lag for _, lag in lags), default=0),
        drift_frames=min((abs(lag) for start, lag in lags if start >= tail), default=0) // frame,
    )


def _total(spans: Iterable[Span]) -> Flicks:
    return sum(span.duration for span in spans)


def _common(some: Sequence[Span], others: Sequence[Span]) -> Flicks:
    """How long two rows of sorted, disjoint spans share."""
    shared, at = 0, 0
    for span in some:
        while at < len(others) and others[at].end <= span.start:
            at += 1
        for other in others[at:]:
            if other.start >= span.end:
                break
            shared += min(span.end, other.end) - max(span.start, other.start)
    return shared


def _less(spans: Sequence[Span], taken: Sequence[Span]) -> tuple[Span, ...]:
    """`spans` (sorted, disjoint) without `taken`."""
    return tuple(part for span in spans for part in gaps((t for t in taken if t.overlaps(span)), span))
