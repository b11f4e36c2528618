import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.clock import HeldClock, Hold
from manifests.time import Span

holds = st.lists(st.builds(Hold, st.integers(0, 1000), st.integers(1, 50)), max_size=8)
moments = st.integers(0, 1200)


@given(holds, moments, moments)
def test_order_is_kept_and_no_time_is_lost(given_holds: list[Hold], first: int, second: int) -> None:
    clock = HeldClock.of(given_holds)
    first, second = sorted((first, second))
    between = sum(hold.duration for hold in given_holds if first < hold.at <= second)
    assert clock.dub_time(second) - clock.dub_time(first) == second - first + between


@given(holds, moments)
def test_every_moment_of_the_source_comes_back(given_holds: list[Hold], time: int) -> None:
    clock = HeldClock.of(given_holds)
    assert clock.source_time(clock.dub_time(time)) == time


@given(holds, st.integers(0, 1600))
def test_a_moment_of_the_dub_is_inside_a_hold_or_shows_a_moment_of_its_own(given_holds: list[Hold], time: int) -> None:
    clock = HeldClock.of(given_holds)
    standing = any(time in span for span in clock.held_spans())
    assert (clock.dub_time(clock.source_time(time)) != time) == standing


@given(holds, moments, moments)
def test_neighbouring_spans_leave_just_the_holds_between_them(given_holds: list[Hold], first: int, second: int) -> None:
    clock = HeldClock.of(given_holds)
    first, second = sorted((first, second))
    before, after = clock.dub_span(Span(0, first)), clock.dub_span(Span(first, second + 1))
    held = sum(hold.duration for hold in given_holds if hold.at == first)
    if first > 0:
        assert after.start - before.end == held
    assert clock.dub_span(Span(0, 2000)).end == 2000 + clock.held


@given(holds, moments, moments)
def test_chunks_of_a_clock_add_up_to_it(given_holds: list[Hold], cut: int, time: int) -> None:
    clock = HeldClock.of(given_holds)
    first, second = clock.within(Span(0, cut)), clock.within(Span(cut, 2000))
    assert first.held + second.held == clock.held
    if time >= cut:
        assert second.dub_time(time) + first.held == clock.dub_time(time)


def test_holds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="in order"):
        HeldClock((Hold(5, 1), Hold(3, 1)))
    with pytest.raises(ValueError, match="lasts"):
        Hold(3, 0)
