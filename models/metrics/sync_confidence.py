"""How well lips and sound agree for the project's own sync expert (`models.wav2lip.expert`).

The formulas are those of Chung and Zisserman (2016), section 4, as of LSE-D and LSE-C (`models.syncnet.lse`); network,
windows and scale are others, so the figures are NOT LSE and cannot be compared with published ones. With d(k) the mean
distance between the unit embeddings of five frames and of the sound k frames later, for k from -15 to 15:

    expert_distance = min_k d(k)        expert_confidence = median_k d(k) - min_k d(k)

A mean is taken over the frames that have sound at that offset; nothing is padded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models import weights

if TYPE_CHECKING:
    from models.wav2lip.expert import SyncExpert

MAX_OFFSET_FRAMES = 15
FRAMES_PER_SECOND = 25
FRAMES = 5
_BATCH = 32
_LEAST_OVERLAP = 5

OWN_CHECKPOINT = Path(__file__).parents[1] / "checkpoints" / "expert.safetensors"
"""The project's own expert, where it ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncConfidence:
    """`expert_distance` (lower is better), `expert_confidence` (higher is better), and the offset that fits best.

    `offset_frames` at 25 frames/s, positive where the sound comes before the lips, as in `models.syncnet.lse`.
    """

    offset_frames: int
    expert_distance: float
    expert_confidence: float


def expert_checkpoint() -> Path:
    """The expert that measures: the project's own, else the official one where the user has it; MissingWeights."""
    if OWN_CHECKPOINT.is_file():
        return OWN_CHECKPOINT
    return weights.locate("syncnet-expert") / "lipsync_expert.pth"


def load_expert(path: Path) -> SyncExpert:
    """The expert at `path`, in eval mode on the CPU; BadInput for a file that is no such checkpoint."""
    from models.wav2lip.checkpoint import read_expert

    return read_expert(path)


def sync_confidence(expert: SyncExpert, faces: npt.NDArray[np.uint8], mel: npt.NDArray[np.float32]) -> SyncConfidence:
    """How well `faces` (F, S, S, 3) RGB uint8 at 25 frames/s agree with the sound that `mel` (80, M) is of.

    Faces are the square crops that the expert was trained on (`models.lipsync.crop`), S its `config.face_px`; mel
    column 0 belongs to frame 0. Each window of frames and of sound is embedded once. ValueError where fewer than ten
    frames have sound.
    """
    return confidence(embed_faces(expert, faces), embed_sound(expert, mel))


def embed_faces(expert: SyncExpert, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The unit embeddings (F - 4, D) of every five frames of `faces` (F, S, S, 3) RGB; row i starts at frame i."""
    import torch
    from torch.nn import functional

    lower = np.ascontiguousarray(faces[:, faces.shape[1] // 2 :, :, ::-1].transpose(0, 3, 1, 2))  # blue first
    device = next(expert.parameters()).device
    rows = []
    with torch.inference_mode():
        for start in range(0, len(faces) - FRAMES + 1, _BATCH):
            at = range(start, min(start + _BATCH, len(faces) - FRAMES + 1))
            windows = torch.from_numpy(np.stack([lower[i : i + FRAMES] for i in at])).to(device)
            embedded = expert.face_encoder(windows.flatten(1, 2).float() / 255).flatten(1)
            rows.append(functional.normalize(embedded, dim=1).cpu().numpy())
    return _stacked(rows)


def embed_sound(expert: SyncExpert, mel: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The unit embeddings (N, D) of the 0.2 s of `mel` (80, M) from each frame on, as far as the sound goes."""
    import torch
    from torch.nn import functional

    from models.wav2lip.mel import COLUMNS, COLUMNS_PER_SECOND

    count = max((mel.shape[1] - COLUMNS) * FRAMES_PER_SECOND // COLUMNS_PER_SECOND + 1, 0)
    columns = [frame * COLUMNS_PER_SECOND // FRAMES_PER_SECOND for frame in range(count)]
    device = next(expert.parameters()).device
    rows = []
    with torch.inference_mode():
        for start in range(0, count, _BATCH):
            windows = np.stack([mel[:, column : column + COLUMNS] for column in columns[start : start + _BATCH]])
            embedded = expert.audio_encoder(torch.from_numpy(windows[:, None]).float().to(device)).flatten(1)
            rows.append(functional.normalize(embedded, dim=1).cpu().numpy())
    return _stacked(rows)


def _stacked(rows: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)


def confidence(faces: npt.NDArray[np.float32], audio: npt.NDArray[np.float32]) -> SyncConfidence:
    """The measures for embeddings (N, D) and (M, D) from the same moment on; ValueError where either is below 10."""
    count = min(len(faces), len(audio))
    if count < 2 * _LEAST_OVERLAP:
        raise ValueError(f"only {count} moments have five frames and sound")
    mean = distance_by_offset(faces[:count], audio[:count])
    best = int(np.nanargmin(mean))
    return SyncConfidence(
        offset_frames=MAX_OFFSET_FRAMES - best,
        expert_distance=float(mean[best]),
        expert_confidence=float(np.nanmedian(mean) - mean[best]),
    )


def distance_by_offset(faces: npt.NDArray[np.float32], audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean distance at each offset, (31,), column j for sound j - 15 frames later; NaN where too few overlap."""
    count = len(faces)
    if faces.shape != audio.shape:
        raise ValueError(f"faces {faces.shape} and audio {audio.shape} must be embeddings of the same moments")
    mean = np.full(2 * MAX_OFFSET_FRAMES + 1, np.nan, np.float32)
    for column in range(len(mean)):
        shift = column - MAX_OFFSET_FRAMES
        first, end = max(0, -shift), min(count, count - shift)
        if end - first >= _LEAST_OVERLAP:
            apart = faces[first:end] - audio[first + shift : end + shift]
            mean[column] = np.linalg.norm(apart, axis=1).mean()
    return mean
