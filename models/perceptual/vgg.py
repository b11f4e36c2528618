"""VGG16's convolutions (Simonyan and Zisserman, 2015, configuration D), as features of a picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
"""Mean and deviation of ImageNet's RGB values in 0..1, by which the weights expect their input normalised."""

BLOCK_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Output channels of the convolutions of each block; between two blocks the picture is halved."""

CHANNELS = tuple(widths[-1] for widths in BLOCK_WIDTHS)
"""Channels of the feature maps that come out."""

LEAST_PX = 2 ** (len(BLOCK_WIDTHS) - 1)
"""The smallest side that is left with a pixel after the last block."""


class Vgg16(nn.Module):
    """The trunk up to relu5_3."""

    def __init__(self) -> None:
        super().__init__()
        inputs, blocks = 3, []
        for widths in BLOCK_WIDTHS:
            layers: list[nn.Module] = []
            for outputs in widths:
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
                inputs = outputs
            blocks.append(nn.Sequential(*layers))
        self.blocks = nn.ModuleList(blocks)
        self.halve = nn.MaxPool2d(2)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION).view(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """`pictures` (B, 3, H, W) RGB in 0..1, sides of 16 px or more -> relu1_2, 2_2, 3_3, 4_3 and 5_3.

        Five maps (B, 64, H, W), (B, 128, H/2, W/2), (B, 256, H/4, W/4), (B, 512, H/8, W/8), (B, 512, H/16, W/16), odd
        sides rounded down at each halving.
        """
        maps: list[Tensor] = []
        values = (pictures - self.mean) / self.deviation
        for block in self.blocks:
            values = block(self.halve(values) if maps else values)
            maps.append(values)
        return maps
