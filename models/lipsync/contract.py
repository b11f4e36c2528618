"""What a lip syncer is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt


class LipSyncer(Protocol):
    """Draws a face whose lips fit a sound."""

    face_size: int
    """Side in pixels of the square crops that it takes and gives."""

    def sync(
        self, faces: npt.NDArray[np.uint8], references: npt.NDArray[np.uint8], mels: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.uint8]:
        """The faces with new lips, (N, S, S, 3) RGB uint8.

        `faces` (N, S, S, 3) RGB uint8 crops of which the lower half is redrawn, `references` (N, S, S, 3) crops that
        show the person's mouth, `mels` (N, 80, 16) float32 mel windows (`models.wav2lip.mel`). N may be 0. Seeded:
        the same arrays give the same faces, and a batch gives what its rows give one by one (within rounding).
        """
        ...
