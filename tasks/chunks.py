"""The plan of chunks, which reconciles shots with speech.

Two cuttings of one timeline meet by span: pictures want shots, speech wants sentences. A chunk ends at a shot cut that
falls in a pause of the speech, else in the middle of a long pause, so that each can be worked on by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from manifests.keys import child_id
from manifests.records import Chunk, Shot, Video
from manifests.time import Flicks, Span, flicks, gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSettings:
    """How long chunks are. `min_pause_s`: a shorter silence is no place to end one."""

    target_s: float = 25.0
    max_s: float = 45.0
    min_pause_s: float = 0.25


def plan_chunks(video: Video, shots: Sequence[Shot], speech: Sequence[Span], settings: ChunkSettings) -> list[Chunk]:
    """Cut the lecture into chunks that cover it without a gap or an overlap.

    Each border is chosen as the best candidate between a half and the whole of the way from `target_s` to `max_s`:
    a shot cut in a pause, else the middle of the longest pause, else a shot cut; where there is none of these, speech
    is cut at `max_s`. The nearer to the target, the better among equals.
    """
    candidates = _border_candidates(video.span, shots, speech, flicks(settings.min_pause_s))
    target, longest = flicks(settings.target_s), flicks(settings.max_s)
    borders = [video.span.start]
    while video.span.end - borders[-1] > longest:
        start = borders[-1]
        window = Span(start + target // 2, start + longest)
        inside = [c for c in candidates if c.time in window]
        if inside:
            best = max(inside, key=lambda c: (c.rank, c.pause, -abs(c.time - (start + target))))
            borders.append(best.time)
        else:
            borders.append(start + longest)
    # One more cut where the rest is longer than a chunk should be and a good place offers itself.
    start = borders[-1]
    rest = Span(start + target // 2, max(start + target // 2, video.span.end - target // 4))
    inside = [c for c in candidates if c.time in rest and c.rank > 0]
    if video.span.end - start > target and inside:
        borders.append(max(inside, key=lambda c: (c.rank, -abs(c.time - (start + target)))).time)
    borders.append(video.span.end)
    return [
        Chunk(id=child_id(video.id, "chunk", index), video_id=video.id, index=index, span=Span(a, b))
        for index, (a, b) in enumerate(pairwise(borders))
    ]


@dataclass(frozen=True, slots=True)
class _Border:
    time: Flicks
    rank: int
    pause: Flicks


def _border_candidates(span: Span, shots: Sequence[Shot], speech: Sequence[Span], min_pause: Flicks) -> list[_Border]:
    pauses = [pause for pause in gaps(speech, span) if pause.duration >= min_pause]
    starts = [pause.start for pause in pauses]
    borders = []
    for cut in (shot.span.start for shot in shots if shot.index > 0):
        at = bisect_left(starts, cut + 1) - 1
        # Cuts are often a frame or two off the breath they stand for; a pause this near still counts.
        pause = next((p for p in pauses[max(at, 0) : at + 2] if cut in p.widen(flicks(0.08))), None)
        borders.append(_Border(cut, 2 if pause else 0, pause.duration if pause else 0))
    middles = [
        _Border((p.start + p.end) // 2, 1, p.duration) for p in pauses if p.start > span.start and p.end < span.end
    ]
    return sorted([*borders, *middles], key=lambda border: border.time)


def within(spans: Sequence[Span], window: Span) -> tuple[Span, ...]:
    """The parts of `spans` that lie in `window`."""
    parts = (span.intersection(window) for span in spans)
    return tuple(part for part in parts if part is not None)


def cuts_within(shots: Sequence[Shot], window: Span) -> tuple[Flicks, ...]:
    """The times strictly inside `window` at which a shot begins."""
    return tuple(shot.span.start for shot in shots if window.start < shot.span.start < window.end)
