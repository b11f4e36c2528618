"""Text as it is spoken: realistic sentences, and properties over any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.speech.normalise import LANGUAGES, is_speakable, normalise

SENTENCES = [
    (
        "en",
        "In 1998, 3.5 % of 1,200 students",
        "In nineteen ninety-eight, three point five percent of one thousand two hundred students",
    ),
    ("en", "$3.5 million, $20 and 1 €", "three point five million dollars, twenty dollars and one euro"),
    ("en", "Dr. Smith, e.g. on the 21st at 9:05.", "Doctor Smith, for example on the twenty-first at nine oh five."),
    ("en", "the 1990s and the 90s", "the nineteen nineties and the nineties"),
    ("en", "from 1914-1918, pages 10–12", "from nineteen fourteen to nineteen eighteen, pages ten to twelve"),
    (
        "en",
        "-5 °C, 9.81 m/s², 1500 m",
        "minus five degrees Celsius, nine point eight one meters per second squared, one thousand five hundred meters",
    ),
    ("en", "x² + y² = 1", "x squared plus y squared equals one"),
    ("en", "GPT-4, H2O, a 5-minute walk", "GPT four, H two O, a five minute walk"),
    ("en", "Python 3.11.2 & C++", "Python three point eleven point two and C plus plus"),
    ("en", "World War II, agent 007, 1/2", "World War two, agent zero zero seven, one over two"),
    ("en", "apples, pears, etc. Then we stop, etc.", "apples, pears, et cetera. Then we stop, et cetera."),
    ("en", "I think I will mix it.", "I think I will mix it."),
    (
        "fr",
        "En 1998, 3,5 % des 1 200 étudiants",
        "En mille neuf cent quatre-vingt-dix-huit, trois virgule cinq pour cent des mille deux cents étudiants",
    ),
    (
        "fr",
        "le 1er chapitre, la 1re page, n° 5, le 2e",
        "le premier chapitre, la première page, numéro cinq, le deuxième",
    ),
    ("fr", "au XXe siècle et au XIXᵉ siècle", "au vingtième siècle et au dix-neuvième siècle"),
    ("fr", "à 14h30, 1,5 km, 20 €", "à quatorze heures trente, un virgule cinq kilomètre, vingt euros"),
    ("fr", "p. ex. Mme Curie à 21 °C", "par exemple Madame Curie à vingt et un degrés Celsius"),
    ("de", "Am 3. Mai 1998 um 14:30 Uhr", "Am dritten Mai neunzehnhundertachtundneunzig um vierzehn Uhr dreißig"),
    (
        "de",
        "1.200 Studenten, 3,5 % davon, z. B. 1 km",
        "eintausendzweihundert Studenten, drei Komma fünf Prozent davon, zum Beispiel ein Kilometer",
    ),
    ("de", "das 2. Kapitel im 19. Jahrhundert", "das zweite Kapitel im neunzehnten Jahrhundert"),
    ("de", "Es waren 12. Dann gingen sie.", "Es waren zwölf. Dann gingen sie."),
    (
        "es",
        "el 3,5 % de los 1.200 estudiantes del siglo XX",
        "el tres coma cinco por ciento de los mil doscientos estudiantes del siglo veinte",
    ),
    (
        "es",
        "n.º 5, 3ª parte, 21 km, p. ej. 2 kg",
        "número cinco, tercera parte, veintiún kilómetros, por ejemplo dos kilogramos",
    ),
    (
        "it",
        "il 3,5% dei 1.200 studenti del XX secolo",
        "il tre virgola cinque per cento dei milleduecento studenti del ventesimo secolo",
    ),
    ("it", "ad es. 18°C o 21 km", "ad esempio diciotto gradi Celsius o ventuno chilometri"),
    ("ar", "حصل 3.5٪ من ١٢ طالب", "حصل ثلاثة فاصلة خمسة بالمئة من اثنا عشر طالب"),
]

written = st.lists(
    st.one_of(
        st.text(max_size=6),
        st.from_regex(r"[0-9]{1,18}([.,:/ -][0-9]{1,4}){0,3}", fullmatch=True),
        st.sampled_from(
            [
                "%",
                " km",
                " m/s²",
                "$",
                " €",
                "°C",
                "st",
                "e",
                "ème",
                "º",
                "XX",
                " siècle",
                " secolo",
                "etc.",
                "Dr.",
                "1990s",
                "-",
                "–",
                "+",
                "=",
                "<",
                ">",
                "½",
                "²",
                "①",
                "٣",
                "፩",
                " ",
                ".",
                ",",
                " Uhr",
                "am ",
                " Mai",
                "n°",
                "h30",
                " million",
                "^",
                "^{",
                "}",
                "_",
                "f(",
                ")",
                "|",
                "!",
                "==",
                "->",
                "**",
                " x ",
                ".py",
                "https://",
                "α",
                "∫",
                "⁻³",
                "CS ",
                "'",
                " - ",
                "n",
            ]
        ),
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize(("language", "text", "spoken"), SENTENCES)
def test_sentences_of_lectures(language: str, text: str, spoken: str) -> None:
    assert normalise(text, language) == spoken


@given(language=st.sampled_from(LANGUAGES), text=written)
@settings(max_examples=120, deadline=None)
def test_no_digit_is_left_and_nothing_changes_twice(language: str, text: str) -> None:
    spoken = normalise(text, language)
    assert not any(letter.isdigit() for letter in spoken)
    assert normalise(spoken, language) == spoken


@given(st.text())
@settings(max_examples=50, deadline=None)
def test_another_language_keeps_its_digits(text: str) -> None:
    spoken = normalise(text, "pt")
    assert normalise(spoken, "pt") == spoken
    assert sum(map(str.isdigit, spoken)) == sum(map(str.isdigit, text))


def test_signs_alone_are_not_speech() -> None:
    assert not is_speakable(" … — ?!")
    assert is_speakable("7")
