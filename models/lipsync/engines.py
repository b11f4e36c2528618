"""Lip syncers by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from manifests.errors import BadInput
from models import weights
from models.lipsync.contract import LipSyncer
from models.once import once

ENGINES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"wav2lip": ("wav2lip", "wav2lip.pth"), "wav2lip-gan": ("wav2lip-gan", "wav2lip_gan.pth")}
)
"""Engine -> the name of its weights, and the checkpoint in their folder."""

SHIPPED: Mapping[str, Path] = MappingProxyType(
    {"wav2lip": Path(__file__).parents[1] / "checkpoints" / "wav2lip.safetensors"}
)
"""Engine -> the checkpoint that comes with redub, trained by the project itself; it may not be there."""

OWN_REVISION = "redub-"
"""What the revisions of the project's own weights begin with."""
_REVISION_DIGITS = 12


def weights_of(name: str) -> str:
    """The name of the weights of the engine `name`, for `weights.revision`; BadInput for an unknown engine."""
    if name not in ENGINES:
        raise BadInput(
            f"no lip syncer is called {name!r}.", where="lipsync", remedy=f"Use one of {', '.join(ENGINES)}."
        )
    return ENGINES[name][0]


def source_of(name: str) -> tuple[Path, str]:
    """The checkpoint that `load(name)` reads, and a name for its very bytes, for keys of results made with it.

    It is the one that the user adopted; where there is none, the one that ships. BadInput for an unknown engine,
    MissingWeights where neither is here.
    """
    adopted = weights_of(name)
    shipped = SHIPPED.get(name)
    if shipped is not None and shipped.is_file() and not weights.present(adopted):
        held = shipped.stat()
        return shipped, f"{OWN_REVISION}{_digest(shipped, held.st_size, held.st_mtime_ns)[:_REVISION_DIGITS]}"
    return weights.locate(adopted) / ENGINES[name][1], weights.revision(adopted)


def load(name: str = "wav2lip", *, checkpoint: Path | None = None, device: str | None = None) -> LipSyncer:
    """The lip syncer called `name`, loaded once a process, with the weights of `source_of` or those at `checkpoint`.

    `checkpoint` may be any of the project's own generators (`models.wav2lip.checkpoint`). `device` is by default CUDA
    where there is one, else the CPU. BadInput for an unknown name or a file that is no such checkpoint; MissingWeights
    where the weights are not here.
    """
    weights_of(name)
    path = checkpoint or source_of(name)[0]
    return _loaded(path.resolve(), device)


@once
def _loaded(path: Path, device: str | None) -> LipSyncer:
    from models.lipsync.wav2lip import Wav2Lip

    return Wav2Lip.from_checkpoint(path, device=device)


@cache
def _digest(path: Path, _size: int, _modified_ns: int) -> str:
    """SHA-256 of a file, hashed again where it was changed."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
