"""The planner's promises, over chunks of any kind, and the order of its levers."""

import time
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.clock import HeldClock
from manifests.records import Hypothesis
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks
from tasks.timing import (
    ChunkTiming,
    ChunkToTime,
    Line,
    Reading,
    TimingSettings,
    meaning_loss,
    on_the_dubs_clock,
    plan_timing,
    rate_to_speak,
)

SETTINGS = TimingSettings()
FRAME: Flicks = FLICKS_PER_SECOND // 25
GAP = flicks(SETTINGS.gap_s)
FRAMES = [FLICKS_PER_SECOND // 25, FLICKS_PER_SECOND * 1001 // 30_000, FLICKS_PER_SECOND // 60]

lengths = st.floats(0.2, 6).map(flicks)
readings = st.lists(st.tuples(lengths, st.floats(0, 0.3)), min_size=1, max_size=4).map(
    lambda drawn: tuple(Reading(index, length, loss) for index, (length, loss) in enumerate(drawn))
)


@st.composite
def chunks(draw: st.DrawFn, *, most: float = 6.0) -> ChunkToTime:
    """A chunk from any time of a lecture on, with lines of any density, and some of its picture still."""
    begin = at = flicks(draw(st.floats(0, 3000)))
    lines = []
    for index in range(draw(st.integers(0, 6))):
        start = at + flicks(draw(st.floats(0, 2)))
        end = start + flicks(draw(st.floats(0.2, most)))
        earliest = max(begin, start - flicks(draw(st.floats(0, 1))))
        lines.append(Line(utterance_id=f"u{index}", span=Span(start, end), earliest=earliest, readings=draw(readings)))
        at = end
    end = at + flicks(draw(st.floats(0.1, 2)))
    still, cursor = [], begin
    for _ in range(draw(st.integers(0, 2))):
        start = cursor + flicks(draw(st.floats(0, 5)))
        cursor = start + flicks(draw(st.floats(0.1, 8)))
        still.append(Span(start, cursor))
    return ChunkToTime(
        span=Span(begin, end),
        lines=tuple(lines),
        still=tuple(still),
        frame=draw(st.sampled_from(FRAMES)),
        until=end + flicks(draw(st.floats(0, 1))),
    )


carries = st.one_of(st.just(0), st.floats(0, 3).map(flicks))


@settings(max_examples=40, deadline=None)
@given(chunks(), carries)
def test_lines_stay_in_order_apart_and_are_never_early(chunk: ChunkToTime, carry: Flicks) -> None:
    timing = plan_timing(chunk, SETTINGS, carry)
    clock = HeldClock(timing.holds)
    assert [line.utterance_id for line in timing.lines] == [line.utterance_id for line in chunk.lines]
    for (before, source), (after, following) in pairwise(zip(timing.lines, chunk.lines, strict=True)):
        own = following.span.start - source.span.end
        assert after.span.start - before.span.end >= min(GAP, own)
    for line, source in zip(timing.lines, chunk.lines, strict=True):
        assert line.span.start >= clock.dub_time(source.earliest)
        start = clock.dub_time(source.span.start)
        assert line.lead == max(0, start - line.span.start) <= flicks(SETTINGS.max_lead_s)
    for line, source in zip(timing.lines[:1], chunk.lines[:1], strict=True):
        assert line.span.start >= source.span.start + carry


@settings(max_examples=40, deadline=None)
@given(chunks(), carries)
def test_rates_keep_their_bounds_and_readings_are_among_those_given(chunk: ChunkToTime, carry: Flicks) -> None:
    for line, source in zip(plan_timing(chunk, SETTINGS, carry).lines, chunk.lines, strict=True):
        [reading] = [each for each in source.readings if each.index == line.reading]
        assert SETTINGS.slowest - 1e-6 <= line.rate <= SETTINGS.cap + 1e-6
        assert abs(reading.duration / line.span.duration - line.rate) < 1e-9
        least = min(each.meaning for each in source.readings)
        assert reading.meaning <= max(least, SETTINGS.max_loss)


@settings(max_examples=40, deadline=None)
@given(chunks(), carries)
def test_holds_last_whole_frames_where_the_picture_is_still(chunk: ChunkToTime, carry: Flicks) -> None:
    timing = plan_timing(chunk, SETTINGS, carry)
    for hold in timing.holds:
        assert hold.at % chunk.frame == 0
        assert hold.duration % chunk.frame == 0
        assert hold.duration <= flicks(SETTINGS.max_hold_s)
        shown = Span(hold.at - chunk.frame, hold.at + chunk.frame)
        assert any(still.start <= shown.start and shown.end <= still.end for still in chunk.still)
        assert hold.at in chunk.span
    assert sum(line.held for line in timing.lines) == HeldClock(timing.holds).held == timing.held


@settings(max_examples=40, deadline=None)
@given(chunks(), carries)
def test_what_runs_over_the_chunk_is_carried_and_is_its_last_lines_overrun(chunk: ChunkToTime, carry: Flicks) -> None:
    timing = plan_timing(chunk, SETTINGS, carry)
    if not timing.lines:
        assert timing.carry == carry
        return
    last = timing.lines[-1]
    assert timing.carry == last.overrun == max(0, last.span.end - chunk.until - timing.held)


@settings(max_examples=30, deadline=None)
@given(chunks(), st.floats(1.0, 1.2))
def test_speech_that_fits_as_it_is_said_starts_with_what_it_says(chunk: ChunkToTime, rate: float) -> None:
    fitting = replace(
        chunk,
        lines=tuple(replace(line, readings=(Reading(0, int(line.span.duration * rate), 0.0),)) for line in chunk.lines),
    )
    timing = plan_timing(fitting, SETTINGS)
    for line in timing.lines:
        assert line.overrun == 0
        assert line.rate <= SETTINGS.fastest + 1e-6
    assert timing.carry == 0
    assert not timing.holds


@settings(max_examples=30, deadline=None)
@given(chunks(), carries)
def test_it_overruns_only_where_speech_as_fast_as_allowed_would(chunk: ChunkToTime, carry: Flicks) -> None:
    timing = plan_timing(chunk, SETTINGS, carry)
    # The shortest usable readings, all at the cap, one after another: nobody could end sooner without a hold.
    free, late = 0, carry > flicks(SETTINGS.max_lag_s)
    for index, line in enumerate(chunk.lines):
        least = min(each.meaning for each in line.readings)
        usable = [each for each in line.readings if each.meaning <= max(least, SETTINGS.max_loss)]
        start = max(free, line.span.start + (carry if index == 0 else 0))
        late |= start - line.span.start > flicks(SETTINGS.max_lag_s) - flicks(0.03) * len(chunk.lines)
        end = start + round(min(each.duration for each in usable) / SETTINGS.cap)
        free = end + GAP
        late |= index == len(chunk.lines) - 1 and end > chunk.until - flicks(0.03) * len(chunk.lines)
    if not late:
        assert not any(line.overrun for line in timing.lines)


@settings(max_examples=30, deadline=None)
@given(chunks(), st.data())
def test_pins_stand_and_the_others_stay_apart_from_them(chunk: ChunkToTime, data: st.DataObject) -> None:
    if not chunk.lines:
        return
    at = data.draw(st.integers(0, len(chunk.lines) - 1))
    free_from = chunk.lines[at - 1].span.start if at else chunk.span.start
    start = data.draw(st.integers(free_from, chunk.lines[at].span.start))
    pin = Span(start, start + data.draw(lengths))
    lines = tuple(replace(line, pinned=pin) if index == at else line for index, line in enumerate(chunk.lines))
    timing = plan_timing(replace(chunk, lines=lines), SETTINGS)
    by_id = {line.utterance_id: line for line in timing.lines}
    pinned = by_id[chunk.lines[at].utterance_id]
    before = sum(hold.duration for hold in timing.holds if hold.at <= pin.start)
    assert pinned.span.start == pin.start + before
    assert SETTINGS.slowest - 1e-6 <= pinned.rate <= SETTINGS.cap + 1e-6
    assert pinned.span.end <= pin.end + before + pinned.overrun
    for former, latter in pairwise(timing.lines):
        run_into = max(0, former.span.end - latter.span.start)
        assert run_into == 0 or (latter is pinned and former.overrun >= run_into)


@settings(max_examples=15, deadline=None)
@given(st.lists(chunks(most=3.0), min_size=2, max_size=4), st.data())
def test_a_plan_is_the_same_whatever_the_chunks_beside_it_do(parts: list[ChunkToTime], data: st.DataObject) -> None:
    chunk = data.draw(st.sampled_from(parts))
    alone = plan_timing(chunk, SETTINGS)
    for other in parts:
        plan_timing(other, SETTINGS)
    assert plan_timing(chunk, SETTINGS) == alone


def line(number: int, start_s: float, end_s: float, *natural_s: float, earliest_s: float = 0.0) -> Line:
    """A line whose further readings lose a little meaning each."""
    return Line(
        utterance_id=f"u{number}",
        span=Span.of_seconds(start_s, end_s),
        earliest=flicks(earliest_s),
        readings=tuple(Reading(index, flicks(each), 0.04 * index) for index, each in enumerate(natural_s)),
    )


def timed(*lines: Line, until_s: float = 60.0, still: tuple[Span, ...] = ()) -> ChunkTiming:
    until = flicks(until_s)
    return plan_timing(ChunkToTime(span=Span(0, until), lines=lines, still=still, frame=FRAME, until=until), SETTINGS)


def test_a_shorter_reading_comes_before_speech_that_is_hurried() -> None:
    [first, _] = timed(line(0, 1, 3, 2.5, 2.05), line(1, 3.1, 5, 1.9)).lines
    assert first.reading == 1
    assert first.rate < 1.1


def test_the_best_reading_is_kept_where_it_fits_nearly() -> None:
    [first, _] = timed(line(0, 1, 3, 2.1, 1.95), line(1, 3.1, 5, 1.9)).lines
    assert first.reading == 0


def test_a_longer_reading_and_a_slower_voice_come_before_air() -> None:
    [first] = timed(line(0, 1, 5, 2.6, 3.3)).lines
    assert first.reading == 1
    assert first.rate < 0.9


def test_a_reading_that_loses_much_is_not_spoken_even_where_nothing_else_fits() -> None:
    readings = (Reading(0, flicks(9), 0.0), Reading(1, flicks(2), 0.5))
    [first, second] = timed(replace(line(0, 1, 3, 1), readings=readings), line(1, 3.1, 5, 1.9)).lines
    assert first.reading == 0
    assert first.overrun > 0
    assert second.span.start >= first.span.end


def test_slack_comes_before_a_rate_that_is_heard() -> None:
    [first] = timed(line(0, 1, 3, 3.5)).lines
    assert first.slack > 0
    assert first.rate <= SETTINGS.fastest
    assert first.held == 0


def test_a_still_picture_waits_before_speech_is_hurried_beyond_its_bounds() -> None:
    full = (line(0, 1, 3, 4.2), line(1, 3.08, 6, 3.4), line(2, 6.08, 8, 2.2))
    hurried = timed(*full)
    assert any(each.rate > SETTINGS.fastest for each in hurried.lines)
    waiting = timed(*full, still=(Span.of_seconds(0, 8),))
    assert all(each.rate <= SETTINGS.fastest + 1e-9 for each in waiting.lines)
    assert waiting.held > 0
    assert waiting.lines[0].held > 0


def test_no_picture_waits_where_rates_do() -> None:
    assert not timed(line(0, 1, 3, 2.3), line(1, 3.08, 6, 3.3), still=(Span.of_seconds(0, 9),)).holds


def test_a_pause_gives_back_what_was_late() -> None:
    lines = [line(index, 1 + 2.1 * index, 3 + 2.1 * index, 2.5) for index in range(6)]
    after = line(6, 15.5, 17, 1.5)
    timing = timed(*lines, after)
    assert timing.lines[-1].span == after.span


def test_nothing_starts_before_it_is_shown() -> None:
    [_, free] = timed(line(0, 1, 3, 1.7), line(1, 4, 6, 2.9), line(2, 6.08, 8, 2.2)).lines[:2]
    [_, bound] = timed(line(0, 1, 3, 1.7), line(1, 4, 6, 2.9, earliest_s=4), line(2, 6.08, 8, 2.2)).lines[:2]
    assert free.span.start < flicks(4)
    assert bound.span.start >= flicks(4)


def test_a_hopeless_chunk_hands_on_what_is_left_over() -> None:
    first = timed(line(0, 0, 2, 6), until_s=2.5)
    assert first.lines[0].rate > SETTINGS.cap - 0.01
    assert first.carry > flicks(1)
    until = flicks(10)
    chunk = ChunkToTime(span=Span(0, until), lines=(line(1, 2.6, 4, 1.2),), still=(), frame=FRAME, until=until)
    following = plan_timing(chunk, SETTINGS, first.carry)
    assert following.lines[0].span.start == flicks(2.6) + first.carry
    assert following.carry == 0


def test_two_who_speak_at_once_are_heard_one_after_the_other() -> None:
    first, second = timed(line(0, 1, 4, 3), line(1, 2, 5, 2.4)).lines
    assert second.span.start >= first.span.end


def test_meaning_is_lost_against_the_best_hypothesis() -> None:
    hypotheses = [Hypothesis(text="a", score=-0.5), Hypothesis(text="b", score=-0.4), Hypothesis(text="c", score=-0.9)]
    assert meaning_loss(hypotheses) == (-0.4 + 0.5, 0.0, -0.4 + 0.9)
    assert meaning_loss(()) == ()


def test_engines_are_asked_for_few_rates_and_little_is_left_to_the_stretch() -> None:
    asked = {rate_to_speak(rate / 1000) for rate in range(850, 1301)}
    assert asked == {0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3}
    assert all(abs(rate_to_speak(rate / 1000) - rate / 1000) <= 0.0251 for rate in range(850, 1301))


def an_hour() -> list[ChunkToTime]:
    """An hour of chunks, each too full for its time at the voice's own rate; some may hold their picture."""
    parts = []
    for number in range(80):
        begin = 45 * number
        lines = tuple(
            replace(
                line(index, begin + 0.5 + 6.3 * index, begin + 6.7 + 6.3 * index, 7.9, 7.7),
                utterance_id=f"{number}/{index}",
            )
            for index in range(7)
        )
        parts.append(
            ChunkToTime(
                span=Span.of_seconds(begin, begin + 45),
                lines=lines,
                still=(Span.of_seconds(begin + 5, begin + 40),) if number % 3 else (),
                frame=FRAMES[1],
                until=flicks(begin + 45.4),
            )
        )
    return parts


def test_an_hour_ends_with_no_drift() -> None:
    parts, timings, carry = an_hour(), [], 0
    for chunk in parts:
        timings.append(plan_timing(chunk, SETTINGS, carry))
        carry = timings[-1].carry
    clock = HeldClock.of(hold for timing in timings for hold in timing.holds)
    assert clock.held > flicks(10)
    assert carry == 0
    for chunk, lines in zip(parts, on_the_dubs_clock(timings), strict=True):
        assert lines[0].span.start == clock.dub_time(chunk.lines[0].span.start)


def test_a_full_chunk_is_planned_in_a_tenth_of_a_second() -> None:
    lines = tuple(
        line(index, 3 * index, 3 * index + 2.9, *(2.7 + 0.1 * each for each in range(8))) for index in range(15)
    )
    span = Span.of_seconds(0, 45)
    chunk = ChunkToTime(span=span, lines=lines, still=(Span.of_seconds(0, 45),), frame=FRAME, until=span.end)
    spent = []
    for _ in range(5):
        started = time.process_time()
        plan_timing(chunk, SETTINGS)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.1
