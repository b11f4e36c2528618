"""The blocks of Wav2Lip's three networks. State-dict names: `conv_block.0` (convolution), `conv_block.1` (norm)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.wav2lip.config import NetworkConfig

Size: TypeAlias = int | tuple[int, int]


class ConvBlock(nn.Module):
    """Convolution, batch norm, the input added where `residual`, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Size, stride: Size = 1, padding: Size = 0, *, residual: bool = False
    ) -> None:
        super().__init__()
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding)
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(outputs))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H', W')."""
        y: Tensor = self.conv_block(x)
        return functional.relu(y.add_(x) if self.residual else y, inplace=True)


class TransposedBlock(nn.Module):
    """Transposed convolution, batch norm, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Size, stride: Size, padding: Size, output_padding: int
    ) -> None:
        super().__init__()
        convolution = nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, output_padding)
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H', W')."""
        return functional.relu(self.conv_block(x), inplace=True)


class PlainBlock(nn.Module):
    """Convolution and leaky ReLU with no norm, as the discriminator has it."""

    def __init__(self, inputs: int, outputs: int, kernel: Size, stride: Size = 1, padding: Size = 0) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H', W')."""
        return functional.leaky_relu(self.conv_block(x), 0.01, inplace=True)


def residual_blocks(channels: int, count: int) -> Iterable[ConvBlock]:
    """`count` residual 3x3 blocks that keep shape and channels."""
    return (ConvBlock(channels, channels, 3, 1, 1, residual=True) for _ in range(count))


def face_widths(config: NetworkConfig) -> list[int]:
    """Channels of the stages of `face_encoder`."""
    return [config.channels(count) for count in (*[16] * config.added_stages, 16, 32, 64, 128, 256, 512, 512)]


def face_encoder(config: NetworkConfig, *, inputs: int) -> nn.ModuleList:
    """The stages of the generator's face encoder: (B, inputs, S, S) -> S, S / 2, ... down to (B, C, 1, 1)."""
    widths = face_widths(config)
    depths = [*[1] * config.added_stages, 2, 3, 2, 2, 1]
    return nn.ModuleList(
        [
            nn.Sequential(ConvBlock(inputs, widths[0], 7, 1, 3)),
            *(
                nn.Sequential(ConvBlock(before, width, 3, 2, 1), *residual_blocks(width, depth))
                for before, width, depth in zip(widths, widths[1:-1], depths, strict=False)
            ),
            nn.Sequential(ConvBlock(widths[-2], widths[-1], config.bottom_px), ConvBlock(widths[-1], widths[-1], 1)),
        ]
    )


def audio_encoder(*, widths: tuple[int, ...], depths: tuple[int, ...]) -> nn.Sequential:
    """The encoder of a mel window, (B, 1, 80, 16) -> (B, widths[-1], 1, 1), shared by the generator and the expert.

    `widths` are the channels of its stages, `depths` how many residual blocks follow each stage's first block.
    """
    strides: tuple[Size, ...] = (1, (3, 1), 3, (3, 2), 1)
    blocks: list[ConvBlock] = []
    inputs = 1
    for index, (width, stride, depth) in enumerate(zip(widths, strides, depths, strict=True)):
        last = index == len(strides) - 1
        blocks.append(ConvBlock(inputs, width, 3, stride, 0 if last else 1))
        blocks.extend(residual_blocks(width, depth))
        inputs = width
    return nn.Sequential(*blocks, ConvBlock(inputs, inputs, 1))


def fold_batch_norm(network: nn.Module) -> None:
    """Fold every block's batch norm into its convolution, in place: the same function in fewer passes over memory.

    For inference alone: `network` must be in eval mode, and its state dict is no longer the published one. A network
    that is folded already stays as it is.
    """
    for block in network.modules():
        if isinstance(block, ConvBlock | TransposedBlock) and len(block.conv_block) == 2:
            convolution, norm = block.conv_block
            if not isinstance(norm, nn.BatchNorm2d):
                raise TypeError(f"no batch norm to fold: {type(norm).__name__}")
            transposed = isinstance(convolution, nn.ConvTranspose2d)
            folded = fuse_conv_bn_eval(convolution, norm, transpose=transposed)  # type: ignore[type-var]
            block.conv_block = nn.Sequential(folded)


class FusedConvBlock(nn.Module):
    """A folded `ConvBlock` whose sum and ReLU are done by the convolution itself, before its result leaves the cache.

    By oneDNN's operator that PyTorch's compiler uses (`torch.ops.mkldnn`), as it needs no compiler on the user's
    machine. CPU and float32 alone, no gradients.
    """

    def __init__(self, block: ConvBlock) -> None:
        super().__init__()
        (convolution,) = block.conv_block
        if not isinstance(convolution, nn.Conv2d):
            raise TypeError(f"no convolution to fuse: {type(convolution).__name__}")
        self.convolution = convolution
        self.residual = block.residual

    def forward(self, x: Tensor) -> Tensor:
        """What the block gives, within rounding."""
        own = self.convolution
        shape = (own.weight, own.bias, own.padding, own.stride, own.dilation, own.groups)
        operator = torch.ops.mkldnn._convolution_pointwise  # noqa: SLF001  # no public name; see can_fuse
        y: Tensor = (
            operator.binary(x, x, *shape, "add", 1.0, "relu", [], "")
            if self.residual
            else operator(x, *shape, "relu", [], "")
        )
        return y


def can_fuse() -> bool:
    """Whether this build of PyTorch has the operators of `FusedConvBlock`."""
    operator = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
    usable: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return usable and operator is not None and "binary" in operator.overloads()


def fuse_activations(network: nn.Module) -> None:
    """Put a `FusedConvBlock` in place of every `ConvBlock` of a folded network, in place; see `can_fuse`."""
    for name, child in network.named_children():
        if isinstance(child, ConvBlock):
            setattr(network, name, FusedConvBlock(child))
        else:
            fuse_activations(child)
