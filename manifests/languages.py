"""Languages by their ISO 639-1 codes, with what people and containers call them."""

from __future__ import annotations

from dataclasses import dataclass

from manifests.errors import BadInput


@dataclass(frozen=True, slots=True)
class Language:
    """`code` ISO 639-1, `alpha3` ISO 639-2/T as containers tag it, the English `name` and the language's `own` one."""

    code: str
    alpha3: str
    name: str
    own: str
    right_to_left: bool = False


LANGUAGES: tuple[Language, ...] = (
    Language("ar", "ara", "Arabic", "العربية", right_to_left=True),
    Language("de", "deu", "German", "Deutsch"),
    Language("en", "eng", "English", "English"),
    Language("es", "spa", "Spanish", "Español"),
    Language("fr", "fra", "French", "Français"),
    Language("hi", "hin", "Hindi", "हिन्दी"),
    Language("it", "ita", "Italian", "Italiano"),
    Language("ja", "jpn", "Japanese", "日本語"),
    Language("nl", "nld", "Dutch", "Nederlands"),
    Language("pl", "pol", "Polish", "Polski"),
    Language("pt", "por", "Portuguese", "Português"),
    Language("ru", "rus", "Russian", "Русский"),
    Language("tr", "tur", "Turkish", "Türkçe"),
    Language("uk", "ukr", "Ukrainian", "Українська"),
    Language("zh", "zho", "Chinese", "中文"),
)

_BY_CODE = {language.code: language for language in LANGUAGES}


def language(code: str) -> Language:
    """The language of an ISO 639-1 `code`, any case; BadInput for one that redub does not know."""
    found = _BY_CODE.get(code.strip().lower())
    if found is None:
        raise BadInput(
            f"unknown language {code!r}.", remedy=f"Known codes: {', '.join(each.code for each in LANGUAGES)}."
        )
    return found
