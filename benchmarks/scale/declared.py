"""How long each stage is declared to take, and stages that take just that.

The real pool is handed each stage with another `compute`: name, version, key, store and task are the real ones. A
worker has one device, which does one piece of work at a time, in turns as a GPU's are (`infra.turns`): so a lecture's
declared work is a sum, and what other threads, or another lecture of the same worker, may do meanwhile is what they may
do in earnest (bring, hash, pickle, remember, plan, report). A piece that is made quicker than it was declared to be
sleeps for the rest; what making it takes is part of what was declared, not on top.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.scale.stand_ins import COMES_TO
from infra.store import Store
from infra.turns import turn
from manifests.time import Span
from tasks.stage import Stage

LEDGER = "REDUB_SCALE_LEDGER"
"""The folder in which each process writes down what it did. Only the benchmark sets it."""
WORKER = "REDUB_SCALE_WORKER"
"""The name of the worker that a process belongs to."""
RATE = "REDUB_SCALE_RATE"
"""Seconds of declared work for a second of lecture, all stages and one language together."""

SHARES = {
    "shots": 4,
    "speech": 2,
    "identify": 1,
    "faces": 10,
    "listen": 12,
    "voice_samples": 3,
    "background": 5,
    "meshes": 8,
    "speaking": 5,
    "library": 2,
    "appearances": 1,
    "translate": 5,
    "speak": 12,
    "mix": 1,
    "voice": 2,
    "lips": 5,
    "render": 12,
    "assemble": 2,
    "levels": 1,
    "heard_back": 5,
    "real_lips": 1,
    "dubbed_lips": 1,
}
"""Of a lecture's work, in hundredths: like a GPU worker's, where no single stage is most of it."""
ROUNDS = {"speak": 3}
"""Speaking goes in rounds over the whole lecture: each takes its part."""
_BEGAN = time.time()
"""A process is a lecture's run, and of two the older has the device first, as with `flows.gpu`."""


def as_declared(stage: Stage[Any, Any], work: Sequence[Any], spans: Sequence[Span]) -> Stage[Any, Any]:
    """`stage` with a `compute` that takes its declared time for each piece of `work`, which is about one of `spans`."""
    if stage.name not in COMES_TO:
        return stage
    rate = float(os.environ[RATE]) * SHARES[stage.name] / 100 / ROUNDS.get(stage.name, 1)
    # By identity: threads hand over the very pieces. Keys, made once more, would be the benchmark's own overhead.
    lengths = {id(piece): span.duration_s for piece, span in zip(work, spans, strict=True)}
    return replace(stage, compute=partial(_taking_its_time, stage.name, lengths, rate, Path(os.environ[LEDGER])))


def _taking_its_time(stage: str, lengths: dict[int, float], rate: float, ledger: Path, work: Any, store: Store) -> Any:
    declared_s = rate * lengths[id(work)]
    with turn(ledger / f"{os.environ[WORKER]}.device", _BEGAN):
        began = time.time()
        clock = time.perf_counter()
        value = COMES_TO[stage](work, store)
        time.sleep(max(0.0, declared_s - (time.perf_counter() - clock)))
        took_s = time.perf_counter() - clock
        note(ledger, stage=stage, began=began, declared_s=declared_s, took_s=took_s)
    return value


def note(ledger: Path, **said: Any) -> None:
    """Write a line into this process's own file of the ledger."""
    with (ledger / f"{os.environ[WORKER]}.{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(said) + "\n")
