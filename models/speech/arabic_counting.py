"""How Arabic counts: its nouns have a dual, a plural for 3 to 10 and a singular beyond, its numbers a gender. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CountedNoun:
    """A noun as it stands after a number: two of it, three to ten, eleven to ninety-nine."""

    dual: str
    plural: str
    accusative: str
    feminine: bool = False


def _sound(noun: str) -> CountedNoun:
    return CountedNoun(f"{noun}ان", f"{noun}ات", f"{noun}ا")


_NOUNS: dict[str, CountedNoun] = {
    "متر": CountedNoun("متران", "أمتار", "مترا"),
    "ثانية": CountedNoun("ثانيتان", "ثوان", "ثانية", feminine=True),
    "دقيقة": CountedNoun("دقيقتان", "دقائق", "دقيقة", feminine=True),
    "ساعة": CountedNoun("ساعتان", "ساعات", "ساعة", feminine=True),
    "درجة": CountedNoun("درجتان", "درجات", "درجة", feminine=True),
} | {
    noun: _sound(noun)
    for noun in ("كيلومتر", "سنتيمتر", "مليمتر", "كيلوغرام", "غرام", "مليغرام", "لتر", "مليلتر", "دولار", "جنيه")
}
"""Other nouns, borrowed from other languages, do not change."""

_DUAL_ADJECTIVES = {"مئوية": "مئويتان", "مربع": "مربعان", "مكعب": "مكعبان"}
_PLURAL_ADJECTIVES = {"مربع": "مربعة", "مكعب": "مكعبة"}
_ACCUSATIVE_ADJECTIVES = {"مربع": "مربعا", "مكعب": "مكعبا"}
_FEMININE = ("", "إحدى", "اثنتان", "ثلاث", "أربع", "خمس", "ست", "سبع", "ثماني", "تسع", "عشر")


def count(number: int, noun: str, cardinal: Callable[[int], str]) -> str:
    """`number` (2 or more) of `noun` (singular, with what belongs to it after it); `cardinal` names a number."""
    head, _, rest = noun.partition(" ")
    known = _NOUNS.get(head)
    if known is None:
        return f"{cardinal(number)} {noun}"
    below = number % 100
    if number == 2:
        return f"{known.dual} {_DUAL_ADJECTIVES.get(rest, rest)}".strip()
    words = _feminine(number, cardinal) if known.feminine and below > 2 else cardinal(number)
    if below > 10:
        form, rest = known.accusative, _ACCUSATIVE_ADJECTIVES.get(rest, rest)
    elif below > 2:
        form, rest = known.plural, _PLURAL_ADJECTIVES.get(rest, rest)
    else:
        form = head
        words = re.sub(r"(مئت|ألف|مليون)ان$", r"\1ا", words)  # two hundred of a noun lose their n
    return f"{words} {form} {rest}".strip()


def _feminine(number: int, cardinal: Callable[[int], str]) -> str:
    above, below = number - number % 100, number % 100
    if below <= 10:
        said = _FEMININE[below]
    elif below < 20:
        said = f"{'اثنتا' if below == 12 else _FEMININE[below - 10]} عشرة"
    elif below % 10:
        said = f"{_FEMININE[below % 10]} و{cardinal(below - below % 10)}"
    else:
        said = cardinal(below)
    return f"{cardinal(above)} و{said}" if above else said
