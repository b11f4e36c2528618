"""Words that a person wrote, on the times of those that were heard."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from manifests.records import Word
from manifests.time import Span


def retimed(words: Sequence[Word], text: str, span: Span) -> tuple[Word, ...]:
    """The words of `text` with times: those that `words` has too keep theirs, others share the time between them.

    `span` is where the utterance is heard; a person's words are certain (confidence 1).
    """
    given = text.split()
    matcher = SequenceMatcher(None, [word.text for word in words], given, autojunk=False)
    timed: list[Word] = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            timed.extend(words[old_from:old_to])
        else:
            start = words[old_from - 1].span.end if old_from else span.start
            end = words[old_to].span.start if old_to < len(words) else span.end
            if old_to > old_from:
                hull = Span.hull(word.span for word in words[old_from:old_to])
                start, end = hull.start, hull.end
            timed.extend(_shared(given[new_from:new_to], Span(start, max(start, end))))
    return tuple(timed)


def _shared(texts: Sequence[str], span: Span) -> list[Word]:
    """The words one after the other in `span`, each as long as its share of the characters."""
    words, gone, total = [], 0, sum(len(text) for text in texts)
    for text in texts:
        start = span.start + span.duration * gone // total
        gone += len(text)
        words.append(Word(text=text, span=Span(start, span.start + span.duration * gone // total), confidence=1.0))
    return words
