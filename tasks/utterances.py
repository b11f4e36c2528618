"""Words into utterances: sentences, or the parts of one between two pauses, that are dubbed as a unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from manifests.records import Word
from manifests.time import Flicks, Span, flicks

_ENDS_SENTENCE = re.compile(r"[.!?…؟。]['\"»”’)\]]*$")
# Ends with a full stop without ending a sentence: one letter, or a title or abbreviation of the languages we hear.
_ABBREVIATION = re.compile(
    r"^(?:\W*[A-Za-z]|e\.g|i\.e|etc|vs|cf|approx|Fig|Eq|No|Dr|Mr|Mrs|Ms|Prof|St|bzw|usw|z\.B|M|Mme)\.$"
)
_ENDS_CLAUSE = re.compile(r"[,;:–—،؛]['\"»”’)\]]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class UtteranceSettings:
    """Where one utterance ends: a silence of `max_pause_s`, or, over `max_s` long, the best place inside."""

    max_pause_s: float = 0.9
    max_s: float = 14.0
    cut_pause_s: float = 0.12
    unpunctuated_pause_s: float = 0.45


def split_into_utterances(
    words: Sequence[Word], cuts: Sequence[Flicks], settings: UtteranceSettings, *, punctuated: bool = True
) -> list[tuple[Word, ...]]:
    """Group `words` (in order) into utterances; every word is in exactly one, and the order is kept.

    An utterance ends after the end of a sentence, before a long pause, and where one of `cuts` (times of shot cuts)
    falls in a pause: the next shot may show another speaker. What is still too long is split at its longest pause, a
    clause's end preferred.
    """
    if not words:
        return []
    longest_pause = flicks(settings.max_pause_s if punctuated else settings.unpunctuated_pause_s)
    groups: list[list[Word]] = [[words[0]]]
    for before, after in pairwise(words):
        ends = (
            _ends_sentence(before.text)
            or after.span.start - before.span.end >= longest_pause
            or _cut_between(before, after, cuts, flicks(settings.cut_pause_s))
        )
        if ends:
            groups.append([after])
        else:
            groups[-1].append(after)
    longest = flicks(settings.max_s)
    return [part for group in groups for part in _within_length(tuple(group), longest)]


def _ends_sentence(text: str) -> bool:
    return bool(_ENDS_SENTENCE.search(text)) and not _ABBREVIATION.match(text)


def _cut_between(before: Word, after: Word, cuts: Sequence[Flicks], pause: Flicks) -> bool:
    # Recognised word borders are a few frames loose, so a cut just inside a word still counts as between the two.
    middle_before = (before.span.start + before.span.end) // 2
    middle_after = (after.span.start + after.span.end) // 2
    return after.span.start - before.span.end >= pause and any(middle_before <= cut <= middle_after for cut in cuts)


def _within_length(words: tuple[Word, ...], longest: Flicks) -> list[tuple[Word, ...]]:
    span = Span.hull(word.span for word in words)
    if span.duration <= longest or len(words) < 4:
        return [words]
    middle = (span.start + span.end) // 2

    def worth(at: int) -> tuple[float, int]:
        pause = words[at].span.start - words[at - 1].span.end
        clause = flicks(0.5) if _ENDS_CLAUSE.search(words[at - 1].text) else 0
        # A split near the middle is worth more: a lone word at either end would be spoken badly.
        off_centre = abs(words[at].span.start - middle)
        return pause + clause - 0.15 * off_centre, -off_centre

    at = max(range(2, len(words) - 1), key=worth)
    return [*_within_length(words[:at], longest), *_within_length(words[at:], longest)]
