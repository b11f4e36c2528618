"""Attention on the lips: which channels and which places of the decoder's features count."""

from __future__ import annotations

import torch
from torch import Tensor, nn

REDUCTION = 16
SMALLEST = 8
"""Hidden channels are the channels over `REDUCTION`, at least so many."""


class LipAttention(nn.Module):
    """Channel attention, then spatial attention (CBAM, Woo et al. 2018, section 3), on the rows with the lips alone.

    Wang et al. (2022, "Attention-Based Lip Audio-Visual Synthesis for Talking Face Generation in the Wild") put both
    into Wav2Lip so that it spends itself on the lips. Here they see and change only the half that is redrawn: what
    stands above is given to the network and needs no second thought.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(SMALLEST, channels // REDUCTION)
        self.channel = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1))
        self.spatial = nn.Conv2d(2, 1, 7, 1, 3)

    def forward(self, x: Tensor, first_row: int) -> Tensor:
        """`x` (B, C, H, W) with the rows from `first_row` on weighted by shares 0..1; the others as they came."""
        above, lips = x[:, :, :first_row], x[:, :, first_row:]
        mean, most = lips.mean(dim=(2, 3), keepdim=True), lips.amax(dim=(2, 3), keepdim=True)
        lips = lips * torch.sigmoid(self.channel(mean) + self.channel(most))
        places = torch.cat((lips.mean(dim=1, keepdim=True), lips.amax(dim=1, keepdim=True)), dim=1)
        return torch.cat((above, lips * torch.sigmoid(self.spatial(places))), dim=2)
