from __future__ import annotations

import numpy as np

from manifests.time import Span, flicks
from tasks.evaluation_watch import FRAME, at_25, spoken_and_silent


def frames(rate: float, count: int) -> list[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]:
    return [(flicks(index / rate), np.full((1, 1, 3), index, np.uint8)) for index in range(count)]


def test_25_frames_a_second_come_as_they_are() -> None:
    assert [int(rgb[0, 0, 0]) for _, rgb in at_25(frames(25, 10))] == list(range(10))


def test_other_rates_give_the_nearest_frame_of_each_moment() -> None:
    assert [int(rgb[0, 0, 0]) for _, rgb in at_25(frames(50, 10))] == [0, 2, 4, 6, 8]
    slow = [int(rgb[0, 0, 0]) for _, rgb in at_25(frames(12.5, 4))]
    assert len(slow) == 7
    assert slow == sorted(slow)
    thirty = [int(rgb[0, 0, 0]) for _, rgb in at_25(frames(30, 30))]
    assert len(thirty) == 25
    assert thirty == [min(range(30), key=lambda index: abs(index / 30 - moment / 25)) for moment in range(25)]


def test_no_frames_give_none() -> None:
    assert list(at_25([])) == []


def test_frames_near_speech_are_neither_spoken_nor_silent() -> None:
    times = np.arange(100) * FRAME
    speaking, silent = spoken_and_silent(times, [Span.of_seconds(1, 2)], flicks(3.5), margin_s=0.2)
    assert np.flatnonzero(speaking).tolist() == list(range(25, 50))
    assert not (speaking & silent).any()
    assert np.flatnonzero(silent).tolist() == [*range(20), *range(55, 88)]
