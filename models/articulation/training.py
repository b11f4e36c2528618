"""Teaching the articulation network: from clips of one or more talking faces, seeded, in minutes on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.articulation.features import RATE_HZ, SIZE
from models.articulation.network import ArticulationConfig, ArticulationNetwork
from models.articulation.shapes import MouthModel, learn_mouth_model, openings

Floats = npt.NDArray[np.float32]

CLOSED_WITHIN = 0.012
"""Lips are called closed where they are at most this much (in distances between the eyes) further apart than the
clip's nearest ones, its 5th percentile."""


@dataclass(frozen=True, slots=True, eq=False)
class ArticulationClip:
    """A clip of one talking face.

    `points` (F, 202, 3) its meshes at `times_s` (F,) seconds of the sound; `features` the rows (N, 512) of that sound,
    and of the same sound in other voices (pitch moved, noise added), which the lips fit as well.
    """

    points: Floats
    times_s: npt.NDArray[np.float64]
    features: tuple[npt.NDArray[np.float16], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticulationTraining:
    """How to teach. `noise` is added to features, in their deviations; each loss is weighed against that of shapes."""

    network: ArticulationConfig = ArticulationConfig()  # noqa: RUF009 - frozen
    steps: int = 2000
    batch: int = 32
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    weight_decay: float = 0.02
    noise: float = 0.3
    speed_weight: float = 0.5
    opening_weight: float = 0.5
    closure_weight: float = 0.3
    validation_every: int = 12
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """On clips that were not trained on.

    `opening`: mean correlation of the opening, for each voice of a clip; `recall`: share of the closed frames that was
    told; `precision`: share of the told ones that was closed.
    """

    opening: tuple[float, ...]
    recall: float
    precision: float


def train(
    clips: Sequence[ArticulationClip],
    settings: ArticulationTraining,
    report: Callable[[int, float], None],
) -> tuple[ArticulationNetwork, MouthModel, Validation]:
    """The network and the mouth model of `clips`, every `validation_every`-th of which is held out.

    `report` is told the step and its loss. Deterministic for one seed, one machine and one number of threads.
    ValueError for fewer than two clips.
    """
    if len(clips) < 2:
        raise ValueError("an articulation network is taught with clips, and validated on others: give two at least")
    held = set(range(0, len(clips), settings.validation_every))
    mouth = learn_mouth_model([clip.points for clip in clips[:: max(1, len(clips) // 125)]], settings.network.shapes)
    examples = [_example(clip, mouth) for clip in clips]
    learned = [example for index, example in enumerate(examples) if index not in held] or examples
    torch.manual_seed(settings.seed)
    network = ArticulationNetwork(settings.network)
    everything = np.concatenate([example.features[0] for example in learned]).astype(np.float32)
    network.mean.copy_(torch.from_numpy(everything.mean(axis=0)))
    network.deviation.copy_(torch.from_numpy(everything.std(axis=0) + 1e-3))
    _descend(network, learned, torch.from_numpy(mouth.gap_of_shapes), settings, report)
    network.eval()
    return network, mouth, _validate(network, [examples[index] for index in sorted(held)], mouth)


@dataclass(frozen=True, slots=True, eq=False)
class _Example:
    features: tuple[npt.NDArray[np.float16], ...]
    at: npt.NDArray[np.float64]
    shapes: Floats
    opening: Floats
    closed: npt.NDArray[np.bool_]


def _example(clip: ArticulationClip, mouth: MouthModel) -> _Example:
    mouths = mouth.mouths(clip.points)
    gaps = openings(mouths)
    return _Example(
        features=clip.features,
        at=clip.times_s * RATE_HZ - 0.5,
        shapes=mouth.shapes(mouths, mouths.mean(axis=0)),
        opening=gaps - gaps.mean(),
        closed=gaps < np.percentile(gaps, 5) + CLOSED_WITHIN,
    )


def _descend(
    network: ArticulationNetwork,
    examples: Sequence[_Example],
    gap_of_shapes: Tensor,
    settings: ArticulationTraining,
    report: Callable[[int, float], None],
) -> None:
    draw = np.random.default_rng(settings.seed)
    noise = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    spread = float(np.concatenate([example.opening for example in examples]).std())
    # Coefficients are ordered by how much of a mouth's movement they hold; the faint ones are mostly noise.
    importance = torch.linspace(1.0, 0.3, settings.network.shapes)
    network.train()
    for step in range(settings.steps):
        optimizer.param_groups[0]["lr"] = settings.learning_rate * _schedule(step, settings)
        rows = draw.integers(0, len(examples), settings.batch)
        batch = _batch([examples[row] for row in rows], step, network, settings.noise, noise)
        shapes, logits = network(batch.features)
        shapes, logits = _at(shapes, batch.at), _at(logits[:, :, None], batch.at)[:, :, 0]
        seen = batch.seen
        error = ((shapes - batch.shapes) ** 2 * importance).mean(dim=2)
        speed = ((shapes.diff(dim=1) - batch.shapes.diff(dim=1)) ** 2 * importance).mean(dim=2)
        gap = ((shapes @ gap_of_shapes - batch.opening) / spread) ** 2
        closure = functional.binary_cross_entropy_with_logits(logits, batch.closed, reduction="none")
        loss = (
            _mean(error, seen)
            + settings.speed_weight * _mean(speed, seen[:, 1:])
            + settings.opening_weight * _mean(gap, seen)
            + settings.closure_weight * _mean(closure, seen)
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        report(step + 1, loss.item())


def _schedule(step: int, settings: ArticulationTraining) -> float:
    rising = min(1.0, (step + 1) / settings.warmup_steps)
    return rising * max(0.01, 1 - step / settings.steps)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    features: Tensor
    at: Tensor
    shapes: Tensor
    opening: Tensor
    closed: Tensor
    seen: Tensor


def _batch(
    examples: Sequence[_Example], step: int, network: ArticulationNetwork, noise: float, seeded: torch.Generator
) -> _Batch:
    """The examples side by side, padded; each step takes another voice of them."""
    voiced = [example.features[step % len(example.features)] for example in examples]
    rows, frames = max(map(len, voiced)), max(len(example.at) for example in examples)
    size = examples[0].shapes.shape[1]
    features = np.zeros((len(examples), rows, SIZE), np.float32)
    at, opening = np.zeros((2, len(examples), frames), np.float32)
    shapes = np.zeros((len(examples), frames, size), np.float32)
    closed, seen = np.zeros((2, len(examples), frames), np.float32)
    for index, (example, voice) in enumerate(zip(examples, voiced, strict=True)):
        count = len(example.at)
        features[index, : len(voice)] = voice
        at[index, :count] = np.clip(example.at, 0, len(voice) - 1)
        shapes[index, :count], opening[index, :count] = example.shapes, example.opening
        closed[index, :count], seen[index, :count] = example.closed, 1
    heard = torch.from_numpy(features)
    heard += noise * network.deviation * torch.randn(heard.shape, generator=seeded)
    parts = (torch.from_numpy(array) for array in (at, shapes, opening, closed, seen))
    return _Batch(heard, *parts)


def _at(values: Tensor, at: Tensor) -> Tensor:
    """`values` (B, N, C) at the fractional rows `at` (B, F), linearly between rows: (B, F, C)."""
    low = at.floor().long().clamp(0, values.shape[1] - 1)
    high = (low + 1).clamp(max=values.shape[1] - 1)
    share = (at - low)[:, :, None]
    expand = (-1, -1, values.shape[2])
    first = values.gather(1, low[:, :, None].expand(expand))
    second = values.gather(1, high[:, :, None].expand(expand))
    return first * (1 - share) + second * share


def _mean(values: Tensor, seen: Tensor) -> Tensor:
    return (values * seen).sum() / seen.sum().clamp(min=1)


def _validate(network: ArticulationNetwork, examples: Sequence[_Example], mouth: MouthModel) -> Validation:
    gap_of_shapes = mouth.gap_of_shapes
    voices = len(examples[0].features)
    correlations: list[list[float]] = [[] for _ in range(voices)]
    told, closed, both = 0, 0, 0
    for example in examples:
        for voice in range(voices):
            with torch.inference_mode():
                shapes, logits = network(torch.from_numpy(example.features[voice].astype(np.float32))[None])
            rows = np.arange(shapes.shape[1])
            gap = np.interp(example.at, rows, shapes[0].numpy() @ gap_of_shapes)
            if gap.std() > 0 and example.opening.std() > 0:
                correlations[voice].append(float(np.corrcoef(gap, example.opening)[0, 1]))
            says = np.interp(example.at, rows, logits[0].numpy()) > 0
            told, closed = told + int(says.sum()), closed + int(example.closed.sum())
            both += int((says & example.closed).sum())
    return Validation(
        opening=tuple(float(np.mean(each)) if each else 0.0 for each in correlations),
        recall=both / max(closed, 1),
        precision=both / max(told, 1),
    )
