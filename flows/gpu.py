"""One GPU, one piece of work: the slot of a device, kept by the Prefect server for all processes that share it.

A worker's environment names its device in REDUB_GPU_SLOT; `redub stack set-up --gpu NAME` declares the slot. A worker
that names none takes none. Waiting for another process is a poll of the server, right for batches that take minutes;
threads of one process hand the slot on among themselves first.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from manifests.errors import BadInput, Unavailable

SLOT_PREFIX = "redub-gpu-"
VARIABLE = "REDUB_GPU_SLOT"
_PATIENCE_S = 6 * 3600.0
_LEASE_S = 60.0
_HELD_HERE = threading.Lock()


@contextmanager
def gpu_slot(patience_s: float = _PATIENCE_S) -> Iterator[None]:
    """Hold this worker's device. A holder that dies loses it within minutes, since its lease is renewed no more.

    BadInput where the slot was never declared; Unavailable where it stays taken for `patience_s` seconds.
    """
    name = os.environ.get(VARIABLE, "").strip()
    if not name:
        yield
        return
    from prefect.client.orchestration import get_client
    from prefect.concurrency.sync import concurrency
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(f"{SLOT_PREFIX}{name}")
        except ObjectNotFound as missing:
            raise BadInput(
                f"the server knows no device {name}",
                where=VARIABLE,
                remedy=f"declare it: redub stack set-up --gpu {name}",
            ) from missing
    with ExitStack() as stack:
        stack.enter_context(_HELD_HERE)
        try:
            stack.enter_context(
                concurrency(f"{SLOT_PREFIX}{name}", timeout_seconds=patience_s, lease_duration=_LEASE_S, strict=True)
            )
        except TimeoutError as error:
            raise Unavailable(f"the device {name} stayed taken for {patience_s:.0f} s") from error
        yield
