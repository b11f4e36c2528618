"""The folder of a training run: settings, the state to go on from, the weights, the curves.

    settings.json               what the run was told (`config`)
    state/step-00001200/        the newest checkpoint: networks.safetensors, optimizers.safetensors, progress.json
    last.safetensors            the network as it is, `best.safetensors` as it was when validation was best
    history.jsonl               the curves, a line a point; curves.png and tensorboard/ show them
    samples/                    pictures drawn at each validation, where the network draws

A checkpoint is written beside its name, forced to disk and renamed, and the one before it goes only then: whatever
kills the process, one whole checkpoint is there.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from manifests.errors import BadInput, NoSpace

SETTINGS, BEST, LAST, HISTORY, CURVES = (
    "settings.json",
    "best.safetensors",
    "last.safetensors",
    "history.jsonl",
    "curves.png",
)
SAMPLES, EVENTS = "samples", "tensorboard"
_STATE, _PREFIX, _UNFINISHED = "state", "step-", ".part"
_NETWORKS, _OPTIMIZERS, _PROGRESS = "networks.safetensors", "optimizers.safetensors", "progress.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come: steps done, seconds spent on them, the best validation, what is not yet averaged."""

    step: int = 0
    seconds: float = 0.0
    best_score: float | None = None
    best_step: int | None = None
    sums: Mapping[str, float] = field(default_factory=dict)
    summed: int = 0
    finished: bool = False


def save_state(
    folder: Path, progress: Progress, networks: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]
) -> None:
    """Write a checkpoint of the run in `folder`; NoSpace where the disk is full."""
    target = folder / _STATE / f"{_PREFIX}{progress.step:08d}"
    part = target.with_suffix(_UNFINISHED)
    with _no_space_told(folder):
        if part.exists():
            shutil.rmtree(part)
        part.mkdir(parents=True)
        _write_tensors(part / _NETWORKS, _network_tensors(networks))
        _write_tensors(part / _OPTIMIZERS, _optimizer_tensors(optimizers))
        _write(part / _PROGRESS, json.dumps(dataclasses.asdict(progress)).encode())
        if target.exists():  # the same step again: nothing of it would differ but what is not numbers
            shutil.rmtree(target)
        part.rename(target)
        _sync(target.parent)
    for older in _checkpoints(folder):
        if older != target:
            shutil.rmtree(older)


def read_progress(folder: Path) -> Progress | None:
    """How far the run in `folder` has come; None where it has no checkpoint yet."""
    newest = max(_checkpoints(folder), default=None)
    if newest is None:
        return None
    return Progress(**json.loads((newest / _PROGRESS).read_text(encoding="utf-8")))


def restore(folder: Path, networks: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]) -> None:
    """Fill networks and optimizers, in place, from the newest checkpoint of `folder`.

    BadInput where it was made by networks of other shapes.
    """
    from safetensors.torch import load_file

    newest = max(_checkpoints(folder))
    tensors = load_file(newest / _NETWORKS)
    if tensors.keys() != _network_tensors(networks).keys():
        raise BadInput(
            "the checkpoint is not of these networks",
            where=str(newest),
            remedy="Train into another folder, or remove this one.",
        )
    for name, network in networks.items():
        network.load_state_dict(_under(tensors, name))
    moments = load_file(newest / _OPTIMIZERS)
    for name, optimizer in optimizers.items():
        parameters = [each for group in optimizer.param_groups for each in group["params"]]
        states: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _under(moments, name).items():
            index, _, kind = key.partition(".")
            states.setdefault(int(index), {})[kind] = _laid_out(tensor, parameters[int(index)])
        optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out(tensor: Tensor, parameter: Tensor) -> Tensor:
    """`tensor` in `parameter`'s order of memory: fused optimizers walk through both side by side, whatever it is."""
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, dtype=tensor.dtype, device=tensor.device).copy_(tensor)


def _checkpoints(folder: Path) -> list[Path]:
    return [each for each in (folder / _STATE).glob(f"{_PREFIX}*") if each.suffix != _UNFINISHED]


def _network_tensors(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": tensor.detach()
        for name, network in networks.items()
        for key, tensor in network.state_dict().items()
    }


def _optimizer_tensors(optimizers: Mapping[str, Optimizer]) -> dict[str, Tensor]:
    return {
        f"{name}.{index}.{kind}": tensor
        for name, optimizer in optimizers.items()
        for index, moments in optimizer.state_dict()["state"].items()
        for kind, tensor in moments.items()
    }


def _under(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    from safetensors.torch import save

    _write(path, save({name: tensor.to("cpu", copy=False).contiguous() for name, tensor in tensors.items()}))


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make a renaming in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _no_space_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(
                f"{folder}: no room for a checkpoint; free some space and run the same command again"
            ) from error
        raise


def device() -> torch.device:
    """Where training runs: the first CUDA GPU, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
