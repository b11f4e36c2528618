"""The Prefect server, as the receiver sees it: events go in, runs come of them.

The server holds what it was sent in memory until it has acted on it, and remembers for half an hour, in memory too,
which ids it has seen. So an event is asked after until it has started a run, and is sent again where it has not.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Protocol

from flows.watch.uploads import Upload, event_of
from infra.objects.uri import ObjectUri
from manifests.errors import BadInput, Unavailable

_MOST_RUNS = 200
_CLOCKS_APART = timedelta(hours=1)
_STARTED, _FAILED = "prefect.automation.action.executed", "prefect.automation.action.failed"


class Events(Protocol):
    """What the receiver asks of a Prefect server. Every call may raise Unavailable, or BadInput: it refuses."""

    def post(self, upload: Upload, identity: uuid.UUID) -> None:
        """Send the event."""
        ...

    def is_known(self, identity: uuid.UUID) -> bool:
        """Whether the server has this event on record."""
        ...

    def is_answered(self, identity: uuid.UUID) -> bool:
        """Whether an automation has acted on the event."""
        ...

    def has_run(self, uri: ObjectUri, since_s: float) -> bool:
        """Whether a run that was to start since then (Unix, s) has this object among its parameters."""
        ...


class PrefectEvents:
    """The server that the environment names, through Prefect's own client. A context manager."""

    def __enter__(self) -> PrefectEvents:
        """Connect."""
        from prefect.client.orchestration import get_client

        with _told():
            self._client = get_client(sync_client=True)
            self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the connection go."""
        self._client.__exit__(kind, error, trace)

    def post(self, upload: Upload, identity: uuid.UUID) -> None:
        """Send the event."""
        with _told():
            self._client.request("POST", "/events", json=[event_of(upload, identity, datetime.now(UTC))])

    def is_known(self, identity: uuid.UUID) -> bool:
        """Whether the server has this event on record."""
        return bool(self._events({"id": {"id": [str(identity)]}}))

    def is_answered(self, identity: uuid.UUID) -> bool:
        """Whether an automation has acted on the event. BadInput where it tried and could not."""
        about = {"related": {"id": [f"prefect.event.{identity}"]}}
        events = self._events({**about, "event": {"name": [_STARTED, _FAILED]}})
        if any(each["event"] == _STARTED for each in events):
            return True
        if events:
            reason = str(events[0].get("payload", {}).get("reason", "no reason given"))[:300]
            remedy = "mend the deployment's trigger; it is tried again"
            raise BadInput(f"the server could not start a run for an upload: {reason};", remedy=remedy)
        return False

    def has_run(self, uri: ObjectUri, since_s: float) -> bool:
        """Whether a run that was to start since then (Unix, s) has this object among its parameters."""
        since = datetime.fromtimestamp(since_s, UTC) - _CLOCKS_APART
        until = datetime.now(UTC) + _CLOCKS_APART  # the runs that a schedule has laid out for the coming days are none
        asked = {
            "flow_runs": {"expected_start_time": {"after_": since.isoformat(), "before_": until.isoformat()}},
            "sort": "EXPECTED_START_TIME_DESC",
            "limit": _MOST_RUNS,
        }
        with _told():
            runs = self._client.request("POST", "/flow_runs/filter", json=asked).json()
        return any(str(uri) in map(str, run.get("parameters", {}).values()) for run in runs)

    def _events(self, which: dict[str, Any]) -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        when = {"since": (now - timedelta(days=30)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
        with _told():
            answer = self._client.request("POST", "/events/filter", json={"filter": {"occurred": when, **which}})
        return list(answer.json()["events"])


@contextmanager
def _told() -> Iterator[None]:
    """Prefect's errors as redub's own."""
    import httpx

    try:
        yield
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status in (401, 403):
            remedy = "set PREFECT_API_AUTH_STRING or PREFECT_API_KEY"
            raise BadInput("the Prefect server does not let the receiver in;", remedy=remedy) from error
        if 400 <= status < 500 and status not in (408, 429):
            raise BadInput(f"the Prefect server refuses ({status}): {error.response.text[:300]}") from error
        raise Unavailable(f"the Prefect server answers {status}") from error
    except (httpx.HTTPError, OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "reach" not in str(error).lower():
            raise
        raise Unavailable(f"the Prefect server does not answer ({type(error).__name__})") from error
