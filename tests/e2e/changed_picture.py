"""Where a dub's picture differs from its source's, against where new mouths were drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from media_checks import pictures, psnr
from redub_command import Dubbed

from infra.store import Store
from manifests.records import SyncedChunk, Video
from manifests.time import FLICKS_PER_SECOND
from models.lipsync.paste import mask_bounds
from models.rewrite.paint import bounds
from tasks.arrays import get_arrays

Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ComparedFrame:
    """PSNR in dB against the source: the worse of luma and chroma outside the mask, and of luma inside it."""

    index: int
    outside_db: float
    inside_db: float | None


def drawn_mouths(dubbed: Dubbed) -> dict[int, Rectangle]:
    """The frames (counted in the order shown) that show a new mouth, and the pixels that it may have changed in each.

    x0, y0, x1, y1, half-open, whether the speaker's own mouths were put there or a network drew one.
    """
    store = Store(dubbed.redub.cache)
    (video,) = dubbed.rows(Video, "videos")
    size = (video.width, video.height)
    mouths: dict[int, Rectangle] = {}
    for chunk in dubbed.rows(SyncedChunk, "synced_chunks"):
        if chunk.mouths is not None:
            arrays = get_arrays(store, chunk.mouths)
            frames = (round(int(time) * video.frame_rate / FLICKS_PER_SECOND) for time in arrays["time"])
            if "face" in arrays:
                rectangles = [mask_bounds(box, *size) for box in arrays["box"]]
            else:
                pairs = zip(arrays["points"], arrays["wanted"], strict=True)
                rectangles = [bounds(points, wanted, *size) for points, wanted in pairs]
            mouths.update(zip(frames, rectangles, strict=True))
    return mouths


def rendered_frames(source_groups: Sequence[Sequence[int]], mouths: Mapping[int, Rectangle]) -> set[int]:
    """The frames of all groups of pictures that show a new mouth."""
    return {index for group in source_groups if any(index in mouths for index in group) for index in group}


def compare_pictures(source: Path, dubbed: Path, mouths: Mapping[int, Rectangle]) -> list[ComparedFrame]:
    """Every frame that differs, or should."""
    compared = []
    for index, ((luma, chroma), (new_luma, new_chroma)) in enumerate(
        zip(pictures(source), pictures(dubbed), strict=True)
    ):
        if index not in mouths and np.array_equal(luma, new_luma) and np.array_equal(chroma, new_chroma):
            continue
        x0, y0, x1, y1 = mouths.get(index, (0, 0, 0, 0))
        bright = psnr(luma, new_luma, (x0, y0, x1, y1))
        # A chroma sample covers two by two pixels; one half inside is inside.
        coloured = psnr(chroma, new_chroma, (x0 // 2, y0 // 2, -(-x1 // 2), -(-y1 // 2)))
        compared.append(
            ComparedFrame(
                index=index,
                outside_db=min(bright.outside_db, coloured.outside_db),
                inside_db=bright.inside_db if index in mouths else None,
            )
        )
    return compared
