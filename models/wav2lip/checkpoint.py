"""Checkpoints: every wrapping that the releases of Wav2Lip, SyncNet and S3FD come in, and the project's own.

The project's are safetensors files with one entry of metadata, `redub`: a JSON object of the network's class
(`network`), its config (`config`) and what the writer said about it (`about`). Nothing pickled is written.
"""

from __future__ import annotations

import errno
import json
import os
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from manifests.errors import BadInput, NoSpace
from models.wav2lip.config import ExpertConfig, GeneratorConfig, NetworkConfig
from models.wav2lip.expert import SyncExpert
from models.wav2lip.generator import Generator

_REMEDY = "Give the checkpoint that was published for this network, or pull it with `redub weights pull`."
_ENTRY = "redub"

_Network = TypeVar("_Network", bound=nn.Module)
_Config = TypeVar("_Config", bound=NetworkConfig)


class Configured(Protocol):
    """A network that knows its config: the generator, the expert and all that judge."""

    @property
    def config(self) -> NetworkConfig:
        """What it was made with."""
        ...

    def state_dict(self) -> Mapping[str, Tensor]:
        """Its tensors by name."""
        ...


def save_network(
    network: Configured, path: Path, *, about: Mapping[str, str], dtype: torch.dtype = torch.float32
) -> None:
    """Write `network` with its config and `about` (data, seed, commit, ...) to `path`, whole or not at all.

    The same network and words give the same bytes. `dtype` is how numbers are kept (torch.float16 halves the file);
    counters stay integers. The folder is made. NoSpace where the disk is full; ValueError for a network whose batch
    norms were folded, as it could not be read again.
    """
    from safetensors.torch import save

    state = {name: _kept(tensor, dtype) for name, tensor in network.state_dict().items()}
    with torch.device("meta"):
        whole = type(network)(network.config).state_dict()  # type: ignore[call-arg]
    if whole.keys() != state.keys():
        raise ValueError(f"this {type(network).__name__} was changed, as by fold_batch_norm; save it before")
    entry = {"network": type(network).__name__, "config": json.loads(network.config.to_json()), "about": dict(about)}
    # One entry, as safetensors writes several in an order of its own, another in every process.
    written = save(state, metadata={_ENTRY: json.dumps(entry, sort_keys=True)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(path, written)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(f"no room for a checkpoint of {len(written)} bytes at {path}") from error
        raise


def read_generator(path: Path) -> Generator:
    """The generator of a checkpoint, on the CPU, in eval mode: the project's own, or a published one's (96 pixels).

    BadInput for anything else.
    """
    return _read_network(path, Generator, GeneratorConfig)


def read_expert(path: Path) -> SyncExpert:
    """The sync expert of a checkpoint, on the CPU, in eval mode: the project's own, or the published one.

    BadInput for anything else.
    """
    return _read_network(path, SyncExpert, ExpertConfig)


def read_about(path: Path) -> Mapping[str, str]:
    """What the writer of one of the project's checkpoints said about it; empty for a published one."""
    about = (_entry(path) or {}).get("about")
    return {str(key): str(value) for key, value in about.items()} if isinstance(about, dict) else {}


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


def _read_network(path: Path, network: type[_Network], config: type[_Config]) -> _Network:
    entry = _entry(path)
    if entry is None:
        chosen = config()
    elif entry.get("network") != network.__name__:
        raise BadInput(f"holds a {entry.get('network')}, not a {network.__name__}", where=str(path), remedy=_REMEDY)
    else:
        try:
            chosen = config.from_json(json.dumps(entry.get("config")))
        except BadInput as error:
            raise BadInput(f"not a usable config: {error.what}", where=str(path), remedy=_REMEDY) from error
    with torch.device("meta"):
        read = network(chosen)
    load_checkpoint(read, path)
    return read


def _entry(path: Path) -> Mapping[str, object] | None:
    """The project's own metadata; None for a file that has none. BadInput where it cannot be read."""
    if not path.is_file() or not _is_safetensors(path):
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_ENTRY)
        entry = None if text is None else json.loads(text)
    except (SafetensorError, ValueError) as error:
        raise BadInput(f"not a readable checkpoint ({error})", where=str(path), remedy=_REMEDY) from error
    if entry is not None and not isinstance(entry, dict):
        raise BadInput("its metadata is no JSON object", where=str(path), remedy=_REMEDY)
    return entry


def _kept(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _write_whole(path: Path, content: bytes) -> None:
    """`path` holds `content` afterwards, or what it held before."""
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(0o644)  # mkstemp's files are the owner's alone
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


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
