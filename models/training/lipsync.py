"""Training of the generator: it draws the lower half of a face so that it fits the sound, and fits the face.

The losses of Prajwal et al. (2020), section 4: L1, sync by the frozen expert, and a judge of pictures; each may be left
out, and a perceptual loss added. The judge is the paper's discriminator or a Wasserstein critic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from models.training import losses, sampling, strips
from models.training.batches import GeneratorBatch, GeneratorBatches, generator_batch, usable
from models.training.config import NO_PICTURE_AUGMENT, NO_SOUND_AUGMENT, LipsyncSettings
from models.training.loop import Moment, as_input, precision
from models.training.losses import Likelihood
from models.training.runs import device
from models.training.sampling import WINDOW_FRAMES, Stream
from models.training.shards import ClipRef, Shards
from models.wav2lip.checkpoint import read_about, read_expert, save_network
from models.wav2lip.config import ExpertConfig, GeneratorConfig
from models.wav2lip.critic import Critic
from models.wav2lip.discriminator import QualityDiscriminator
from models.wav2lip.expert import SyncExpert
from models.wav2lip.generator import Generator

_STRIPS = 6


@dataclass(frozen=True, slots=True, eq=False)
class FrozenExpert:
    """A trained expert, and how its cosine becomes a probability."""

    network: SyncExpert
    likelihood: Likelihood


def frozen_expert(path: Path) -> FrozenExpert:
    """The expert of a checkpoint: one of `redub train expert`, or the published one, read as the paper does."""
    about = read_about(path)
    likelihood = Likelihood(float(about.get("temperature", 0)), float(about.get("centre", 0.5)))
    return FrozenExpert(read_expert(path).requires_grad_(requires_grad=False).eval(), likelihood)


class LipsyncTrainee:
    """A generator in training, with the expert that hears it and, where there is one, the judge that looks at it."""

    def __init__(
        self,
        shards: Shards,
        training: Sequence[ClipRef],
        held_out: Sequence[ClipRef],
        settings: LipsyncSettings,
        expert: FrozenExpert | None,
        *,
        start: Generator | None = None,
    ) -> None:
        """`expert` may be None where `sync_weight` is 0. `start`: weights to begin from; else the seed draws them."""
        self._settings, self._device, self._expert = settings, device(), expert
        least = sampling.least_frames(reference_gap=settings.reference_gap)
        self._make = GeneratorBatches(shards, usable(training, least), settings)
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            config = GeneratorConfig(
                arrangement=settings.arrangement,
                width=settings.width,
                face_px=settings.face_px,
                attention=settings.attention,
            )
            network = Generator(config) if start is None else start
            self._judge = _judge(settings)
        self._generator = network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._draw = torch.compile(self._generator) if self._device.type == "cuda" else self._generator
        if self._judge is not None:
            self._judge.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if expert is not None:
            expert.network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._vgg = _vgg().to(self._device) if settings.perceptual_weight else None
        self._optimizers = {"generator": self._optimizer(self._generator)}
        if self._judge is not None:
            self._optimizers["judge"] = self._optimizer(self._judge)
        self._first_row = settings.face_px // 2 if settings.upper_share == 0 else 0
        chosen = usable(held_out, least)[: settings.validation_clips]
        self._tests = [_test_of(shards, clip, settings, row) for row, clip in enumerate(chosen)]

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The generator, and the judge where there is one; the expert is not trained."""
        return {"generator": self._generator, **({} if self._judge is None else {"judge": self._judge})}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """One for each network."""
        return self._optimizers

    @property
    def samples(self) -> int:
        """Windows in a batch."""
        return self._settings.windows

    def batch(self, step: int) -> GeneratorBatch:
        """The batch of `step`."""
        return self._make(step)

    def learn(self, batch: GeneratorBatch, moment: Moment) -> dict[str, float]:
        """One step of the generator and `critic_steps` of its judge."""
        settings = self._settings
        self._generator.train()
        truth = self._pictures(batch.targets)
        with precision(self._device):
            drawn = self._drawn(batch, truth)
        judged = self._judge is not None and moment.share >= settings.adversarial_from
        parts: dict[str, Tensor] = {}
        if judged:
            parts |= self._teach_judge(truth, drawn.detach(), moment)
        total, own = self._losses(batch, truth, drawn, moment, judged=judged)
        self._step("generator", total, moment.learning_rate)
        parts |= own
        return {"loss": float(total.detach()), **{name: float(value.detach()) for name, value in parts.items()}}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """On held-out windows, unchanged.

        `l1` of the lower half; `sync`, the loss by the expert, and `cosine`; `cosine_real` of the true pictures.
        """
        self._generator.eval()
        lists: dict[str, list[float]] = {}
        for test in self._tests:
            truth = self._pictures(test.targets)
            with precision(self._device):
                drawn = self._drawn(test, truth)
            middle = self._settings.face_px // 2
            found = {"l1": float((drawn - truth)[:, :, middle:].abs().mean())}
            if self._expert is not None:
                cosine, real = self._cosine(test, drawn), self._cosine(test, truth)
                found["sync"] = float(-self._expert.likelihood.log_probability(cosine).mean())
                found |= {"cosine": float(cosine.mean()), "cosine_real": float(real.mean())}
            for name, value in found.items():
                lists.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in lists.items()}

    def score(self, values: Mapping[str, float]) -> float:
        """Little L1 and sync loss, weighed as in training."""
        settings = self._settings
        return -(settings.l1_weight * values["l1"] + settings.sync_weight * values.get("sync", 0.0))

    def save(self, path: Path, about: Mapping[str, str]) -> None:
        """The generator."""
        save_network(self._generator, path, about=about)

    @torch.no_grad()
    def picture(self) -> npt.NDArray[np.uint8]:
        """Strips of held-out windows: reference, what is shown of the face, what is drawn, what is true."""
        self._generator.eval()
        rows: list[list[npt.NDArray[np.uint8]]] = []
        for test in self._tests[:_STRIPS]:
            truth = self._pictures(test.targets)
            drawn = self._drawn(test, truth).float().clamp(0, 1).mul(255).round().to(torch.uint8)
            shown = drawn[WINDOW_FRAMES // 2].permute(1, 2, 0).cpu().numpy()
            target, reference = test.targets[0, WINDOW_FRAMES // 2], test.references[0, WINDOW_FRAMES // 2]
            rows.append([reference, strips.masked(target[None])[0], shown, target])
        return strips.strips([np.stack(column) for column in zip(*rows, strict=True)])

    def _drawn(self, batch: GeneratorBatch, truth: Tensor) -> Tensor:
        """(B * 5, 3, S, S): the drawn pictures; with an upper half that is not drawn, the true one stands there."""
        masked = truth.clone()
        masked[:, :, self._settings.face_px // 2 :] = 0
        faces = torch.cat((masked, self._pictures(batch.references)), dim=1)
        mels = torch.from_numpy(batch.mels).to(self._device).flatten(0, 1)[:, None]
        drawn: Tensor = self._draw(
            mels, faces.contiguous(memory_format=torch.channels_last), first_row=self._first_row
        ).float()
        return torch.cat((truth[:, :, : self._first_row], drawn), dim=2) if self._first_row else drawn

    def _losses(
        self, batch: GeneratorBatch, truth: Tensor, drawn: Tensor, moment: Moment, *, judged: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        settings, middle = self._settings, self._settings.face_px // 2
        parts = {"l1": losses.l1_loss(drawn, truth, upper_share=settings.upper_share)}
        total = settings.l1_weight * parts["l1"]
        if self._expert is not None and settings.sync_weight and moment.share >= settings.sync_from:
            cosine = self._cosine(batch, drawn)
            parts["sync"] = -self._expert.likelihood.log_probability(cosine).mean()
            total = total + settings.sync_weight * parts["sync"]
        if self._vgg is not None:
            with precision(self._device):
                seen = [self._vgg(each[:, :, middle:].flip(1)) for each in (drawn, truth)]
            parts["perceptual"] = losses.perceptual_loss(*seen)
            total = total + settings.perceptual_weight * parts["perceptual"]
        if judged and self._judge is not None:
            verdict = self._judge(_as_clips(drawn))
            critic = settings.adversary == "critic"
            parts["adversarial"] = -verdict.mean() if critic else losses.adversarial_loss(verdict)
            total = total + settings.adversarial_weight * parts["adversarial"]
        return total, parts

    def _teach_judge(self, truth: Tensor, drawn: Tensor, moment: Moment) -> dict[str, Tensor]:
        """Steps of the judge, each on its own share of the batch's pictures."""
        settings, judge = self._settings, self._judge
        assert judge is not None  # noqa: S101 (the caller asked)
        random = sampling.generator(settings.seed, Stream.PENALTY, moment.step)
        parts: dict[str, Tensor] = {}
        pieces = zip(truth.chunk(settings.critic_steps), drawn.chunk(settings.critic_steps), strict=True)
        for real, fake in ((_as_clips(a), _as_clips(b)) for a, b in pieces):
            of_real, of_fake = judge(real), judge(fake)
            parts = {"real": of_real.mean(), "fake": of_fake.mean()}
            if settings.adversary == "critic":
                share = torch.from_numpy(random.random(len(real), np.float32)).to(real)
                parts["penalty"] = losses.gradient_penalty(judge, real, fake, share)
                total = losses.critic_loss(of_real, of_fake) + settings.gradient_penalty * parts["penalty"]
            else:
                total = losses.discriminator_loss(of_real, of_fake)
            self._step("judge", total, settings.adversary_rate * moment.learning_rate)
        return parts

    def _step(self, name: str, total: Tensor, rate: float) -> None:
        optimizer = self._optimizers[name]
        for group in optimizer.param_groups:
            group["lr"] = rate
        parameters = list(self.networks[name].parameters())
        total.backward(inputs=parameters)  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, self._settings.gradient_norm)
        optimizer.step()
        optimizer.zero_grad()

    def _cosine(self, batch: GeneratorBatch, pictures: Tensor) -> Tensor:
        """Of the expert's embeddings, (B,), for pictures (B * 5, 3, S, S)."""
        assert self._expert is not None  # noqa: S101 (the caller asked)
        lower = pictures[:, :, pictures.shape[2] // 2 :]
        windows = lower.reshape(-1, 3 * WINDOW_FRAMES, *lower.shape[2:]).contiguous(memory_format=torch.channels_last)
        mels = torch.from_numpy(batch.mels[:, 0]).to(self._device)[:, None]
        with precision(self._device):
            sounds, faces = self._expert.network(mels, windows)
        cosine: Tensor = (sounds.float() * faces.float()).sum(dim=1)
        return cosine

    def _pictures(self, pictures: npt.NDArray[np.uint8]) -> Tensor:
        """(B, 5, S, S, 3) -> (B * 5, 3, S, S)."""
        return as_input(pictures, self._device).flatten(0, 1)

    def _optimizer(self, network: nn.Module) -> Optimizer:
        settings = self._settings
        return AdamW(
            network.parameters(),
            lr=settings.schedule.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )


def _as_clips(pictures: Tensor) -> Tensor:
    """(N, 3, S, S) -> (N, 3, 1, S, S), as the judges take them."""
    return pictures[:, :, None]


def _judge(settings: LipsyncSettings) -> nn.Module | None:
    config = ExpertConfig(width=settings.width, face_px=settings.face_px)
    if settings.adversary == "discriminator":
        return QualityDiscriminator(config)
    return Critic(config) if settings.adversary == "critic" else None


def _vgg() -> nn.Module:
    from models.perceptual.engines import load_vgg

    return load_vgg()


def _test_of(shards: Shards, clip: ClipRef, settings: LipsyncSettings, row: int) -> GeneratorBatch:
    random = sampling.generator(settings.seed, Stream.VALIDATION, row)
    chosen = sampling.generator_row(0, clip.frame_count, settings.reference_gap, random)
    return generator_batch(
        shards, [clip], [chosen], [(random, random)], NO_PICTURE_AUGMENT, NO_SOUND_AUGMENT, settings.face_px
    )
