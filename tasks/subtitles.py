"""Subtitles from utterances: lines that fit the picture, cues that lie on the speech."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from infra.subtitles import Cue
from manifests.records import Word
from manifests.time import Span

LINE_CHARACTERS = 42
LINES = 2

_CLAUSE_END = re.compile(r"[.,;:!?…،؛؟)»”]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Text and when it is heard."""

    span: Span
    text: str


def cues_of_words(words: Sequence[Word]) -> list[Cue]:
    """Cues for one utterance whose words have times: each cue lasts from its first word to its last."""
    cues, at = [], 0
    for text in _cue_texts([word.text for word in words]):
        taken = words[at : at + len(text)]
        at += len(text)
        cues.append(Cue(span=Span.hull(word.span for word in taken), lines=_lines(text)))
    return cues


def cues_of_text(spoken: Spoken) -> list[Cue]:
    """Cues for one utterance without word times: its span is shared out by the number of characters."""
    texts = _cue_texts(spoken.text.split())
    lengths = [sum(len(word) + 1 for word in text) for text in texts]
    cues, before, total = [], 0, sum(lengths)
    for text, length in zip(texts, lengths, strict=True):
        start = spoken.span.start + spoken.span.duration * before // total
        before += length
        end = spoken.span.start + spoken.span.duration * before // total
        cues.append(Cue(span=Span(start, end), lines=_lines(text)))
    return cues


def _cue_texts(words: Sequence[str]) -> list[list[str]]:
    """The words in runs that each fit on `LINES` lines; runs of even length, broken at clauses where one is near."""
    words = list(words)
    if not words:
        return []
    if _fits(words):
        return [words]
    middle = _length(words) / 2

    def worth(at: int) -> float:
        off_centre = abs(_length(words[:at]) - middle)
        return (0 if _CLAUSE_END.search(words[at - 1]) else -middle / 2) - off_centre

    at = max(range(1, len(words)), key=worth) if len(words) > 1 else 1
    return [words] if len(words) == 1 else [*_cue_texts(words[:at]), *_cue_texts(words[at:])]


def _lines(words: Sequence[str]) -> tuple[str, ...]:
    """One line where it fits, else two as even as can be, the break at a clause's end preferred."""
    text = " ".join(words)
    if len(text) <= LINE_CHARACTERS or len(words) == 1:
        return (text,)

    def worth(at: int) -> float:
        first, second = _length(words[:at]), _length(words[at:])
        too_long = max(first - LINE_CHARACTERS, 0) + max(second - LINE_CHARACTERS, 0)
        return (4 if _CLAUSE_END.search(words[at - 1]) else 0) - abs(first - second) / 4 - 100 * too_long

    at = max(range(1, len(words)), key=worth)
    return " ".join(words[:at]), " ".join(words[at:])


def _fits(words: Sequence[str]) -> bool:
    return all(len(line) <= LINE_CHARACTERS for line in _lines(words))


def _length(words: Sequence[str]) -> int:
    return len(" ".join(words))
