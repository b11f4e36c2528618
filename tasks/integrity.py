"""What of a sentence must survive its translation: code, formulae, addresses; numbers and their units. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from models.speech.normalise import LANGUAGES, normalise
from models.speech.reading import READINGS

_OPERAND = r"(?:[A-Za-z]\w{0,2}(?:\([^()\s]{1,12}\))?|\d+(?:\.\d+)?[A-Za-z]?)(?:\^(?:\w+|\{[^{}\s]+\}))?"
_AND_SO_ON = rf"(?:\s*[=^<>≤≥≠*/+]\s*{_OPERAND}|\s-\s{_OPERAND})*"
_CALL = r"\((?:[^()\n]|\([^()\n]*\))*\)"
_PROTECTED = re.compile(
    "|".join(
        (
            r"(?:https?://|www\.)[^\s<>\"']*[\w/=]",
            r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
            r"`[^`]+`",
            # f(x) = x^2 + 3: operands of few letters, and among the signs one that no prose has
            rf"(?<!\w){_OPERAND}{_AND_SO_ON}\s*[=^≤≥≠]\s*-?{_OPERAND}{_AND_SO_ON}(?!\w)",
            # calls, also of what a call gave; but an "eigenvector(s)" is prose
            rf"(?<!\w)[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?!\(e?s\)){_CALL}(?:\.[A-Za-z_]\w*{_CALL})*",
            # np.array, main.py; not e.g.
            r"(?<!\w)[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\.[A-Za-z_]\w+(?!\w)",
            # my_var, __init__
            r"(?<!\w)(?:\w+_\w*|_+\w+)(?!\w)",
            r"(?<![\w-])--[A-Za-z][\w-]*",
            r"(?<!\w)~?(?:/[\w.-]+){2,}",
            # course codes: CS229, MATH 101A
            r"(?<!\w)[A-Z]{2,5}[ -]?\d{2,4}[A-Z]?(?!\w)",
            # NumPy, PyTorch, groupBy; not kHz
            r"(?<!\w)(?=\w{4})[A-Za-z]*[a-z][A-Z]\w*(?!\w)",
        )
    )
)
_NUMBER = re.compile(r"\d{1,3}(?:[ ,.'٬\u00a0\u202f]\d{3})+(?!\d)(?:[.,٫]\d+)?|\d+(?:[.,٫]\d+)?")
_GROUPED = re.compile(r"\d{1,3}(?:([ ,.'٬\u00a0\u202f])\d{3})(?:\1\d{3})*")
_AFTERNOON = re.compile(r"\bp\.?\s?m\b", re.IGNORECASE)
_CURRENCIES = frozenset("$€£¥")
_SAME_UNIT = {"ko": "kB", "Ko": "kB", "KB": "kB", "Mo": "MB", "Go": "GB", "To": "TB", "L": "l", "mL": "ml"} | {
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
}
_LARGEST_NAMED = 9_999
"""Larger numbers are written in digits by translators."""


def protected(text: str) -> tuple[tuple[int, int], ...]:
    """Where `text` holds what no translator may touch: code, identifiers, formulae, course codes, addresses."""
    return tuple(match.span() for match in _PROTECTED.finditer(text))


def losses(source: str, translation: str, languages: tuple[str, str]) -> tuple[str, ...]:
    """Which numbers and units of `source` its `translation` lacks or adds, a sentence each; none where all are there.

    `languages` are those of the two (ISO 639-1). Numbers may be written in words instead, by the reader's or the
    writer's conventions (1,200.5 or 1 200,5), and hours after noon by the clock of 24.
    """
    ours, theirs = languages
    lost: list[str] = []
    added, translation_left, source_left = _numbers(translation), translation, source
    for number in _numbers(source):
        values = _values(number)
        if _AFTERNOON.search(source):
            values = values | {value + 12 for value in values if value < 12}
        same = next((each for each in added if _values(each) & values), None)
        if same is None:
            lost.append(number)
        else:
            # One that was found answers for one number alone, its words included.
            added.remove(same)
            translation_left = translation_left.replace(same, " ", 1)
            source_left = source_left.replace(number, " ", 1)
    lost = [each for each in lost if not _in_words(_values(each), translation_left, theirs)]
    added = [each for each in added if not _in_words(_values(each), source_left, ours)]
    told = [f"the number {each} is lost" for each in lost]
    told += [f"the number {each} is not in the source" for each in added]
    missing = [unit for unit in _units(source, ours) if not _has_unit(translation, unit, theirs)]
    return (*told, *(f"the unit {unit} is lost" for unit in dict.fromkeys(missing)))


def numbers_of(text: str) -> tuple[tuple[int, int], ...]:
    """Where `text` holds numbers in digits."""
    return tuple(match.span() for match in _NUMBER.finditer(text))


def written(number: str, source: str, target: str) -> str:
    """`number`, written by the conventions of `source`, by those of `target`: 1,200.5 as 1 200,5."""
    decimal = READINGS[source].decimal[0] if source in READINGS else "."
    whole, _, fraction = number.partition(decimal)
    digits = re.sub(r"\D", "", whole)
    if target not in READINGS or digits + fraction != re.sub(r"\D", "", number):
        return number
    group = READINGS[target].group[0]
    if len(digits) > 4 or (len(digits) == 4 and digits != whole):
        digits = f"{int(digits):,}".replace(",", group)
    return f"{digits}{READINGS[target].decimal[0]}{fraction}" if fraction else digits


def _numbers(text: str) -> list[str]:
    masked = _PROTECTED.sub(" ", text)
    return [match[0] for match in _NUMBER.finditer(masked)]


def _values(number: str) -> set[Decimal]:
    """What `number` may mean, whoever wrote it: 1.200 is 1200 or 1.2."""
    values = set()
    if _GROUPED.fullmatch(number) or number.isdecimal():
        values.add(Decimal(re.sub(r"\D", "", number)))
    signs = re.sub(r"\d", "", number)
    if signs and signs[-1] in ".,٫" and signs.count(signs[-1]) == 1:
        whole, fraction = re.split(rf"[{signs[-1]}](?=\d+$)", number)
        digits = re.sub(r"\D", "", whole) or "0"
        values.add(Decimal(f"{digits}.{fraction}"))
    return {value.normalize() for value in values}


def _in_words(values: set[Decimal], text: str, language: str) -> bool:
    """Whether `text` names one of `values`; one is taken for named, being an article in most languages."""
    if Decimal(1) in values:
        return True
    spoken = f" {_words(normalise(text, language))} "
    return any(
        f" {name} " in spoken
        for value in values
        if value == value.to_integral_value() and value <= _LARGEST_NAMED
        for name in _names(int(value), language)
    )


@lru_cache(maxsize=4096)
def _names(value: int, language: str) -> tuple[str, ...]:
    if language not in LANGUAGES:
        return ()
    ordinals = {"en": [f"{value}{suffix}" for suffix in ("st", "nd", "rd", "th")], "fr": [f"{value}e", f"{value}es"]}
    written_ = [str(value), *ordinals.get(language, [])]
    return tuple(_words(normalise(each, language)) for each in written_)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _units(text: str, language: str) -> Iterator[str]:
    """The units that numbers in digits have in `text`, by one name each."""
    pattern = _unit_pattern(language)
    if pattern is None:
        return
    masked = _PROTECTED.sub(" ", text)
    for match in _NUMBER.finditer(masked):
        before = masked[: match.start()].rstrip()[-1:]
        if before in _CURRENCIES:
            yield _SAME_UNIT.get(before, before)
        elif after := pattern.match(masked, match.end()):
            yield _unit_of(after, language)


def _has_unit(text: str, unit: str, language: str) -> bool:
    pattern = _unit_pattern(language)
    if pattern is None or any(_unit_of(each, language) == unit for each in pattern.finditer(text)):
        return True
    return any(sign in text for sign in _CURRENCIES if _SAME_UNIT.get(sign, sign) == unit)


def _unit_of(match: re.Match[str], language: str) -> str:
    signs, words = _unit_names(language)
    return signs[match["sign"]] if match["sign"] else words[match["word"].casefold()]


@lru_cache
def _unit_names(language: str) -> tuple[dict[str, str], dict[str, str]]:
    """What each sign and each name of a unit is called here."""
    reading = READINGS[language]
    signs, words = {"%": "%"}, {reading.percent.casefold(): "%"}
    for sign, (one, many) in (reading.units | reading.money).items():
        signs[sign] = _SAME_UNIT.get(sign, sign)
        for name in (many, one.split(" ", 1)[-1]):
            words.setdefault(name.casefold(), signs[sign])
    return signs, words


@lru_cache
def _unit_pattern(language: str) -> re.Pattern[str] | None:
    """A sign behind a digit, or a name wherever it stands."""
    if language not in READINGS:
        return None
    signs, words = ("|".join(map(re.escape, sorted(each, key=len, reverse=True))) for each in _unit_names(language))
    space = "[\\s\u00a0\u202f-]?"
    return re.compile(rf"(?:(?<=\d){space}(?P<sign>{signs})|(?:(?<!\w)|\b){space}(?<!\w)(?P<word>(?i:{words})))(?!\w)")
