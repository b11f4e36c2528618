"""Lip syncers by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from manifests.errors import BadInput
from models import weights
from models.lipsync.contract import LipSyncer

ENGINES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"wav2lip": ("wav2lip", "wav2lip.pth"), "wav2lip-gan": ("wav2lip-gan", "wav2lip_gan.pth")}
)
"""Engine -> the name of its weights, and the checkpoint in their folder."""


def weights_of(name: str) -> str:
    """The name of the weights of the engine `name`, for `weights.revision`; BadInput for an unknown engine."""
    if name not in ENGINES:
        raise BadInput(
            f"no lip syncer is called {name!r}.", where="lipsync", remedy=f"Use one of {', '.join(ENGINES)}."
        )
    return ENGINES[name][0]


def load(name: str = "wav2lip", *, checkpoint: Path | None = None, device: str | None = None) -> LipSyncer:
    """The lip syncer called `name`, loaded once a process, with the weights of the table or those at `checkpoint`.

    `device` is by default CUDA where there is one, else the CPU. BadInput for an unknown name or a file that is no
    such checkpoint; MissingWeights where the weights are not here.
    """
    folder_name = weights_of(name)
    path = checkpoint or weights.locate(folder_name) / ENGINES[name][1]
    return _loaded(path.resolve(), device)


@cache
def _loaded(path: Path, device: str | None) -> LipSyncer:
    from models.lipsync.wav2lip import Wav2Lip

    return Wav2Lip.from_checkpoint(path, device=device)
