"""Wav2Lip's sync expert: do these five mouths and this mel window belong together?"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from models.wav2lip.layers import ConvBlock, audio_encoder, residual_blocks

FRAMES = 5
"""Consecutive frames at 25 frames/s that are judged at once."""


class SyncExpert(nn.Module):
    """The colour SyncNet of Prajwal et al. (2020), section 3.2, frozen while the generator learns."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder = nn.Sequential(
            ConvBlock(3 * FRAMES, 32, 7, 1, 3),  # 48 x 96
            ConvBlock(32, 64, 5, (1, 2), 1),  # 46 x 47
            *residual_blocks(64, 2),
            ConvBlock(64, 128, 3, 2, 1),  # 23 x 24
            *residual_blocks(128, 3),
            ConvBlock(128, 256, 3, 2, 1),  # 12 x 12
            *residual_blocks(256, 2),
            ConvBlock(256, 512, 3, 2, 1),  # 6 x 6
            *residual_blocks(512, 2),
            ConvBlock(512, 512, 3, 2, 1),  # 3 x 3
            ConvBlock(512, 512, 3),  # 1 x 1
            ConvBlock(512, 512, 1),
        )
        self.audio_encoder = audio_encoder(widths=(32, 64, 128, 256, 512), depths=(2, 2, 2, 2, 0))

    def forward(self, mels: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """The embeddings of sound and face, (B, 512) each, of unit length; their cosine says how well they fit.

        `mels` (B, 1, 80, 16) in -4..4; `faces` (B, 15, 48, 96) in 0..1, the lower halves of five frames, BGR each.
        """
        audio = self.audio_encoder(mels).flatten(1)
        face = self.face_encoder(faces).flatten(1)
        return functional.normalize(audio, dim=1), functional.normalize(face, dim=1)
