"""Wav2Lip's visual quality discriminator: does this lower half look real?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.wav2lip.config import ExpertConfig
from models.wav2lip.layers import PlainBlock


class QualityDiscriminator(nn.Module):
    """The discriminator of Prajwal et al. (2020), section 4.3; it judges frames one by one."""

    def __init__(self, config: ExpertConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ExpertConfig()
        self.face_encoder_blocks = lower_half_encoder(config)
        self.binary_pred = nn.Sequential(nn.Conv2d(config.channels(512), 1, 1), nn.Sigmoid())

    def forward(self, faces: Tensor) -> Tensor:
        """`faces` (B, 3, T, S, S) in 0..1 -> the probability that each is real, (T * B, 1), all of frame 0 first.

        S is `config.face_px`, 96 in the paper.
        """
        x = lower_halves(faces)
        for encode in self.face_encoder_blocks:
            x = encode(x)
        probability: Tensor = self.binary_pred(x)
        return probability.flatten(1)


def lower_halves(faces: Tensor) -> Tensor:
    """`faces` (B, 3, T, S, S) -> their lower halves (T * B, 3, S / 2, S), all of frame 0 first."""
    x = torch.cat(faces.unbind(dim=2))
    return x[:, :, x.shape[2] // 2 :]


def lower_half_encoder(config: ExpertConfig) -> nn.ModuleList:
    """Stages without any norm from a lower half (B, 3, S / 2, S) to (B, C, 1, 1), C 512 at width 1."""
    c32, c64, c128, c256, c512 = (config.channels(count) for count in (32, 64, 128, 256, 512))
    added = (
        nn.Sequential(PlainBlock(c64, c64, 5, 2, 2), PlainBlock(c64, c64, 5, 1, 2)) for _ in range(config.added_stages)
    )
    return nn.ModuleList(
        [
            nn.Sequential(PlainBlock(3, c32, 7, 1, 3)),  # 48 x 96
            nn.Sequential(PlainBlock(c32, c64, 5, (1, 2), 2), PlainBlock(c64, c64, 5, 1, 2)),  # 48 x 48
            *added,
            nn.Sequential(PlainBlock(c64, c128, 5, 2, 2), PlainBlock(c128, c128, 5, 1, 2)),  # 24
            nn.Sequential(PlainBlock(c128, c256, 5, 2, 2), PlainBlock(c256, c256, 5, 1, 2)),  # 12
            nn.Sequential(PlainBlock(c256, c512, 3, 2, 1), PlainBlock(c512, c512, 3, 1, 1)),  # 6
            nn.Sequential(PlainBlock(c512, c512, 3, 2, 1), PlainBlock(c512, c512, 3, 1, 1)),  # 3
            nn.Sequential(PlainBlock(c512, c512, config.bottom_px), PlainBlock(c512, c512, 1)),  # 1
        ]
    )
