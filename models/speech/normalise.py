"""Written text to speakable text: numbers, dates, money, units, signs and abbreviations as words. Pure.

Synthesizers mispronounce what a lecture's transcript is full of ("3.5 % of 1,200 students in 1998"). Rules run from the
most specific to the least; number names come from num2words (LGPL-2.1), the rest from the tables in `reading`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from models.speech import arabic_counting, formulae, source_code
from models.speech.courses import read_courses
from models.speech.reading import READINGS, Reading
from models.speech.technical import TECHNICAL

LANGUAGES = tuple(READINGS)

MAX_CARDINAL_DIGITS = 15
"""Longer integers are read digit by digit: nobody follows their names, and not every language has them."""

_PASSES = 4
_NUMBER = r"\d+(?:[.,٫]\d+)*"
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_ROMAN = r"(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_MAGNITUDES = "|".join(
    (
        "millions?|billions?|trillions?|milliards?",
        "millón|millones|billón|billones|mil millones",
        "Million|Millionen|Milliarde|Milliarden|Billion|Billionen",
        "milione|milioni|miliardo|miliardi",
        "مليون|مليار",
    )
)

_CHAPTERS = {
    "en": "Chapter|Part|Section|Volume|Act|Phase|Type|World War|Appendix|Table",
    "fr": "chapitre|partie|tome|section|acte|phase|type|annexe|tableau",
    "es": "siglo|siglos|capítulo|parte|tomo|sección|acto|fase|tipo|anexo|tabla",
    "de": "Kapitel|Teil|Band|Abschnitt|Akt|Phase|Typ|Anhang|Tabelle|Weltkrieg",
    "it": "secolo|capitolo|parte|tomo|sezione|atto|fase|tipo|tabella",
}
_CENTURY = {"fr": r"(?:siècles?|arrondissement|République)", "it": r"secolo"}
_GERMAN_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Jahrhundert"
_ORDINAL_SIGN = {
    "en": r"(?i:st|nd|rd|th)",
    "fr": r"(?:ers?|res?|ères?|nde?|e|è|ème|es|èmes|ᵉ|ʳᵉ|ᵉʳ)",
    "es": r"(?:\.?[ºª]|er|ero|era)",
    "it": r"[ºª°](?!\s?[CF]\b)",
}


def is_speakable(text: str) -> bool:
    """Whether `text` holds anything to say: a letter or a digit."""
    return any(letter.isalnum() for letter in text)


def normalise(text: str, language: str) -> str:
    """`text` as it is to be spoken in `language` (ISO 639-1), on one line.

    For en, fr, es, de, it and ar no digit is left, and normalising again changes nothing. Text in another language
    comes back with its spaces and letter forms unified only; the synthesizer's own rules read its numbers.
    """
    reading = READINGS.get(language)
    if reading is None:
        return _tidy(unicodedata.normalize("NFC", text))
    for _ in range(_PASSES):  # a rule's output may lie beside a sign that another rule now reads
        spoken = _Pass(language, reading).run(text)
        if spoken == text:
            break
        text = spoken
    return text


class _Pass:
    """One pass of all the rules of one language over a text."""

    def __init__(self, language: str, reading: Reading) -> None:
        self.language = language
        self.reading = reading
        self.technical = TECHNICAL[language]

    def run(self, text: str) -> str:
        text = _unify(text)
        rules: tuple[Callable[[str], str], ...] = (
            self._read_formulae,
            self._read_courses,
            self._read_years,
            self._join_groups,
            self._read_abbreviations,
            self._read_code,
            self._read_romans,
            self._read_times,
            self._read_money,
            self._read_units,
            self._read_percent,
            self._read_ordinals,
            self._read_ranges,
            self._read_powers,
            self._read_numbers,
            self._read_signs,
            self._read_left_digits,
        )
        for rule in rules:
            text = rule(text)
        return _tidy(text)

    def _read_formulae(self, text: str) -> str:
        words = self.technical
        text = source_code.read_addresses(text, words)
        text = source_code.read_operators(text, words)
        if self.language == "es":
            text = formulae.name_spanish_y(text)
        text = formulae.read_powers(self._read_units_of_powers(text), words)
        text = formulae.read_indices(text, words)
        text = formulae.read_functions(text, words)
        return formulae.read_minus(text, self.reading.minus, self.reading.over, words)

    def _read_units_of_powers(self, text: str) -> str:
        """`10^8 m/s`: the unit after a power of ten, which is no number any more once it is read."""
        return re.sub(
            rf"(?P<power>\d\^(?:\{{[-−]?\d+\}}|[-−]?\d+))\s?(?P<sign>{_alternatives(self.reading.units)})(?![\w²³/°^]|-\w)",
            lambda match: f"{match['power']} {self.reading.units[match['sign']][1]}",
            text,
        )

    def _read_courses(self, text: str) -> str:
        units = self.reading.units
        return read_courses(text, self._cardinal, units) if self.language == "en" else text

    def _read_code(self, text: str) -> str:
        return source_code.read_calls(source_code.read_names(text, self.technical))

    def _join_groups(self, text: str) -> str:
        """`1 200 000` and `1.200.000` lose their separators; a decimal sign becomes a point."""
        group, decimal = self.reading.group, self.reading.decimal

        def plain(match: re.Match[str]) -> str:
            whole = re.sub(rf"[{group}]", "", match["whole"])
            return f"{whole}.{match['fraction']}" if match["fraction"] else whole

        grouped = rf"(?<![\d.,])(?P<whole>\d{{1,3}}(?:(?P<by>[{group}])\d{{3}}(?:(?P=by)\d{{3}})*))"
        text = re.sub(rf"{grouped}(?:(?!(?P=by))[{decimal}](?P<fraction>\d+))?(?![\d]|[.,]\d)", plain, text)
        return re.sub(rf"(?<![\d.,٫])(\d+)[{decimal}](\d+)(?![\d]|[.,]\d)", r"\1.\2", text)

    def _read_abbreviations(self, text: str) -> str:
        matcher = _abbreviations(self.language)

        def words(match: re.Match[str]) -> str:
            # A sentence that ends in "etc." keeps its full stop.
            ends = match[0].endswith(".") and re.match(r"\s+[A-ZÀ-Þ]|\s*$", text[match.end() :])
            closing = match[0].rstrip(".") in {"etc", "ecc", "usw", "et al", "إلخ"}
            return self.reading.abbreviations[match[0]] + ("." if ends and closing else "")

        return matcher.sub(words, text)

    def _read_romans(self, text: str) -> str:
        def after(match: re.Match[str]) -> str:
            return f"{match['word']} {self._cardinal(_roman_value(match['roman']))}"

        def century(match: re.Match[str]) -> str:
            return self._ordinal(_roman_value(match["roman"])) + match["tail"]

        words = _CHAPTERS.get(self.language)
        if words:
            text = re.sub(rf"\b(?P<word>{words})\s+(?P<roman>(?=[IVXLC]){_ROMAN})\b(?!['’.]\w)", after, text)
        if place := _CENTURY.get(self.language):
            sign = "(?:e|ème|ᵉ|er)" if self.language == "fr" else ""
            text = re.sub(rf"\b(?P<roman>(?=[IVXLC]){_ROMAN}){sign}(?P<tail>\s+{place}\b)", century, text)
        if self.language == "fr":
            text = re.sub(rf"\b(?P<roman>(?=[IVXLC]{{2}}){_ROMAN})(?:e|ème|ᵉ)(?P<tail>)\b", century, text)
        return text

    def _read_times(self, text: str) -> str:
        def time_of_day(match: re.Match[str]) -> str:
            hour, minute = int(match["hour"]), int(match["minute"] or 0)
            return self._time(hour, minute)

        text = re.sub(
            r"(?<![\d:.,])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?:\s?Uhr\b)?(?![\d:]|[.,]\d)", time_of_day, text
        )
        if self.language == "fr":
            text = re.sub(r"(?<![\d.,])(?P<hour>[01]?\d|2[0-3])\s?h\s?(?P<minute>[0-5]\d)\b", time_of_day, text)
        return text

    def _read_money(self, text: str) -> str:
        signs = _alternatives(self.reading.money)

        def amount(match: re.Match[str]) -> str:
            magnitude = match["magnitude"] or ""
            _, many = self.reading.money[match["sign"]]
            if magnitude:
                of = "de " if self.language in {"fr", "es"} else "di " if self.language == "it" else ""
                return f"{self._number(match['number'])} {magnitude.strip()} {of}{many}"
            return self._counted(match["number"], self.reading.money[match["sign"]])

        tail = rf"(?P<magnitude>\s(?:{_MAGNITUDES})\b)?"
        text = re.sub(rf"(?<!\w)(?P<sign>{signs})\s?(?P<number>{_NUMBER}){tail}", amount, text)
        return re.sub(rf"(?<![\w.,])(?P<number>{_NUMBER}){tail}\s?(?P<sign>{signs})(?!\w)", amount, text)

    def _read_units(self, text: str) -> str:
        signs = _alternatives(self.reading.units)

        def measure(match: re.Match[str]) -> str:
            forms = self.reading.units[match["sign"]]
            first = f"{self._number(match['first'])} {self.reading.to} " if match["first"] else ""
            return self._signed(match) + first + self._counted(match["number"], forms)

        return re.sub(
            rf"(?<![\w.,])(?P<minus>-(?=\d))?(?:(?P<first>{_NUMBER})\s?[-–]\s?)?(?P<number>{_NUMBER})\s?(?P<sign>{signs})"
            r"(?![\w²³/°]|-\w)",
            measure,
            text,
        )

    def _read_percent(self, text: str) -> str:
        def share(match: re.Match[str]) -> str:
            name = self.reading.per_mille if match["sign"] == "‰" else self.reading.percent
            first = f"{self._number(match['first'])} {self.reading.to} " if match["first"] else ""
            number = self._before_noun(match["number"])
            return f"{self._signed(match)}{first}{number} {name}"

        return re.sub(
            rf"(?<![\w.,])(?P<minus>-(?=\d))?(?:(?P<first>{_NUMBER})\s?%?\s?[-–]\s?)?(?P<number>{_NUMBER})\s?(?P<sign>[%‰])",
            share,
            text,
        )

    def _read_ordinals(self, text: str) -> str:
        if self.language == "de":
            return self._read_german_ordinals(text)
        sign = _ORDINAL_SIGN.get(self.language)
        if sign is None:
            return text

        def ordinal(match: re.Match[str]) -> str:
            return self._ordinal(int(match["number"]), match["sign"])

        return re.sub(rf"(?<![\w.,])(?P<number>\d{{1,6}})(?P<sign>{sign})(?!\w)", ordinal, text)

    def _read_german_ordinals(self, text: str) -> str:
        def ordinal(match: re.Match[str]) -> str:
            before = (match["before"] or "").lower().strip()
            ending = "" if before in {"der", "die", "das"} else "n"
            return (match["before"] or "") + self._ordinal(int(match["number"])) + ending

        article = r"(?P<before>\b(?i:der|die|das|dem|den|des|am|im|zum|vom|beim|ab|bis)\s)"
        text = re.sub(rf"{article}(?P<number>\d{{1,3}})\.(?=\s\w)", ordinal, text)
        return re.sub(rf"(?P<before>)(?<![\w.,])(?P<number>\d{{1,3}})\.(?=\s(?:{_GERMAN_MONTHS})\b)", ordinal, text)

    def _read_years(self, text: str) -> str:
        """English and German read a bare `1998` in pairs; other rules read `1,998`, `1998 km` and `$1998`."""
        if self.language == "en":
            text = re.sub(r"(?<![\w.,])'?(\d0)s\b", lambda match: _plural(self._cardinal(int(match[1]))), text)
            text = re.sub(r"(?<![\w.,])(1[1-9]\d0|20\d0)s\b", lambda match: _plural(self._year(int(match[1]))), text)
        if self.language not in {"en", "de"}:
            return text
        year = r"1[1-9]\d\d|20[1-9]\d" if self.language == "en" else r"1[1-9]\d\d"
        measured = _alternatives(self.reading.units | self.reading.money)
        after = rf"(?![\w/:]|[.,-]\d|\s?(?:[%‰]|(?:{measured})(?!\w)))"
        before = rf"(?<![\w.,/:+#-])(?<![{re.escape('$€£¥')}]\s)(?<![{re.escape('$€£¥')}])"
        text = re.sub(
            rf"{before}(?P<year>{year})\s?[-–]\s?(?P<end>1[1-9]\d\d|20\d\d){after}",
            lambda match: f"{self._year(int(match['year']))} {self.reading.to} {self._year(int(match['end']))}",
            text,
        )
        return re.sub(rf"{before}(?P<year>{year}){after}", lambda match: self._year(int(match["year"])), text)

    def _read_ranges(self, text: str) -> str:
        return re.sub(
            rf"(?<![\w.,/-])({_NUMBER})\s?[-–]\s?({_NUMBER})(?![\w/-]|[.,]\d)",
            lambda match: f"{self._number(match[1])} {self.reading.to} {self._number(match[2])}",
            text,
        )

    def _read_powers(self, text: str) -> str:
        for sign, words in self.reading.powers.items():
            text = re.sub(rf"(?<=[\w)\]]){sign}(?!\w)", f" {words}", text)
        return text

    def _read_numbers(self, text: str) -> str:
        over = self.reading.over
        text = re.sub(r"(?<=\d)\s?/\s?(?=\d)", f" {over} ", text)
        text = re.sub(r"#\s?(?=\d)|(?i:\bn[°º])\s?(?=\d)|\bNo\.\s?(?=\d)", f"{self.reading.number} ", text)

        text = re.sub(r"(?<=[^\W\d])-(?=\d)|(?<=\d)-(?=[^\W\d])", " ", text)  # GPT-4, a 5-minute walk

        def number(match: re.Match[str]) -> str:
            return f" {self._signed(match)}{self._number(match['number'])} "

        return re.sub(rf"(?:(?<![\w)\]-])(?P<minus>-))?(?P<number>{_NUMBER})", number, text)

    def _read_signs(self, text: str) -> str:
        signs = self.reading.signs
        text = formulae.read_symbols(formulae.read_greek(text, self.technical), self.technical)
        text = re.sub(r"(?<=\w)/(?=\w)|[*_^|~#\\{}<>\[\]%‰$€£¥ºª](?<![<>])", " ", text)
        return re.sub("|".join(map(re.escape, signs)), lambda match: f" {signs[match[0]]} ", text)

    def _read_left_digits(self, text: str) -> str:
        """Digits of no decimal system (circled, Ethiopic, ...) have a value and no name of their own."""
        read = (
            f" {self._cardinal(int(unicodedata.digit(letter)))} " if letter.isdigit() else letter for letter in text
        )
        return "".join(read)

    def _signed(self, match: re.Match[str]) -> str:
        return f"{self.reading.minus} " if match["minus"] else ""

    def _number(self, written: str) -> str:
        """An integer, a decimal (`3.5`), or digits joined by several points (a version, an address)."""
        parts = re.split(r"[.,٫]", written)
        if len(parts) == 1:
            return self._cardinal_of(written)
        if len(parts) == 2:
            return f"{self._cardinal_of(parts[0])} {self.reading.point} {self._fraction(parts[1])}"
        point = "point" if self.language in {"en", "fr"} else self.reading.point
        return f" {point} ".join(self._cardinal_of(part) for part in parts)

    def _fraction(self, digits: str) -> str:
        if self.reading.spell_fraction or len(digits) > 2:
            return self._digits(digits)
        zeros = len(digits) - len(digits.lstrip("0"))
        rest = digits[zeros:]
        return " ".join([self._cardinal(0)] * zeros + ([self._cardinal(int(rest))] if rest else []))

    def _cardinal_of(self, digits: str) -> str:
        if len(digits) > MAX_CARDINAL_DIGITS or (len(digits) > 1 and digits[0] == "0"):
            return self._digits(digits)
        return self._cardinal(int(digits))

    def _digits(self, digits: str) -> str:
        return " ".join(self._cardinal(int(digit)) for digit in digits)

    def _counted(self, written: str, forms: tuple[str, str]) -> str:
        """So many of a noun: `1` gives its form for one; French counts in the singular below two."""
        one, many = forms
        if written == "1":
            return one
        if self.language == "ar" and written.isdigit() and 1 < int(written) < 10**MAX_CARDINAL_DIGITS:
            return arabic_counting.count(int(written), many, self._cardinal)
        if self.language == "fr" and float(re.sub(r"(?<=\.)(\d*)\..*", r"\1", written.replace(",", "."))) < 2:
            return f"{self._before_noun(written)} {one.split(' ', 1)[1]}"
        feminine = one.startswith(("une ", "una "))
        return f"{self._before_noun(written, feminine=feminine)} {many}"

    def _before_noun(self, written: str, *, feminine: bool = False) -> str:
        words = self._number(written)
        if feminine and self.language == "fr":
            return re.sub(r"\bun$", "une", words)
        if feminine and self.language == "es":
            return re.sub(r"(?<=ient)os\b", "as", re.sub(r"uno$", "una", words))
        if self.language == "es":
            return re.sub(r"veintiuno$", "veintiún", re.sub(r"(?<=y )uno$", "un", words))
        if self.language == "de" and written == "1":
            return "ein"
        return words

    def _time(self, hour: int, minute: int) -> str:
        names = {"hour": self._cardinal(hour), "minute": self._cardinal(minute)}
        if self.language == "en" and 0 < minute < 10:
            names["minute"] = f"oh {names['minute']}"
        if self.language == "en" and (hour > 12 or hour == 0) and minute == 0:
            return f"{names['hour']} hundred"
        if self.language == "fr" and hour == 1:
            return f"une heure {names['minute'] if minute else ''}".strip()
        if self.language == "de" and hour == 1:
            names["hour"] = "ein"
        return (self.reading.hours if minute else self.reading.hour).format(**names)

    def _year(self, year: int) -> str:
        return _named(year, self.language, "year")

    def _cardinal(self, number: int) -> str:
        return _named(number, self.language, "cardinal")

    def _ordinal(self, number: int, sign: str = "") -> str:
        if self.language == "fr" and number == 1:
            return "première" if sign in {"re", "res", "ère", "ères", "ʳᵉ"} else "premier"
        if self.language == "es" and number > 20:
            return self._cardinal(number)  # Spanish counts on in cardinals: "el veintiuno"
        words = _named(number, self.language, "ordinal") if number else self._cardinal(0)
        feminine = "ª" in sign or sign == "era"
        return words.removesuffix("o") + "a" if feminine and words.endswith("o") else words


def _unify(text: str) -> str:
    """Compatibility forms unified (NFKC), but for powers and ordinal signs: they would become digits and letters."""
    text = re.sub(r"(?<=\d)[\u00a0\u202f\u2009'’](?=\d{3}(?!\d))", "", text)
    text = formulae.lower_exponents(text)
    kept = "²³ºªᵉʳ"
    unified = "".join(letter if letter in kept else unicodedata.normalize("NFKC", letter) for letter in text)
    unified = unicodedata.normalize("NFC", unified)
    decimals = (str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in unified)
    spelled = "".join(decimals).translate({0x2212: "-", 0x2044: "/", 0x066A: "%", 0x2122: ""})
    return _tidy(spelled)


def _tidy(text: str) -> str:
    """One line, single spaces, none before a comma or a full stop."""
    text = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf"} and letter != "\u200c" else letter for letter in text
    )
    return re.sub(r"\s+([,.;،؛؟])(?!\w)", r"\1", " ".join(text.split())).strip()


def _plural(words: str) -> str:
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def _roman_value(roman: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in roman]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))


def _alternatives(table: dict[str, tuple[str, str]]) -> str:
    return "|".join(re.escape(sign) for sign in sorted(table, key=len, reverse=True))


@lru_cache
def _abbreviations(language: str) -> re.Pattern[str]:
    written = sorted(READINGS[language].abbreviations, key=len, reverse=True)
    return re.compile("|".join(rf"(?<![\w.]){re.escape(form)}(?!\w)" for form in written))


@lru_cache(maxsize=4096)
def _named(number: int, language: str, kind: str) -> str:
    """num2words' name of a number, in the form that is spoken: without commas, Arabic's "and" joined to its word."""
    from num2words import num2words

    words = str(num2words(number, lang=language, to=kind))
    if language == "ar":
        words = re.sub(r"\bو\s+", "و", words)
        words = re.sub(r"مئتا$", "مئتان", words)
    return words.replace(",", "")
