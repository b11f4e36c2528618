"""Stills of a lecture before and after: the same moments of the source and of its dub, side by side."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infra.media.frames import frames_at
from manifests.clock import HeldClock
from manifests.report import DubReport
from manifests.time import Flicks
from tasks.illustrations import lines_to_show

PAIRS = 3
_WIDTH_PX = 400
_GAP_PX = 8
_JPEG_QUALITY = 78


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """The moment `at` on the dub's clock, in the middle of a `line`; `jpeg` shows the source left, the dub right."""

    line: str
    at: Flicks
    says: str
    jpeg: bytes


def before_after(report: DubReport, dub: Path, source: Path, most: int = PAIRS) -> tuple[BeforeAfter, ...]:
    """At most so many moments, spread over those lines that are worth a look, where there are any with new lips.

    BadInput for a file that cannot be read.
    """
    clock = HeldClock(report.holds)
    lines = lines_to_show(report)
    changed = [line for line in lines if any(line.source_span.overlaps(span) for span in report.changed)] or lines
    count = min(most, len(changed))
    shown = [changed[(2 * index + 1) * len(changed) // (2 * count)] for index in range(count)]
    middles = [(line.dub_span.start + line.dub_span.end) // 2 for line in shown]
    # One file after the other: of a long one the index alone takes tens of megabytes.
    before = list(frames_at(source, [clock.source_time(at) for at in middles], width=_WIDTH_PX))
    after = frames_at(dub, middles, width=_WIDTH_PX)
    return tuple(
        BeforeAfter(line=line.id, at=at, says=line.translation, jpeg=_side_by_side(old, new))
        for line, at, (_, old), (_, new) in zip(shown, middles, before, after, strict=True)
    )


def _side_by_side(before: np.ndarray, after: np.ndarray) -> bytes:
    from PIL import Image

    gap = np.full((before.shape[0], _GAP_PX, 3), 128, np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.hstack([before, gap, after])).save(file, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return file.getvalue()
