"""The little that a term asks of the words before it, and its plural: articles, elision, endings. Pure.

No grammar: these give what could be said, and the network's own probability of the whole sentence chooses.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import product

ARTICLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "fr": (
        ("le", "la", "l'", "les"),
        ("du", "de la", "de l'", "des"),
        ("au", "à la", "à l'", "aux"),
        ("un", "une", "des"),
        ("ce", "cet", "cette", "ces"),
        ("mon", "ma", "mes"),
        ("son", "sa", "ses"),
        ("quel", "quelle", "quels", "quelles"),
        ("aucun", "aucune"),
        ("de", "d'"),
        ("que", "qu'"),
    ),
    "es": (
        ("el", "la", "los", "las"),
        ("del", "de la", "de los", "de las"),
        ("al", "a la", "a los", "a las"),
        ("un", "una", "unos", "unas"),
        ("este", "esta", "estos", "estas"),
        ("ese", "esa", "esos", "esas"),
        ("nuestro", "nuestra", "nuestros", "nuestras"),
    ),
    "it": (
        ("il", "lo", "la", "l'", "i", "gli", "le"),
        ("del", "dello", "della", "dell'", "dei", "degli", "delle"),
        ("al", "allo", "alla", "all'", "ai", "agli", "alle"),
        ("dal", "dallo", "dalla", "dall'", "dai", "dagli", "dalle"),
        ("nel", "nello", "nella", "nell'", "nei", "negli", "nelle"),
        ("sul", "sullo", "sulla", "sull'", "sui", "sugli", "sulle"),
        ("un", "uno", "una", "un'"),
        ("questo", "questa", "quest'", "questi", "queste"),
    ),
    "de": (
        ("der", "die", "das", "den", "dem", "des"),
        ("ein", "eine", "einen", "einem", "einer", "eines"),
        ("kein", "keine", "keinen", "keinem", "keiner", "keines"),
        ("dieser", "diese", "dieses", "diesen", "diesem"),
        ("jeder", "jede", "jedes", "jeden", "jedem"),
        ("im", "in der"),
        ("zum", "zur"),
        ("vom", "von der"),
        ("beim", "bei der"),
    ),
}
"""Of each language, groups of which one stands for another where the noun behind it has another gender or sound."""

_NOT_BEFORE_VOWEL = {
    "fr": frozenset({"le", "la", "du", "de la", "au", "à la", "ce", "ma", "sa", "de", "que"}),
    "it": frozenset({"il", "lo", "la", "i", "una", "del", "dello", "della", "al", "allo", "alla", "dal", "nel", "sul"}),
}
_BEFORE_VOWEL_ALONE = frozenset({"cet"})

_PREPOSITIONS = {
    "fr": r"de|d'|du|des|à|au|aux|en|par|pour|sans|sur|avec|entre|dans",
    "es": r"de|del|a|al|en|por|para|sin|sobre|con|entre",
    "it": r"di|d'|del|dello|della|dell'|dei|delle|a|al|in|per|senza|su|con|tra",
    "pt": r"de|do|da|dos|das|a|em|por|para|sem|sobre|com|entre",
}
_ENDINGS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "en": (
        (r"(?<=[^aeiou])y$", ("ies",)),
        (r"ix$", ("ices", "ixes")),
        (r"ex$", ("ices", "exes")),
        (r"(?<=\w\w)is$", ("es",)),
        (r"um$", ("ums", "a")),
        (r"us$", ("uses", "i")),
        (r"(s|x|z|ch|sh)$", (r"\1es",)),
        (r"$", ("s",)),
    ),
    "fr": (
        (r"([sxz])$", (r"\1",)),
        (r"al$", ("aux", "als")),
        (r"eau$", ("eaux",)),
        (r"(au|eu)$", (r"\1x", r"\1s")),
        (r"$", ("s",)),
    ),
    "es": (
        (r"z$", ("ces",)),
        (r"([aeiouáéó])$", (r"\1s",)),
        (r"ión$", ("iones",)),
        (r"s$", ("s",)),
        (r"$", ("es", "s")),
    ),
    "it": ((r"[oe]$", ("i",)), (r"ca$", ("che",)), (r"a$", ("e", "i")), (r"$", ("",))),
    "pt": ((r"ão$", ("ões",)), (r"m$", ("ns",)), (r"l$", ("is",)), (r"([rz])$", (r"\1es",)), (r"$", ("s",))),
    "de": (
        (r"(e|el|er|en)$", (r"\1n", r"\1", r"\1s")),
        (r"(ung|heit|keit|ion|tät|schaft)$", (r"\1en",)),
        (r"$", ("e", "en", "er", "s", "")),
    ),
}
_MOST_PLURALS = 6


def plurals(noun: str, language: str) -> tuple[str, ...]:
    """What the plural of `noun` (words: the last, or those before a preposition, change) may be; none where unknown."""
    endings = _ENDINGS.get(language)
    if endings is None:
        return ()
    preposition = _PREPOSITIONS.get(language)
    cut = re.search(rf"\s(?={preposition}\b|(?:d|dell)')", noun) if preposition else None
    head, rest = (noun[: cut.start()], noun[cut.start() :]) if cut else (noun, "")
    words = head.split(" ")
    # Where adjectives stand behind the noun all agree; English and German put the noun last.
    ways = [
        _plurals(word, endings) if preposition or at == len(words) - 1 else (word,) for at, word in enumerate(words)
    ]
    found = dict.fromkeys(" ".join(way) + rest for way in product(*ways))
    return tuple(found)[:_MOST_PLURALS]


def variants(before: str, term: str, language: str) -> tuple[str, ...]:
    """`before` (the text up to `term`) with each article that could stand there instead of its last words.

    As it is where it ends in no article; never empty. An elided article stands only where the term allows it.
    """
    best: tuple[str, tuple[str, ...]] | None = None
    for group in ARTICLES.get(language, ()):
        for article in group:
            longer = best is None or len(article) > len(best[0])
            if longer and re.search(_at_end(article), before, re.IGNORECASE):
                best = article, group
    if best is None:
        return (before,)
    article, group = best
    at = len(before) - len(before.rstrip()) + len(article)
    head, said = before[: len(before) - at], before[len(before) - at :]
    return tuple(
        head + (_capital(each) if said[:1].isupper() else each) + ("" if each.endswith("'") else " ")
        for group_ in ARTICLES[language]
        if group_ is group
        for each in group_
        if _allows(each, term, language)
    ) or (before,)


def definite(before: str, term: str, language: str) -> tuple[str, ...]:
    """`before` (the text up to `term`) and each definite article that could stand there; none where none is known."""
    groups = ARTICLES.get(language, ())
    if not groups:
        return ()
    article = groups[0][0]
    return variants(f"{before}{article if before.strip() else _capital(article)} ", term, language)


def _plurals(word: str, endings: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[str, ...]:
    for pattern, ways in endings:
        if re.search(pattern, word):
            return tuple(re.sub(pattern, way, word, count=1) for way in ways)
    return (word,)


def _at_end(article: str) -> str:
    return rf"(?<!\w){re.escape(article)}$" if article.endswith("'") else rf"(?<![\w'])(?:{re.escape(article)})\s+$"


def _allows(article: str, term: str, language: str) -> bool:
    if language not in _NOT_BEFORE_VOWEL:
        return True
    first = unicodedata.normalize("NFD", term[:1].lower())[:1]
    if first == "h" and language == "fr":  # mute or not: the network knows
        return True
    vowel = first in "aeiouœæ" or (first == "y" and language == "it")
    if article.endswith("'") or article in _BEFORE_VOWEL_ALONE:
        return vowel
    return not (vowel and article in _NOT_BEFORE_VOWEL[language])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
