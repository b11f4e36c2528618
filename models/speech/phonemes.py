"""Text to Kokoro's phonemes: espeak-ng speaks them in IPA, and a table per language spells them as Kokoro was taught.

Kokoro-82M was trained on the alphabet of `misaki` (github.com/hexgrad/misaki): one letter per diphthong and affricate,
no length marks in American English. espeak-ng's own spelling is understood too, less well: German by an Italian
voice has a character error rate of 0.02 with the alphabet and 0.04 without.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phonemizer.backend import EspeakBackend

TIE = "\u0361"
SYLLABIC = "\u0329"
NASAL = "\u0303"

SENTENCE_END = ".!?…"
CLAUSE_END = ",;:—"

# Affricates and diphthongs that are one letter in Kokoro's alphabet, whatever the language.
_ONE_LETTER = {
    f"a{TIE}ɪ": "I",
    f"a{TIE}ʊ": "W",
    f"d{TIE}z": "ʣ",
    f"d{TIE}ʒ": "ʤ",
    f"e{TIE}ɪ": "A",
    f"o{TIE}ʊ": "O",
    f"ə{TIE}ʊ": "Q",
    f"t{TIE}s": "ʦ",
    f"t{TIE}ʃ": "ʧ",
    f"ɔ{TIE}ɪ": "Y",
}
_ENGLISH = {f"ʔn{SYLLABIC}": "tᵊn", f"ə{TIE}l": "ᵊl", "ɐ": "ə", "ɾ": "T", "ʔ": "t", "r": "ɹ", "x": "k", NASAL: ""}
_RESPELLED: dict[str, dict[str, str]] = {
    "en-us": _ENGLISH | {"ɚ": "əɹ", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ː": ""},
    "en-gb": _ENGLISH | {f"e{TIE}ə": "ɛː", f"i{TIE}ə": "ɪə", "iə": "ɪə"},
    # No German in Kokoro: the nearest sounds that its Italian and Spanish voices can make.
    "de": {f"ɔ{TIE}ø": "Y", f"ɔ{TIE}y": "Y", "ʏ": "y", "ɜ": "ɐ"},
}
_PUNCTUATION = {"«": "“", "»": "”", "„": "“", "¿": "", "¡": "", "-": "", "–": "—", "،": ",", "؛": ";", "؟": "?"}

_SYLLABIC_CONSONANT = re.compile(f"(.){SYLLABIC}")
_ESPEAK_LOCK = threading.Lock()


def phonemize(text: str, accent: str) -> str:
    """`text` (normalised) in Kokoro's alphabet, punctuation kept. `accent` is espeak-ng's name, e.g. `en-us`, `fr-fr`.

    Words that espeak-ng reads in another language are spoken with that language's sounds, without its `(en)` marks.
    IPA in double brackets is taken as it is, spelled as Kokoro spells.
    """
    # A block takes the punctuation after it along: espeak-ng keeps none before the first word.
    pieces = re.split(r"\[\[(.*?)\]\]([^\w\s\[]*)", " ".join(text.split()))
    if len(pieces) == 1:
        return respell(_espeak(pieces[0], accent), accent)
    spoken = []
    for before, ipa, marks in zip(pieces[::3], [*pieces[1::3], ""], [*pieces[2::3], ""], strict=True):
        if before.strip():
            spoken.append(f" {_espeak(before, accent)} " if before[-1:].isspace() else f" {_espeak(before, accent)}")
        spoken.append(f"{_tied(ipa)}{marks}")
    return respell("".join(spoken), accent)


def _espeak(text: str, accent: str) -> str:
    with _ESPEAK_LOCK:  # one espeak-ng library serves all threads and is not re-entrant
        return "".join(_backend(accent).phonemize([text.strip()]))


def _tied(ipa: str) -> str:
    """IPA as a person writes it, its affricates and diphthongs tied as espeak-ng ties them."""
    untied = {pair.replace(TIE, ""): pair for pair in _ONE_LETTER}
    return _matcher(tuple(untied)).sub(lambda match: untied[match[0]], ipa.replace(TIE, ""))


def respell(ipa: str, accent: str) -> str:
    """espeak-ng's IPA (tied affricates and diphthongs) as Kokoro's alphabet spells it. Pure."""
    table = _PUNCTUATION | _ONE_LETTER | _RESPELLED.get(accent, {})
    spelled = _matcher(tuple(sorted(table, key=len, reverse=True))).sub(lambda match: table[match[0]], ipa)
    spelled = _SYLLABIC_CONSONANT.sub(r"ᵊ\1", spelled).replace(TIE, "")
    return " ".join(spelled.split())


def split(phonemes: str, limit: int) -> list[str]:
    """`phonemes` cut into parts of at most `limit` letters, none empty: at sentence ends, else clauses, else words.

    The parts are filled evenly, since a short last part would be spoken at another pace than its neighbours.
    """
    text = phonemes.strip()
    if len(text) <= limit:
        return [text] if text else []
    count = -(-len(text) // limit)
    while True:
        parts = _fill(text, limit, target=-(-len(text) // count))
        if len(parts) <= count or count >= len(text):
            return parts
        count = len(parts)


def _fill(text: str, limit: int, *, target: int) -> list[str]:
    parts = []
    while len(text) > limit or len(text) > target * 1.5:
        cut = _cut(text, limit, target)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [part for part in (*parts, text) if part]


def _cut(text: str, limit: int, target: int) -> int:
    """Where to end the first part of `text`: the break near `target` that is heard least."""
    window = text[: limit + 1]
    for marks in (SENTENCE_END, CLAUSE_END):
        ends = [match.end() for match in re.finditer(f"[{re.escape(marks)}][”\"')]*(?=\\s)", window)]
        ends = [end for end in ends if target // 3 <= end <= limit]
        if ends:
            return min(ends, key=lambda end: abs(end - target))
    spaces = [match.start() for match in re.finditer(r"\s", window) if 0 < match.start() <= limit]
    return min(spaces, key=lambda start: abs(start - target)) if spaces else limit


@lru_cache
def _matcher(spellings: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, spellings)))


@lru_cache
def _backend(accent: str) -> EspeakBackend:
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    return EspeakBackend(
        accent,
        preserve_punctuation=True,
        with_stress=True,
        tie=True,
        language_switch="remove-flags",
        words_mismatch="ignore",
    )
