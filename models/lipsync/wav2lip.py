"""Wav2Lip as a `LipSyncer`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.wav2lip.checkpoint import read_generator
from models.wav2lip.generator import Generator
from models.wav2lip.layers import can_fuse, fold_batch_norm, fuse_activations

BATCH_SIZE = 16
"""Faces drawn at once: on a CPU more only leaves the cache, on a GPU more is given by the caller (see benchmarks)."""


class Wav2Lip:
    """A `LipSyncer` over a generator of any config: the lower half is drawn, the upper half is the face's own.

    The batch norms are folded into the convolutions, on a CPU the sums and ReLUs too, memory is laid out channels last
    and rows that are not used are not drawn: on a CPU about twice as fast, equal to the plain network within rounding.
    """

    def __init__(self, generator: Generator, *, device: str | None = None, batch_size: int = BATCH_SIZE) -> None:
        """`generator` is taken over (its batch norms are folded). `device` is by default CUDA where there is one."""
        if batch_size < 1:
            raise ValueError(f"a batch holds at least one face, not {batch_size}")
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._batch_size = batch_size
        self.face_size = generator.config.face_px
        self._first_row = self.face_size // 2  # the generator is shown what is above
        generator.eval().requires_grad_(requires_grad=False)
        fold_batch_norm(generator)
        if self._device.type == "cpu" and can_fuse():
            fuse_activations(generator)
        self._generator = generator.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def from_checkpoint(cls, path: Path, *, device: str | None = None, batch_size: int = BATCH_SIZE) -> Wav2Lip:
        """The generator of the checkpoint at `path`: one of the project's own, of any config, or a published one.

        BadInput where it is neither, and where its tensors are not those of its config.
        """
        return cls(read_generator(path), device=device, batch_size=batch_size)

    def sync(
        self, faces: npt.NDArray[np.uint8], references: npt.NDArray[np.uint8], mels: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.uint8]:
        """See `LipSyncer`. Any N: at most `batch_size` faces are on the device at once."""
        picture = (len(faces), self.face_size, self.face_size, 3)
        if faces.shape != picture or references.shape != picture or mels.shape != (len(faces), 80, 16):
            raise ValueError(
                f"N faces, references and mels do not agree: {faces.shape}, {references.shape}, {mels.shape}"
            )
        synced = faces.copy()
        deterministic = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), deterministic:
            for start in range(0, len(faces), self._batch_size):
                rows = slice(start, start + self._batch_size)
                drawn = self._generator(
                    *self._inputs(faces[rows], references[rows], mels[rows]), first_row=self._first_row
                )
                pixels = (drawn * 255).round().to(torch.uint8).permute(0, 2, 3, 1).flip(3)
                synced[rows, self._first_row :] = pixels.cpu().numpy()
        return synced

    def _inputs(
        self, faces: npt.NDArray[np.uint8], references: npt.NDArray[np.uint8], mels: npt.NDArray[np.float32]
    ) -> tuple[Tensor, Tensor]:
        hidden = faces.copy()
        hidden[:, self._first_row :] = 0
        # The release was trained on OpenCV's frames, so blue comes first, in what goes in and in what comes out.
        channels = np.concatenate((hidden[..., ::-1], references[..., ::-1]), axis=3)
        # (N, H, W, 6) in memory and (N, 6, H, W) by name is what channels last means: nothing is moved.
        pictures = torch.from_numpy(channels).to(self._device).permute(0, 3, 1, 2).float() / 255
        sounds = torch.from_numpy(np.ascontiguousarray(mels, np.float32)).to(self._device)[:, None]
        return sounds, pictures
