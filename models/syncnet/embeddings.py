"""SyncNet's embeddings of a clip: the frames and samples of a video in, rows for `models.syncnet.lse` out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from models.syncnet.mfcc import mfcc
from models.syncnet.network import FACE_SIZE, FRAMES, MFCC_COLUMNS, SyncNet

FRAME_RATE = 25
_COLUMNS_PER_FRAME = 100 // FRAME_RATE


def embed_clip(
    network: SyncNet, faces: npt.NDArray[np.uint8], samples: npt.NDArray[np.int16], *, batch_size: int = 20
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The embeddings (N, 1024) of lips and of sound for each moment that has five frames and 0.2 s of sound.

    `faces` (T, 224, 224, 3) RGB uint8 at 25 frames/s, `samples` mono 16-bit at 16 kHz that start with the first frame.
    N is 0 for a clip that is shorter than five frames.
    """
    if faces.shape[1:] != (FACE_SIZE, FACE_SIZE, 3):
        raise ValueError(f"faces must be (T, {FACE_SIZE}, {FACE_SIZE}, 3), not {faces.shape}")
    features = mfcc(samples)
    moments = min(len(faces) - FRAMES, (len(features) - MFCC_COLUMNS) // _COLUMNS_PER_FRAME) + 1
    device = next(network.parameters()).device
    lips, audio = [np.zeros((0, 1024), np.float32)], [np.zeros((0, 1024), np.float32)]
    with torch.inference_mode():
        for start in range(0, moments, batch_size):
            at = range(start, min(start + batch_size, moments))
            # The release read its frames with OpenCV, so the network knows blue first.
            clips = np.stack([faces[i : i + FRAMES, :, :, ::-1] for i in at]).transpose(0, 4, 1, 2, 3)
            sounds = np.stack([features[i * _COLUMNS_PER_FRAME :][:MFCC_COLUMNS].T for i in at])[:, None]
            lips.append(network.embed_lips(torch.from_numpy(clips.copy()).to(device).float()).cpu().numpy())
            audio.append(network.embed_audio(torch.from_numpy(sounds).to(device)).cpu().numpy())
    return np.concatenate(lips), np.concatenate(audio)
