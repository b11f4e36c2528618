"""The network of Spleeter (Hennequin et al. 2020): a U-Net of six levels that weighs a magnitude spectrogram.

Names and places of the tensors are this module's; `models.weights.convert.spleeter` renames the published ones.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (16, 32, 64, 128, 256, 512)
MULTIPLE = 2 ** len(CHANNELS)
"""Frames and bands must be a multiple of this."""
_SLOPE = 0.2
_EPSILON = 1e-3  # of batch normalisation, as trained


class StemNet(nn.Module):
    """The magnitude of one stem, from that of the mixture."""

    def __init__(self) -> None:
        super().__init__()
        widths = (2, *CHANNELS)
        self.down = nn.ModuleList(nn.Conv2d(before, after, 5, stride=2) for before, after in pairwise(widths))
        # The deepest level goes on without normalisation.
        self.down_norm = nn.ModuleList(nn.BatchNorm2d(width, eps=_EPSILON) for width in CHANNELS[:-1])
        upwards = (*CHANNELS[-2::-1], 1)
        inputs = (CHANNELS[-1], *(2 * width for width in upwards[:-1]))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 5, stride=2) for before, after in zip(inputs, upwards, strict=True)
        )
        self.up_norm = nn.ModuleList(nn.BatchNorm2d(width, eps=_EPSILON) for width in upwards)
        self.last = nn.Conv2d(1, 2, 4, dilation=2, padding=3)

    def forward(self, magnitude: Tensor) -> Tensor:
        """`magnitude` (B, 2, frames, bands), both multiples of `MULTIPLE` -> the stem's, of the same shape."""
        skips: list[Tensor] = []
        level = magnitude
        for index, convolution in enumerate(self.down):
            level = convolution(functional.pad(level, (1, 2, 1, 2)))
            if index < len(self.down_norm):
                skips.append(level)
                level = functional.leaky_relu(self.down_norm[index](level), _SLOPE)
        for convolution, norm in zip(self.up, self.up_norm, strict=True):
            # "Same" padding of the framework it was trained in: one row in front is cut, two behind.
            level = norm(functional.relu(convolution(level)[:, :, 1:-2, 1:-2]))
            if skips:
                level = torch.cat([skips.pop(), level], dim=1)
        return torch.sigmoid(self.last(level)) * magnitude
