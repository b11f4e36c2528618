"""Training of the sync expert: which of these sounds belongs to this mouth?

Every face window of a batch is paired with every mel window. The cosine of their embeddings is judged by binary cross
entropy and by the choice among the sounds of its own clip. A linear head reads the mouth's landmarks from either
embedding (it is not part of the weights that leave): it tells both encoders early on what to look and listen for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from models.training import losses, sampling
from models.training.batches import ExpertBatch, ExpertBatches, lower_faces, mel_window, usable
from models.training.config import NO_PICTURE_AUGMENT, ExpertSettings, PictureAugment
from models.training.loop import Moment, as_input, precision
from models.training.losses import Likelihood
from models.training.runs import device
from models.training.sampling import WINDOW_FRAMES
from models.training.shape import SIZE
from models.training.shards import ClipRef, Shards
from models.wav2lip.checkpoint import save_network
from models.wav2lip.config import ExpertConfig
from models.wav2lip.expert import SyncExpert

_VALIDATION_WINDOWS = 6
_SEARCHED = 15
"""Frames to either side within which validation looks for a clip's offset."""


class ExpertTrainee:
    """A sync expert in training."""

    def __init__(
        self,
        shards: Shards,
        training: Sequence[ClipRef],
        held_out: Sequence[ClipRef],
        settings: ExpertSettings,
        *,
        start: SyncExpert | None = None,
    ) -> None:
        """`start`: weights to begin from, of the settings' width and size; else they are drawn from the seed."""
        self._settings, self._device = settings, device()
        least = max(sampling.least_frames(), 2 * sampling.END_FRAMES + WINDOW_FRAMES + _VALIDATION_WINDOWS)
        self._make = ExpertBatches(shards, usable(training, least), settings)
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            expert = (
                SyncExpert(ExpertConfig(width=settings.width, face_px=settings.face_px)) if start is None else start
            )
            head = nn.Linear(expert.config.channels(512), WINDOW_FRAMES * SIZE)
        self._expert = expert.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._head = head.to(self._device)
        self._likelihood = Likelihood(settings.temperature, settings.centre)
        self._parameters = [*self._expert.parameters(), *self._head.parameters()]
        self._optimizer = AdamW(
            self._parameters, lr=settings.schedule.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        chosen = usable(held_out, least)[: settings.validation_clips]
        self._tests = {
            name: [_test_of(shards, clip, settings, pictures, row) for row, clip in enumerate(chosen)]
            for name, pictures in (("", NO_PICTURE_AUGMENT), ("_changed", settings.pictures))
        }

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The expert and the head that reads landmarks."""
        return {"expert": self._expert, "head": self._head}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """One."""
        return {"all": self._optimizer}

    @property
    def samples(self) -> int:
        """Face windows in a batch."""
        return self._settings.clips * self._settings.windows

    def batch(self, step: int) -> ExpertBatch:
        """The batch of `step`."""
        return self._make(step)

    def learn(self, batch: ExpertBatch, moment: Moment) -> dict[str, float]:
        """One step of AdamW."""
        settings = self._settings
        self._expert.train()
        for group in self._optimizer.param_groups:
            group["lr"] = moment.learning_rate
        kinds = torch.from_numpy(batch.kinds).to(self._device)
        with precision(self._device):
            sounds, faces = self._expert(self._mels(batch.mels), self._faces(batch.faces))
            embeddings = torch.cat((sounds, faces)) * math.sqrt(faces.shape[1])  # numbers about one, as BN left them
            shapes = self._head(embeddings) if settings.shape_weight else None
        cosine = faces.float() @ sounds.float().T
        parts = {"sync": losses.pair_loss(cosine, kinds, self._likelihood, in_clip_share=settings.in_clip_share)}
        total = parts["sync"]
        if settings.matching_weight:
            parts["matching"] = losses.matching_loss(cosine, kinds, settings.temperature or 0.07)
            total = total + settings.matching_weight * parts["matching"]
        if shapes is not None:
            heard, seen = shapes.float().split((len(sounds), len(faces)))
            parts["shape_heard"] = losses.shape_loss(heard, self._floats(batch.sound_shapes))
            parts["shape_seen"] = losses.shape_loss(seen, self._floats(batch.face_shapes))
            total = total + settings.shape_weight * (parts["shape_heard"] + parts["shape_seen"])
        self._optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._parameters, settings.gradient_norm)
        self._optimizer.step()
        told, ranked = losses.pair_accuracy(cosine.detach(), kinds, self._likelihood)
        values = {name: float(value.detach()) for name, value in parts.items()}
        return {"loss": float(total.detach()), **values, "told": told, "ranked": ranked, "gradient": float(norm)}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """On held-out clips, as they are and changed as in training.

        `told`: in-sync against shifted pairs, 0.5 is chance. `ranked`: how often the sound in sync has the higher
        cosine than a shifted one. `found`: clips whose offset is found within one frame.
        """
        self._expert.eval()
        values: dict[str, float] = {}
        for name, tests in self._tests.items():
            results = np.array([self._judge(test) for test in tests])
            means = results.mean(axis=0) if len(results) else np.full(3, np.nan)
            values.update(zip((f"told{name}", f"ranked{name}", f"found{name}"), means.tolist(), strict=True))
        return values

    def score(self, values: Mapping[str, float]) -> float:
        """How well changed faces, the nearest thing to other people's, are told and ranked."""
        return 0.5 * (values["told_changed"] + values["ranked_changed"])

    def save(self, path: Path, about: Mapping[str, str]) -> None:
        """The expert, with the map from cosine to probability that it was trained for."""
        settings = self._settings
        likelihood = {"temperature": repr(settings.temperature), "centre": repr(settings.centre)}
        save_network(self._expert, path, about={**about, **likelihood})

    def picture(self) -> None:
        """It draws nothing."""

    def _judge(self, test: _Test) -> tuple[float, float, float]:
        with precision(self._device):
            sounds, faces = self._expert(self._mels(test.mels), self._faces(test.faces))
        cosine = (faces.float() @ sounds.float().T).cpu()
        told, ranked = losses.pair_accuracy(cosine, torch.from_numpy(test.kinds), self._likelihood)
        return told, ranked, float(abs(_offset(cosine.numpy(), test.shifts)) <= 1)

    def _mels(self, mels: npt.NDArray[np.float32]) -> Tensor:
        return self._floats(mels)[:, None]

    def _faces(self, faces: npt.NDArray[np.uint8]) -> Tensor:
        """(B, 5, S/2, S, 3) -> (B, 15, S/2, S)."""
        return as_input(faces, self._device).flatten(1, 2).contiguous(memory_format=torch.channels_last)

    def _floats(self, values: npt.NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(values).to(self._device)


class _Test:
    """Windows of a held-out clip: faces spread over it, the sounds of all its frames."""

    def __init__(
        self, faces: npt.NDArray[np.uint8], mels: npt.NDArray[np.float32], starts: list[int], first: int
    ) -> None:
        self.faces, self.mels = faces, mels
        sounds = np.arange(first, first + len(mels))
        self.shifts = sounds[None] - np.array(starts)[:, None]
        zeros = np.zeros(len(mels), np.int64)
        self.kinds = sampling.pair_kinds(zeros[: len(starts)], np.array(starts), zeros, sounds)


def _test_of(shards: Shards, clip: ClipRef, settings: ExpertSettings, pictures: PictureAugment, row: int) -> _Test:
    first, last = sampling.END_FRAMES, clip.frame_count - WINDOW_FRAMES - sampling.END_FRAMES
    starts = np.linspace(first, last, _VALIDATION_WINDOWS).round().astype(int).tolist()
    points, mel = shards.points(clip), shards.mel(clip)
    random = sampling.generator(settings.seed, sampling.Stream.VALIDATION, row)
    faces = [
        lower_faces(
            shards.frames(clip, start, WINDOW_FRAMES),
            points[start : start + WINDOW_FRAMES],
            random,
            pictures,
            face_px=settings.face_px,
        )[0]
        for start in starts
    ]
    return _Test(np.stack(faces), np.stack([mel_window(mel, frame) for frame in range(first, last + 1)]), starts, first)


def _offset(cosine: npt.NDArray[np.float32], shifts: npt.NDArray[np.int64]) -> int:
    """The shift in frames at which sounds and faces (B, M) fit best on the mean over the faces that have it."""
    candidates = range(-_SEARCHED, _SEARCHED + 1)
    means = [cosine[shifts == shift].mean() if (shifts == shift).any() else -1.0 for shift in candidates]
    return candidates[int(np.argmax(means))]
