from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.integrity import losses, protected, written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call np.array(x) and df.groupby('a').sum() now.", ["np.array(x)", "df.groupby('a').sum()"]),
        ("See https://example.org/a?b=1, or www.x.org.", ["https://example.org/a?b=1", "www.x.org"]),
        ("In CS229 we prove that f(x) = x^2 + 3.", ["CS229", "f(x) = x^2 + 3"]),
        ("Set my_var = 10 and run foo_bar().", ["my_var", "foo_bar()"]),
        ("NumPy and PyTorch in LaTeX", ["NumPy", "PyTorch", "LaTeX"]),
        ("edit main.py with --verbose in /usr/bin", ["main.py", "--verbose", "/usr/bin"]),
        ("mail me at a.b@c.org, ok?", ["a.b@c.org"]),
        ("if E = mc^2 then 3 * 4 = 12", ["E = mc^2", "3 * 4 = 12"]),
        ("run `git push origin main` twice", ["`git push origin main`"]),
    ],
)
def test_code_and_formulae_are_seen(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in protected(text)] == expected


@pytest.mark.parametrize(
    "prose",
    [
        "so e.g. the U.S. at 3 p.m. is well-known and/or wrong",
        "the eigenvector(s) of a PhD student at 5 kHz",
        "The number n is 5. Let x be it - a lot.",
        "the I/O of TCP/IP, in UNESCO's view (of 1998)",
        "Mr. Smith vs. the world, i.e. us",
    ],
)
def test_prose_is_not_taken_for_code(prose: str) -> None:
    assert protected(prose) == ()


@pytest.mark.parametrize("bit", ["a ", "1+", "a=", "f(", "a.", "x^", "_a", "A1 ", "(a", "/a"])
def test_no_text_takes_long_to_look_through(bit: str) -> None:
    started = time.perf_counter()
    protected(bit * 800)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("It costs $1,200.50.", "Cela coûte 1 200,50 $."),
        ("12,000 people in 1998 ran 5 km", "En 1998, 12 000 personnes ont couru 5 kilomètres"),
        ("25 degrees", "vingt-cinq degrés"),
        ("twenty-five people", "25 personnes"),
        ("At 3 p.m. we meet", "À 15 heures"),
        ("3.5 kg", "3,5 kilogrammes"),
        ("the 3rd row", "la troisième ligne"),
        ("the third row", "la 3e ligne"),
        ("5% of 20", "5 pour cent de 20"),
        ("1 apple", "une pomme"),
        ("pi is 3.141", "pi est 3,141"),
        ("a 20-minute talk", "un exposé de 20 minutes"),
        ("It runs at 2 GHz with 16 GB", "Il tourne à 2 GHz avec 16 Go"),
        ("5 euros", "5 €"),
        ("call f(2)", "appelez f(2)"),
    ],
)
def test_numbers_and_units_may_be_written_another_way(source: str, translation: str) -> None:
    assert losses(source, translation, ("en", "fr")) == ()


@pytest.mark.parametrize(
    ("source", "translation", "told"),
    [
        ("3.5 kg", "35 kg", ("the number 3.5 is lost", "the number 35 is not in the source")),
        ("3.5 kg", "3,5 g", ("the unit kg is lost",)),
        ("2 apples", "les pommes", ("the number 2 is lost",)),
        ("apples", "12 pommes", ("the number 12 is not in the source",)),
        ("10 and 10", "10 encore", ("the number 10 is lost",)),
        ("$5", "5 euros", ("the unit USD is lost",)),
        ("20 %", "20 degrés", ("the unit % is lost",)),
    ],
)
def test_what_changed_is_told(source: str, translation: str, told: tuple[str, ...]) -> None:
    assert losses(source, translation, ("en", "fr")) == told


def test_a_language_without_tables_is_judged_by_its_digits() -> None:
    assert losses("5 km and 12", "5 キロと12", ("en", "ja")) == ()
    assert losses("5 km", "キロ", ("en", "ja")) == ("the number 5 is lost",)
    assert losses("1,200.5 and 12", "١٬٢٠٠٫٥ و١٢", ("en", "ar")) == ()
    assert losses("12", "١٣", ("en", "ar")) == ("the number 12 is lost", "the number ١٣ is not in the source")


@pytest.mark.parametrize(
    ("number", "french"),
    [("1,200.50", "1 200,50"), ("12,000", "12 000"), ("1998", "1998"), ("3.5", "3,5"), ("7", "7")],
)
def test_numbers_are_written_as_the_language_does(number: str, french: str) -> None:
    assert written(number, "en", "fr") == french
    assert losses(number, french, ("en", "fr")) == ()


@given(st.integers(0, 10**9), st.sampled_from(["fr", "de", "es", "it", "ja"]))
def test_a_number_rewritten_is_the_same_number(value: int, target: str) -> None:
    for number in (str(value), f"{value:,}", f"{value:,}.25"):
        assert losses(number, written(number, "en", target), ("en", target)) == ()
