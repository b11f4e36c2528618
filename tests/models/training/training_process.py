"""A training run in a process of its own, so that a test can kill it: `python training_process.py DATA OUT STEPS`."""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

from models.training import config
from models.training.config import ExpertSettings
from tasks.training import TrainingRecord, train_expert


class Quiet:
    """Tells the steps on standard output, and never wants the end."""

    def began(self, *, step: int, samples: int) -> None:
        print("began", step, flush=True)  # noqa: T201

    def stepped(self, *, step: int, share: float, values: Mapping[str, float]) -> None:
        print("step", step, flush=True)  # noqa: T201

    def validated(self, *, step: int, values: Mapping[str, float], best: bool) -> None:
        pass

    def wants_end(self) -> bool:
        return False


def settings_of(steps: int) -> ExpertSettings:
    tiny = config.expert_tiny()
    schedule = dataclasses.replace(tiny.schedule, steps=steps, validate_every=2, checkpoint_minutes=0)
    return dataclasses.replace(tiny, clips=2, windows=2, extra_sounds=2, validation_clips=1, schedule=schedule)


def run(data: Path, out: Path, steps: int) -> TrainingRecord:
    return train_expert(data, out, settings_of(steps), Quiet())


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
