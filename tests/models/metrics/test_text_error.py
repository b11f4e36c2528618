"""How far what was heard is from what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.metrics.text_error import as_heard, character_error_rate, edits

letters = st.text(alphabet="abc", max_size=12)


@pytest.mark.parametrize(
    ("meant", "heard", "language"),
    [
        ("Il y a 42 pages.", "il y a quarante-deux pages", "fr"),
        ("3,5 % des élèves", "Trois virgule cinq pour cent des élèves !", "fr"),
        ("In 1998, I was 7.", "in nineteen ninety-eight i was seven", "en"),
        ("Es sind 21 Grad", "es sind einundzwanzig Grad", "de"),
        ("Son 16 años", "son dieciséis años", "es"),
        ("كَتَبَ الدَّرسَ", "كتب الدرس", "ar"),
        ("أهلا", "اهلا", "ar"),
        ("L’élève dit : « oui »", "l'élève dit oui", "fr"),
    ],
)
def test_what_sounds_alike_is_alike(meant: str, heard: str, language: str) -> None:
    assert character_error_rate(meant, heard, language) == 0


def test_wrong_characters_are_a_share_of_what_was_meant() -> None:
    assert character_error_rate("abcd efgh", "abcd", "en") == pytest.approx(5 / 9)
    assert character_error_rate("abcd", "", "en") == 1
    assert character_error_rate("ab", "abababab", "en") == 3  # invented speech counts in full


def test_of_nothing_nothing_can_be_heard_wrong() -> None:
    assert character_error_rate("...", "bonjour", "fr") is None
    assert as_heard(" -- ", "fr") == ""


def plain_edits(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    return min(
        plain_edits(one[1:], other) + 1,
        plain_edits(one, other[1:]) + 1,
        plain_edits(one[1:], other[1:]) + (one[0] != other[0]),
    )


@given(st.text(alphabet="ab", max_size=5), st.text(alphabet="ab", max_size=5))
def test_edits_are_the_fewest(one: str, other: str) -> None:
    assert edits(one, other) == plain_edits(one, other)


@given(letters, letters, letters)
def test_edits_are_a_distance(one: str, other: str, third: str) -> None:
    assert edits(one, one) == 0
    assert edits(one, other) == edits(other, one)
    assert edits(one, third) <= edits(one, other) + edits(other, third)
