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
