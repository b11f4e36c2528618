"""How a stage's pieces are cut into batches, one a Prefect task.

A self-hosted server suffers beyond some 2,000 tasks a run, and each costs it and the flow some tenths of a second. So
a lecture hour is some hundred tasks: a dozen and a half stages work on chunks, each in a few batches an hour. What
limits it from the other side: all workers should have work in each stage, one that is slow should not hold up the
others for long, and people want to see a run go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from manifests.time import FLICKS_PER_SECOND, Span

BATCHES_AN_HOUR = 6
MOST_BATCHES = 40
BATCHES_A_WORKER = 2
"""The fewest, where there are pieces enough: a worker that is done first takes up one more."""

_HOUR = 3600 * FLICKS_PER_SECOND


def cut(spans: Sequence[Span], workers: int) -> list[slice]:
    """Cut pieces about `spans` of a lecture, in order, into batches of as many pieces each as can be.

    For `workers` at once; none where there are no pieces.
    """
    total = sum(span.duration for span in spans)
    wanted = max(total * BATCHES_AN_HOUR // _HOUR, workers * BATCHES_A_WORKER)
    count = min(len(spans), wanted, max(MOST_BATCHES, workers * BATCHES_A_WORKER))
    borders = [len(spans) * index // max(count, 1) for index in range(count + 1)]
    return [slice(start, end) for start, end in pairwise(borders)]
