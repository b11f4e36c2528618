"""Layers sum up as a stream; sound goes on where the clock holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.clock import HeldClock, Hold
from manifests.time import Span, flicks
from tasks.layers import Layer, held_positions, laid

RATE = 1_000


@given(
    st.lists(st.tuples(st.integers(-50, 250), st.integers(0, 120), st.integers(1, 2)), max_size=6), st.integers(0, 200)
)
def test_layers_sum_up(layers: list[tuple[int, int, int]], length: int) -> None:
    wanted = np.zeros((2, length), np.float32)
    made = []
    for number, (start, size, channels) in enumerate(layers, start=1):
        sound = np.full((channels, size), number, np.float32)
        made.append(Layer(start, lambda sound=sound: sound if len(sound) == 2 else sound[0]))  # type: ignore[misc]
        cut = sound[:, max(-start, 0) : max(length - start, 0)]
        wanted[:, max(start, 0) : max(start, 0) + cut.shape[1]] += cut
    found = np.concatenate([np.zeros((2, 0), np.float32), *laid(made, length, 2)], axis=1)
    np.testing.assert_array_equal(found, wanted)


def test_memory_is_that_of_what_sounds_at_once() -> None:
    """An hour at 48 kHz: each layer is asked for only when what came before it was given out."""
    asked: list[int] = []
    minute = 60 * 48_000

    def load(number: int) -> np.ndarray:
        asked.append(number)
        return np.zeros(100, np.float32)

    given_out = 0
    for block in laid([Layer(n * minute, lambda n=n: load(n)) for n in range(60)], 60 * minute, 1):  # type: ignore[misc]
        assert block.shape[1] <= 480_000
        assert len(asked) <= given_out // minute + 1
        given_out += block.shape[1]
    assert (given_out, len(asked)) == (60 * minute, 60)


def test_without_holds_every_sample_is_in_its_place() -> None:
    first, positions = held_positions(Span.of_seconds(2, 3), (), flicks(0.5), RATE)
    assert first == 2_500
    np.testing.assert_array_equal(positions, np.arange(1_000))


@given(
    st.integers(0, 3_000),
    st.lists(st.tuples(st.integers(0, 2_999), st.integers(1, 9_000)), max_size=4, unique_by=lambda each: each[0]),
    st.integers(0, 4_000),
)
def test_held_sound_has_no_gap_and_no_jump(start: int, pairs: list[tuple[int, int]], shift: int) -> None:
    """Whatever is held: as long as the clock says, from neighbour to neighbour, and back in place behind each hold."""
    heard = Span.of_seconds(start / RATE, start / RATE + 3)
    holds = HeldClock.of(Hold(heard.start + flicks(at / RATE), flicks(size / RATE)) for at, size in pairs).holds
    first, positions = held_positions(heard, holds, flicks(shift / RATE), RATE)
    assert first == start + shift
    assert len(positions) == 3_000 + sum(size for _, size in pairs)
    assert int(np.abs(np.diff(positions)).max(initial=0)) <= 2
    clock = HeldClock(holds)
    for at in range(0, 3_000, 100):
        if not any(abs(at - held) < 3 for held, _ in pairs):
            moment = heard.start + flicks(at / RATE)
            assert positions[round((clock.dub_time(moment) - heard.start) * RATE / flicks(1))] == at


def test_an_hour_of_holds_does_not_drift() -> None:
    """3,600 holds of a third of a second and a flick: the last chunk is where the exact sum says, to the sample."""
    holds = tuple(Hold(flicks(second), flicks(1) // 3 + 1) for second in range(3_600))
    before = sum(hold.duration for hold in holds)
    first, _ = held_positions(Span.of_seconds(3_600, 3_601), (), before, 48_000)
    assert first == pytest.approx(48_000 * (3_600 + 1_200), abs=1)
