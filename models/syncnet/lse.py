"""LSE-D and LSE-C: how far lips and sound are apart for SyncNet, and how sure it is of their offset.

For frame i and offset k the distance is ||lip_i - audio_(i+k)||; with d(k) its mean over the frames,

    LSE-D = min_k d(k)        LSE-C = median_k d(k) - min_k d(k)

for k from -15 to 15 frames at 25 frames/s. Chung and Zisserman (2016), section 4, define offset and confidence;
Prajwal et al. (2020), section 5.1, name the two LSE-D (lower is better) and LSE-C (higher is better).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MAX_OFFSET_FRAMES = 15

_EPSILON = 1e-6
"""Added to every difference, as PyTorch's pairwise distance does: the published figures hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LipSyncError:
    """LSE-D (`distance`), LSE-C (`confidence`) and the offset at which the two streams fit best.

    `offset_frames` counts frames at 25 frames/s, as the release prints it: positive where the sound comes before the
    lips.
    """

    offset_frames: int
    distance: float
    confidence: float


def distance_by_offset(lips: npt.NDArray[np.float32], audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The distance of every frame at every offset, (N, 31), column j for offset j - 15 of the sound.

    `lips` and `audio` are (N, D) embeddings of the same moments; beyond its ends the sound counts as zeros.
    """
    if lips.shape != audio.shape:
        raise ValueError(f"lips {lips.shape} and audio {audio.shape} must be embeddings of the same moments")
    count = len(lips)
    padded = np.pad(audio, ((MAX_OFFSET_FRAMES, MAX_OFFSET_FRAMES), (0, 0)))
    distances = np.empty((count, 2 * MAX_OFFSET_FRAMES + 1), np.float32)
    for column in range(distances.shape[1]):
        distances[:, column] = np.linalg.norm(lips - padded[column : column + count] + np.float32(_EPSILON), axis=1)
    return distances


def lip_sync_error(lips: npt.NDArray[np.float32], audio: npt.NDArray[np.float32]) -> LipSyncError:
    """LSE-D, LSE-C and the offset for embeddings (N, D) of the same moments; ValueError where N is 0."""
    if not len(lips):
        raise ValueError("no moments to judge")
    mean = distance_by_offset(lips, audio).mean(axis=0)
    best = int(mean.argmin())
    return LipSyncError(
        offset_frames=MAX_OFFSET_FRAMES - best,
        distance=float(mean[best]),
        confidence=float(np.median(mean) - mean[best]),
    )
