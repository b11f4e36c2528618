"""Painting: from what a lips stage stored to the pixels of a frame, whichever engine drew them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from infra.media.splice import FrameView, Patch
from infra.store import Store
from manifests.records import Blob
from models.lipsync.paste import mask_bounds, paste_face
from models.rewrite.paint import compose
from tasks.arrays import get_arrays
from tasks.library import SpeakerLibrary, open_library

Painter: TypeAlias = Callable[[FrameView], Patch | None]
"""Gives the changed part of a frame, None for one that stays."""


def painter(mouths: Sequence[Blob], libraries: Sequence[SpeakerLibrary], store: Store) -> Painter:
    """What paints the frames of `mouths` (`SyncedChunk.mouths`); rows that name a library count in `libraries`."""
    by_time: dict[int, Painter] = {}
    frames = _Libraries(libraries, store)
    for blob in mouths:
        arrays = get_arrays(store, blob)
        paint = _drawn(arrays) if "face" in arrays else _rewritten(arrays, frames)
        by_time.update((int(time), paint) for time in arrays["time"])

    def change(view: FrameView) -> Patch | None:
        paint = by_time.get(view.time)
        return None if paint is None else paint(view)

    return change


def _drawn(arrays: Mapping[str, npt.NDArray[Any]]) -> Painter:
    """Faces that a generator drew, `face` (N, S, S, 3), for the boxes `box` (N, 4)."""
    row_of = {int(time): row for row, time in enumerate(arrays["time"])}

    def paint(view: FrameView) -> Patch:
        row = row_of[view.time]
        box, face = arrays["box"][row], arrays["face"][row]
        x0, y0, x1, y1 = mask_bounds(box, view.width, view.height)
        return Patch(x0, y0, paste_face(view.rgb(), box, face)[y0:y1, x0:x1])

    return paint


def _rewritten(arrays: Mapping[str, npt.NDArray[Any]], libraries: _Libraries) -> Painter:
    """Rows of libraries, brought to the shapes that `tasks.rewriting` chose."""
    row_of = {int(time): row for row, time in enumerate(arrays["time"])}

    def paint(view: FrameView) -> Patch:
        row = row_of[view.time]
        frames = libraries.frames(int(arrays["library"][row]))
        other, share = int(arrays["other"][row]), float(arrays["share"][row])
        patch = compose(
            view.rgb(),
            np.asarray(arrays["points"][row], np.float32),
            frames.crop(int(arrays["row"][row])),
            np.asarray(arrays["wanted"][row], np.float32),
            other=(frames.crop(other), share) if share > 0 else None,
        )
        return Patch(patch.x0, patch.y0, patch.pixels)

    return paint


class _Libraries:
    """Libraries, read when first used."""

    def __init__(self, libraries: Sequence[SpeakerLibrary], store: Store) -> None:
        self._libraries = libraries
        self._store = store
        self._open: dict[int, Any] = {}

    def frames(self, number: int) -> Any:
        if number not in self._open:
            self._open[number] = open_library(self._libraries[number], self._store).frames
        return self._open[number]
