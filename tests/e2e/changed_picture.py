"""Where a dub's picture differs from its source's, against where new mouths were drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from media_checks import pictures, psnr
from redub_command import Dubbed

from infra.store import Store
from manifests.records import SyncedChunk, Video
from manifests.time import FLICKS_PER_SECOND
from models.lipsync.paste import mask_bounds
from tasks.arrays import get_arrays

Box = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ComparedFrame:
    """PSNR in dB against the source: the worse of luma and chroma outside the mask, and of luma inside it."""

    index: int
    outside_db: float
    inside_db: float | None


def drawn_mouths(dubbed: Dubbed) -> dict[int, Box]:
    """The frames (counted in the order shown) that show a new mouth, and the face's box in each."""
    store = Store(dubbed.redub.cache)
    (video,) = dubbed.rows(Video, "videos")
    boxes: dict[int, Box] = {}
    for chunk in dubbed.rows(SyncedChunk, "synced_chunks"):
        if chunk.mouths is not None:
            arrays = get_arrays(store, chunk.mouths)
            frames = (round(int(time) * video.frame_rate / FLICKS_PER_SECOND) for time in arrays["time"])
            boxes.update(zip(frames, arrays["box"], strict=True))
    return boxes


def compare_pictures(source: Path, dubbed: Path, mouths: Mapping[int, Box]) -> list[ComparedFrame]:
    """Every frame that differs, or should."""
    compared = []
    for index, ((luma, chroma), (new_luma, new_chroma)) in enumerate(
        zip(pictures(source), pictures(dubbed), strict=True)
    ):
        if index not in mouths and np.array_equal(luma, new_luma) and np.array_equal(chroma, new_chroma):
            continue
        height, width = luma.shape
        x0, y0, x1, y1 = mask_bounds(mouths[index], width, height) if index in mouths else (0, 0, 0, 0)
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
