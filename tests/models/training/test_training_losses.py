import math

import pytest
import torch
from torch import Tensor, nn

from models.training import losses
from models.training.losses import Likelihood
from models.training.sampling import IGNORED, IN_SYNC, OTHER, SHIFTED

KINDS = torch.tensor([[IN_SYNC, SHIFTED, OTHER], [SHIFTED, IN_SYNC, OTHER], [OTHER, IGNORED, IN_SYNC]])


def cosines(in_sync: float, shifted: float, other: float) -> Tensor:
    values = torch.full(KINDS.shape, 0.123)
    for kind, value in ((IN_SYNC, in_sync), (SHIFTED, shifted), (OTHER, other)):
        values[kind == KINDS] = value
    return values


def test_the_papers_likelihood_is_the_cosine_itself() -> None:
    loss = losses.pair_loss(cosines(0.8, 0.3, 0.1), KINDS, Likelihood(), in_clip_share=0.75)
    apart = 0.75 * -math.log(1 - 0.3) + 0.25 * -math.log(1 - 0.1)
    assert float(loss) == pytest.approx(0.5 * (-math.log(0.8) + apart), rel=1e-4)


def test_a_temperature_makes_the_likelihood_logistic() -> None:
    likelihood = Likelihood(temperature=0.1, centre=0.4)
    probability = torch.sigmoid(torch.tensor((0.7 - 0.4) / 0.1))
    assert float(likelihood.log_probability(torch.tensor(0.7)).exp()) == pytest.approx(float(probability))


@pytest.mark.parametrize("likelihood", [Likelihood(), Likelihood(0.07)])
@pytest.mark.parametrize("cosine", [0.0, 1.0])
def test_the_pair_loss_is_finite_at_the_ends(likelihood: Likelihood, cosine: float) -> None:
    values = torch.full(KINDS.shape, cosine, requires_grad=True)
    loss = losses.pair_loss(values, KINDS, likelihood, in_clip_share=0.5)
    (gradient,) = torch.autograd.grad(loss, values)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


def test_pairs_too_near_to_tell_do_not_count() -> None:
    values = cosines(0.8, 0.3, 0.1)
    changed = torch.where(KINDS == IGNORED, 0.99, values)
    for of in (values, changed):
        of.requires_grad_()
    assert losses.pair_loss(values, KINDS, Likelihood(0.1), in_clip_share=0.5) == losses.pair_loss(
        changed, KINDS, Likelihood(0.1), in_clip_share=0.5
    )
    assert losses.matching_loss(values, KINDS, 0.1) == losses.matching_loss(changed, KINDS, 0.1)


def test_matching_chooses_among_the_sounds_of_the_clip() -> None:
    loss = losses.matching_loss(cosines(0.5, 0.2, 0.9), KINDS, 0.1)
    chosen = math.log(1 + math.exp((0.2 - 0.5) / 0.1))
    assert float(loss) == pytest.approx((chosen + chosen + 0.0) / 3, rel=1e-4)


def test_matching_without_any_sound_in_sync_is_nothing() -> None:
    assert float(losses.matching_loss(torch.rand(1, 2), torch.tensor([[SHIFTED, OTHER]]), 0.1)) == 0


def test_accuracy_tells_and_ranks() -> None:
    likelihood = Likelihood(0.1, 0.5)
    assert losses.pair_accuracy(cosines(0.9, 0.1, 0.9), KINDS, likelihood) == (1.0, 1.0)
    told, ranked = losses.pair_accuracy(cosines(0.3, 0.1, 0.1), KINDS, likelihood)
    assert (told, ranked) == (0.5, 1.0)  # ranked right, though all are judged out of sync


def test_the_upper_half_weighs_what_it_is_told_to() -> None:
    drawn, truth = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    truth[:, :, :2] = 0.9
    truth[:, :, 2:] = 0.1
    assert float(losses.l1_loss(drawn, truth, upper_share=1)) == pytest.approx(0.5)
    assert float(losses.l1_loss(drawn, truth, upper_share=0)) == pytest.approx(0.1)


def test_the_perceptual_loss_counts_every_map_alike() -> None:
    truth = [torch.full((1, 2, 8, 8), 10.0), torch.full((1, 4, 2, 2), 0.1)]
    off = [1.5 * each for each in truth]
    assert float(losses.perceptual_loss(off, truth)) == pytest.approx(0.5)
    assert float(losses.perceptual_loss(truth, truth)) == 0


def test_a_critic_of_slope_one_pays_no_penalty() -> None:
    critic = nn.Linear(4, 1)
    real, fake, share = torch.rand(6, 4), torch.rand(6, 4), torch.rand(6)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[0.6, 0.8, 0.0, 0.0]]))
    assert float(losses.gradient_penalty(critic, real, fake, share).detach()) == pytest.approx(0, abs=1e-6)
    with torch.no_grad():
        critic.weight.mul_(3)
    penalty = losses.gradient_penalty(critic, real, fake, share)
    assert float(penalty.detach()) == pytest.approx(4, rel=1e-4)
    penalty.backward()
    assert critic.weight.grad is not None


def test_judges_are_taught_to_tell_and_generators_to_deceive() -> None:
    sure, wrong = torch.tensor([[0.99]]), torch.tensor([[0.01]])
    assert losses.discriminator_loss(sure, wrong) < losses.discriminator_loss(wrong, sure)
    assert losses.adversarial_loss(sure) < losses.adversarial_loss(wrong)
    assert losses.critic_loss(sure, wrong) < losses.critic_loss(wrong, sure)
