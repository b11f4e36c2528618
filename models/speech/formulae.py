"""Formulae of a lecture's text as they are said: powers, indices, functions, Greek letters. Pure.

What is read here keeps its numbers; `normalise` puts them into words afterwards. A rule applies only where a formula
is likelier than prose: `n-1` is a difference, `GPT-4` is a name.
"""

from __future__ import annotations

import re

from models.speech.technical import Technical

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ"
_LOWERED_TO = str.maketrans(_RAISED, "0123456789+-ni")
_OPERATORS = "=+<>≤≥≠≈×÷±√∈∑∫∏−*/^²³"
_FUNCTION_NAMES = "sin|cos|tan|log|ln|exp|lim"
_ONE = r"(?<![\w.'’-])\d*[A-Za-z]"
"""A variable, with its coefficient where it has one."""
_OTHER = r"(?:[b-df-hj-np-tv-zB-HJ-NP-Zα-ω]|[aeiouAEIOU](?=\s?[-+=*/^)²³.,;]|$))(?![\w'’])"
"""A variable after a sign; letters that are words ("5 - a summary") only where a formula goes on or ends."""
_NEVER_OVER = {"w/o", "n/a", "c/o", "y/n"}


def lower_exponents(text: str) -> str:
    """Raised digits and signs as a caret and braces, but for a lone ² or ³, which units have too.

    A raised number after a word is a footnote's and goes; after a chemical symbol it is a charge and stays a number.
    """

    def lowered(match: re.Match[str]) -> str:
        raised = match["raised"]
        plain = raised.translate(_LOWERED_TO)
        if raised in {"²", "³"}:
            return match[0]
        if re.fullmatch(r"[A-Z][a-z]?", match["base"]) and raised[-1] in "⁺⁻":
            return f"{match['base']} {plain[:-1]} {plain[-1]}"
        if len(match["base"]) > 2 and match["base"].isalpha():
            return match["base"] if plain.isdigit() else match[0]
        return f"{match['base']}^{{{plain}}}"

    return re.sub(rf"(?P<base>(?:(?![{_RAISED}])[^\W_])+|[)\]])(?P<raised>[{_RAISED}]+)", lowered, text)


def read_powers(text: str, words: Technical) -> str:
    """`x^n`, `10^-3` and `e^{-x}`; squares and cubes become ² and ³, which units and `Reading.powers` read."""
    text = re.sub(r"(?<![\w.])(\d+(?:[.,]\d+)?)[eE]([-+−]?\d{1,3})(?!\w)", r"\1 × 10^\2", text)
    text = re.sub(r"(?<=[\w)\]])\s?\*\*\s?(?=[\w(-])", "^", text)
    text = re.sub(r"(?<=[A-Za-z)\]])\^\{?([23])\}?(?![\w.])", lambda match: "²" if match[1] == "2" else "³", text)

    def raised(match: re.Match[str]) -> str:
        exponent = match["braced"] if match["braced"] is not None else match["plain"]
        return f" {words.power} {_negated(exponent)} "

    return re.sub(
        r"(?<=[\w)\]])\s?\^\s?(?:\{(?P<braced>[^{}]*)\}|\((?P<group>[^()]*)\)|(?P<plain>[-+]?[^\W_]+(?:[.,/]\d+)?))",
        lambda match: f" {words.power} {_negated(match['group'])} " if match["group"] is not None else raised(match),
        text,
    )


def _negated(text: str) -> str:
    """`text` whose signs before letters are minus signs for `read_minus`."""
    return re.sub(r"(?<![\w)])-\s?(?=[^\W\d])", "−", text)


def read_indices(text: str, words: Technical) -> str:
    """`x_i`, `a_{ij}`, `θ_1`: an index of one variable, not the parts of a name in snake case."""

    def index(match: re.Match[str]) -> str:
        told = match["braced"] if match["braced"] is not None else match["plain"]
        letters = " ".join(told) if told.isalpha() and len(told) <= 3 else told
        sub = f"{words.sub} " if words.sub and not told.isdigit() else ""
        return f"{match['base']} {sub}{letters} "

    return re.sub(
        r"(?P<base>(?<![\w])[^\W\d_])_(?:\{(?P<braced>[^{}]{1,20})\}|(?P<plain>[^\W_]{1,3})(?![\w]))", index, text
    )


def read_functions(text: str, words: Technical) -> str:
    """`f(x)`, `P(A|B)`, `sin(x)`, `f'`, `|x|`, `n!`."""
    text = re.sub(r"(?<![\w'’])([fguvxyFG])['′](?=[\s(),.=+²³]|$)", rf"\1 {words.prime}", text)
    of = f" {words.of} " if words.of else " "

    def named(match: re.Match[str]) -> str:
        if re.fullmatch(r"[^\W\d_]{3,}", match["inside"]) and len(match["name"]) == 1:
            return match[0]  # a word in brackets: a(voir)
        if match["name"] == "sqrt":
            return f"√{match['inside']}"
        name = words.functions.get(match["name"], match["name"])
        inside = re.sub(r"\s?\|\s?", f" {words.given} ", match["inside"])
        return f"{name}{of}{_negated(inside)}" if inside.strip() else name

    for _ in range(3):  # from the innermost outwards
        text = re.sub(
            rf"(?<![\w.])(?P<name>sqrt|{_FUNCTION_NAMES}|[^\W\d_](?:\s{words.prime})?)\((?P<inside>[^()]{{0,60}})\)(?!\w)",
            named,
            text,
        )
    text = re.sub(rf"(?<!\w)({_FUNCTION_NAMES})(?=\s?[α-ωΑ-Ω])", lambda match: f"{words.functions[match[1]]}{of}", text)
    text = re.sub(
        r"(?<![\w|])\|(?=\S)(?!\|*[^|]*[^\W\d_]{3})([\w\s+().,−-]{1,24}?)(?<=\S)\|(?![\w|])",
        rf" {words.absolute} \1 ",
        text,
    )
    text = re.sub(r"\(([a-z]\s?[-+−]\s?(?:\d+|[a-z]))\)!", f" {words.factorial} ".format(r"\1"), text)
    return re.sub(r"(?<![\w])([nkmr]|\d+(?=!\s?[=/*+×]))!(?!=)", f" {words.factorial} ".format(r"\1"), text)


def read_minus(text: str, negative: str, over: str, words: Technical) -> str:
    """Differences and quotients of variables, and a minus before one; ranges, hyphens and "and/or" are left alone."""
    minus = words.minus
    text = re.sub(rf"({_ONE}|[)\]²³])\s?-\s(?={_OTHER}|\d|\()", rf"\1 {minus} ", text)
    text = re.sub(rf"(\d)\s-\s(?={_OTHER}|\(|\d+[a-zα-ω](?!\w))", rf"\1 {minus} ", text)
    text = re.sub(r"(\d)\s?[-–]\s?(?=\d+(?:[.,]\d+)?\s?=)", rf"\1 {minus} ", text)
    text = re.sub(r"(?<![\w.'’-])([a-z])[-–](?=\d+(?![\w-]))", rf"\1 {minus} ", text)
    text = re.sub(rf"(?<=[{_OPERATORS}(])\s?[-−](?=\s?[^\W\d_](?!\w))", f" {negative} ", text)
    text = text.replace("−", f" {negative} ")
    text = re.sub(r"(?<!\w)([d∂])([^\W\d_]?)\s?/\s?([d∂])([^\W\d_])(?!\w)", rf"\1 \2 {over} \3 \4", text)

    def quotient(match: re.Match[str]) -> str:
        return match[0] if match[0] in _NEVER_OVER else f"{match[1]} {over} {match[2]}"

    return re.sub(r"(?<![\w/.])([a-z])/([a-z])(?![\w/])", quotient, text)


def read_greek(text: str, words: Technical) -> str:
    """Greek letters that stand for themselves, by name; Greek words are left alone."""
    letters = "".join(words.greek)
    return re.sub(rf"(?<![{letters}])[{letters}](?![{letters}])", lambda match: f" {words.greek[match[0]]} ", text)


def read_symbols(text: str, words: Technical) -> str:
    """∫, ∈, ⇒ and their kin."""
    return re.sub(f"[{''.join(words.symbols)}]", lambda match: f" {words.symbols[match[0]]} ", text)


def name_spanish_y(text: str) -> str:
    """The variable y of a Spanish formula, which would be heard as "and"."""
    signs = "=<>≤≥≠≈+×"
    return re.sub(
        rf"(?<!\w)y(?=\s?[{signs}²³^_])|(?<=[{signs}])(?P<space>\s?)y(?!\w)|(?<=\()y(?=\s?[),+=])",
        lambda match: f"{match['space'] or ''}i griega",
        text,
    )
