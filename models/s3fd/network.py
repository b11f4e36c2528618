"""S3FD: VGG-16 with six detection layers, strides 4 to 128, each with one square anchor of four times its stride."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class ScaledNorm(nn.Module):
    """Each position's channels scaled to unit length and by a learned weight (Liu et al., ParseNet, 2015)."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), float(scale)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) -> the same shape."""
        norm = x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10
        return x / norm * self.weight.view(1, -1, 1, 1)


class S3FD(nn.Module):
    """The network of Zhang et al. (2017), figure 2, with the state-dict names of the `face_alignment` release."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1_1, self.conv1_2 = _conv3(3, 64), _conv3(64, 64)
        self.conv2_1, self.conv2_2 = _conv3(64, 128), _conv3(128, 128)
        self.conv3_1, self.conv3_2, self.conv3_3 = _conv3(128, 256), _conv3(256, 256), _conv3(256, 256)
        self.conv4_1, self.conv4_2, self.conv4_3 = _conv3(256, 512), _conv3(512, 512), _conv3(512, 512)
        self.conv5_1, self.conv5_2, self.conv5_3 = _conv3(512, 512), _conv3(512, 512), _conv3(512, 512)
        self.fc6 = nn.Conv2d(512, 1024, 3, padding=3)
        self.fc7 = nn.Conv2d(1024, 1024, 1)
        self.conv6_1, self.conv6_2 = nn.Conv2d(1024, 256, 1), _conv3(256, 512, stride=2)
        self.conv7_1, self.conv7_2 = nn.Conv2d(512, 128, 1), _conv3(128, 256, stride=2)
        self.conv3_3_norm = ScaledNorm(256, 10)
        self.conv4_3_norm = ScaledNorm(512, 8)
        self.conv5_3_norm = ScaledNorm(512, 5)
        # The finest level tells three kinds of background apart, against false alarms on small faces (section 3.3).
        self.conv3_3_norm_mbox_conf, self.conv3_3_norm_mbox_loc = _conv3(256, 4), _conv3(256, 4)
        self.conv4_3_norm_mbox_conf, self.conv4_3_norm_mbox_loc = _conv3(512, 2), _conv3(512, 4)
        self.conv5_3_norm_mbox_conf, self.conv5_3_norm_mbox_loc = _conv3(512, 2), _conv3(512, 4)
        self.fc7_mbox_conf, self.fc7_mbox_loc = _conv3(1024, 2), _conv3(1024, 4)
        self.conv6_2_mbox_conf, self.conv6_2_mbox_loc = _conv3(512, 2), _conv3(512, 4)
        self.conv7_2_mbox_conf, self.conv7_2_mbox_loc = _conv3(256, 2), _conv3(256, 4)

    def forward(self, images: Tensor) -> list[Tensor]:
        """The twelve maps, score and box of each level, for `images` (B, 3, H, W) of `models.s3fd.decode.preprocess`.

        Score maps (B, 2, h, w) hold logits of background and face, box maps (B, 4, h, w) offsets from the anchors;
        the levels have strides 4, 8, 16, 32, 64 and 128.
        """
        x = _through((self.conv1_1, self.conv1_2), images)
        x = _through((self.conv2_1, self.conv2_2), functional.max_pool2d(x, 2))
        conv3 = _through((self.conv3_1, self.conv3_2, self.conv3_3), functional.max_pool2d(x, 2))
        conv4 = _through((self.conv4_1, self.conv4_2, self.conv4_3), functional.max_pool2d(conv3, 2))
        conv5 = _through((self.conv5_1, self.conv5_2, self.conv5_3), functional.max_pool2d(conv4, 2))
        fc7 = _through((self.fc6, self.fc7), functional.max_pool2d(conv5, 2))
        conv6 = _through((self.conv6_1, self.conv6_2), fc7)
        conv7 = _through((self.conv7_1, self.conv7_2), conv6)

        conv3, conv4, conv5 = self.conv3_3_norm(conv3), self.conv4_3_norm(conv4), self.conv5_3_norm(conv5)
        kinds = self.conv3_3_norm_mbox_conf(conv3)
        background = kinds[:, :3].amax(dim=1, keepdim=True)
        return [
            torch.cat((background, kinds[:, 3:]), dim=1),
            self.conv3_3_norm_mbox_loc(conv3),
            self.conv4_3_norm_mbox_conf(conv4),
            self.conv4_3_norm_mbox_loc(conv4),
            self.conv5_3_norm_mbox_conf(conv5),
            self.conv5_3_norm_mbox_loc(conv5),
            self.fc7_mbox_conf(fc7),
            self.fc7_mbox_loc(fc7),
            self.conv6_2_mbox_conf(conv6),
            self.conv6_2_mbox_loc(conv6),
            self.conv7_2_mbox_conf(conv7),
            self.conv7_2_mbox_loc(conv7),
        ]


def _conv3(inputs: int, outputs: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


def _through(convolutions: Sequence[nn.Conv2d], x: Tensor) -> Tensor:
    for convolution in convolutions:
        x = functional.relu(convolution(x))
    return x
