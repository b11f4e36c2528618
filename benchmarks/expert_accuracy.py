"""How well a sync expert tells lips and sound apart on clips that it has never seen.

    redub data prepare CLIPS --out shards/
    python -m benchmarks.expert_accuracy shards/ models/checkpoints/expert.safetensors

All clips of the shards are used, whatever split they were given. As in training's validation: windows of five frames
spread over each clip, each with its own sound and with the same clip's sound shifted by at least three frames. `told`:
share judged rightly, in-sync and shifted ones weighing alike (chance 0.5); `ranked`: share of shifted sounds that score
below the right one; `found`: clips whose offset is found within one frame of 0, searched over 15 either way.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from models.training.config import expert_cpu
from models.training.expert import ExpertTrainee
from models.training.shards import open_shards
from models.wav2lip.checkpoint import read_about, read_expert


def main(folder: Path, checkpoint: Path) -> None:
    """Print the three shares, for faces as they are and changed as in training."""
    shards = open_shards(folder)
    expert, about = read_expert(checkpoint), read_about(checkpoint)
    settings = dataclasses.replace(
        expert_cpu(),
        width=expert.config.width,
        face_px=expert.config.face_px,
        validation_clips=len(shards.clips),
        temperature=float(about.get("temperature", 0.0)),
        centre=float(about.get("centre", 0.5)),
    )
    trainee = ExpertTrainee(shards, shards.clips, shards.clips, settings)
    trainee.networks["expert"].load_state_dict(expert.state_dict())
    values = trainee.validate()
    print(f"{len(shards.clips)} clips: {', '.join(f'{name} {value:.3f}' for name, value in values.items())}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
