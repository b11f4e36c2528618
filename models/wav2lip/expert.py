"""Wav2Lip's sync expert: do these five mouths and this mel window belong together?"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from models.wav2lip.config import ExpertConfig
from models.wav2lip.layers import ConvBlock, audio_encoder, residual_blocks

FRAMES = 5
"""Consecutive frames at 25 frames/s that are judged at once."""


class SyncExpert(nn.Module):
    """The colour SyncNet of Prajwal et al. (2020), section 3.2, frozen while the generator learns."""

    def __init__(self, config: ExpertConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ExpertConfig()
        c32, c64, c128, c256, c512 = widths = tuple(config.channels(count) for count in (32, 64, 128, 256, 512))
        first = [ConvBlock(3 * FRAMES, c32, 7, 1, 3)]  # 48 x 96
        if config.added_stages:
            half = config.channels(16)
            first = [ConvBlock(3 * FRAMES, half, 7, 1, 3), ConvBlock(half, c32, 3, 2, 1)]  # 96 x 192, 48 x 96
        self.face_encoder = nn.Sequential(
            *first,
            ConvBlock(c32, c64, 5, (1, 2), 1),  # 46 x 47
            *residual_blocks(c64, 2),
            ConvBlock(c64, c128, 3, 2, 1),  # 23 x 24
            *residual_blocks(c128, 3),
            ConvBlock(c128, c256, 3, 2, 1),  # 12 x 12
            *residual_blocks(c256, 2),
            ConvBlock(c256, c512, 3, 2, 1),  # 6 x 6
            *residual_blocks(c512, 2),
            ConvBlock(c512, c512, 3, 2, 1),  # 3 x 3
            ConvBlock(c512, c512, config.bottom_px),  # 1 x 1
            ConvBlock(c512, c512, 1),
        )
        self.audio_encoder = audio_encoder(widths=widths, depths=(2, 2, 2, 2, 0))

    def forward(self, mels: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """The embeddings of sound and face, (B, D) each, of unit length; their cosine says how well they fit.

        D is 512 at width 1. `mels` (B, 1, 80, 16) in -4..4; `faces` (B, 15, S / 2, S) in 0..1 with S `config.face_px`,
        the lower halves of five frames, BGR each.
        """
        audio = self.audio_encoder(mels).flatten(1)
        face = self.face_encoder(faces).flatten(1)
        return functional.normalize(audio, dim=1), functional.normalize(face, dim=1)
