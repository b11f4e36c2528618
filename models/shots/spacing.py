"""The shortest shot: cuts that follow each other too closely are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from manifests.time import Flicks


def spaced(cuts: Iterable[Flicks], *, start: Flicks, min_shot: Flicks) -> Iterator[Flicks]:
    """Those of the ascending `cuts` that lie at least `min_shot` after `start` and after the cut kept before them.

    Of a flash, a cut into it and one out of it a few frames on, the first stays.
    """
    last = start
    for cut in cuts:
        if cut - last >= min_shot and cut > last:
            yield cut
            last = cut
