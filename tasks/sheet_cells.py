"""Cells of the sheet as people and spreadsheets leave them: times, and text on one line.

A spreadsheet that opens a CSV reads its times as times and writes back what it shows: `0:01:02.345` comes back as
`01:02.3`, `0:01:02` or `1:02,35`. So a time is compared at the precision at which it is written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from manifests.time import FLICKS_PER_SECOND, Flicks, Span

TEXTS = ("speaker", "voice", "source", "translation", "note")
"""The columns that hold text for a person to edit."""

TIMES = "times"
"""What an edit calls `start` and `end`, which are one."""

SILENCE = "-"
"""As a translation: nothing is said."""

LONGEST_TEXT = 600
"""Characters of one line. An utterance lasts 14 s at most, in which some 300 characters are said."""

_MS = FLICKS_PER_SECOND // 1000
_TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,6})(?:[.,](\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A time as written: to the thousandth, and how many `decimals` of a second were given."""

    time: Flicks
    decimals: int


def clock_text(time: Flicks) -> str:
    """`time` as h:mm:ss.mmm, to the nearest thousandth of a second."""
    ms = _to_grid(time, _MS) // _MS
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def read_time(text: str) -> WrittenTime | None:
    """The time in `text`: h:mm:ss, m:ss or seconds, with a decimal point or comma. None where it is no time."""
    match = _TIME.fullmatch(text.replace(" ", ""))
    if match is None:
        return None
    hours, minutes, seconds, decimals = match.groups(default="")
    if (minutes and int(seconds) >= 60) or (hours and int(minutes) >= 60):
        return None
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds)
    exact = whole + Fraction(int(decimals or 0), 10 ** len(decimals))
    return WrittenTime(_to_grid(round(exact * FLICKS_PER_SECOND), _MS), len(decimals))


def says(written: WrittenTime, time: Flicks) -> bool:
    """Whether `written` is `time`, rounded or cut off at as many decimals as were written."""
    grid = FLICKS_PER_SECOND // 10 ** min(written.decimals, 3)
    shown = _to_grid(time, _MS)
    return written.time in (_to_grid(shown, grid), shown // grid * grid)


def on_one_line(text: str) -> str:
    """`text` on one line, composed (NFC): blanks, line ends and control characters are one blank each, none outside."""
    seen = "".join(" " if unicodedata.category(character) == "Cc" else character for character in text)
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def fault_of(text: str) -> str | None:
    """What is wrong with what a person typed, None where it can be spoken and shown once it is on one line."""
    if len(text) > LONGEST_TEXT:
        return f"it has {len(text)} characters, and a line holds {LONGEST_TEXT} at most;"
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            return f"it holds a control character (U+{ord(character):04X});"
        if character == "\N{REPLACEMENT CHARACTER}":
            return "it holds a character that was lost when the file was saved (U+FFFD);"
    return None


def on_the_grid(span: Span) -> Span:
    """`span` to the nearest thousandths of a second: what the sheet shows of it."""
    return Span(_to_grid(span.start, _MS), _to_grid(span.end, _MS))


def _to_grid(time: Flicks, grid: Flicks) -> Flicks:
    return (2 * time + grid) // (2 * grid) * grid
