"""Arrays of a record as one .npz blob, byte for byte the same for equal arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.store import Store
from manifests.records import Blob


def put_arrays(store: Store, arrays: Mapping[str, npt.NDArray[Any]]) -> Blob:
    """Store named arrays; numpy dates every member of the archive alike, so equal arrays make equal bytes."""
    with store.scratch() as folder:
        file = folder / "arrays.npz"
        np.savez(file, allow_pickle=False, **dict(arrays))
        return store.put(file)


def get_arrays(store: Store, blob: Blob) -> dict[str, npt.NDArray[Any]]:
    """The arrays that `put_arrays` stored."""
    with np.load(store.path(blob), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
