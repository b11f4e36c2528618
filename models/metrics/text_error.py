"""How far a text that was heard is from the one that was meant: the edit distance (Levenshtein, 1966) over its length.

Texts are compared as they sound: numbers and signs in words (`models.speech.normalise`), no case, no punctuation, and
for Arabic no vowel marks, which neither translations nor recognisers write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from typing import TypeVar

from models.speech.normalise import normalise

Item = TypeVar("Item", bound=Hashable)

_ARABIC_MARKS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u0640]")  # vowel signs, small high signs, tatweel
_ARABIC_FORMS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي"})


def as_heard(text: str, language: str) -> str:
    """`text` as it sounds in `language` (ISO 639-1): letters and single blanks only."""
    spoken = unicodedata.normalize("NFC", normalise(text, language).casefold())
    if language == "ar":
        spoken = _ARABIC_MARKS.sub("", spoken).translate(_ARABIC_FORMS)
    kept = (letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in spoken)
    return " ".join("".join(kept).split())


def edits(meant: Sequence[Item], heard: Sequence[Item]) -> int:
    """The least number of insertions, deletions and substitutions that turn `meant` into `heard`."""
    first = 0
    while first < min(len(meant), len(heard)) and meant[first] == heard[first]:
        first += 1
    last = 0
    while last < min(len(meant), len(heard)) - first and meant[-1 - last] == heard[-1 - last]:
        last += 1
    # What both begin and end with costs nothing, and is most of a text that was understood.
    meant, heard = meant[first : len(meant) - last], heard[first : len(heard) - last]
    row = list(range(len(heard) + 1))
    for at, wanted in enumerate(meant, start=1):
        diagonal, row[0] = row[0], at
        for other, got in enumerate(heard, start=1):
            diagonal, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, diagonal + (wanted != got))
    return row[-1]


def character_error_rate(meant: str, heard: str, language: str) -> float | None:
    """The edits over the characters of `meant`, both as they sound; above 1 where much more is heard than was meant.

    None where `meant` holds nothing that could be heard.
    """
    wanted = as_heard(meant, language)
    if not wanted:
        return None
    return edits(wanted, as_heard(heard, language)) / len(wanted)
