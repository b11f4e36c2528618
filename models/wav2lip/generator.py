"""Wav2Lip's generator: a face with its lower half hidden, a reference and a mel window give the face that speaks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.wav2lip.layers import ConvBlock, TransposedBlock, audio_encoder, residual_blocks

FACE_SIZE = 96
"""Side in pixels of the faces."""


class Generator(nn.Module):
    """The U-Net of Prajwal et al. (2020), section 4.2: two encoders, one decoder with skips from the face encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(
            [
                nn.Sequential(ConvBlock(6, 16, 7, 1, 3)),  # 96 x 96
                _down(16, 32, residuals=2),  # 48
                _down(32, 64, residuals=3),  # 24
                _down(64, 128, residuals=2),  # 12
                _down(128, 256, residuals=2),  # 6
                _down(256, 512, residuals=1),  # 3
                nn.Sequential(ConvBlock(512, 512, 3), ConvBlock(512, 512, 1)),  # 1
            ]
        )
        self.audio_encoder = audio_encoder(widths=(32, 64, 128, 256, 512), depths=(2, 2, 2, 1, 0))
        # A decoder stage takes its predecessor's channels and those of the face encoder's stage of the same size.
        self.face_decoder_blocks = nn.ModuleList(
            [
                nn.Sequential(ConvBlock(512, 512, 1)),  # 1
                nn.Sequential(TransposedBlock(512 + 512, 512, 3, 1, 0, 0), *residual_blocks(512, 1)),  # 3
                _up(512 + 512, 512),  # 6
                _up(512 + 256, 384),  # 12
                _up(384 + 128, 256),  # 24
                _up(256 + 64, 128),  # 48
                _up(128 + 32, 64),  # 96
            ]
        )
        self.output_block = nn.Sequential(ConvBlock(64 + 16, 32, 3, 1, 1), nn.Conv2d(32, 3, 1))

    def forward(self, mels: Tensor, faces: Tensor, *, first_row: int = 0) -> Tensor:
        """`mels` (B, 1, 80, 16) in -4..4 and `faces` (B, 6, 96, 96) in 0..1 -> (B, 3, 96 - first_row, 96) in 0..1.

        The first three channels of `faces` are the face with its lower half zeroed, the rest the reference; BGR, as
        the published checkpoints were trained. What is above `first_row` is not drawn: with 48, the half that a
        dub does not use, a fifth of the arithmetic is saved and the other rows stay the same.
        """
        skips: list[Tensor] = []
        x = faces
        for encode in self.face_encoder_blocks:
            x = encode(x)
            skips.append(x)
        x = self.audio_encoder(mels)
        top = 0
        for decode, skip, first in zip(self.face_decoder_blocks, reversed(skips), _first_rows(first_row), strict=True):
            x = torch.cat((decode(x)[:, :, first - 2 * top :], skip[:, :, first:]), dim=1)
            top = first
        return torch.sigmoid(self.output_block(x)[:, :, first_row - top :])


def _first_rows(first_row: int) -> list[int]:
    """The row from which each decoder stage's output must be right, so that the picture is right from `first_row` on.

    A 3x3 convolution spoils one row at a cut edge; a transposed one of stride 2 spoils none: its row 2 i needs only
    row i, its row 2 i + 1 rows i and i + 1. So a stage right from row r must be right from r - 2 ahead of its two
    residual blocks, and its predecessor from (r - 2) // 2.
    """
    rows = [max(0, first_row - 1)]
    while len(rows) < 5:
        rows.append(max(0, rows[-1] - 2) // 2)
    return [0, 0, *reversed(rows)]


def _down(inputs: int, outputs: int, *, residuals: int) -> nn.Sequential:
    """Half the side."""
    return nn.Sequential(ConvBlock(inputs, outputs, 3, 2, 1), *residual_blocks(outputs, residuals))


def _up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the side."""
    return nn.Sequential(TransposedBlock(inputs, outputs, 3, 2, 1, 1), *residual_blocks(outputs, 2))
