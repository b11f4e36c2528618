"""Write a checkpoint of Wav2Lip's generator that nobody trained: real size and speed, noise for a mouth.

For benchmarks and for trying the pipeline where no trained weights are at hand:

    python -m benchmarks.untrained_checkpoint build/untrained.safetensors
    redub weights pull wav2lip --from build/untrained.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path


def write(path: Path) -> None:
    """Write the checkpoint to `path`: the same bytes of weights on every machine (`models.wav2lip.untrained`)."""
    import torch
    from safetensors.torch import save_file

    from models.wav2lip.generator import Generator
    from models.wav2lip.untrained import untrained_state

    state = untrained_state(Generator().state_dict())
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(state, path, metadata={"untrained": "weights fixed by a rule, for benchmarks alone"})
    else:
        torch.save({"state_dict": state}, path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]))
    print(f"{sys.argv[1]}: an UNTRAINED Wav2Lip generator")
