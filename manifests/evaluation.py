"""The record of an evaluation: one row a measured number, in `scores.parquet`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What `measure` says of one `subject` of one `pair`, or of the whole set where `pair` is None.

    `subject` is what was looked at: "result" (what the engine `lips` made), "real" (the true video of that speech),
    "unsynced" (the untouched face with the other sound) or "rerun" (the same work done twice). `value` is None where
    the measure could not be taken; `reason` then says why. `samples` counts what the value is the mean of (frames,
    pictures, windows).
    """

    protocol: str
    lips: str
    pair: str | None
    subject: str
    measure: str
    value: float | None
    samples: int
    reason: str = ""
