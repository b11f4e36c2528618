"""Reading published checkpoints: every wrapping that the releases of Wav2Lip, SyncNet and S3FD come in."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from manifests.errors import BadInput

_REMEDY = "Give the checkpoint that was published for this network, or pull it with `redub weights pull`."


_SPEAKING = (pickle.UnpicklingError, RuntimeError, ValueError, EOFError)
# What the unpickler trips over in a file that is no pickle at all, depending on its first bytes.
_UNREADABLE = (*_SPEAKING, LookupError, AttributeError, TypeError, AssertionError, struct.error, OverflowError)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU: .safetensors, or what `torch.save` or TorchScript wrote.

    Pickles are read by PyTorch's restricted unpickler, so a file cannot run code. `{"state_dict": ...}` is unwrapped
    and the `module.` that data-parallel training leaves is dropped. BadInput where the file holds no state dict.
    """
    if not path.is_file():
        raise BadInput("there is no such checkpoint", where=str(path), remedy=_REMEDY)
    try:
        held = _read(path)
    except _UNREADABLE as error:
        reason = (
            str(error).strip().partition("\n")[0]
            if isinstance(error, _SPEAKING) and str(error).strip()
            else "it is no pickle"
        )
        raise BadInput(f"not a readable checkpoint ({reason})", where=str(path), remedy=_REMEDY) from error
    if isinstance(held, Mapping) and isinstance(held.get("state_dict"), Mapping):
        held = held["state_dict"]
    if not isinstance(held, Mapping) or not held or not all(isinstance(value, Tensor) for value in held.values()):
        raise BadInput("the file holds no state dict", where=str(path), remedy=_REMEDY)
    return {str(name).removeprefix("module."): value for name, value in held.items()}


def load_checkpoint(network: nn.Module, path: Path) -> None:
    """Fill `network` from the checkpoint at `path`, in place, and put it in eval mode.

    A network made on the "meta" device takes over the file's tensors, so nothing is drawn at random only to be
    replaced.

    BadInput names the first missing, unexpected or misshapen tensor. Batch counters may be missing: releases older
    than PyTorch 0.4.1 have none, and inference does not read them.
    """
    state = read_state(path)
    expected = network.state_dict()
    for name, tensor in expected.items():
        if name not in state:
            if name.endswith("num_batches_tracked"):
                state[name] = torch.zeros(tensor.shape, dtype=tensor.dtype)
                continue
            raise _misfit(network, path, f"{name} is missing")
        if state[name].shape != tensor.shape:
            raise _misfit(network, path, f"{name} is {_shape(state[name])}, not {_shape(tensor)}")
    if unexpected := next((name for name in state if name not in expected), None):
        raise _misfit(network, path, f"{unexpected} is not of this network")
    state = {name: tensor.to(expected[name].dtype) for name, tensor in state.items()}
    network.load_state_dict(state, assign=next(network.parameters()).is_meta)
    network.eval()


def _read(path: Path) -> object:
    if _is_safetensors(path):
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(str(error)) from error
    if _is_torchscript(path):
        return torch.jit.load(str(path), map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    with path.open("rb") as file:  # given a path, PyTorch would go by its suffix
        return torch.load(file, map_location="cpu", weights_only=True)


def _is_safetensors(path: Path) -> bool:
    """By content, as a store of weights may keep any checkpoint under the name of the published one."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _misfit(network: nn.Module, path: Path, what: str) -> BadInput:
    return BadInput(f"not a checkpoint of {type(network).__name__}: {what}", where=str(path), remedy=_REMEDY)


def _shape(tensor: Tensor) -> str:
    return "x".join(str(side) for side in tensor.shape) or "a scalar"
