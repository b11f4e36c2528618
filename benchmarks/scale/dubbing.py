"""The real flow `dub-lecture` in a worker, over stages that take declared time.

A deployment names `benchmarks.scale.dubbing:dub`. Everything but the stages' own work is what it is in earnest: the
flow, its tasks, the store and its keys, what is brought from the bucket and published to it, reports, records.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.scale.declared import LEDGER, as_declared, note
from flows import dub as real
from manifests.time import Span

dub = real.dub


class _DeclaredPool(real.PrefectPool):
    """The flow's own pool, handed stages that take declared time."""

    def submit(self, stage: Any, work: Sequence[Any], spans: Sequence[Span], **options: Any) -> Any:
        return super().submit(as_declared(stage, work, spans), work, spans, **options)


def _watch_itself(ledger: Path, every_s: float = 1.0) -> None:
    """The kernel's own peak of this process, and its CPU time, now and then: it may end at any moment."""
    while True:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        peak_mb = int(status.split("VmHWM:")[1].split()[0]) // 1024
        note(ledger, peak_mb=peak_mb, cpu_s=round(time.process_time(), 2))
        time.sleep(every_s)


real.PrefectPool = _DeclaredPool  # type: ignore[misc]
note(Path(os.environ[LEDGER]), loaded=time.time())
threading.Thread(target=_watch_itself, args=(Path(os.environ[LEDGER]),), daemon=True).start()
