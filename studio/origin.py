"""Where a request comes from: this page and no other site, by a name that is this server's; and what its answers allow.

A browser sends a page's cookies wherever another site tells it to. So every unsafe method must come from this origin
(`Sec-Fetch-Site`, `Origin`) and bear a header that no form and no plain link can set. The Host is checked because a
name that another site owns may be made to point at this machine (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.answers import Refused, refusal

MARK = "x-redub"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_INNER = ("/api/", "/media/")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), geolocation=(), display-capture=()",
}


class SameOrigin:
    """Lets through what comes from this origin, and sets what its answers allow. It reads no body."""

    def __init__(self, app: ASGIApp, names: tuple[str, ...]) -> None:
        self._app, self._names = app, frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to what comes from elsewhere, hand on the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", _POLICY)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refused = refused_origin(scope["method"], scope["path"], Headers(scope=scope), self._names)
        if refused is not None:
            await refusal(refused)(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)


def refused_origin(method: str, path: str, headers: Mapping[str, str], names: frozenset[str]) -> Refused | None:
    """Why a request is not taken for one of this page's own, None where it is. Any site may link to the page itself."""
    host = headers.get("host", "")
    if _name_of(host) not in names:
        return Refused(403, "this server is not called that", "use its own address, or start it with --name")
    site = headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none") and (method not in _SAFE or path.startswith(_INNER)):
        return Refused(403, "the request came from another site", "use the studio's own page")
    if method in _SAFE:
        return None
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return Refused(403, "the request came from another site", "use the studio's own page")
    if MARK not in headers:
        return Refused(403, "the request does not come from the studio's page", "send the header X-Redub: 1")
    return None


def _name_of(host: str) -> str:
    """A Host header without its port, in small letters; "" for one that is none."""
    try:
        parts = urlsplit(f"//{host}")
        if parts.username or parts.path or parts.query or parts.fragment or parts.port == 0:
            return ""
    except ValueError:
        return ""
    name = (parts.hostname or "").lower()
    return f"[{name}]" if ":" in name else name
