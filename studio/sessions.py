"""Who asks: the one owner of a machine without a login, somebody with a session, or whom a proxy names."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from starlette.datastructures import Headers

from infra.files import published
from manifests.errors import BadInput
from studio.settings import Settings
from studio.tokens import LOCAL, known, read_tokens, require_name

COOKIE = "redub_session"
USER_HEADER = "x-forwarded-user"
SECRET_HEADER = "x-redub-proxy-secret"  # noqa: S105 (the header's name)
SESSION_S = 7 * 24 * 3600
_MOST_SESSIONS = 10_000
_WINDOW_S = 60.0
_MOST_CALLERS = 4096


@dataclass(frozen=True, slots=True)
class Session:
    """A login: of whom, by which token's digest, until when (Unix, s)."""

    user: str
    token: str
    until_s: float


@dataclass(slots=True)
class Doorkeeper:
    """Tells who asks, and lets people in. Sessions outlive a restart; one whose token left the file is over.

    Methods read files: to be called from a thread. What is kept of a cookie is its digest.
    """

    settings: Settings
    _sessions: dict[str, Session] = field(default_factory=dict)
    _failures: dict[str, deque[float]] = field(default_factory=dict)
    _tokens: tuple[tuple[int, int], dict[str, str]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Take up the sessions of before."""
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            self._sessions = {key: Session(*each) for key, each in kept.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._sessions = {}

    def who(self, headers: Headers, cookie: str | None) -> str | None:
        """The name of whoever sent a request with these headers, None where that is not known."""
        if self.settings.proxy_secret is not None:
            return _named_by_proxy(headers, self.settings.proxy_secret)
        if not self.settings.login:
            return LOCAL
        return self._by_cookie(cookie)

    def _by_cookie(self, cookie: str | None) -> str | None:
        if not cookie:
            return None
        tokens = self._allowed()
        with self._lock:
            session = self._sessions.get(_digest(cookie))
        if session is None or session.until_s < time.time() or tokens.get(session.token) != session.user:
            return None
        return session.user

    def log_in(self, token: str) -> tuple[str, str] | None:
        """The name of whoever has `token`, and a new session's cookie; None for nobody."""
        found = known(token, self._allowed())
        if found is None:
            return None
        name, digest = found
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            now = time.time()
            alive = {key: each for key, each in self._sessions.items() if each.until_s > now}
            while len(alive) >= _MOST_SESSIONS:
                alive.pop(next(iter(alive)))
            self._sessions = alive | {_digest(cookie): Session(name, digest, now + SESSION_S)}
            self._keep()
        return name, cookie

    def log_out(self, cookie: str | None) -> None:
        """End a session."""
        with self._lock:
            if cookie and self._sessions.pop(_digest(cookie), None) is not None:
                self._keep()

    def may_try(self, caller: str) -> bool:
        """Whether `caller` may try to log in: so many failures a minute, and no more."""
        with self._lock:
            failures = self._failures.get(caller, deque())
            while failures and time.monotonic() - failures[0] > _WINDOW_S:
                failures.popleft()
            return len(failures) < self.settings.limits.logins_per_minute

    def failed(self, caller: str) -> None:
        """`caller` showed a token that is nobody's."""
        with self._lock:
            if caller not in self._failures and len(self._failures) >= _MOST_CALLERS:
                self._failures.pop(next(iter(self._failures)))
            self._failures.setdefault(caller, deque(maxlen=self.settings.limits.logins_per_minute)).append(
                time.monotonic()
            )

    def _allowed(self) -> dict[str, str]:
        """Who may log in now: the file is read again where it changed. Nobody while it cannot be read."""
        file = self.settings.tokens
        if file is None:
            return {}
        try:
            stat = file.stat()
            version = stat.st_mtime_ns, stat.st_size
            with self._lock:
                if self._tokens is None or self._tokens[0] != version:
                    self._tokens = version, read_tokens(file)
                return self._tokens[1]
        except (OSError, BadInput):
            return {}

    def _keep(self) -> None:
        kept = {key: [each.user, each.token, each.until_s] for key, each in self._sessions.items()}
        with published(self._file) as draft:
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(kept), encoding="utf-8")

    @property
    def _file(self) -> Path:
        return self.settings.folder / "sessions.json"


def _named_by_proxy(headers: Headers, secret: str) -> str | None:
    """Whom the proxy names. A name that comes twice is none: one of them may be the browser's own."""
    shown, names = headers.getlist(SECRET_HEADER), headers.getlist(USER_HEADER)
    if len(shown) != 1 or len(names) != 1 or not hmac.compare_digest(shown[0].encode(), secret.encode()):
        return None
    try:
        return require_name(names[0])
    except BadInput:
        return None


def owner_folder(user: str) -> str:
    """The name of the folder with all that is `user`'s: no two people's alike on any file system, and no path."""
    plain = re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:32]
    return LOCAL if user == LOCAL else f"{plain}-{hashlib.sha256(user.encode()).hexdigest()[:12]}"


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
