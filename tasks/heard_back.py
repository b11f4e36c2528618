"""Hearing back: what a recogniser understands of the dubbed speech, line by line.

A chunk's speech is transcribed as a whole. Which line a word belongs to is told by its time; a recogniser's times are
not exact, so words near the border of two lines go to the side whose text they fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.media.audio import read_wav, resample
from infra.store import Store
from manifests.records import Word
from manifests.time import Span, flicks
from models.asr import engines
from models.asr.contract import SAMPLE_RATE
from models.metrics.text_error import as_heard, character_error_rate, edits
from tasks.mix import ChunkSpeech
from tasks.stage import Stage

_UNSURE_S = 0.4
"""A word whose middle is nearer than this to where one line ends and the next begins may belong to either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineToHear:
    """A line as it should be heard, and when, on the clock of the chunk's speech."""

    utterance_id: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardBackWork:
    """The dubbed speech of one chunk with its lines, in the order in which they are spoken.

    `weights` is the revision of the recogniser `engine`.
    """

    speech: ChunkSpeech
    lines: tuple[LineToHear, ...]
    language: str
    engine: str
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardLine:
    """What was understood of a line. `cer` is None where its text holds nothing that could be heard."""

    utterance_id: str
    text: str
    cer: float | None


def hear_back(work: HeardBackWork, store: Store) -> tuple[HeardLine, ...]:
    """What is understood of each line, in their order; nothing where the recogniser does not know the language."""
    transcriber = engines.load(work.engine)
    if transcriber.languages is not None and work.language not in transcriber.languages:
        return ()
    samples, rate = read_wav(store.path(work.speech.audio))
    heard = transcriber.transcribe(resample(samples, rate, SAMPLE_RATE), work.language)
    words = [
        Word(text=word.text, span=word.span.shift(work.speech.span.start), confidence=word.confidence) for word in heard
    ]
    return tuple(
        HeardLine(utterance_id=line.utterance_id, text=said, cer=character_error_rate(line.text, said, work.language))
        for line, said in zip(work.lines, assign(words, work.lines, work.language), strict=True)
    )


def assign(words: Sequence[Word], lines: Sequence[LineToHear], language: str) -> list[str]:
    """The text that was heard of each of `lines`: `words` cut at their borders, with the fewest errors over all."""
    if not lines:
        return []
    meant = [as_heard(line.text, language) for line in lines]
    # best[cut]: the fewest edits of the lines so far, whose words end before `cut`, and the cuts that gave it.
    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for index, text in enumerate(meant):
        last = index == len(lines) - 1
        cuts = (len(words),) if last else _cuts(words, lines[index].span, lines[index + 1].span, min(best))
        following: dict[int, tuple[int, tuple[int, ...]]] = {}
        for cut in cuts:
            options = [
                (cost + edits(text, as_heard(_text(words[start:cut]), language)), (*before, cut))
                for start, (cost, before) in best.items()
                if start <= cut
            ]
            if options:
                following[cut] = min(options)
        best = following
    (_, ends) = best[len(words)]
    return [_text(words[start:end]) for start, end in zip((0, *ends), ends, strict=False)]


def _cuts(words: Sequence[Word], before: Span, after: Span, least: int) -> list[int]:
    """Between which words the border of two lines may lie: about the middle of their gap, none only before `least`."""
    border = (before.end + after.start) // 2
    reach = flicks(_UNSURE_S)
    middles = [(word.span.start + word.span.end) // 2 for word in words]
    first = sum(middle < border - reach for middle in middles)
    end = sum(middle < border + reach for middle in middles)
    return list(range(first, max(first, end, least) + 1))


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


HEARD_BACK: Stage[HeardBackWork, tuple[HeardLine, ...]] = Stage(
    "heard_back", 1, tuple[HeardLine, ...], hear_back, alone=True, gpu=True
)
