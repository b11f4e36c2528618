"""Course names, code, formulae, numbers and units of lectures, as each language says them; and prose that is none."""

from __future__ import annotations

import pytest

from models.speech.normalise import normalise

SAID = {
    "en": [
        ("CS 101, MATH-204b and EE 300", "CS one oh one, MATH two oh four B and EE three hundred"),
        ("GPT-4 weighs USD 250", "GPT four weighs two hundred and fifty dollars"),
        ("EE 250 ms", "EE two hundred and fifty milliseconds"),
        ("for i in range(10)", "for i in range ten"),
        ("get_user_name in main.cpp and README.md", "get user name in main dot CPP and README dot MD"),
        ("np.array, model.fit(), C++, C# and .NET", "np dot array, model dot fit, C plus plus, C sharp and dot NET"),
        ("https://example.com/a_b.", "example dot com slash a b."),
        ("a != b, a >= b, x == 1", "a is not equal to b, a at least b, x equals one"),
        ("E = mc^2", "E equals mc squared"),
        ("x^2 + y^2 <= r^2", "x squared plus y squared at most r squared"),
        ("10^-3, 10⁶ and 2^n", "ten to the power of minus three, ten to the power of six and two to the power of n"),
        (
            "3 × 10^8 m/s, or 3e8",
            "three times ten to the power of eight meters per second, or three times ten to the power of eight",
        ),
        ("f(x) = 3x + 2, f'(x) = 3", "f of x equals three x plus two, f prime of x equals three"),
        ("P(A|B), O(n log n) and sin(θ)", "P of A given B, O of n log n and sine of theta"),
        ("sqrt(2) is √2", "the square root of two is the square root of two"),
        ("x_i, a_{ij}, x₁ and θ_1", "x sub i, a sub i j, x one and theta one"),
        ("n! = n × (n-1)!", "n factorial equals n times n minus one factorial"),
        (
            "|x|, (a - b)², 5 - 3x, dy/dx",
            "the absolute value of x, (a minus b) squared, five minus three x, d y over d x",
        ),
        ("x ∈ A ⇒ x ∈ B", "x in A implies x in B"),
        ("H₂O, CO₂ and Ca²⁺", "H two O, CO two and Ca two plus"),
        (
            "the 3rd of 21, in 1998 or 2005",
            "the third of twenty-one, in nineteen ninety-eight or two thousand and five",
        ),
        (
            "120 km/h, 5 µm, 3.2 GHz",
            "one hundred and twenty kilometers per hour, five micrometers, three point two gigahertz",
        ),
        (
            "9.81 m/s^2, 5 Ω, 100 Mbit/s",
            "nine point eight one meters per second squared, five ohms, one hundred megabits per second",
        ),
        ("see test_all.py. ===== |Name|", "see test all dot py. Name"),
        ("a 2 x 3 matrix", "a two by three matrix"),
    ],
    "fr": [
        ("CS 101 et MATH-204b", "CS cent un et MATH deux cent quatre b"),
        ("le fichier main.cpp en C++", "le fichier main point CPP en C plus plus"),
        ("E = mc^2", "E égale mc au carré"),
        ("x^2 + y^2 <= r^2", "x au carré plus y au carré inférieur ou égal à r au carré"),
        ("10^-3 et 2^n", "dix puissance moins trois et deux puissance n"),
        ("f'(x) = 2x", "f prime de x égale deux x"),
        ("P(A|B) et sin(θ)", "P de A sachant B et sinus de thêta"),
        ("sqrt(2), x_i, x_1", "racine carrée de deux, x indice i, x un"),
        ("n! = n × (n-1)!", "factorielle n égale n fois factorielle n moins un"),
        ("x ∈ A ⇒ x ∈ B", "x appartient à A implique x appartient à B"),
        ("21 min, 21 km, 1,5 km", "vingt et une minutes, vingt et un kilomètres, un virgule cinq kilomètre"),
        ("120 km/h, 5 µm, 15 kWh", "cent vingt kilomètres heure, cinq micromètres, quinze kilowattheures"),
        ("9,81 m/s^2, 5 Ω", "neuf virgule quatre-vingt-un mètres par seconde au carré, cinq ohms"),
        (
            "la 2e fois, en 2026, 20 €, 3,5 %",
            "la deuxième fois, en deux mille vingt-six, vingt euros, trois virgule cinq pour cent",
        ),
    ],
    "de": [
        ("CS 101 und E-Mail", "CS einhunderteins und E-Mail"),
        ("die Datei main.cpp in C++", "die Datei main Punkt CPP in C plus plus"),
        ("E = mc^2", "E gleich mc zum Quadrat"),
        ("x^2 + y^2 <= r^2", "x zum Quadrat plus y zum Quadrat höchstens r zum Quadrat"),
        ("10^-3 und 2^n", "zehn hoch minus drei und zwei hoch n"),
        ("f(x) = 3x - 2", "f von x gleich drei x minus zwei"),
        ("P(A|B), sqrt(2), n!", "P von A gegeben B, Wurzel aus zwei, n Fakultät"),
        ("A ⊂ B ⇒ x ∈ B", "A Teilmenge von B daraus folgt x Element von B"),
        ("die 3. Aufgabe von 1998", "die dritte Aufgabe von neunzehnhundertachtundneunzig"),
        ("120 km/h, 5 µm, 15 kWh", "einhundertzwanzig Kilometer pro Stunde, fünf Mikrometer, fünfzehn Kilowattstunden"),
        (
            "9,81 m/s², 20 €, 3,5 %",
            "neun Komma acht eins Meter pro Sekunde zum Quadrat, zwanzig Euro, drei Komma fünf Prozent",
        ),
        ("α + β", "Alpha plus Beta"),
    ],
    "es": [
        ("CS 101 y MATH-204b", "CS ciento uno y MATH doscientos cuatro b"),
        ("el archivo main.cpp en C++", "el archivo main punto CPP en C más más"),
        ("E = mc^2", "E igual a mc al cuadrado"),
        ("y = 2x + 1", "i griega igual a dos x más uno"),
        ("Ana y Luis (y otros)", "Ana y Luis (y otros)"),
        ("10^-3 y 2^n", "diez elevado a menos tres y dos elevado a n"),
        ("f(x), P(A|B), sin(θ)", "f de x, P de A dado B, seno de theta"),
        ("sqrt(2), x_i, n!", "raíz cuadrada de dos, x sub i, n factorial"),
        ("21 h, 200 £, 21 km", "veintiuna horas, doscientas libras, veintiún kilómetros"),
        ("120 km/h, 5 µm, 15 kWh", "ciento veinte kilómetros por hora, cinco micrómetros, quince kilovatios hora"),
        (
            "el 3.º de 1998, 20 €, 3,5 %",
            "el tercero de mil novecientos noventa y ocho, veinte euros, tres coma cinco por ciento",
        ),
    ],
    "ar": [
        ("2 km", "كيلومتران"),
        ("5 m", "خمسة أمتار"),
        ("20 km/h", "عشرون كيلومترا في الساعة"),
        ("100 kg", "مائة كيلوغرام"),
        ("3 s", "ثلاث ثوان"),
        ("12 s", "اثنتا عشرة ثانية"),
        ("25 h", "خمس وعشرون ساعة"),
        ("20 °C", "عشرون درجة مئوية"),
        ("15 m²", "خمسة عشر مترا مربعا"),
        ("200 $", "مئتا دولار"),
        ("3.5 %", "ثلاثة فاصلة خمسة بالمئة"),
        ("10^-3", "عشرة أس سالب ثلاثة"),
        ("x - y = 5", "x ناقص y يساوي خمسة"),
        ("α + β", "ألفا زائد بيتا"),
        ("√2", "جذر اثنان"),
        ("file.py", "file نقطة py"),
    ],
    "it": [
        ("x^2 + y^2 <= r^2", "x al quadrato più y al quadrato minore o uguale a r al quadrato"),
        ("10^-3, f(x), sin(θ)", "dieci alla meno tre, f di x, seno di teta"),
        ("120 km/h, 3 mol", "centoventi chilometri all'ora, tre moli"),
    ],
}

PROSE = [
    ("en", "student(s) may read it, and he said 'f' to a (rather old) friend - a teacher."),
    ("en", "The x-axis, k-means and a T-shirt: No... Plan B - a way."),
    ("fr", "l'étudiant(e) peut voir a(voir), c'est-à-dire l'e-mail – enfin."),
    ("de", "Schüler(innen) der E-Mail-Liste, a-b oder (s.o.)."),
    ("es", "Uno y otro (y los demás), sin embargo tan cerca."),
]


@pytest.mark.parametrize(
    ("language", "written", "said"), [(language, *pair) for language, pairs in SAID.items() for pair in pairs]
)
def test_it_is_said_as_the_language_says_it(language: str, written: str, said: str) -> None:
    assert normalise(written, language) == said


@pytest.mark.parametrize(("language", "text"), PROSE)
def test_prose_is_left_alone(language: str, text: str) -> None:
    assert normalise(text, language) == text
