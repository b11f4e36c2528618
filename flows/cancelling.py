"""Telling the Prefect server that a run was cancelled, by the process that ends in the middle of it."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run
from prefect.states import Cancelled


def current_run() -> UUID | None:
    """The flow run that this is called in."""
    found = flow_run.get_id()
    return UUID(found) if found else None


def tell_cancelled(run: UUID) -> None:
    """Record `run` as cancelled; where the server does not answer, its page shows it as running for a while longer."""
    with suppress(httpx.HTTPError, PrefectException), get_client(sync_client=True) as client:
        client.set_flow_run_state(run, Cancelled(message="cancelled by a person"), force=True)
