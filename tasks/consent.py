"""Whether a person agreed that their voice may be imitated, as a file says that they or their institution wrote.

    [[consent]]
    name = "Ada Lovelace"
    speaker = "speaker1"                # as the lecture's speakers are called
    date = 2026-11-02                   # when she agreed
    purposes = ["voice-cloning"]
    languages = ["fr", "de"]
    until = 2027-11-01                  # may be left out: for good
    contact = "ada@example.org"
    signature = "signed on paper, filed under 2026/117"

No file, no imitation; nothing is assumed that it does not say, and nothing in it is passed over.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from manifests.errors import BadInput
from models.speech import cloned

VOICE_CLONING = "voice-cloning"
PURPOSES = (VOICE_CLONING,)

_NEEDED = ("name", "speaker", "date", "purposes", "languages", "contact", "signature")
_OPTIONAL = ("until",)
_REMEDY = "a [[consent]] has " + ", ".join(_NEEDED) + ", and may have " + ", ".join(_OPTIONAL) + "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What one person agreed to. `sha256` is the hash of the file's bytes, `where` names file and entry in messages.

    It holds from `since` to the end of `until`, None where it has no end. `languages` are ISO 639-1.
    """

    name: str
    speaker: str
    since: date
    purposes: tuple[str, ...]
    languages: tuple[str, ...]
    until: date | None
    contact: str
    signature: str
    sha256: str
    where: str


def read_consents(path: Path) -> tuple[Consent, ...]:
    """The consents of a file. BadInput, naming the file and the key, for anything that is not as it must be."""
    try:
        content = path.read_bytes()
        table = tomllib.loads(content.decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"it cannot be read as TOML: {error};", where=str(path), remedy=_REMEDY) from None
    _no_others(table, ("consent",), str(path))
    entries = table.get("consent")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput("it holds no [[consent]];", where=str(path), remedy=_REMEDY)
    digest = hashlib.sha256(content).hexdigest()
    consents = tuple(_consent(entry, digest, f"{path}: consent {number}") for number, entry in enumerate(entries, 1))
    for index, each in enumerate(consents):
        if any(each.speaker == other.speaker for other in consents[:index]):
            raise BadInput(
                f"{each.speaker!r} agreed before in this file;",
                where=f"{each.where}: speaker",
                remedy="keep one [[consent]] a speaker.",
            )
    return consents


def require_consent(path: Path | None, voice_id: str, languages: Iterable[str], *, today: date) -> Consent:
    """The consent under which `voice_id` ("clone:speaker1") may speak `languages` on the day `today`.

    BadInput where no file was given, or it does not say that this speaker agreed to this, then and now. Reads one
    small file and no more, so that it is asked before any work.
    """
    speaker = cloned.speaker_of(voice_id)
    if path is None:
        raise BadInput(
            f"{voice_id} imitates a person's own voice, which needs that person's consent;",
            remedy=f"give the file that says so, or choose a voice of the table. {_REMEDY}",
        )
    return agreed(read_consents(path), speaker, languages, today=today, where=str(path))


def agreed(
    consents: Sequence[Consent], speaker: str, languages: Iterable[str], *, today: date, where: str = ""
) -> Consent:
    """The one of `consents` by which `speaker` may be imitated in `languages` on the day `today`. BadInput else."""
    consent = next((each for each in consents if each.speaker == speaker), None)
    if consent is None:
        given = ", ".join(each.speaker for each in consents) or "nobody"
        raise BadInput(f"{speaker} did not agree: only {given} did;", where=where, remedy="ask for their consent.")
    if VOICE_CLONING not in consent.purposes:
        raise BadInput(
            f"{consent.name} did not agree to {VOICE_CLONING};",
            where=f"{consent.where}: purposes",
            remedy="ask for it.",
        )
    if consent.since > today:
        raise BadInput(f"the day {consent.since} is not come yet;", where=f"{consent.where}: date", remedy="mend it.")
    if consent.until is not None and consent.until < today:
        raise BadInput(f"it ended on {consent.until};", where=f"{consent.where}: until", remedy="ask for it anew.")
    if refused := [language for language in languages if language not in consent.languages]:
        raise BadInput(
            f"{consent.name} did not agree to be heard in {', '.join(refused)};",
            where=f"{consent.where}: languages",
            remedy=f"agreed: {', '.join(consent.languages)}.",
        )
    return consent


def _consent(entry: dict[str, Any], digest: str, where: str) -> Consent:
    _no_others(entry, (*_NEEDED, *_OPTIONAL), where)
    for key in _NEEDED:
        if key not in entry:
            raise BadInput("this key is missing;", where=f"{where}: {key}", remedy=_REMEDY)
    purposes = _words(entry, "purposes", where)
    if unknown := [each for each in purposes if each not in PURPOSES]:
        raise BadInput(
            f"no purpose is called {unknown[0]!r};", where=f"{where}: purposes", remedy=f"there is: {PURPOSES[0]}."
        )
    since, until = _day(entry, "date", where), _day(entry, "until", where) if "until" in entry else None
    if until is not None and until < since:
        raise BadInput("it ends before it begins;", where=f"{where}: until", remedy="mend one of the days.")
    return Consent(
        name=_text(entry, "name", where),
        speaker=_text(entry, "speaker", where),
        since=since,
        purposes=purposes,
        languages=_words(entry, "languages", where),
        until=until,
        contact=_text(entry, "contact", where),
        signature=_text(entry, "signature", where),
        sha256=digest,
        where=where,
    )


def _no_others(table: dict[str, Any], known: Sequence[str], where: str) -> None:
    if others := [key for key in table if key not in known]:
        raise BadInput("no such key is known;", where=f"{where}: {others[0]}", remedy=f"known: {', '.join(known)}.")


def _text(entry: dict[str, Any], key: str, where: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value.strip():
        raise BadInput("this must be some text;", where=f"{where}: {key}", remedy=_REMEDY)
    return value.strip()


def _words(entry: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = entry[key]
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each.strip() for each in value):
        raise BadInput('this must be a list, as in ["fr", "de"];', where=f"{where}: {key}", remedy=_REMEDY)
    return tuple(each.strip() for each in value)


def _day(entry: dict[str, Any], key: str, where: str) -> date:
    value = entry[key]
    if not isinstance(value, date) or isinstance(value, datetime):
        raise BadInput("this must be a day, as in 2026-11-02, without quotes;", where=f"{where}: {key}", remedy=_REMEDY)
    return value
