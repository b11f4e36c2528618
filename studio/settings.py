"""What a studio was started with, and whether that may be: no address beyond this machine without a login."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra import locations
from infra.objects.uri import ObjectUri
from infra.places import state_folder
from manifests.errors import BadInput

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_ANY = ("0.0.0.0", "::", "")  # noqa: S104 (recognised here, never chosen)
_SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one person, one file or one request may take.

    Of media: bytes, seconds, pixels of one picture, frames a second and streams. Of requests: bytes and seconds of a
    body, the least that an upload brings in each `stall_s`, and how many of each kind are open at once.
    """

    upload_bytes: int = 8_000_000_000
    owner_bytes: int = 50_000_000_000
    duration_s: float = 6 * 3600.0
    pixels: int = 40_000_000
    frame_rate: float = 240.0
    streams: int = 64
    text_characters: int = 100_000
    projects: int = 200
    retention_days: int = 30
    upload_days: float = 1.0
    body_bytes: int = 1_000_000
    body_s: float = 15.0
    stall_s: float = 30.0
    stall_bytes: int = 16_384
    uploads_at_once: int = 4
    streams_at_once: int = 12
    connections: int = 512
    header_s: float = 10.0
    logins_per_minute: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A studio: where it listens and is called, who may use it, what it may read, where it keeps things.

    `names` are the hosts that browsers may call it by (without port). `tokens` is the file of those who may log in,
    `proxy_secret` what a proxy shows that has logged somebody in; both None on loopback alone. `allowed` are the
    prefixes below which an address in a store may be named. `folder` holds everything of people.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8790
    names: tuple[str, ...] = _LOOPBACK_NAMES
    tokens: Path | None = None
    proxy_secret: str | None = None
    allowed: tuple[ObjectUri, ...] = ()
    at_once: int = 1
    limits: Limits = field(default_factory=Limits)

    @property
    def login(self) -> bool:
        """Whether people log in here, with a token."""
        return self.tokens is not None


def settings_of(
    *,
    host: str,
    port: int,
    names: tuple[str, ...],
    tokens: Path | None,
    proxy_variable: str | None,
    allowed: tuple[str, ...],
    at_once: int,
    limits: Limits,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings that were asked for. BadInput where they would let anybody in, or make no sense."""
    if tokens is not None and proxy_variable is not None:
        raise BadInput("people log in here or at the proxy, not both;", remedy="give --tokens or --behind-proxy")
    if not is_loopback(host) and tokens is None and proxy_variable is None:
        raise BadInput(
            "anybody who reaches this address could use it;",
            where=f"--host {host}",
            remedy="give --tokens FILE (`redub studio token NAME` makes one) or --behind-proxy VARIABLE",
        )
    if tokens is not None:
        from studio.tokens import read_tokens

        read_tokens(tokens)
    own = () if host in _ANY else (f"[{host}]" if ":" in host else host,)
    return Settings(
        folder=state_folder() / "studio",
        host=host,
        port=port,
        names=tuple(dict.fromkeys(each.lower() for each in (*_LOOPBACK_NAMES, *own, *names))),
        tokens=tokens,
        proxy_secret=None if proxy_variable is None else _secret(proxy_variable, environment),
        allowed=tuple(_prefix(each) for each in allowed),
        at_once=at_once,
        limits=limits,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(variable: str, environment: Mapping[str, str]) -> str:
    secret = environment.get(variable, "")
    if len(secret) < _SHORTEST_SECRET:
        remedy = f"put {_SHORTEST_SECRET} random characters or more there, and have the proxy send them"
        raise BadInput("it holds no secret of the proxy's;", where=variable, remedy=remedy)
    return secret


def _prefix(text: str) -> ObjectUri:
    place: Any = locations.location(text)
    if not isinstance(place, ObjectUri):
        raise BadInput("this is no address in a store;", where=f"--allow {text}", remedy="give s3://BUCKET/PREFIX")
    return place.below()
