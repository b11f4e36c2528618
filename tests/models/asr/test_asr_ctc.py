from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.asr.ctc import greedy_words, windows

BLANK, BAR, UNKNOWN = 0, 1, 2
SYMBOLS = {BAR: "|", 3: "A", 4: "B"}


def frames(path: str, probability: float = 0.9) -> npt.NDArray[np.float32]:
    """Log probabilities whose best path is `path`, in which "_" is the blank and "?" a class without a symbol."""
    labels = ["_|?AB".index(each) for each in path]
    rows = np.full((len(labels), 5), (1 - probability) / 4, dtype=np.float32)
    rows[np.arange(len(labels)), labels] = probability
    return np.log(rows)


def decoded(path: str) -> list[tuple[str, int, int]]:
    words = greedy_words(frames(path), SYMBOLS, blank=BLANK, delimiter="|", frame_s=1.0)
    return [(word.text, round(word.start_s), round(word.end_s)) for word in words]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("__AA_B__|_A_A|", [("AB", 2, 6), ("AA", 10, 13)]),
        ("||A||", [("A", 2, 3)]),
        ("AAAA", [("A", 0, 4)]),
        ("A?A", [("AA", 0, 3)]),
        ("_?_|_", []),
        ("", []),
    ],
)
def test_repeats_collapse_blanks_part_and_bars_end_words(path: str, words: list[tuple[str, int, int]]) -> None:
    assert decoded(path) == words


def test_confidence_is_the_geometric_mean_over_the_words_own_frames() -> None:
    sure, unsure = frames("A", 0.9), frames("B", 0.4)
    both = np.concatenate([sure, frames("_____", 0.5), unsure])
    (word,) = greedy_words(both, SYMBOLS, blank=BLANK, delimiter="|", frame_s=0.02)
    assert word.confidence == pytest.approx((0.9 * 0.4) ** 0.5, abs=1e-6)


@given(st.text(alphabet="_|?AB", max_size=80))
def test_words_are_in_order_and_apart(path: str) -> None:
    at = 0
    for text, start, end in decoded(path):
        assert at <= start < end <= len(path)
        assert text.strip("AB") == ""
        at = end


@given(st.integers(0, 3000), st.integers(0, 40), st.integers(1, 200))
def test_windows_tile_the_waveform_with_margins_inside(samples: int, margin: int, room: int) -> None:
    window = 2 * margin + room
    rows = windows(samples, window=window, margin=margin)
    assert [row[2] for row in rows[1:]] == [row[3] for row in rows[:-1]]
    assert (rows[0][2], rows[-1][3]) == (0, samples)
    for first, last, keep_first, keep_last in rows:
        assert 0 <= first <= keep_first <= keep_last <= last <= samples
        assert last - first <= window
        assert keep_first - first >= margin or first == 0
        assert last - keep_last >= margin or last == samples


def test_a_window_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        windows(100, window=20, margin=10)
