"""What a shot detector is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from manifests.time import Flicks


class ShotDetector(Protocol):
    """Finds the cuts of a video while it streams by."""

    frame_width: int
    """The width in pixels that frames should be scaled to before they are handed in (height in proportion)."""

    def cuts(self, frames: Iterable[tuple[Flicks, npt.NDArray[np.uint8]]]) -> list[Flicks]:
        """The times of the first frame of every shot but the first, ascending.

        `frames` are (time, RGB uint8 of shape (height, width, 3)) in display order; each is looked at once and not kept
        beyond a bounded window, so memory does not grow with the video.
        """
        ...
