"""One GPU, one piece of work: the slot of a device, kept by the Prefect server for all processes that share it.

A worker's environment names its device in REDUB_GPU_SLOT; `redub stack set-up --gpu NAME` declares the slot. A worker
that names none takes none. A batch of a stage that is marked `gpu` holds it (`flows.pool`). Waiting for it at the
server is a poll, with seconds in which nobody has the device; so the threads and processes of its machine first wait
for their turn among themselves (`infra.turns`): the lecture that began first goes first. A server that is away
while a slot is held does not end the work: a device too full is a risk, lost work is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

from infra.places import cache_folder
from infra.turns import turn
from manifests.errors import BadInput, Unavailable

SLOT_PREFIX = "redub-gpu-"
VARIABLE = "REDUB_GPU_SLOT"
_PATIENCE_S = 6 * 3600.0
_LEASE_S = 60.0


@contextmanager
def gpu_slot(since: float, patience_s: float = _PATIENCE_S) -> Iterator[None]:
    """Hold this worker's device, for work of a lecture that was begun at `since`, in seconds of the machine's clock.

    A holder that dies loses it within minutes, since its lease is renewed no more.
    BadInput where the slot was never declared; Unavailable where it stays taken for `patience_s` seconds, and where the
    server does not answer.
    """
    name = os.environ.get(VARIABLE, "").strip()
    if not name:
        yield
        return
    with turn(cache_folder() / "turns" / quote(name, safe=""), since), ExitStack() as stack:
        _hold(stack, name, patience_s)
        yield


def _hold(stack: ExitStack, name: str, patience_s: float) -> None:
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.concurrency.sync import concurrency
    from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

    try:
        with get_client(sync_client=True) as client:
            client.read_global_concurrency_limit_by_name(f"{SLOT_PREFIX}{name}")
        slot = concurrency(
            f"{SLOT_PREFIX}{name}",
            timeout_seconds=patience_s,
            lease_duration=_LEASE_S,
            strict=True,
            raise_on_lease_renewal_failure=False,
        )
        stack.enter_context(slot)
    except ObjectNotFound as missing:
        raise BadInput(
            f"the server knows no device {name}",
            where=VARIABLE,
            remedy=f"declare it: redub stack set-up --gpu {name}",
        ) from missing
    except TimeoutError as error:
        raise Unavailable(f"the device {name} stayed taken for {patience_s:.0f} s") from error
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        raise Unavailable(f"the server that keeps the slot of the device {name} does not answer: {error}") from error
