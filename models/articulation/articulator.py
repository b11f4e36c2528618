"""The project's own `Articulator`: Whisper's encoder and a small recurrent network trained on GRID."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from manifests.errors import BadInput
from models.articulation.contract import Articulation
from models.articulation.features import RATE_HZ, SpeechFeatures
from models.articulation.network import ArticulationConfig, ArticulationNetwork
from models.articulation.shapes import MouthModel

KIND = "redub articulation"
_MOUTH_PARTS = ("canonical", "components", "weights", "rest")


class TrainedArticulator:
    """An `Articulator` over any `SpeechFeatures`."""

    def __init__(self, network: ArticulationNetwork, mouth: MouthModel, features: SpeechFeatures) -> None:
        if mouth.size != network.config.shapes:
            raise ValueError(f"the network tells {network.config.shapes} numbers, the mouth has {mouth.size}")
        self.mouth = mouth
        self._network = network.eval().requires_grad_(requires_grad=False)
        self._features = features

    def listen(self, waveform: npt.NDArray[np.float32], times_s: npt.NDArray[np.float64]) -> Articulation:
        """See `Articulator`."""
        count = len(times_s)
        features = self._features.extract(waveform)
        if not count or not len(features):
            return Articulation(
                shapes=np.zeros((count, self.mouth.size), np.float32), closed=np.ones(count, np.float32)
            )
        with torch.inference_mode():
            shapes, closed = self._network(torch.from_numpy(features)[None])
        rows = np.arange(len(features))
        at = np.asarray(times_s, np.float64) * RATE_HZ - 0.5
        return Articulation(
            shapes=np.stack([np.interp(at, rows, column) for column in shapes[0].numpy().T], axis=1).astype(np.float32),
            closed=np.interp(at, rows, torch.sigmoid(closed[0]).numpy()).astype(np.float32),
        )


def save(path: Path, network: ArticulationNetwork, mouth: MouthModel, about: dict[str, str]) -> None:
    """Write network and mouth model as one safetensors file; `about` goes into its metadata."""
    from safetensors.torch import save_file

    tensors = {f"network.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    for name in _MOUTH_PARTS:
        tensors[f"mouth.{name}"] = torch.from_numpy(np.ascontiguousarray(getattr(mouth, name)))
    config = {"shapes": network.config.shapes, "hidden": network.config.hidden}
    save_file(tensors, path, metadata={**about, "kind": KIND, "config": json.dumps(config)})


def read(path: Path) -> tuple[ArticulationNetwork, MouthModel]:
    """What `save` wrote; BadInput for another file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise BadInput(f"is no safetensors file ({error}).", where=str(path)) from error
    if about.get("kind") != KIND:
        raise BadInput("holds no articulation network.", where=str(path))
    network = ArticulationNetwork(ArticulationConfig(**json.loads(about["config"])))
    network.load_state_dict(
        {name.removeprefix("network."): each for name, each in tensors.items() if name.startswith("network.")}
    )
    mouth = MouthModel(**{name: tensors[f"mouth.{name}"].numpy() for name in _MOUTH_PARTS})
    return network, mouth
