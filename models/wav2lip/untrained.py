"""Weights that nobody trained, fixed by a rule on their names: what tests and benchmarks use where no others are.

A network filled so does the arithmetic of the real one, at its speed, and draws noise.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping

import torch
from torch import Tensor


def untrained_state(template: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with the names and shapes of `template`; the same names give the same values on every machine.

    Each tensor is drawn by a generator seeded with the CRC-32 of its name: counters 0, running variances 0.75..1.25,
    other vectors that end in `weight` 0.9..1.1, other vectors N(0, 0.02), kernels N(0, 1.5 / sqrt(fan in)).
    """
    return {name: _values(name, tensor) for name, tensor in template.items()}


def _values(name: str, tensor: Tensor) -> Tensor:
    seeded = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    if not tensor.is_floating_point():
        return torch.zeros_like(tensor)
    if name.endswith("running_var"):
        return torch.rand(tensor.shape, generator=seeded) * 0.5 + 0.75
    if tensor.dim() <= 1 and name.endswith("weight"):
        return torch.rand(tensor.shape, generator=seeded) * 0.2 + 0.9
    if tensor.dim() <= 1:
        return torch.randn(tensor.shape, generator=seeded) * 0.02
    return torch.randn(tensor.shape, generator=seeded) * 1.5 / math.sqrt(tensor.numel() / tensor.shape[0])
