"""What translators do to a sentence before and after the network: tidy it, cut it where it is too long, spot a loop."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from manifests.records import Hypothesis

_TYPOGRAPHY = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "…": "..."}
    | {"\u00ad": None, "\u200b": None, "\ufeff": None}
)
"""To the ASCII marks that the OPUS-MT corpora were normalised to; soft hyphens and zero-width characters go."""

# Where a sentence may be cut, the best places first; what matches stays with the part before.
_CUTS = (
    re.compile(r"[.!?。！？؟]+[\"')\]]*\s+"),
    re.compile(r"[;:；：—–]\s*"),
    re.compile(r"[,،、，]\s*"),
    re.compile(r"\s+(?=(?:and|but|or|so|because|which|that|while|although|when|where|if)\b)", re.IGNORECASE),
    re.compile(r"\s+"),
)
_MIDDLE = 0.5
_OFF_MIDDLE = 0.35


def normalise(sentence: str) -> str:
    """NFC, typographic quotes and ellipses as ASCII, no control characters, white space as single spaces inside."""
    plain = unicodedata.normalize("NFC", sentence).translate(_TYPOGRAPHY)
    printable = "".join(" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in plain)
    return " ".join(printable.split())


def has_words(sentence: str) -> bool:
    """Whether there is anything to translate: a letter or a digit. Of the rest, networks make up sentences."""
    return any(each.isalnum() for each in sentence)


def split_to_fit(sentence: str, fits: Callable[[str], bool]) -> list[str]:
    """`sentence` in parts that fit, in order; joined by spaces they give it back but for white space.

    It is halved where it does not fit: at the end of a sentence inside it if there is one near the middle, else at a
    clause, a comma, a conjunction, a space; a single word is halved between letters, and one letter passes as it is.
    """
    sentence = sentence.strip()
    if len(sentence) <= 1 or fits(sentence):
        return [sentence] if sentence else []
    at = _best_cut(sentence)
    return split_to_fit(sentence[:at], fits) + split_to_fit(sentence[at:], fits)


def is_loop(translation: str, source: str, *, times: int = 4) -> bool:
    """Whether `translation` repeats a group of 1 to 8 words at least `times` times on end, and `source` none so often.

    It is also one where a piece of up to 6 letters within a word is repeated eight times on end.
    """
    return (_longest_run(translation) >= times and _longest_run(source) < times) or (
        _STUTTER.search(translation) is not None and _STUTTER.search(source) is None
    )


def joined(parts: Sequence[Sequence[Hypothesis]], candidates: int) -> tuple[Hypothesis, ...]:
    """The candidates of a sentence out of those of its parts: the first of each, the second of each, and so on.

    A part with fewer candidates than others gives its last. The score is the mean of the parts', by their length.
    """
    ranks = range(min(candidates, max(len(part) for part in parts)))
    rows = [[part[min(rank, len(part) - 1)] for part in parts] for rank in ranks]
    return unique(
        (Hypothesis(text=" ".join(each.text for each in row if each.text), score=_mean_score(row)) for row in rows),
        candidates,
    )


def unique(hypotheses: Iterable[Hypothesis], candidates: int) -> tuple[Hypothesis, ...]:
    """The best `candidates` of `hypotheses`, best score first (the order given breaks ties), no text twice."""
    best: dict[str, Hypothesis] = {}
    for hypothesis in sorted(hypotheses, key=lambda each: -each.score):
        best.setdefault(hypothesis.text, hypothesis)
    return tuple(islice(best.values(), candidates))


_STUTTER = re.compile(r"(\S{1,6}?)\1{7,}")


def _best_cut(sentence: str) -> int:
    length = len(sentence)
    for pattern in _CUTS:
        places = [match.end() for match in pattern.finditer(sentence) if 0 < match.end() < length]
        central = [place for place in places if abs(place / length - _MIDDLE) <= _OFF_MIDDLE]
        if central:
            return min(central, key=lambda place: abs(place - length / 2))
    return length // 2


def _longest_run(text: str) -> int:
    """How often on end the most repeated group of 1 to 8 words is said in `text`."""
    words = text.lower().split()
    longest = 1 if words else 0
    for size in range(1, min(8, len(words) // 2) + 1):
        same = 0
        for at in range(size, len(words)):
            same = same + 1 if words[at] == words[at - size] else 0
            longest = max(longest, 1 + same // size)
    return longest


def _mean_score(row: Sequence[Hypothesis]) -> float:
    lengths = [max(1, len(each.text)) for each in row]
    return sum(each.score * length for each, length in zip(row, lengths, strict=True)) / sum(lengths)
