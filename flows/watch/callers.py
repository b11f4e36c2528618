"""Who may tell of uploads, and how often: shared secrets, signatures, and a limit to the rate of each caller."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from manifests.errors import BadInput

SIGNATURE_HEADER = "x-redub-signature"
SECRET_HEADER = "x-redub-secret"  # noqa: S105 (the header's name)
_SHORTEST_SECRET = 16
_SKEW_S = 300.0
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_MOST_CALLERS = 4096


def secrets_in(text: str) -> tuple[str, ...]:
    """The secrets in a setting, apart by commas or spaces; two while one replaces the other. BadInput: too short."""
    found = tuple(part for part in re.split(r"[\s,]+", text) if part)
    for each in found:
        if len(each) < _SHORTEST_SECRET:
            remedy = f"use {_SHORTEST_SECRET} characters or more, such as `openssl rand -hex 32` gives"
            raise BadInput("a secret is too short;", where="REDUB_WATCH_SECRET", remedy=remedy)
    return found


def signature(secret: str, body: bytes, at_s: float) -> str:
    """What a caller puts in `X-Redub-Signature`: the time (Unix, s) and an HMAC-SHA256 over it and the body."""
    return f"t={int(at_s)},v1={_mac(secret, body, int(at_s))}"


def _mac(secret: str, body: bytes, at_s: int) -> str:
    return hmac.new(secret.encode(), str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()


def shows_secret(headers: Mapping[str, str], secrets: tuple[str, ...]) -> bool:
    """Whether the request shows one of the secrets, as X-Redub-Secret, a bearer token or a Basic password."""
    shown = [headers[SECRET_HEADER]] if SECRET_HEADER in headers else []
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        shown.append(rest.strip())
    elif scheme.lower() == "basic":
        with suppress(binascii.Error, UnicodeDecodeError):
            shown.append(base64.b64decode(rest, validate=True).decode().partition(":")[2])
    # Every secret is compared, each in constant time, so that time tells neither where nor which.
    matches = [hmac.compare_digest(each.encode(), secret.encode()) for each in shown for secret in secrets]
    return any(matches)


def is_signed(headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...], now_s: float) -> bool:
    """Whether the body bears a signature by one of the secrets that is no older than five minutes."""
    found = _SIGNATURE.fullmatch(headers.get(SIGNATURE_HEADER, ""))
    if found is None:
        return False
    at_s = int(found[1])
    matches = [hmac.compare_digest(found[2], _mac(secret, body, at_s)) for secret in secrets]
    return any(matches) and abs(now_s - at_s) <= _SKEW_S


@dataclass(slots=True)
class _Allowance:
    left: float
    since_s: float


class Rate:
    """`per_s` requests a second of each caller, `burst` at once. Remembers the callers that came last."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, burst
        self._callers: OrderedDict[str, _Allowance] = OrderedDict()

    def allows(self, caller: str, now_s: float) -> bool:
        """Whether this caller may ask once more at `now_s` (monotonic); counts it."""
        known = self._callers.setdefault(caller, _Allowance(self._burst, now_s))
        self._callers.move_to_end(caller)
        while len(self._callers) > _MOST_CALLERS:
            self._callers.popitem(last=False)
        known.left = min(self._burst, known.left + (now_s - known.since_s) * self._per_s)
        known.since_s = now_s
        if known.left < 1:
            return False
        known.left -= 1
        return True
