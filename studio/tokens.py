"""Tokens with which people log in: a file that holds their names and the SHA-256 of each token, never a token."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from manifests.errors import BadInput

LOCAL = "local"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_LINE = re.compile(r"([^:\s]+):([0-9a-f]{64})")
_LONGEST_FILE_BYTES = 1 << 20
_MAKE_ONE = "`redub studio token NAME` makes a line of it"


def new_token(user: str) -> tuple[str, str]:
    """A new token for `user`, and the line that lets it in. BadInput for a name that is none."""
    require_name(user)
    token = secrets.token_urlsafe(32)
    return token, f"{user}:{digest(token)}"


def require_name(user: str) -> str:
    """`user`, where it can be somebody's name here: letters, digits and . _ @ + -, at most 64. BadInput where not.

    "local" owns what is made where nobody logs in.
    """
    if user == LOCAL:
        raise BadInput(f"{user!r} is whoever uses a studio without a login;", remedy="take another name")
    if not _NAME.fullmatch(user):
        raise BadInput(f"{user!r} cannot be a name here;", remedy="use letters, digits and . _ @ + -, at most 64")
    return user


def digest(token: str) -> str:
    """What the file holds of a token. A plain hash will do: a token is 256 random bits, no password."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_tokens(file: Path) -> dict[str, str]:
    """Who may log in: names by the digest of their token. BadInput, with the row, for a file that is none."""
    try:
        if file.stat().st_size > _LONGEST_FILE_BYTES:
            raise BadInput("it is too long for a file of tokens;", where=str(file), remedy=_MAKE_ONE)
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"it cannot be read ({type(error).__name__});", where=str(file), remedy=_MAKE_ONE) from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None or match[1] == LOCAL or not _NAME.fullmatch(match[1]):
            raise BadInput("this is no name and digest of a token;", where=f"{file}, row {number}", remedy=_MAKE_ONE)
        found[match[2]] = match[1]
    if not found:
        raise BadInput("nobody may log in by it;", where=str(file), remedy=_MAKE_ONE)
    return found


def known(token: str, tokens: Mapping[str, str]) -> tuple[str, str] | None:
    """The name and the digest of whoever has `token`, None for nobody. Each is compared, in the same time."""
    shown, found = digest(token), None
    for each, name in tokens.items():
        if hmac.compare_digest(shown, each):
            found = name, each
    return found
