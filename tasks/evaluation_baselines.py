"""Baselines that need no engine, so that a score can be read: what is reached by doing next to nothing."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infra.media.frames import read_frames
from infra.media.mux import AudioOut, mux
from infra.media.splice import FrameView, Patch, reencode_picture
from infra.media.splice import RenderSettings as EncoderSettings
from manifests.errors import Degraded
from models.metrics.hold import hold_mouth
from tasks.evaluation_watch import FRAME, at_25, watch

HOLD = "hold"


@dataclass(frozen=True, slots=True)
class HoldRenderer:
    """A `tasks.evaluate.Renderer` that shows the speaker's own closed mouth throughout.

    The frame of which the lips are closest is held. The result lasts as long as the face's video.
    """

    encoder: EncoderSettings

    def render(self, face: Path, audio: Path, out: Path) -> None:
        """See `Renderer`. Degraded where the video has nothing to hold."""
        seen = watch(face, crop_px=16)
        shown = np.flatnonzero(seen.seen)
        best = int(shown[seen.mouth.inner_opening.argmin()])
        closed = next((rgb for index, (_, rgb) in enumerate(at_25(read_frames(face))) if index == best), None)
        if closed is None:
            raise Degraded("no frame shows a closed mouth")

        def change(view: FrameView) -> Patch | None:
            row = min((view.time + FRAME // 2) // FRAME, len(seen.seen) - 1)
            if not seen.seen[row]:
                return None
            before = view.rgb()
            after = hold_mouth(before, seen.points[row], closed, seen.points[best])
            rows, columns = (np.flatnonzero((before != after).any(axis=(2, axis))) for axis in (1, 0))
            if not len(rows):
                return None
            y, x = int(rows[0]), int(columns[0])
            return Patch(x=x, y=y, rgb=np.ascontiguousarray(after[y : rows[-1] + 1, x : columns[-1] + 1]))

        with tempfile.TemporaryDirectory(prefix="redub-") as folder:
            picture = Path(folder) / "picture.mp4"
            reencode_picture(face, change, picture, self.encoder)
            mux(picture=picture, audio=[AudioOut(source=audio)], out=out)
