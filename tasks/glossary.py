"""A person's glossary: how terms are translated, which stay as they are, and how they are said.

A CSV file with the columns source and target, and, where wanted, keep (yes: the source stays as it is), pronunciation
(respelled, or IPA between slashes), language (the row is for that target alone) and note (for people).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.csv_rows import Row, read_rows
from manifests.errors import BadInput
from manifests.languages import language as language_of
from manifests.records import Utterance
from models.speech.contract import Pronunciation
from models.speech.normalise import is_speakable
from models.speech.pronunciation import ipa_of
from models.translation.agreement import plurals
from models.translation.contract import Constraint
from models.translation.sentences import has_words, normalise

MAX_LETTERS = 80
"""A term of more is a sentence."""

_KEEP = {"yes": True, "y": True, "true": True, "x": True, "1": True}
_TRANSLATE = {"": False, "no": False, "n": False, "false": False, "0": False}
_YES_OR_NO = _KEEP | _TRANSLATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A row of a glossary. `target` is empty where the source is kept as it is; `pronunciation` where none was told.

    How a term is said is nothing to its translation, so it is no part of that stage's key.
    """

    source: str
    target: str
    keep: bool
    pronunciation: str = field(default="", metadata={"key": False})

    @property
    def text(self) -> str:
        """What stands in the translation."""
        return self.source if self.keep else self.target


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Where `term` stands in a text, its possessive ending excluded; `plural` where it is not one of it."""

    start: int
    end: int
    term: Term
    plural: bool


def read_glossary(path: Path, language: str) -> tuple[Term, ...]:
    """The terms of `path` for translations into `language` (ISO 639-1), in its order.

    A row for that language alone stands before one for all. BadInput, with row and column, for anything that cannot be
    meant, in rows for other languages too.
    """
    required, optional = ("source", "target"), ("keep", "keep as is", "pronunciation", "language", "note")
    wanted = language_of(language).code
    seen: dict[tuple[str, str], tuple[Row, Term]] = {}
    for row in read_rows(path, required=required, optional=optional):
        term, code = _term(row), _language(row)
        key = code, _folded(term.source)
        if key in seen and seen[key][1] != term:
            first, other = seen[key]
            column = "target" if other.text != term.text else "pronunciation"
            raise row.bad(column, f"{term.source!r} has another {column} in row {first.number}.", "Keep one of them.")
        seen.setdefault(key, (row, term))
    special = {source for code, source in seen if code == wanted}
    return tuple(
        term for (code, source), (_, term) in seen.items() if code == wanted or (not code and source not in special)
    )


def occurrences(text: str, terms: Iterable[Term], language: str) -> tuple[Occurrence, ...]:
    """Where `terms` stand in `text`, a sentence of `language`, as whole words: in order, the longest first at a place.

    Letter case counts for terms in capitals alone (GPU). Plurals and possessives of a term are found too.
    """
    found: list[Occurrence] = []
    for term in sorted(terms, key=lambda each: (-len(each.source), each.source)):
        exactly = term.source.upper() == term.source
        for form in (term.source, *plurals(term.source, language)):
            for match in re.finditer(_pattern(form), text, 0 if exactly else re.IGNORECASE):
                if all(match.end() <= each.start or each.end <= match.start() for each in found):
                    found.append(Occurrence(match.start(), match.end(), term, form != term.source))
    return tuple(sorted(found, key=lambda each: each.start))


def constraints(text: str, terms: Iterable[Term], source: str, target: str) -> tuple[Constraint, ...]:
    """What `terms` ask of a translation of `text` from `source` into `target`; a plural asks for one, else the term."""
    asked = []
    for each in occurrences(text, terms, source):
        said = text[each.start : each.end]
        kept = (said, each.term.source) if each.plural else (each.term.source,)
        forms = kept if each.term.keep else (each.plural and plurals(each.term.target, target)) or (each.term.target,)
        asked.append(Constraint(start=each.start, end=each.end, forms=tuple(dict.fromkeys(forms))))
    return tuple(asked)


def sentences(utterances: Sequence[Utterance], terms: Sequence[Term]) -> tuple[str, ...]:
    """What is to be translated for each of a chunk's `utterances`: its text, with no term cut in two by a pause.

    A term that one utterance begins and the next one ends goes to the one that says more of it, the first if both say
    as much, unless the other would be left without a word.
    """
    texts = [normalise(utterance.text) for utterance in utterances]
    for at in range(len(texts) - 1):
        left, right = texts[at], texts[at + 1]
        joined, border = f"{left} {right}", len(left)
        for each in occurrences(joined, terms, utterances[at].language):
            if not (each.start < border < each.end):
                continue
            first = border - each.start >= each.end - border
            ways = [(joined[: each.end], joined[each.end :]), (joined[: each.start], joined[each.start :])]
            for before, after in ways if first else reversed(ways):
                if has_words(before) and has_words(after):
                    texts[at], texts[at + 1] = before.rstrip(), re.sub(r"^[\s,;.]+", "", after)
                    break
    return tuple(texts)


def terms_in(utterances: Sequence[Utterance], glossary: Iterable[Term]) -> tuple[Term, ...]:
    """The terms that a chunk's `utterances` say, sorted: what enters its key, so that others may change at no cost."""
    if not utterances:
        return ()
    terms = tuple(glossary)
    said: set[Term] = set()
    for text, utterance in zip(sentences(utterances, terms), utterances, strict=True):
        said.update(each.term for each in occurrences(text, terms, utterance.language))
    return tuple(sorted(said, key=lambda each: (each.source, each.text)))


def pronunciations(glossary: Iterable[Term], language: str) -> tuple[Pronunciation, ...]:
    """How the terms are to be said in `language`; French plurals that sound as the singular does, as that."""
    told = []
    for term in glossary:
        if term.pronunciation:
            alike = [each for each in plurals(term.text, language) if language == "fr" and _sounds_as(each, term.text)]
            told += [Pronunciation(term=each, spoken=term.pronunciation) for each in dict.fromkeys((term.text, *alike))]
    return tuple(told)


def _sounds_as(plural: str, singular: str) -> bool:
    """Whether French words differ in a mute letter at most."""
    pairs = zip(plural.split(), singular.split(), strict=True)
    return all(many in {one, f"{one}s", f"{one}x"} for many, one in pairs)


def _term(row: Row) -> Term:
    for column in ("source", "target", "pronunciation"):
        text = row[column]
        if len(text) > MAX_LETTERS:
            raise row.bad(column, f"{len(text)} letters are too long for a term.", f"At most {MAX_LETTERS} will do.")
        if odd := next((each for each in text if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}), None):
            raise row.bad(
                column, f"it holds U+{ord(odd):04X}, which is no letter.", "Write it on one line, in letters."
            )
    source, target = _plain(row["source"]), _plain(row["target"])
    if not is_speakable(source):
        raise row.bad("source", "the term is missing.", "Write what the lecturer says, or delete the row.")
    keep = _keep(row)
    if keep and target:
        raise row.bad("target", f"{source!r} is to be kept and to become {target!r}.", "Empty target or keep.")
    if not keep and not target:
        raise row.bad("target", f"nothing says what {source!r} becomes.", "Write it here, or yes under keep.")
    if target and not is_speakable(target):
        raise row.bad("target", f"{target!r} holds no letter.", "Write the translation, or yes under keep.")
    return Term(source=source, target=target, keep=keep, pronunciation=_pronunciation(row, target or source))


def _keep(row: Row) -> bool:
    column = "keep as is" if row["keep as is"] else "keep"
    if row["keep as is"] and row["keep"]:
        raise row.bad("keep as is", "it says the same as column keep.", "Leave one of the two columns.")
    answer = _YES_OR_NO.get(row[column].lower())
    if answer is None:
        raise row.bad(column, f"{row[column]!r} is neither yes nor no.", "Write yes or no.")
    return answer


def _pronunciation(row: Row, term: str) -> str:
    spoken = row["pronunciation"]
    if spoken:
        try:
            ipa_of(Pronunciation(term=term, spoken=spoken))
        except BadInput as error:
            raise row.bad("pronunciation", error.what.rstrip(";") + ".", error.remedy) from error
        if not spoken.startswith("/") and "/" in spoken:
            raise row.bad("pronunciation", "IPA begins with a slash, and a respelling has none.", 'Write "/laplas/".')
    return spoken


def _language(row: Row) -> str:
    if not row["language"]:
        return ""
    try:
        return language_of(row["language"]).code
    except BadInput as error:
        raise row.bad("language", error.what, f"{error.remedy} Leave it empty for all languages.") from error


def _plain(text: str) -> str:
    return " ".join(normalise(text).split())


def _folded(source: str) -> str:
    return source if source.upper() == source else source.casefold()


def _pattern(form: str) -> str:
    words = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", form)))
    before = r"(?<!\w)" if re.match(r"\w", form) else ""
    after = r"(?!\w)" if re.search(r"\w$", form) else ""
    return f"{before}{words}{after}"
