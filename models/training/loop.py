"""The loop that both trainings share: batches made ahead, steps, curves, validation, checkpoints, exact resume.

Everything that a step does follows from (settings, seed, step) and the state in the checkpoint. On the CPU with the
same number of threads, a run limited by steps therefore ends with the same bits however often it was killed.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.optim import Optimizer

from manifests.errors import BadInput
from models.training import runs
from models.training.config import Schedule
from models.training.curves import Curves
from models.training.prefetch import ahead
from models.training.runs import Progress

Batch = TypeVar("Batch")

POINT_STEPS = 10
"""Steps that a point of the training curves averages over."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in its run a step stands: its number from 0, the share of the run done 0..1, and its learning rate."""

    step: int
    share: float
    learning_rate: float


class Trainee(Protocol[Batch]):
    """Something that learns."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """All whose tensors are state."""
        ...

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """Their optimizers."""
        ...

    @property
    def samples(self) -> int:
        """Windows in a batch."""
        ...

    def batch(self, step: int) -> Batch:
        """The batch of `step`, a pure function of it; called from another thread."""
        ...

    def learn(self, batch: Batch, moment: Moment) -> dict[str, float]:
        """One step; the losses by name."""
        ...

    def validate(self) -> dict[str, float]:
        """What held-out clips say, by name; changes nothing."""
        ...

    def score(self, values: Mapping[str, float]) -> float:
        """Of what `validate` gave: higher is better."""
        ...

    def save(self, path: Path, about: Mapping[str, str]) -> None:
        """Write the network that is the aim of it all."""
        ...

    def picture(self) -> npt.NDArray[np.uint8] | None:
        """What it draws now, (H, W, 3) RGB; None where it draws nothing."""
        ...


class Watcher(Protocol):
    """Is told how a run goes, and may end it."""

    def began(self, *, step: int, samples: int) -> None:
        """The run begins, or goes on after `step` steps; a batch holds `samples` windows."""
        ...

    def stepped(self, *, step: int, share: float, values: Mapping[str, float]) -> None:
        """A step is done."""
        ...

    def validated(self, *, step: int, values: Mapping[str, float], best: bool) -> None:
        """A validation is done."""
        ...

    def wants_end(self) -> bool:
        """Whether to write a checkpoint and leave."""
        ...


def share_done(schedule: Schedule, step: int, seconds: float) -> float:
    """The share of a run that `step` steps in `seconds` are, 0..1: of steps or minutes, whichever is more."""
    shares = []
    if schedule.steps is not None:
        shares.append(step / schedule.steps if schedule.steps else 1.0)
    if schedule.minutes is not None:
        shares.append(seconds / (60 * schedule.minutes) if schedule.minutes else 1.0)
    if not shares:
        raise BadInput("a run needs an end.", remedy="Give --steps or --minutes.")
    return min(1.0, max(shares))


def learning_rate(schedule: Schedule, share: float) -> float:
    """The learning rate at a `share` of the run."""
    if share < schedule.warmup:
        return schedule.learning_rate * max(0.02, share / schedule.warmup)
    fall = 0.5 * (1 + math.cos(math.pi * (share - schedule.warmup) / max(1e-9, 1 - schedule.warmup)))
    return schedule.learning_rate * (schedule.final + (1 - schedule.final) * fall)


def train(
    folder: Path, trainee: Trainee[Batch], schedule: Schedule, watcher: Watcher, about: Mapping[str, str]
) -> Progress:
    """Train until `schedule` ends or `watcher` wants it, going on from the checkpoint in `folder` where there is one.

    `about` goes into the weights' files. BadInput where a loss is no number any more.
    """
    if schedule.threads:
        torch.set_num_threads(schedule.threads)
    progress = runs.read_progress(folder)
    if progress is None:
        progress = Progress()
    else:
        runs.restore(folder, trainee.networks, trainee.optimizers)
    if share_done(schedule, progress.step, progress.seconds) >= 1:
        return dataclasses.replace(progress, finished=True)
    watcher.began(step=progress.step, samples=trainee.samples)
    with Curves(folder, progress.step) as curves, ahead(trainee.batch, progress.step) as batches:
        return _Run(folder, trainee, schedule, watcher, about, curves, progress).go(batches.next)


class _Run(Generic[Batch]):
    """One process's part of a run."""

    def __init__(
        self,
        folder: Path,
        trainee: Trainee[Batch],
        schedule: Schedule,
        watcher: Watcher,
        about: Mapping[str, str],
        curves: Curves,
        progress: Progress,
    ) -> None:
        self._folder, self._trainee, self._schedule, self._watcher = folder, trainee, schedule, watcher
        self._about, self._curves = about, curves
        self._step, self._before_s = progress.step, progress.seconds
        self._best_score, self._best_step = progress.best_score, progress.best_step
        self._sums, self._summed = dict(progress.sums), progress.summed
        self._started_s = self._saved_s = self._point_s = time.monotonic()

    def go(self, next_batch: Callable[[], Batch]) -> Progress:
        schedule = self._schedule
        while (share := share_done(schedule, self._step, self._seconds)) < 1:
            moment = Moment(self._step, share, learning_rate(schedule, share))
            values = self._trainee.learn(next_batch(), moment)
            self._require_numbers(values)
            self._step += 1
            self._note(values, moment)
            over = share_done(schedule, self._step, self._seconds) >= 1
            if over or self._step % schedule.validate_every == 0:
                self._validate()
                self._save(finished=over)
            elif time.monotonic() - self._saved_s > 60 * schedule.checkpoint_minutes:
                self._save(finished=False)
            if not over and self._watcher.wants_end():
                return self._save(finished=False)
        return self._progress(finished=True)

    @property
    def _seconds(self) -> float:
        return self._before_s + time.monotonic() - self._started_s

    def _note(self, values: Mapping[str, float], moment: Moment) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._summed += 1
        self._watcher.stepped(
            step=self._step,
            share=share_done(self._schedule, self._step, self._seconds),
            values=values,
        )
        if self._step % POINT_STEPS == 0:
            now_s = time.monotonic()
            means = {name: total / self._summed for name, total in self._sums.items()}
            speed = self._trainee.samples * self._summed / max(now_s - self._point_s, 1e-9)
            self._curves.trained(self._step, {**means, "learning_rate": moment.learning_rate, "samples_per_s": speed})
            self._sums, self._summed, self._point_s = {}, 0, now_s

    def _require_numbers(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                raise BadInput(
                    f"the {name} loss is {value} at step {self._step + 1}: training has run away.",
                    where=str(self._folder),
                    remedy="Run the same command again with a lower --learning-rate: it goes on from the last "
                    "checkpoint, which is sound.",
                )

    def _validate(self) -> None:
        began_s = time.monotonic()
        values = self._trainee.validate()
        score = self._trainee.score(values)
        best = self._best_score is None or score > self._best_score
        if best:
            self._best_score, self._best_step = score, self._step
            self._export(runs.BEST, values)
        self._export(runs.LAST, values)
        self._curves.validated(self._step, values)
        picture = self._trainee.picture()
        if picture is not None:
            _write_picture(picture, self._folder / runs.SAMPLES / f"step-{self._step:08d}.png")
        self._watcher.validated(step=self._step, values=values, best=best)
        self._point_s += time.monotonic() - began_s  # the curve of samples a second tells of training alone

    def _export(self, name: str, values: Mapping[str, float]) -> None:
        scores = {f"validation.{each}": f"{value:.4f}" for each, value in values.items()}
        self._trainee.save(self._folder / name, {**self._about, "step": str(self._step), **scores})

    def _progress(self, *, finished: bool) -> Progress:
        return Progress(
            step=self._step,
            seconds=self._seconds,
            best_score=self._best_score,
            best_step=self._best_step,
            sums=self._sums,
            summed=self._summed,
            finished=finished,
        )

    def _save(self, *, finished: bool) -> Progress:
        progress = self._progress(finished=finished)
        runs.save_state(self._folder, progress, self._trainee.networks, self._trainee.optimizers)
        self._saved_s = time.monotonic()
        return progress


def _write_picture(picture: npt.NDArray[np.uint8], target: Path) -> None:
    import cv2

    target.parent.mkdir(exist_ok=True)
    part = target.with_name(f".{target.name}")  # keeps the suffix by which OpenCV picks the format
    cv2.imwrite(str(part), picture[:, :, ::-1])
    part.replace(target)


def precision(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 where a GPU computes it fast; on the CPU it would be several times slower than float32."""
    if device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


def as_input(pictures: npt.NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Pictures (..., H, W, 3) uint8 as (..., 3, H, W) float32 0..1 on `device`."""
    return torch.from_numpy(pictures).to(device).movedim(-1, -3).to(torch.float32).div_(255)
