"""What a dub says of itself: where it comes from, what made it, and that it is synthetic."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsed:
    """A model that took part: what for, its `name`, and the `revision` of its weights."""

    purpose: str
    name: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The disclosure of one dub; it is signed as it stands.

    `source_sha256` is the hash of the source file's bytes; languages are ISO 639-1, None where there is none (a
    portrait that was made to speak). `settings` is the dub's settings as canonical JSON. `consents` are the SHA-256 of
    the consent files under which a person's own voice was imitated.
    """

    software: str
    source_sha256: str
    source_language: str | None
    language: str | None
    synthetic_speech: bool
    synthetic_lips: bool
    voices: tuple[str, ...]
    models: tuple[ModelUsed, ...]
    settings: str
    consents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check of a dub and its signed statement came to.

    `statement` is as signed. `faults` are C2PA's codes of what does not hold, none where file and statement are as
    signed. `signer` is the certificate's name; `known` whether this machine, or the authority given, vouches for it.
    """

    statement: Statement
    signer: str
    known: bool
    faults: tuple[str, ...]
