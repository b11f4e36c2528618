"""LSE-D and LSE-C of a clip with the official SyncNet (`models.syncnet`), where its checkpoint is on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from models import weights
from models.syncnet.lse import LipSyncError, lip_sync_error

if TYPE_CHECKING:
    from models.syncnet.network import SyncNet

FACE_PX = 224
_CROP_SCALE = 0.4
"""Share of half a face's size that the release's crop leaves around the face."""


def load_syncnet(path: Path | None = None) -> SyncNet:
    """SyncNet at `path`, by default that of the weight table. MissingWeights, or BadInput for another file."""
    from models.syncnet.network import SyncNet
    from models.wav2lip.checkpoint import load_checkpoint

    network = SyncNet()
    load_checkpoint(network, path or weights.locate("syncnet-v2") / "syncnet_v2.model")
    return network


def syncnet_face(frame: npt.NDArray[np.uint8], box: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The face in `frame` (H, W, 3) as SyncNet's release crops it: (224, 224, 3), grey beyond the picture.

    `box` (4,) x, y, width, height of the face. The crop is a square of 1.4 times its longer side, moved down by a fifth
    of that side, so that the chin stays in.
    """
    x, y, width, height = (float(value) for value in box)
    half = max(width, height) / 2
    reach = half * (1 + _CROP_SCALE)
    left, top = x + width / 2 - reach, y + height / 2 - half
    scale = 2 * reach / FACE_PX
    matrix = np.array([[scale, 0, left + (scale - 1) / 2], [0, scale, top + (scale - 1) / 2]])
    return np.asarray(
        cv2.warpAffine(
            np.ascontiguousarray(frame),
            matrix,
            (FACE_PX, FACE_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(110, 110, 110),
        ),
        np.uint8,
    )


def lse(network: SyncNet, faces: npt.NDArray[np.uint8], samples: npt.NDArray[np.float32]) -> LipSyncError:
    """LSE-D, LSE-C and offset of `faces` (F, 224, 224, 3) RGB at 25 frames/s; `samples` mono 16 kHz in -1..1.

    ValueError for fewer than five frames.
    """
    from models.syncnet.embeddings import embed_clip

    sound = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
    return lip_sync_error(*embed_clip(network, faces, sound))
