"""Networks that judge drawn faces. Untrained weights serve."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.wav2lip.config import ExpertConfig
from models.wav2lip.critic import Critic
from models.wav2lip.discriminator import QualityDiscriminator
from models.wav2lip.lipgan import LipGanJudge, contrastive_loss
from models.wav2lip.untrained import untrained_state

SIZES = [ExpertConfig(width=0.125, face_px=face_px) for face_px in (96, 192, 256)]


def clips(side: int) -> Tensor:
    return torch.rand((2, 3, 2, side, side), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("config", SIZES, ids=ExpertConfig.to_json)
@pytest.mark.parametrize("network", [Critic, QualityDiscriminator])
def test_the_lower_half_alone_is_judged_at_every_size(
    network: type[Critic | QualityDiscriminator], config: ExpertConfig
) -> None:
    judge = network(config)
    judge.load_state_dict(untrained_state(judge.state_dict()))
    faces = clips(config.face_px).requires_grad_()
    judged = judge(faces)
    assert judged.shape == (4, 1)
    judged.sum().backward()
    assert faces.grad is not None
    half = config.face_px // 2
    assert (faces.grad[:, :, :, :half] == 0).all()
    assert (faces.grad[:, :, :, half:] != 0).any()


def test_a_critics_score_has_no_bounds_and_its_slope_can_be_penalised() -> None:
    critic = Critic(ExpertConfig(width=0.125))
    critic.load_state_dict(untrained_state(critic.state_dict()))
    with torch.no_grad():
        critic.get_parameter("score.bias").fill_(-5)
    faces = clips(96).requires_grad_()
    score = critic(faces)
    assert (score < 0).all()
    (slope,) = torch.autograd.grad(score.sum(), faces, create_graph=True)
    ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean().backward()
    first = critic.get_parameter("face_encoder_blocks.0.0.conv_block.0.weight")
    assert first.grad is not None
    assert (first.grad != 0).any()


@torch.inference_mode()
def test_a_face_is_judged_on_its_own() -> None:
    critic = Critic(ExpertConfig(width=0.125))
    critic.load_state_dict(untrained_state(critic.state_dict()))
    faces = clips(96)
    torch.testing.assert_close(critic(faces[:1]), critic(faces)[[0, 2]])


@pytest.mark.parametrize("config", SIZES, ids=ExpertConfig.to_json)
def test_lipgans_judge_learns_to_tell_pairs_apart(config: ExpertConfig) -> None:
    torch.manual_seed(0)
    judge = LipGanJudge(config)
    mels = torch.rand((4, 1, 80, 16)) * 8 - 4
    faces = torch.rand((4, 3, config.face_px, config.face_px))
    belongs = torch.tensor([[1.0], [1.0], [0.0], [0.0]])
    optimizer = torch.optim.Adam(judge.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        distance = judge(mels, faces)
        assert ((distance >= 0) & (distance <= 2)).all()
        loss = contrastive_loss(distance, belongs)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_contrastive_loss_pulls_pairs_together_and_pushes_others_to_the_margin() -> None:
    distance = torch.tensor([[0.5], [0.5], [1.5]])
    belongs = torch.tensor([[1.0], [0.0], [0.0]])
    assert float(contrastive_loss(distance, belongs)) == pytest.approx((0.25 + 0.25 + 0) / 3)
    assert float(contrastive_loss(distance, belongs, margin=2)) == pytest.approx((0.25 + 2.25 + 0.25) / 3)
