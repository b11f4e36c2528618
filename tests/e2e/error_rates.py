"""Word and character error rates: the edit distance (Levenshtein, 1966) over the length of what was meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from num2words import num2words

_NUMBER = re.compile(r"\d+")


def normalised(text: str, language: str) -> str:
    """Lower case, numbers in words, no punctuation, one blank between words."""
    text = _NUMBER.sub(lambda found: f" {num2words(int(found[0]), lang=language)} ", text.casefold())
    kept = (c if unicodedata.category(c)[0] in "LM" else " " for c in unicodedata.normalize("NFC", text))
    return " ".join("".join(kept).split())


def error_rate(meant: Sequence[str], heard: Sequence[str]) -> float:
    """Insertions, deletions and substitutions that turn `meant` into `heard`, over the length of `meant`."""
    row = list(range(len(heard) + 1))
    for at, wanted in enumerate(meant, start=1):
        diagonal, row[0] = row[0], at
        for other, got in enumerate(heard, start=1):
            diagonal, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, diagonal + (wanted != got))
    return row[-1] / len(meant)
