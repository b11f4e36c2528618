from __future__ import annotations

import numpy as np
import pytest

from manifests.records import Word
from manifests.time import Span, flicks
from models.metrics.closures import closed_share, closed_threshold, closure_windows


def word(text: str, start_s: float, end_s: float) -> Word:
    return Word(text=text, span=Span.of_seconds(start_s, end_s), confidence=1.0)


@pytest.mark.parametrize(
    ("text", "closures"),
    [
        ("bin", 1), ("place", 1), ("set", 0), ("Bob,", 2), ("happy", 1), ("comma", 1), ("lamb", 1), ("climbing", 1),
        ("number", 2), ("debt", 0), ("phone", 0), ("psychology", 0), ("map", 2), ("symptom", 3), ("p", 1), ("", 0),
        ("subtle", 1), ("42", 0),
    ],
)  # fmt: skip
def test_letters_that_close_the_lips(text: str, closures: int) -> None:
    assert len(closure_windows([word(text, 0, 1)])) == closures


def test_a_window_lies_where_its_letter_stands_in_the_word() -> None:
    (window,) = closure_windows([word("stop", 2.0, 2.8)])
    assert window.start_s == pytest.approx(2.6 - 0.08)
    assert window.end_s == pytest.approx(2.8 + 0.08)


def test_lips_that_close_and_lips_that_do_not() -> None:
    times = np.arange(75) * flicks(0.04)
    windows = closure_windows([word("bin", 0.4, 0.7), word("map", 1.0, 1.6)])
    talking = 0.1 + 0.08 * np.sin(np.arange(75)).astype(np.float32)
    closing = talking.copy()
    for window in windows:
        closing[(times >= window.start) & (times < window.end)] = 0.01
    threshold = closed_threshold(closing)
    assert closed_share(closing, times, windows, threshold) == (1.0, 3)
    agape = np.full(75, 0.12, np.float32)
    assert closed_share(agape, times, windows, threshold) == (0.0, 3)
    half = closing.copy()
    half[times >= windows[1].start] = 0.12
    assert closed_share(half, times, windows, threshold)[0] == pytest.approx(1 / 3)


def test_a_mouth_that_never_closes_is_measured_by_its_owner() -> None:
    owner = np.linspace(0.0, 0.2, 100).astype(np.float32)
    assert 0.02 < closed_threshold(owner) < 0.08
    assert closed_threshold(np.zeros(10, np.float32)) == pytest.approx(0.02)


def test_windows_without_a_frame_are_not_judged() -> None:
    with pytest.raises(ValueError, match="no p, b or m"):
        closed_share(np.zeros(3, np.float32), np.arange(3) * flicks(0.04), closure_windows([word("bin", 5, 6)]), 0.1)
