"""Hard cuts by change of content, with PySceneDetect's detector for talking pictures and one for still slides."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scenedetect import AdaptiveDetector, FrameTimecode

from manifests.time import Flicks, flicks
from models.shots.spacing import spaced

NEIGHBOURS = 2
"""Frames on each side that a frame's change is compared with."""

ANY_FRAME_RATE = 25.0
"""PySceneDetect wants a rate to number frames; times come from the caller, so its value does not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSettings:
    """What counts as a cut.

    A frame's change is the mean absolute difference of its hue, saturation and luma (0..255) to the frame before. It
    is a cut where the change is at least `moving_change` and `moving_ratio` times that of its neighbours, or, in a
    picture that stands still, at least `still_change` and `still_ratio` times. The first pair are PySceneDetect's
    defaults. The second come from the sample lecture: a slide's encoder noise stays below 0.3, a change of its text
    alone gives 1 to 3, and a talking head's own movement reaches 7 times its neighbours'.
    """

    moving_change: float = 15.0
    moving_ratio: float = 3.0
    still_change: float = 0.8
    still_ratio: float = 12.0
    min_shot_s: float = 0.5
    frame_width: int = 320


class ContentShotDetector:
    """A `ShotDetector` for hard cuts: face to slide, slide to slide. Cuts in the last two frames are not seen."""

    def __init__(self, settings: ContentSettings | None = None) -> None:
        self._settings = settings or ContentSettings()
        self.frame_width = self._settings.frame_width

    def cuts(self, frames: Iterable[tuple[Flicks, npt.NDArray[np.uint8]]]) -> list[Flicks]:
        """See `ShotDetector`. Frames wider than `frame_width` are scaled down here."""
        stream = iter(frames)
        first = next(stream, None)
        if first is None:
            return []
        found = self._changes(chain([first], stream))
        return list(spaced(found, start=first[0], min_shot=flicks(self._settings.min_shot_s)))

    def _changes(self, frames: Iterator[tuple[Flicks, npt.NDArray[np.uint8]]]) -> Iterator[Flicks]:
        wanted = self._settings
        detectors: list[Any] = [
            AdaptiveDetector(adaptive_threshold=ratio, min_content_val=change, min_scene_len=0, window_width=NEIGHBOURS)
            for ratio, change in (
                (wanted.moving_ratio, wanted.moving_change),
                (wanted.still_ratio, wanted.still_change),
            )
        ]
        times: deque[Flicks] = deque(maxlen=NEIGHBOURS + 1)
        for index, (time, image) in enumerate(frames):
            times.append(time)
            bgr = cv2.cvtColor(self._scaled(image), cv2.COLOR_RGB2BGR)
            code = FrameTimecode(index, ANY_FRAME_RATE)
            cut_frames = {cut.frame_num for detector in detectors for cut in detector.process_frame(code, bgr)}
            for cut_frame in sorted(cut_frames):
                yield times[cut_frame - index - 1]

    def _scaled(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        height, width = image.shape[:2]
        if width <= self.frame_width:
            return image
        size = (self.frame_width, max(1, round(height * self.frame_width / width)))
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
