"""Spleeter's published files become tensors without anything in them being run."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import BadInput
from models.separation import network
from models.weights import convert


def pickled(value: Any) -> bytes:
    # As the published files were written: protocol 2, in which bytes are text.
    return pickle.dumps(value, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def checkpoint(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)


def published(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    tensors = network.StemNet().state_dict()
    return {
        name: random.normal(size=tensors[place].shape).astype(np.float32)
        for name, place in convert._spleeter_places().items()
    }


def test_both_networks_load_from_what_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load_file

    monkeypatch.setattr(network, "CHANNELS", (2, 3, 2, 3, 2, 3))  # as many tensors, but small ones

    for seed, file in enumerate(convert.SPLEETER_STEMS):
        checkpoint(tmp_path / file, pickled(published(seed)))
    convert.spleeter(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [convert.SPLEETER_FILE]
    tensors = load_file(tmp_path / convert.SPLEETER_FILE)
    for seed, stem in enumerate(convert.SPLEETER_STEMS.values()):
        own = {name.removeprefix(f"{stem}."): each for name, each in tensors.items() if name.startswith(f"{stem}.")}
        network.StemNet().load_state_dict(own)
        np.testing.assert_array_equal(own["down.0.weight"].numpy(), published(seed)["down1_conv.1.weight"])


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (eval, ("1/0",))


@pytest.mark.parametrize(
    "content", [pickled(Evil()), pickled({"down1_conv.1.weight": np.zeros(3)}), b"no pickle", pickled([1, 2])]
)
def test_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    for file in convert.SPLEETER_STEMS:
        checkpoint(tmp_path / file, content)
    with pytest.raises(BadInput, match=r"testcheckpoint0\.ckpt"):
        convert.spleeter(tmp_path)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    for file in convert.SPLEETER_STEMS:
        (tmp_path / file).write_bytes(b"something")
    with pytest.raises(BadInput, match="no checkpoint"):
        convert.spleeter(tmp_path)
