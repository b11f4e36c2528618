"""How terms are said where a person has told it: respelled before anything is read, or in IPA. Pure.

A term that is told in IPA goes through `normalise` as one sign of Unicode's private use, and comes out as a block in
double brackets, which Kokoro's and Piper's adapters take.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from manifests.errors import BadInput
from models.speech.contract import Pronunciation
from models.speech.normalise import normalise

BLOCK = re.compile(r"\[\[(.*?)\]\]")
"""IPA inside a text."""

_FIRST_SIGN = 0xE000
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_IPA_MARKS = " 'ˈˌːˑ:.‿"
_VOWELS = "aeiouyæøœɐɑɒɔəɘɚɛɜɝɞɤɨɪɯɵɶʉʊʌʏᵻ"
_STRESS_OF_SYLLABLE = re.compile(f"([ˈˌ])([^{_VOWELS}ˈˌ ]+)(?=[{_VOWELS}])")
"""A person marks the stressed syllable, espeak-ng, from which the voices were taught, its vowel."""
_WRITTEN = {ord("'"): "ˈ", ord("’"): "ˈ", ord(":"): "ː", ord("."): None, ord("‿"): None, ord("g"): "ɡ"}


def ipa_of(pronunciation: Pronunciation) -> str | None:
    """The IPA between the slashes as espeak-ng would write it (marks apart from letters), None for a respelling.

    BadInput, naming the term, where nothing is to be spoken or something in the IPA is no sound.
    """
    spoken = pronunciation.spoken.strip()
    if not pronunciation.term.strip() or not any(letter.isalpha() for letter in spoken):
        raise BadInput(
            "a pronunciation needs a term, and letters to speak for it;",
            where=f"pronunciation of {pronunciation.term!r}",
            remedy='Respell it ("laplass"), or write IPA between slashes ("/laplas/").',
        )
    if not spoken.startswith("/"):
        return None
    ipa = spoken[1:].removesuffix("/").strip()
    wrong = [letter for letter in ipa if letter not in _IPA_MARKS and unicodedata.category(letter)[0] not in "LM"]
    if wrong or not spoken.endswith("/") or len(spoken) < 3:
        named = f"{wrong[0]!r} is no sound in IPA" if wrong else "IPA ends in a slash as it begins with one"
        raise BadInput(
            f"{named};", where=f"pronunciation of {pronunciation.term!r}", remedy='Write it like "/laplas/".'
        )
    plain = unicodedata.normalize("NFD", ipa).replace("c\u0327", "\u00e7").translate(_WRITTEN)
    return _STRESS_OF_SYLLABLE.sub(r"\2\1", plain)


def occurring(pronunciations: Iterable[Pronunciation], text: str) -> tuple[Pronunciation, ...]:
    """Those whose term is in `text`, in their order."""
    return tuple(each for each in pronunciations if _matcher((each.term,)).search(text))


def apply(
    text: str, language: str, pronunciations: Sequence[Pronunciation], *, ipa: bool
) -> tuple[str, tuple[str, ...]]:
    """`text` normalised, with respelled terms in it, and the blocks of IPA whose places `place` fills.

    Terms are found on the borders of words, whatever their case, the longest first. Without `ipa` the terms that are
    told in IPA stay. BadInput for a pronunciation that cannot be spoken.
    """
    told = {_folded(each.term): each for each in reversed(pronunciations)}
    sounds = {term: ipa_of(each) for term, each in told.items()}
    wanted = tuple(each.term for term, each in told.items() if ipa or sounds[term] is None)
    blocks: list[str] = []

    def say(match: re.Match[str]) -> str:
        term = _folded(match[0])
        if term not in told:  # letters that are one to a pattern, as the long s, and are two in lower case
            return match[0]
        sound = sounds[term]
        if sound is None:
            return told[term].spoken.strip()
        blocks.append(f"[[{sound}]]")
        return chr(_FIRST_SIGN + len(blocks) - 1)

    plain = _PRIVATE.sub(" ", unicodedata.normalize("NFC", text))
    said = normalise(_matcher(wanted).sub(say, plain) if wanted else plain, language)
    while "[[" in said or "]]" in said:  # brackets of the text itself are no IPA
        said = said.replace("[[", "[").replace("]]", "]")
    return said, tuple(blocks)


def place(text: str, blocks: Sequence[str]) -> str:
    """`text` with the `blocks` that `apply` took out of it."""
    return _PRIVATE.sub(lambda match: blocks[ord(match[0]) - _FIRST_SIGN], text)


def _folded(term: str) -> str:
    return " ".join(unicodedata.normalize("NFC", term).lower().split())


def _matcher(terms: Sequence[str]) -> re.Pattern[str]:
    patterns = []
    for written in sorted(terms, key=len, reverse=True):
        term = unicodedata.normalize("NFC", written).strip()
        words = r"\s+".join(map(re.escape, term.split()))
        before = r"(?<!\w)" if re.match(r"\w", term) else ""
        after = r"(?!\w)" if re.search(r"\w$", term) else ""
        patterns.append(f"{before}{words}{after}")
    return re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)
