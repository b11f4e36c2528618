"""Code, file names and addresses in a lecture's text as they are said. Pure."""

from __future__ import annotations

import re

from models.speech.technical import Technical

_OPERATORS = {
    "!==": " ≠ ",
    "===": " = ",
    "!=": " ≠ ",
    "==": " = ",
    "<=": " ≤ ",
    ">=": " ≥ ",
    ":=": " = ",
    "->": " → ",
    "=>": " → ",
    "&&": " & ",
}
_SUFFIXES = {"s", "es", "e", "n", "en", "in", "innen", "x", "a", "i", "r", "ne", "te"}
"""What prose puts in brackets at a word's end: student(s), étudiant(e)."""
_CALLED = {"print", "len", "range", "int", "str", "list", "set", "dict", "max", "min", "sum", "abs", "main", "input"}


def read_operators(text: str, words: Technical) -> str:
    """Operators of two and three signs as the sign of one that is said like them; `a * b` as a product."""
    text = re.sub(r"[=~_*#-]{4,}", " ", text)  # a line drawn under a title
    signs = "|".join(map(re.escape, sorted(_OPERATORS, key=len, reverse=True)))
    text = re.sub(rf"(?<![-=<>!]){signs}(?![=<>])", lambda match: _OPERATORS[match[0]], text)
    text = re.sub(r"(?<=\w)\s\|\|\s(?=\w)", f" {words.either} ", text)
    text = re.sub(r"(?<=[^\W_)])\*(?=[^\W_(])|(?<=[\w)] )\*(?= [\w(])", " × ", text)
    text = re.sub(r"(?<=\d)\s?x\s?(?=\d)", f" {words.by} ", text)
    return re.sub(r"(?<!\w)([CFJ])#", r"\1 sharp", text)


def read_addresses(text: str, words: Technical) -> str:
    """Addresses of the web and of mail; before any other rule takes their signs for its own."""

    def address(match: re.Match[str]) -> str:
        named = match["address"].rstrip(".,;:!?")
        rest = match["address"][len(named) :]
        said = re.sub(r"/+", f" {words.slash} ", named.strip("/")).replace(".", f" {words.dot} ")
        return re.sub(r"[-_~?=&#%]", " ", said) + rest

    return re.sub(r"(?<!\w)(?:https?://|www\.)(?:www\.)?(?P<address>[^\s()<>\"«»]+)", address, text)


def read_names(text: str, words: Technical) -> str:
    """`file.py`, `np.array`, `.NET`, `camelCase`."""

    def dotted(match: re.Match[str]) -> str:
        before, after = match["before"], match["after"]
        if len(before) < 2 and len(after) < 2:
            return match[0]
        spelled = after.upper() if len(after) <= 4 and not re.search(r"[aeiouyàâéèêîôûäöü]", after) else after
        return f"{before} {words.dot} {spelled}"

    for _ in range(4):  # os.path.join
        text = re.sub(r"(?P<before>[^\W\d_]\w*|\))\.(?P<after>[a-zß-ÿ_]\w*)(?!\w)", dotted, text)
    text = re.sub(r"(?<![\w.,])\.(?=[A-Za-z]\w)", f"{words.dot} ", text)
    return re.sub(r"(?<!\w)([a-z]{2,})(?=[A-Z]\w)", r"\1 ", text)


def read_calls(text: str) -> str:
    """`print(i)` and `model.fit()`: the name, then what is in its brackets. One letter is a function, of `formulae`."""

    def call(match: re.Match[str]) -> str:
        name, inside = match["name"], match["inside"].strip()
        if inside in _SUFFIXES and name not in _CALLED:
            return match[0]
        return f"{name} {inside}".strip()

    for _ in range(3):  # from the innermost outwards
        text = re.sub(r"(?P<name>(?<!\w)[^\W\d]\w+)\((?P<inside>[^()]{0,80})\)(?!\w)", call, text)
    return text
