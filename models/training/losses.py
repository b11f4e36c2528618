"""The losses of the sync expert and of the generator, each a pure function of tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.training.sampling import IN_SYNC, OTHER, SHIFTED

_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The map from the cosine of two embeddings to the log odds that they belong together; nothing in it is learned.

    With a `temperature` above 0 the odds are logistic, exp((cosine - centre) / temperature). With 0 the cosine, which
    lies in 0..1 because the embeddings have passed a ReLU, is the probability itself (Prajwal et al. 2020, eq. 1).
    """

    temperature: float = 0.0
    centre: float = 0.5

    def log_odds(self, cosine: Tensor) -> Tensor:
        """Of any shape; finite also where the cosine is 0 or 1."""
        if self.temperature > 0:
            return (cosine - self.centre) / self.temperature
        probability = cosine.clamp(_TINY, 1 - _TINY)
        return probability.log() - (-probability).log1p()

    def log_probability(self, cosine: Tensor) -> Tensor:
        """Log P(in sync)."""
        if self.temperature > 0:
            return functional.logsigmoid(self.log_odds(cosine))
        return cosine.clamp_min(_TINY).log()


def pair_loss(cosine: Tensor, kinds: Tensor, likelihood: Likelihood, *, in_clip_share: float) -> Tensor:
    """Binary cross entropy over all pairs of faces and sounds (cosine and BCE: Prajwal et al. 2020, sec. 3.2).

    `cosine` and `kinds` (B, M), see `sampling.pair_kinds`. Pairs in sync weigh as much as all others together; of
    those, the shifted ones of one clip weigh `in_clip_share`, those of different clips the rest.
    """
    log_odds = likelihood.log_odds(cosine)
    positive, negative = functional.softplus(-log_odds), functional.softplus(log_odds)
    shifted = _mean_where(negative, kinds == SHIFTED)
    other = _mean_where(negative, kinds == OTHER)
    apart = in_clip_share * shifted + (1 - in_clip_share) * other
    return 0.5 * (_mean_where(positive, kinds == IN_SYNC) + apart)


def matching_loss(cosine: Tensor, kinds: Tensor, temperature: float) -> Tensor:
    """Cross entropy of choosing the sound in sync among those of the face's clip (Chung, Chung, Kang 2019).

    Rows without a sound in sync are left out; other clips' sounds, and those too near to tell, are no choice.
    """
    logits = (cosine / temperature).masked_fill((kinds != IN_SYNC) & (kinds != SHIFTED), -torch.inf)
    has = (kinds == IN_SYNC).any(dim=1)
    if not bool(has.any()):
        return cosine.sum() * 0
    chosen = (kinds == IN_SYNC)[has].int().argmax(dim=1)
    return functional.cross_entropy(logits[has], chosen)


def shape_loss(predicted: Tensor, shapes: Tensor) -> Tensor:
    """Huber loss of mouth shapes (B, 5 * SIZE), see `shape`: linear beyond two deviations, where landmarks err."""
    return functional.huber_loss(predicted, shapes, delta=2.0)


def pair_accuracy(cosine: Tensor, kinds: Tensor, likelihood: Likelihood) -> tuple[float, float]:
    """How well in-sync and shifted pairs of one clip are told apart: (told, ranked), both 0..1, 0.5 by chance.

    `told`: the share judged right, both kinds weighing the same. `ranked`: of the (in-sync, shifted) pairs of one face,
    the share in which the first has the higher cosine.
    """
    together = likelihood.log_odds(cosine) > 0
    in_sync, shifted = kinds == IN_SYNC, kinds == SHIFTED
    told = 0.5 * (_mean_where(together.float(), in_sync) + _mean_where((~together).float(), shifted))
    own = torch.where(in_sync, cosine, -torch.inf).amax(dim=1, keepdim=True)
    ranked = _mean_where((own > cosine).float(), shifted & in_sync.any(dim=1, keepdim=True))
    return float(told), float(ranked)


def _mean_where(values: Tensor, where: Tensor) -> Tensor:
    return (values * where).sum() / where.sum().clamp_min(1)


def l1_loss(drawn: Tensor, truth: Tensor, *, upper_share: float) -> Tensor:
    """Mean absolute difference of pictures (B, 3, S, S), the upper half weighing `upper_share` of the lower's."""
    middle = drawn.shape[2] // 2
    upper = functional.l1_loss(drawn[:, :, :middle], truth[:, :, :middle])
    lower = functional.l1_loss(drawn[:, :, middle:], truth[:, :, middle:])
    return (upper_share * upper + lower) / (upper_share + 1)


def sync_loss(sounds: Tensor, faces: Tensor, likelihood: Likelihood) -> Tensor:
    """Mean of -log P(in sync) over embeddings (B, D) of unit length (Prajwal et al. 2020, eq. 2)."""
    return -likelihood.log_probability((sounds * faces).sum(dim=1)).mean()


def perceptual_loss(drawn: list[Tensor], truth: list[Tensor]) -> Tensor:
    """Mean absolute difference of a frozen network's feature maps (Johnson et al. 2016), each map weighing the same.

    Each map is scaled to the truth's mean size, so that deep and shallow ones count alike.
    """
    return torch.stack(
        [functional.l1_loss(a, b) / b.abs().mean().clamp_min(_TINY) for a, b in zip(drawn, truth, strict=True)]
    ).mean()


def adversarial_loss(fake: Tensor) -> Tensor:
    """The generator's GAN loss: -log of the probability (B, 1) that its pictures are real."""
    return functional.binary_cross_entropy(fake, torch.ones_like(fake))


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Binary cross entropy of the discriminator's probabilities for real and drawn pictures."""
    return 0.5 * (
        functional.binary_cross_entropy(real, torch.ones_like(real))
        + functional.binary_cross_entropy(fake, torch.zeros_like(fake))
    )


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """What the Wasserstein critic lessens (Arjovsky et al. 2017): the distance, negated."""
    return fake.mean() - real.mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Mean of (|gradient| - 1)^2 on the lines between real and drawn pictures (Gulrajani et al. 2017).

    `share` (B,) in 0..1 says where on each line; the first dimension of `real` and `fake` is the batch.
    """
    share = share.view(-1, *([1] * (real.dim() - 1)))
    between = (share * real + (1 - share) * fake).detach().requires_grad_()
    score = critic(between).sum()
    (gradient,) = torch.autograd.grad(score, between, create_graph=True)
    length = (gradient.flatten(1).square().sum(dim=1) + 1e-12).sqrt()
    return (length - 1).square().mean()
