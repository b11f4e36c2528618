"""Words out of a CTC network's frames (Graves et al., 2006): greedy decoding with the time of every word."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.asr.words import RawWord


def greedy_words(
    log_probabilities: npt.NDArray[np.float32],
    symbols: Mapping[int, str],
    *,
    blank: int,
    delimiter: str,
    frame_s: float,
) -> list[RawWord]:
    """The words of the best path, in order, with times in seconds.

    `log_probabilities` is (frames, classes); `symbols` names each class that stands for text, `delimiter` being the
    symbol between words. Classes that are not in `symbols` are passed over, but part a repeated symbol as `blank`
    does. A word lasts from the first frame of its first symbol to the end of the last frame of its last one; its
    confidence is the geometric mean of the probabilities of its frames.
    """
    path = log_probabilities.argmax(axis=1)
    best = log_probabilities.max(axis=1)
    words: list[RawWord] = []
    letters: list[str] = []
    frames: list[int] = []
    previous = blank
    for frame, label in enumerate([*path.tolist(), None]):
        symbol = delimiter if label is None else symbols.get(label)
        if symbol == delimiter:
            if letters:
                confidence = float(np.exp(best[frames].mean()))
                words.append(RawWord("".join(letters), frames[0] * frame_s, (frames[-1] + 1) * frame_s, confidence))
            letters, frames = [], []
        elif symbol is not None:
            if label != previous:
                letters.append(symbol)
            frames.append(frame)
        previous = blank if label is None else label
    return words


def windows(samples: int, *, window: int, margin: int) -> list[tuple[int, int, int, int]]:
    """How to run a network over `samples` samples in overlapping windows.

    Each row is (first, last, keep_first, keep_last): feed `[first, last)`, use it for `[keep_first, keep_last)`.
    What is kept tiles `[0, samples)` without overlap and lies at least `margin` inside what is fed, except at the
    two ends of the waveform. ValueError unless `window` is more than two margins.
    """
    if window <= 2 * margin:
        raise ValueError(f"a window of {window} samples has no room beside two margins of {margin}")
    rows = []
    first = 0
    while True:
        last = min(first + window, samples)
        ends = last == samples
        rows.append((first, last, first + margin if first else 0, last if ends else last - margin))
        if ends:
            return rows
        first = last - 2 * margin
