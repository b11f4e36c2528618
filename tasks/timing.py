"""Fitting translated speech to the lecture: what is spoken, when and how fast, and where the picture waits.

A chunk is solved as a whole, by dynamic programming over its lines. Between two lines all that matters is how late the
second may start, so the states are start lags on a grid, and a step chooses a start, a length (which stands for the
best pair of reading and rate that gives it) and a hold. The levers in the order in which the costs prefer them: the
reading, the slack around the utterance, the rate up to `fastest`, a hold, the rate up to `cap`; what then still does
not fit is overrun, never cut off. Costs are numbers without a unit: 1 is what speaking a line at `fastest` costs.

A plan depends on its own chunk and on what the chunk before ran over (`carry`, 0 unless nothing helped), so an edit
in one chunk leaves the plans of all others as they are. Nothing here knows audio or pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from manifests.clock import Hold
from manifests.records import Hypothesis
from manifests.time import Flicks, Span, flicks, seconds

Costs = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

STEP: Flicks = flicks(0.01)
"""The grid of starts and lengths; coarser by whole multiples where a chunk is far too full."""

RATE_STEP = 0.05
"""Of rates that engines are asked for; at most half as much is left to a stretch."""

_MOST_STATES = 600
_HOLD_STEP_S = 0.04
_OVERRUN, _OVERRUN_PER_S = 100.0, 1000.0
"""Above all that the other levers of a line can cost together, so that overrun comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingSettings:
    """Bounds, in seconds and in rates (1 is the voice's own), and the costs that weigh the levers against each other.

    Rates never leave `slowest`..`cap`; above `fastest` only where nothing gentler helps. `gap_s` is kept between
    utterances (less where the speaker kept less). An utterance starts at most `max_lead_s` before and, as long as it
    fits, at most `max_lag_s` after the source says it. The picture waits at most `max_hold_s` for one line.
    Readings that lose more than `max_loss` are not spoken.

    Costs: `slow` of a line at `slowest`, `hurry` of one beyond `fastest`, `touched` of any rate but 1, `loss` of a unit
    of meaning, `hold` of any hold; per second `air` (of the source's speech left unfilled at the line's end), `slack`
    (spoken after the source's end), `lead`, `lag` and `held`.
    """

    slowest: float = 0.85
    fastest: float = 1.20
    cap: float = 1.30
    gap_s: float = 0.08
    max_lead_s: float = 0.25
    max_lag_s: float = 1.0
    max_hold_s: float = 2.0
    max_loss: float = 0.15
    slow: float = 0.3
    hurry: float = 6.0
    touched: float = 0.05
    loss: float = 20.0
    air: float = 3.0
    slack: float = 1.0
    lead: float = 4.0
    lag: float = 3.0
    hold: float = 1.5
    held: float = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A candidate of a line.

    `index` is its place among the hypotheses, `duration` how long the voice takes for it at its own rate (spoken or
    predicted, above 0), `meaning` how much it loses against the best (0 for the best).
    """

    index: int
    duration: Flicks
    meaning: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An utterance to be timed. `span` is when the source says it; all times are on the source's clock.

    It may not start before `earliest`, when the shot begins that shows what it speaks of. `pinned` is where a person
    wants it: it starts there exactly and lasts as long as far as `slowest` and `cap` let it.
    """

    utterance_id: str
    span: Span
    earliest: Flicks
    readings: tuple[Reading, ...]
    pinned: Span | None = None

    def __post_init__(self) -> None:
        if not self.readings or any(reading.duration <= 0 for reading in self.readings):
            raise ValueError(f"{self.utterance_id}: a line has readings, and each of them lasts some time")

    @property
    def origin(self) -> Flicks:
        """Where the line wants to start."""
        return self.pinned.start if self.pinned else self.span.start


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkToTime:
    """The lines of a chunk, in any order, on the source's clock.

    `still`: where the picture shows no face and may wait; holds stand at multiples of `frame` and last whole frames.
    `until`: how late the chunk's speech may end, which is the start of the next utterance after the chunk, in whichever
    chunk that is, less the gap, or the lecture's end.
    """

    span: Span
    lines: tuple[Line, ...]
    still: tuple[Span, ...]
    frame: Flicks
    until: Flicks


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLine:
    """A line in its place. `span` is on the chunk's own clock: the source's with the holds of this chunk alone.

    `reading` is the `Reading.index` that is spoken. `overrun` is by how much it ends after the last moment that leaves
    the next line at most `max_lag_s` late (a pin and the chunk's end: at no lag), or after the end of its own pin.
    `lead` and `slack` are how much it starts before and ends after the source; `held` how long the picture waits.
    """

    utterance_id: str
    reading: int
    span: Span
    rate: float
    overrun: Flicks
    lead: Flicks
    slack: Flicks
    held: Flicks


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkTiming:
    """The lines in the order in which they are heard, the holds (source's clock), and by how much it all runs over.

    `carry` is what the next chunk's first line waits for; 0 in all but hopeless cases.
    """

    lines: tuple[TimedLine, ...]
    holds: tuple[Hold, ...]
    carry: Flicks

    @property
    def held(self) -> Flicks:
        """How much longer than its source the chunk is."""
        return sum(hold.duration for hold in self.holds)


def meaning_loss(hypotheses: Sequence[Hypothesis]) -> tuple[float, ...]:
    """How much less sure the translator is of each hypothesis than of its best, in log probability a token."""
    best = max((each.score for each in hypotheses), default=0.0)
    return tuple(best - each.score for each in hypotheses)


def plan_timing(chunk: ChunkToTime, settings: TimingSettings, carry: Flicks = 0) -> ChunkTiming:
    """The cheapest plan of `chunk`. Deterministic; lines keep the order of their pins and spans, and stay apart.

    `carry`: by how much the chunk before ended after its `until`. The first line never leads, since the chunk before
    may speak up to there. Where lines cannot but run into a pin, they do, and it is their overrun.
    """
    if not chunk.lines:
        return ChunkTiming(lines=(), holds=(), carry=max(carry, 0))
    nodes = _nodes(chunk, settings, max(carry, 0))
    return _exact(nodes, _cheapest(nodes, settings), chunk, settings, max(carry, 0))


def rate_to_speak(rate: float) -> float:
    """The rate to ask an engine for: `rate` to the nearest `RATE_STEP`; the rest is left to the stretch.

    An edited line moves its neighbours' rates a little now and then. So rounded, they seldom have to be spoken again.
    """
    return round(round(rate / RATE_STEP) * RATE_STEP, 2)


def on_the_dubs_clock(timings: Sequence[ChunkTiming]) -> tuple[tuple[TimedLine, ...], ...]:
    """The lines of all chunks, chunk by chunk, moved from their chunks' clocks to the dub's: by the holds before."""
    moved, held = [], 0
    for timing in timings:
        moved.append(tuple(replace(line, span=line.span.shift(held)) for line in timing.lines))
        held += timing.held
    return tuple(moved)


@dataclass(frozen=True, slots=True)
class _Node:
    """A line on the grid. Starts and ends are counted in `step`s from the line's origin.

    `first`..`last` are the starts that it may have. `lengths[k]` is the cost of lasting `shortest + k` steps, with the
    reading `chosen[k]` that costs it. `gap` is kept after it, `limit` is how late it may end (from its origin, before
    holds), `hold_at` where the picture can wait for it.
    """

    line: Line
    step: Flicks
    first: int
    last: int
    shortest: int
    lengths: Costs
    chosen: Indices
    gap: Flicks
    limit: Flicks
    to_next: Flicks
    hold_at: Flicks | None
    hold_unit: Flicks

    def shift(self, held: Flicks) -> int:
        """What turns an end of this line into the first start of the next, when the picture waits `held` between."""
        return -((self.to_next + held - self.gap) // self.step)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a line was given: start and length in steps, reading by its place in the line, hold."""

    start: int
    length: int
    reading: int
    held: Flicks


def _nodes(chunk: ChunkToTime, settings: TimingSettings, carry: Flicks) -> list[_Node]:
    lines = sorted(chunk.lines, key=lambda line: (line.origin, line.span))
    step = STEP
    while True:
        nodes = _on_grid(lines, chunk, settings, carry, step)
        states = max(node.last - node.first for node in nodes)
        if states <= _MOST_STATES:
            return nodes
        step *= -(-states // _MOST_STATES)


def _on_grid(
    lines: Sequence[Line], chunk: ChunkToTime, settings: TimingSettings, carry: Flicks, step: Flicks
) -> list[_Node]:
    lag_room = flicks(settings.max_lag_s)
    allowed_lead = _leads(lines, settings)
    nodes: list[_Node] = []
    soonest = 0
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        origin = line.origin
        if following is None:
            gap, limit, to_next = 0, chunk.until - origin, chunk.until - origin
        else:
            gap = min(flicks(settings.gap_s), max(following.span.start - line.span.end, 0))
            to_next = following.origin - origin
            limit = to_next - gap + (0 if following.pinned else lag_room)
        if line.pinned:
            first = last = soonest = 0
            shortest, lengths, chosen = _pinned_length(line, line.pinned, settings, step)
        else:
            lead = carry if index == 0 else -allowed_lead[index]
            first = -(-max(lead, line.earliest - origin) // step)
            soonest = max(soonest, first)
            last = max(soonest, 0) + lag_room // step
            shortest, lengths, chosen = _lengths(line, settings, step)
        unit = chunk.frame * max(1, -(-flicks(_HOLD_STEP_S) // chunk.frame))
        node = _Node(
            line=line,
            step=step,
            first=first,
            last=last,
            shortest=shortest,
            lengths=lengths,
            chosen=chosen,
            gap=gap,
            limit=limit,
            to_next=to_next,
            hold_at=None if line.pinned else _hold_at(line, following, chunk),
            hold_unit=unit,
        )
        nodes.append(node)
        soonest += shortest + node.shift(0)
    return nodes


def _leads(lines: Sequence[Line], settings: TimingSettings) -> list[Flicks]:
    """How much each line may lead: a line before a pin that was moved ahead, by as much more."""
    leads: list[Flicks] = []
    moved: Flicks = 0
    for line in reversed(lines):
        if line.pinned:
            moved = max(0, line.span.start - line.pinned.start)
        leads.append(flicks(settings.max_lead_s) + moved)
    leads.reverse()
    return leads


def _bounds(duration: Flicks, settings: TimingSettings) -> tuple[Flicks, Flicks]:
    """The shortest and longest that a reading of natural `duration` may last."""
    shortest = min(-(-duration // settings.cap), duration)
    return int(shortest), max(int(duration / settings.slowest), duration)


def _rate_costs(rates: Costs, settings: TimingSettings) -> Costs:
    fast = (rates - 1) / (settings.fastest - 1)
    slow = (1 - rates) / (1 - settings.slowest)
    costs: Costs = settings.touched + np.where(fast > 0, np.square(fast), settings.slow * np.square(slow))
    return costs + settings.hurry * (rates > settings.fastest)


def _spoken(line: Line, settings: TimingSettings) -> list[int]:
    """The places of the readings that may be spoken: those that lose little, and the best."""
    best = min(reading.meaning for reading in line.readings)
    most = max(best, settings.max_loss)
    return [place for place, reading in enumerate(line.readings) if reading.meaning <= most]


def _lengths(line: Line, settings: TimingSettings, step: Flicks) -> tuple[int, Costs, Indices]:
    """The least steps that a line may last, and for these and each more their cost and reading."""
    usable = _spoken(line, settings)
    bounds = [_bounds(line.readings[place].duration, settings) for place in usable]
    low = min(-(-shortest // step) for shortest, _ in bounds)
    high = max(max(longest // step, -(-shortest // step)) for shortest, longest in bounds)
    costs = np.full(high - low + 1, np.inf)
    chosen = np.full(high - low + 1, -1, np.int64)
    for place, (shortest, longest) in zip(usable, bounds, strict=True):
        reading = line.readings[place]
        least = -(-shortest // step)
        most = max(longest // step, least)
        lengths = np.arange(least, most + 1, dtype=np.float64) * step
        of_rate = _rate_costs(np.minimum(reading.duration / lengths, settings.cap), settings)
        natural = -(-reading.duration // step)
        if least <= natural <= most:
            of_rate[natural - least] = 0.0  # `_exact` then speaks it at its own rate
        cost = of_rate + settings.loss * reading.meaning
        window = slice(least - low, most - low + 1)
        better = cost < costs[window]
        costs[window][better] = cost[better]
        chosen[window][better] = place
    return low, costs, chosen


def _pinned_length(line: Line, pinned: Span, settings: TimingSettings, step: Flicks) -> tuple[int, Costs, Indices]:
    """The one length of a pinned line, and its reading: the cheapest that fills the pin and no more."""

    def cost(place: int) -> float:
        reading = line.readings[place]
        length = _pinned_duration(reading, pinned, settings)
        of_rate = float(_rate_costs(np.array([reading.duration / length]), settings)[0])
        off = seconds(max(length - pinned.duration, 0)) * _OVERRUN_PER_S + seconds(max(pinned.duration - length, 0))
        return off + of_rate + settings.loss * reading.meaning

    place = min(_spoken(line, settings), key=cost)
    length = _pinned_duration(line.readings[place], pinned, settings)
    return -(-length // step), np.zeros(1), np.array([place], np.int64)


def _pinned_duration(reading: Reading, pinned: Span, settings: TimingSettings) -> Flicks:
    shortest, longest = _bounds(reading.duration, settings)
    return min(max(pinned.duration, shortest), longest)


def _hold_at(line: Line, following: Line | None, chunk: ChunkToTime) -> Flicks | None:
    """The last frame, after the line's own start and no later than the next one's, before which the picture may wait.

    Both the frame that waits and the one before it are still, so neither clock shows a face that stands.
    """
    after = max(line.origin, chunk.span.start)
    end = chunk.span.end - 1 if following is None else min(following.origin, chunk.span.end - 1)
    best: Flicks | None = None
    for still in chunk.still:
        at = min(end, still.end - chunk.frame) // chunk.frame * chunk.frame
        if at > after and at - chunk.frame >= still.start and (best is None or at > best):
            best = at
    return best


def _holds(node: _Node, latest: Flicks, settings: TimingSettings) -> range:
    """The holds worth a try: none, and those of whole frames up to what the `latest` end needs to make nothing late."""
    if node.hold_at is None:
        return range(1)
    most = min(flicks(settings.max_hold_s), max(latest - (node.to_next - node.gap), 0) + node.hold_unit - 1)
    return range(0, most + 1, node.hold_unit)


def _cheapest(nodes: Sequence[_Node], settings: TimingSettings) -> list[_Choice]:
    """The choices of the cheapest plan, found forwards and read backwards."""
    tables: list[_Table] = []
    ready = np.zeros(1)
    for index, node in enumerate(nodes):
        following = nodes[index + 1] if index + 1 < len(nodes) else None
        table = _table(node, following, ready, settings)
        tables.append(table)
        ready = table.ready
    choices: list[_Choice] = []
    state = 0
    for node, table in zip(reversed(nodes), reversed(tables), strict=True):
        end, held = int(table.end[state]), int(table.held[state])
        start = int(table.start[end])
        length = end - start
        choices.append(
            _Choice(
                start=start + node.first,
                length=length + node.shortest,
                reading=int(node.chosen[length]),
                held=held,
            )
        )
        state = int(table.came_from[start])
    choices.reverse()
    return choices


@dataclass(frozen=True, slots=True)
class _Table:
    """What one line's step found. States, starts and ends count from the lowest.

    `ready[f]` is the least cost at which the next line may start from state `f` on, reached by this line's `end[f]`
    and `held[f]`; an end is reached from `start[end]`, a start from the state `came_from[start]`.
    """

    ready: Costs
    end: Indices
    held: Indices
    start: Indices
    came_from: Indices


def _table(node: _Node, following: _Node | None, ready: Costs, settings: TimingSettings) -> _Table:
    count = node.last - node.first + 1
    per_step = seconds(node.step)
    # A line may start later than it could: the best state at or before each start.
    padded = np.concatenate([ready, np.full(max(count - len(ready), 0), np.inf)])[:count]
    best = np.minimum.accumulate(padded)
    came_from = np.maximum.accumulate(np.where(padded <= best, np.arange(count), 0))
    starts = np.arange(node.first, node.last + 1) * per_step
    begun = best + settings.lag * np.maximum(starts, 0) + settings.lead * np.maximum(-starts, 0)

    # Every end: the cheapest way to split it into a start and a length.
    lengths = len(node.lengths)
    edge = np.full(count - 1, np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([edge, node.lengths, edge]), count)[:, ::-1]
    ways = windows + begun
    start = ways.argmin(axis=1)
    ends = node.first + node.shortest + np.arange(count + lengths - 1)
    source_end = seconds(node.line.span.duration if node.line.pinned is None else node.line.pinned.duration)
    at = ends * per_step
    ended = ways[np.arange(len(ends)), start]
    ended = ended + settings.air * np.maximum(source_end - at, 0) + settings.slack * np.maximum(at - source_end, 0)

    fixed = following is None or following.line.pinned is not None
    lowest, states = (following.first, following.last - following.first + 1) if following else (0, 1)
    left = np.full(states, np.inf)
    end, held = np.zeros(states, np.int64), np.zeros(states, np.int64)
    for hold in _holds(node, int(ends[-1]) * node.step, settings):
        cost = ended + (settings.hold + settings.held * seconds(hold) if hold else 0.0)
        fitting = max((node.limit + hold) // node.step - int(ends[0]) + 1, 0)
        over = ends[fitting:] * per_step - seconds(node.limit + hold)
        cost[fitting:] += _OVERRUN + _OVERRUN_PER_S * over
        # An end before the lowest state of the next line is that state; before a pin or the chunk's end, any is.
        to = ends + (node.shift(hold) - lowest)
        low = len(ends) if fixed else min(max(1 - int(to[0]), 0), len(ends))
        if low:
            cheapest = int(cost[:low].argmin())
            if cost[cheapest] < left[0]:
                left[0], end[0], held[0] = cost[cheapest], cheapest, hold
        high = min(len(ends), states - int(to[0]))
        if high > low:
            reached = slice(int(to[0]) + low, int(to[0]) + high)
            better = cost[low:high] < left[reached]
            left[reached][better] = cost[low:high][better]
            end[reached][better] = np.arange(low, high)[better]
            held[reached][better] = hold
    return _Table(ready=left, end=end, held=held, start=start, came_from=came_from)


def _exact(
    nodes: Sequence[_Node], choices: Sequence[_Choice], chunk: ChunkToTime, settings: TimingSettings, carry: Flicks
) -> ChunkTiming:
    """The plan in flicks: nothing ends later than on the grid, so what fitted there fits."""
    timed: list[TimedLine] = []
    holds: list[Hold] = []
    before: Flicks = 0
    free = nodes[0].line.origin + carry
    for node, choice in zip(nodes, choices, strict=True):
        line, reading = node.line, node.line.readings[choice.reading]
        origin = line.origin + before
        if line.pinned:
            start, length = origin, _pinned_duration(reading, line.pinned, settings)
            limit = min(node.limit, line.pinned.duration)
        else:
            # The grid rounded starts up: take back what was only rounding.
            start = origin + choice.start * node.step
            if choice.start > 0:
                start = min(start, max(free, origin, line.earliest + before))
            shortest, longest = _bounds(reading.duration, settings)
            length = min(max(choice.length * node.step, shortest), longest)
            if 0 <= length - reading.duration < node.step:
                length = reading.duration
            limit = node.limit
        span = Span(start, start + length)
        timed.append(
            TimedLine(
                utterance_id=line.utterance_id,
                reading=reading.index,
                span=span,
                rate=reading.duration / length,
                overrun=max(0, span.end - (origin + limit + choice.held)),
                lead=max(0, line.span.start + before - span.start),
                slack=max(0, span.end - (line.span.end + before)),
                held=choice.held,
            )
        )
        if choice.held and node.hold_at is not None:
            holds.append(Hold(node.hold_at, choice.held))
        before += choice.held
        free = span.end + node.gap
    return ChunkTiming(
        lines=tuple(timed),
        holds=tuple(holds),
        carry=max(0, timed[-1].span.end - (chunk.until + before)),
    )
