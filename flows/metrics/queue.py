"""What waits and what goes on, by the Prefect server's count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

STATES = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_PATIENCE_S = 5.0
_TAG = "redub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """`depth` is of each work pool how many runs should have begun, and have not; `states` counts redub's flow runs."""

    depth: Mapping[str, int]
    states: Mapping[str, int]


@dataclass(slots=True)
class PrefectQueue:
    """The server at `api_url`; `environment` says how to prove oneself to it, as Prefect's own client would."""

    api_url: str
    environment: Mapping[str, str]
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        user = self.environment.get("PREFECT_API_AUTH_STRING", "")
        key = self.environment.get("PREFECT_API_KEY", "")
        name, _, password = user.partition(":")
        self._client = httpx.Client(
            base_url=self.api_url.rstrip("/"),
            auth=(name, password) if user else None,
            headers={"Authorization": f"Bearer {key}"} if key and not user else None,
            timeout=_PATIENCE_S,
        )

    def look(self) -> Waiting | None:
        """What waits now; None where the server does not answer, or does not let this one in."""
        now = datetime.now(UTC).isoformat()
        late = {"state": {"type": {"any_": ["SCHEDULED", "PENDING"]}}, "expected_start_time": {"before_": now}}
        try:
            pools = [str(pool["name"]) for pool in self._ask("/work_pools/filter", {})]
            depth = {
                pool: int(self._ask("/flow_runs/count", {"flow_runs": late, "work_pools": {"name": {"any_": [pool]}}}))
                for pool in pools
            }
            states = {state: int(self._ask("/flow_runs/count", {"flow_runs": _of(state)})) for state in STATES}
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None
        return Waiting(depth=depth, states=states)

    def _ask(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()


def _of(state: str) -> dict[str, Any]:
    return {"state": {"type": {"any_": [state]}}, "tags": {"any_": [_TAG]}}
