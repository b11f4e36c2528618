"""How each language says code and formulae: Greek letters, functions, powers, signs. `normalise` applies it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Technical:
    """One language's words for what a lecture writes and nobody spells out."""

    power: str
    """Between base and exponent: "x to the power of n"."""
    of: str
    """Between a function and what it is of; empty where they are said one after the other."""
    given: str
    """The bar in P(A|B)."""
    sub: str
    """Before an index that is a letter; empty where there is no such word."""
    by: str
    """The cross in 2 x 3."""
    minus: str
    """Between what is subtracted."""
    factorial: str
    """A pattern of {}, as "{} factorial"."""
    prime: str
    absolute: str
    """Before what stands between bars: "the absolute value of"."""
    dot: str
    """The point in file.py."""
    slash: str
    either: str
    """The sign || of code."""
    greek: dict[str, str]
    functions: dict[str, str]
    symbols: dict[str, str]


_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega"
)
_FUNCTIONS = ("sin", "cos", "tan", "log", "ln", "exp", "lim")
_SYMBOLS = "∫∑∏∂∇∈∉∀∃⊂∪∩∅⇒⇔≡∝∧∨¬←"


def _greek(names: str) -> dict[str, str]:
    small = dict(zip(_GREEK, names.split(), strict=True))
    variants = {"ς": small["σ"], "ϵ": small["ε"], "ϑ": small["θ"], "ϕ": small["φ"]}
    capitals = {letter.upper(): name for letter, name in small.items()}
    return small | variants | capitals


def _functions(names: str) -> dict[str, str]:
    return dict(zip(_FUNCTIONS, (name.strip() for name in names.split("|")), strict=True))


def _symbols(names: str) -> dict[str, str]:
    return dict(zip(_SYMBOLS, (name.strip() for name in names.split("|")), strict=True))


TECHNICAL: dict[str, Technical] = {
    "en": Technical(
        power="to the power of",
        of="of",
        given="given",
        sub="sub",
        by="by",
        minus="minus",
        factorial="{} factorial",
        prime="prime",
        absolute="the absolute value of",
        dot="dot",
        slash="slash",
        either="or",
        greek=_greek(_LETTERS),
        functions=_functions("sine|cosine|tangent|log|natural log|exponential|limit"),
        symbols=_symbols(
            "the integral of|the sum of|the product of|partial|nabla|in|not in|for all|there exists|a subset of|union"
            "|intersection|the empty set|implies|if and only if|is equivalent to|is proportional to|and|or|not|gets"
        ),
    ),
    "fr": Technical(
        power="puissance",
        of="de",
        given="sachant",
        sub="indice",
        by="fois",
        minus="moins",
        factorial="factorielle {}",
        prime="prime",
        absolute="la valeur absolue de",
        dot="point",
        slash="slash",
        either="ou",
        greek=_greek(
            "alpha bêta gamma delta epsilon zêta êta thêta iota kappa lambda mu nu xi omicron pi rhô sigma tau upsilon "
            "phi chi psi oméga"
        ),
        functions=_functions("sinus|cosinus|tangente|logarithme|logarithme népérien|exponentielle|limite"),
        symbols=_symbols(
            "l'intégrale de|la somme de|le produit de|d rond|nabla|appartient à|n'appartient pas à|pour tout|il existe"
            "|inclus dans|union|inter|l'ensemble vide|implique|équivaut à|est congru à|est proportionnel à|et|ou|non"
            "|reçoit"
        ),
    ),
    "es": Technical(
        power="elevado a",
        of="de",
        given="dado",
        sub="sub",
        by="por",
        minus="menos",
        factorial="{} factorial",
        prime="prima",
        absolute="el valor absoluto de",
        dot="punto",
        slash="barra",
        either="o",
        greek=_greek(
            "alfa beta gamma delta épsilon zeta eta theta iota kappa lambda mi ni xi ómicron pi ro sigma tau ípsilon "
            "fi ji psi omega"
        ),
        functions=_functions("seno|coseno|tangente|logaritmo|logaritmo natural|exponencial|límite"),
        symbols=_symbols(
            "la integral de|la suma de|el producto de|parcial|nabla|pertenece a|no pertenece a|para todo|existe"
            "|incluido en|unión|intersección|el conjunto vacío|implica|si y solo si|es equivalente a"
            "|es proporcional a|y|o|no|recibe"
        ),
    ),
    "de": Technical(
        power="hoch",
        of="von",
        given="gegeben",
        sub="",
        by="mal",
        minus="minus",
        factorial="{} Fakultät",
        prime="Strich",
        absolute="der Betrag von",
        dot="Punkt",
        slash="Schrägstrich",
        either="oder",
        greek=_greek(
            "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Jota Kappa Lambda My Ny Xi Omikron Pi Rho Sigma Tau Ypsilon "
            "Phi Chi Psi Omega"
        ),
        functions=_functions("Sinus|Kosinus|Tangens|Logarithmus|natürlicher Logarithmus|Exponentialfunktion|Limes"),
        symbols=_symbols(
            "das Integral von|die Summe von|das Produkt von|d|Nabla|Element von|kein Element von|für alle|es gibt"
            "|Teilmenge von|vereinigt|geschnitten|die leere Menge|daraus folgt|genau dann wenn|ist äquivalent zu"
            "|ist proportional zu|und|oder|nicht|wird zu"
        ),
    ),
    "it": Technical(
        power="alla",
        of="di",
        given="dato",
        sub="con",
        by="per",
        minus="meno",
        factorial="{} fattoriale",
        prime="primo",
        absolute="il valore assoluto di",
        dot="punto",
        slash="barra",
        either="o",
        greek=_greek(
            "alfa beta gamma delta epsilon zeta eta teta iota cappa lambda mi ni xi omicron pi rho sigma tau ipsilon "
            "fi chi psi omega"
        ),
        functions=_functions("seno|coseno|tangente|logaritmo|logaritmo naturale|esponenziale|limite"),
        symbols=_symbols(
            "l'integrale di|la somma di|il prodotto di|parziale|nabla|appartiene a|non appartiene a|per ogni|esiste"
            "|contenuto in|unione|intersezione|l'insieme vuoto|implica|se e solo se|è equivalente a"
            "|è proporzionale a|e|o|non|riceve"
        ),
    ),
    "ar": Technical(
        power="أس",
        of="",
        given="بشرط",
        sub="",
        by="في",
        minus="ناقص",
        factorial="مضروب {}",
        prime="شرطة",
        absolute="القيمة المطلقة للمقدار",
        dot="نقطة",
        slash="شرطة مائلة",
        either="أو",
        greek=_greek(
            "ألفا بيتا غاما دلتا إبسيلون زيتا إيتا ثيتا أيوتا كابا لامدا ميو نيو كساي أوميكرون باي رو سيغما تاو "
            "أبسيلون فاي كاي بساي أوميغا"
        ),
        functions=_functions("جيب|جيب تمام|ظل|لوغاريتم|اللوغاريتم الطبيعي|الدالة الأسية|نهاية"),
        symbols=_symbols(
            "تكامل|مجموع|جداء|جزئي|نابلا|ينتمي إلى|لا ينتمي إلى|لكل|يوجد|محتوى في|اتحاد|تقاطع|المجموعة الخالية|يستلزم"
            "|يكافئ|يطابق|يتناسب مع|و|أو|ليس|يأخذ"
        ),
    ),
}
