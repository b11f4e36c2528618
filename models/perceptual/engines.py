"""The perceptual networks with their weights."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from models import weights

if TYPE_CHECKING:
    from pathlib import Path

    from models.perceptual.lpips import Lpips
    from models.perceptual.vgg import Vgg16

NAME = "lpips-vgg"


def weights_file() -> Path:
    """The safetensors file of trunk and heads. MissingWeights where it is not on this machine."""
    from models.weights.convert import LPIPS_FILE

    return weights.locate(NAME) / LPIPS_FILE


def load_vgg() -> Vgg16:
    """The VGG16 trunk, frozen and in eval mode; a new one each call, for the caller to move to a device.

    Gradients pass through it to its input. MissingWeights where its weights are not on this machine.
    """
    from safetensors.torch import load_file

    from models.perceptual.vgg import Vgg16

    state = load_file(weights_file())
    trunk = Vgg16()
    trunk.load_state_dict({name.removeprefix("trunk."): state[name] for name in state if name.startswith("trunk.")})
    return trunk.requires_grad_(requires_grad=False).eval()


@cache
def load_lpips() -> Lpips:
    """LPIPS (VGG16), frozen, loaded once a process. MissingWeights where its weights are not on this machine."""
    from safetensors.torch import load_file

    from models.perceptual.lpips import Lpips

    distance = Lpips()
    distance.load_state_dict(load_file(weights_file()))
    return distance.requires_grad_(requires_grad=False).eval()
