"""Wav2Lip's visual quality discriminator: does this lower half look real?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.wav2lip.layers import PlainBlock


class QualityDiscriminator(nn.Module):
    """The discriminator of Prajwal et al. (2020), section 4.3; it judges frames one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(
            [
                nn.Sequential(PlainBlock(3, 32, 7, 1, 3)),  # 48 x 96
                nn.Sequential(PlainBlock(32, 64, 5, (1, 2), 2), PlainBlock(64, 64, 5, 1, 2)),  # 48 x 48
                nn.Sequential(PlainBlock(64, 128, 5, 2, 2), PlainBlock(128, 128, 5, 1, 2)),  # 24
                nn.Sequential(PlainBlock(128, 256, 5, 2, 2), PlainBlock(256, 256, 5, 1, 2)),  # 12
                nn.Sequential(PlainBlock(256, 512, 3, 2, 1), PlainBlock(512, 512, 3, 1, 1)),  # 6
                nn.Sequential(PlainBlock(512, 512, 3, 2, 1), PlainBlock(512, 512, 3, 1, 1)),  # 3
                nn.Sequential(PlainBlock(512, 512, 3), PlainBlock(512, 512, 1)),  # 1
            ]
        )
        self.binary_pred = nn.Sequential(nn.Conv2d(512, 1, 1), nn.Sigmoid())

    def forward(self, faces: Tensor) -> Tensor:
        """`faces` (B, 3, T, 96, 96) in 0..1 -> the probability that each is real, (T * B, 1), all of frame 0 first."""
        x = torch.cat(faces.unbind(dim=2))
        x = x[:, :, x.shape[2] // 2 :]
        for encode in self.face_encoder_blocks:
            x = encode(x)
        probability: Tensor = self.binary_pred(x)
        return probability.flatten(1)
