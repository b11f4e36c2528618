"""Making a recogniser's raw words fit the contract: clean text, times in order, no word stretched over a pause."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks
from models.asr.contract import SAMPLE_RATE, HeardWord

SHORTEST_WORD: Flicks = FLICKS_PER_SECOND // 50
"""20 ms, the time step of Whisper's and wav2vec 2.0's alignments: no word is told apart more finely."""

_LETTERS_PER_DIGIT = 5
_OPENING = frozenset({"Ps", "Pi"})
_FRAME = SAMPLE_RATE // 100
_QUIET_DB = 30.0


class RawWord(NamedTuple):
    """A word as a recogniser gives it: times in seconds that may be anything, text that may hold white space."""

    text: str
    start_s: float
    end_s: float
    confidence: float


def tidy_words(raw: Iterable[RawWord], duration: Flicks) -> list[HeardWord]:
    """The words of `raw`, in its order, as the contract wants them in a waveform of `duration` flicks.

    Text loses its white space (two words in one are told apart, each with a share of the time by its letters); a
    piece without letter or digit, and one that starts with a mark without a space before it ("ill" "-disposed", "D"
    ".C.", "1" ",000"), joins the word before it; the first is dropped where there is none. Spans lie within
    `[0, duration]`, do not overlap, keep the order, and last at least `SHORTEST_WORD` (less where the waveform
    is too short for so many words). Confidence is put into 0..1. An empty waveform has no words.
    """
    pieces = _joined(_split_at_space(raw))
    if not pieces or duration <= 0:
        return []
    shortest = min(SHORTEST_WORD, duration // len(pieces))
    # Forwards every start leaves room for the words before it, backwards for those after it.
    starts, ends, running = [], [], -shortest
    for piece in pieces:
        start, end = (_clamped(time_s, duration) for time_s in (piece.start_s, piece.end_s))
        running = max(running + shortest, start)
        starts.append(running)
        ends.append(end)
    tidied: list[HeardWord] = []
    limit = duration
    for piece, first, last in zip(reversed(pieces), reversed(starts), reversed(ends), strict=True):
        start = min(first, limit - shortest)
        end = min(max(last, start + shortest), limit)
        limit = start
        tidied.append(HeardWord(text=piece.text, span=Span(start, end), confidence=piece.confidence))
    return tidied[::-1]


def clip_stretched(words: Sequence[HeardWord], waveform: npt.NDArray[np.float32]) -> list[HeardWord]:
    """The same words, those that last implausibly long cut back to where something is heard.

    Attention and transducer alignments give the pause between two words to one of them. A word longer than three
    times what its letters usually take here (the median over `words`, at least 0.4 s) loses the quiet at its ends
    (30 dB below the loudest 10 ms of the word); one that is still longer than that, and than 1.2 s, ends there.
    `waveform` is mono at `SAMPLE_RATE` Hz and starts with the words' clock. Digits count as five letters, since
    "1984" is spoken in full.
    """
    if not words:
        return []
    pace_s = median(word.span.duration_s / _spoken_letters(word.text) for word in words)
    clipped = []
    for word in words:
        plausible_s = 3 * pace_s * _spoken_letters(word.text)
        span = word.span
        if span.duration_s > max(0.4, plausible_s):
            span = _without_quiet_ends(span, waveform)
            span = span.stretch_to(min(span.duration, flicks(max(1.2, plausible_s))))
        clipped.append(HeardWord(text=word.text, span=span, confidence=word.confidence))
    return clipped


def is_silent(waveform: npt.NDArray[np.float32], *, floor_dbfs: float = -60.0) -> bool:
    """Whether no 10 ms of `waveform` reaches `floor_dbfs` (RMS, 0 dB is a full-scale square wave): nobody speaks."""
    levels = _frame_levels_db(waveform)
    return levels.size == 0 or float(levels.max()) < floor_dbfs


def _split_at_space(raw: Iterable[RawWord]) -> list[RawWord]:
    """One piece a stretch without white space. A space before it stays: " -5" is a word, "-bred" the end of one."""
    pieces = []
    for word in raw:
        texts = word.text.split()
        letters = sum(map(len, texts))
        at_s, length_s = word.start_s, word.end_s - word.start_s
        for index, text in enumerate(texts):
            share_s = length_s * len(text) / letters
            apart = " " if index or word.text[0].isspace() else ""
            pieces.append(RawWord(apart + text, at_s, at_s + share_s, _probability(word.confidence)))
            at_s += share_s
    return pieces


def _joined(pieces: Iterable[RawWord]) -> list[RawWord]:
    joined: list[RawWord] = []
    for piece in pieces:
        text = piece.text.strip()
        if any(letter.isalnum() for letter in text):
            if joined and _continues(piece.text):
                joined[-1] = _continued(joined[-1], piece)
            else:
                joined.append(piece._replace(text=text))
        elif joined:
            joined[-1] = joined[-1]._replace(text=joined[-1].text + text)
    return joined


def _continues(text: str) -> bool:
    """Whether `text` starts with a mark that no space parts from the word before, brackets and opening quotes aside."""
    return not text[0].isalnum() and not text[0].isspace() and unicodedata.category(text[0]) not in _OPENING


def _continued(word: RawWord, more: RawWord) -> RawWord:
    return RawWord(word.text + more.text, word.start_s, more.end_s, min(word.confidence, more.confidence))


def _clamped(time_s: float, duration: Flicks) -> Flicks:
    if math.isnan(time_s) or time_s <= 0:
        return 0
    return duration if math.isinf(time_s) else min(flicks(time_s), duration)


def _probability(confidence: float) -> float:
    return 0.0 if math.isnan(confidence) else min(max(float(confidence), 0.0), 1.0)


def _spoken_letters(text: str) -> int:
    return max(1, sum(_LETTERS_PER_DIGIT if letter.isdigit() else letter.isalpha() for letter in text))


def _frame_levels_db(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """RMS level of each 10 ms of `waveform`, the last one padded with silence, in dB of full scale."""
    padded = np.pad(waveform.astype(np.float64), (0, -waveform.size % _FRAME))
    power = np.square(padded).reshape(-1, _FRAME).mean(axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))


def _without_quiet_ends(span: Span, waveform: npt.NDArray[np.float32]) -> Span:
    first, last = span.samples(SAMPLE_RATE)
    levels = _frame_levels_db(waveform[first:last])
    heard = np.flatnonzero(levels > levels.max() - _QUIET_DB) if levels.size else np.empty(0, dtype=np.int64)
    if heard.size == 0:
        return span
    start = span.start + flicks(int(heard[0]) * _FRAME / SAMPLE_RATE)
    end = min(span.end, span.start + flicks((int(heard[-1]) + 1) * _FRAME / SAMPLE_RATE))
    return Span(start, max(start, end))
