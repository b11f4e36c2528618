"""How pieces are cut into batches: all of them, in order, few enough for the server, enough for the workers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flows.batches import MOST_BATCHES, cut
from manifests.time import Span

CHUNK_STAGES = 17
"""Stages of a dub with lips that work on chunks, speaking three times; see a run's record."""
OTHER_TASKS = 8
"""Shots, speech, identify, library, voice, assemble, sign, levels."""


def chunks(hours: float, length_s: float = 25) -> list[Span]:
    borders = [index * length_s for index in range(round(hours * 3600 / length_s) + 1)]
    return [Span.of_seconds(start, end) for start, end in pairwise(borders)]


def test_an_hour_in_one_language_is_at_most_120_tasks() -> None:
    tasks = CHUNK_STAGES * len(cut(chunks(1), 2)) + OTHER_TASKS
    assert 100 <= tasks <= 120
    for hours in (1.5, 2, 6):
        assert CHUNK_STAGES * len(cut(chunks(hours), 2)) + OTHER_TASKS <= 120 * hours


def test_a_long_lecture_stays_below_what_a_server_bears() -> None:
    assert len(cut(chunks(24), 2)) == MOST_BATCHES
    assert CHUNK_STAGES * MOST_BATCHES + OTHER_TASKS < 2000


def test_a_short_lecture_is_spread_over_the_workers() -> None:
    assert [part.stop - part.start for part in cut(chunks(3 / 60), 2)] == [1, 2, 2, 2]
    assert len(cut(chunks(0.5), 8)) == 16
    assert len(cut(chunks(1 / 60), 2)) == 2


@given(st.lists(st.integers(1, 10**12), max_size=300), st.integers(1, 64))
def test_every_piece_is_in_one_batch_and_batches_are_alike(durations: list[int], workers: int) -> None:
    starts = [sum(durations[:index]) for index in range(len(durations))]
    spans = [Span(start, start + duration) for start, duration in zip(starts, durations, strict=True)]
    parts = cut(spans, workers)
    assert [piece for part in parts for piece in spans[part]] == spans
    sizes = {part.stop - part.start for part in parts}
    assert not sizes or (min(sizes) >= 1 and max(sizes) - min(sizes) <= 1)
    assert len(parts) >= min(len(spans), workers)
