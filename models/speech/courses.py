"""Numbers of courses, as English says them: CS 101 is "one oh one", MATH-204b "two oh four B". Pure.

Other languages count them like any number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_NO_COURSES = "USD|EUR|GBP|AD|BC|AM|PM"


def read_courses(text: str, cardinal: Callable[[int], str], units: Iterable[str]) -> str:
    """A department's letters before three digits; `cardinal` names a number. Amounts and what has `units` are left."""

    def course(match: re.Match[str]) -> str:
        hundreds, rest = divmod(int(match["number"]), 100)
        if rest == 0:
            number = f"{cardinal(hundreds)} hundred"
        else:
            number = f"{cardinal(hundreds)} {cardinal(rest) if rest > 9 else f'oh {cardinal(rest)}'}"
        return f"{match['letters']} {number} {match['part'].upper()}".strip()

    measured = "|".join(map(re.escape, sorted(units, key=len, reverse=True)))
    return re.sub(
        rf"(?<![\w.])(?!(?:{_NO_COURSES})\b)(?P<letters>[A-Z]{{2,5}})[ -]?(?P<number>[1-9]\d\d)(?P<part>[A-Za-z]?)"
        rf"(?![\w%°]|[.,:]\d|-\w|\s?[%°€$£]|\s(?:{measured})(?!\w))",
        course,
        text,
    )
