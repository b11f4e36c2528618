"""espeak-ng's phonemes in the symbols of the MBROLA voice ar2."""

from __future__ import annotations

import pytest

from models.speech import mbrola
from models.speech.contract import Voice
from models.speech.voices import find


def symbols(pho: str) -> list[str]:
    return [line.split()[0] for line in mbrola.respell(pho).splitlines()]


def test_vowels_are_coloured_after_velarised_consonants_and_nowhere_else() -> None:
    assert symbols("s. 80\na 60\na 40\nm 50\na. 60\nd. 30\nd. 30\nu 50\nw 40\nu 50\n") == [
        "s.", "a.", "a.", "m", "a", "d.", "d.", "u.", "w", "u",
    ]  # fmt: skip


def test_r_is_spoken_and_times_and_pitch_are_kept() -> None:
    assert mbrola.respell("; a comment\n\nR\t65\na\t48\t 0 117 80 109\n") == "r 65\na 48 0 117 80 109\n"


def test_a_rate_shortens_every_sound_and_keeps_its_pitch() -> None:
    pho = "r 65\na 48 0 117 80 109\n"
    assert mbrola.paced(pho, 1.0) == pho
    assert mbrola.paced(pho, 1.25) == "r 52.0\na 38.4 0 117 80 109\n"


@pytest.fixture
def arabic() -> Voice:
    return find("ar-mbrola-ar2")


def test_what_is_not_installed_is_named(arabic: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert mbrola.missing(arabic) == "install the program espeak-ng"
