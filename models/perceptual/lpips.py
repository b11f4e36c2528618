"""LPIPS (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018).

    d(a, b) = sum over layers l of mean over places of w_l . (â_l - b̂_l)²

with features of VGG16 scaled to unit length at every place, and weights w_l >= 0 that were fitted to what people
judged (version 0.1 of the release). 0 for equal pictures; around 0.1 a difference is slight, above 0.5 gross.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.perceptual.vgg import CHANNELS, Vgg16

_EPSILON = 1e-10
"""Added to a feature's length before dividing, as the release does."""


class Lpips(nn.Module):
    """The distance between pictures, one number a pair; it has a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Vgg16()
        self.heads = nn.ParameterList([nn.Parameter(torch.zeros(channels)) for channels in CHANNELS])

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """`left` and `right` (B, 3, H, W) RGB in 0..1, sides of 16 px or more -> (B,)."""
        total = left.new_zeros(len(left))
        for head, a, b in zip(self.heads, self.trunk(left), self.trunk(right), strict=True):
            squared = (_unit(a) - _unit(b)).square()
            total = total + (squared * head.view(1, -1, 1, 1)).sum(dim=1).mean(dim=(1, 2))
        return total


def _unit(features: Tensor) -> Tensor:
    # The tiny floor under the root keeps the gradient finite where every feature is 0.
    length = features.square().sum(dim=1, keepdim=True).clamp_min(1e-30).sqrt()
    return features / (length + _EPSILON)
