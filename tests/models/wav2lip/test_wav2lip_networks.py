"""What every config of the networks must do, whatever its weights: untrained ones serve."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.wav2lip.config import ExpertConfig, GeneratorConfig
from models.wav2lip.expert import SyncExpert
from models.wav2lip.generator import Generator
from models.wav2lip.layers import ConvBlock, can_fuse, fold_batch_norm, fuse_activations
from models.wav2lip.untrained import untrained_state

NARROW = 0.125
CONFIGS = [
    GeneratorConfig(width=NARROW),
    GeneratorConfig(width=NARROW, face_px=192),
    GeneratorConfig(width=NARROW, face_px=256, attention="lips"),
    GeneratorConfig(width=NARROW, attention="lips"),
    GeneratorConfig(width=NARROW, arrangement="lipgan"),
    GeneratorConfig(width=NARROW, arrangement="speech2vid", face_px=192),
]


def untrained(config: GeneratorConfig) -> Generator:
    network = Generator(config).eval()
    network.load_state_dict(untrained_state(network.state_dict()))
    return network


def inputs(side: int) -> tuple[Tensor, Tensor]:
    seeded = torch.Generator().manual_seed(1)
    mels = torch.rand((2, 1, 80, 16), generator=seeded) * 8 - 4
    return mels, torch.rand((2, 6, side, side), generator=seeded)


@pytest.mark.parametrize("config", CONFIGS, ids=GeneratorConfig.to_json)
@torch.inference_mode()
def test_rows_drawn_alone_are_those_of_the_whole_picture(config: GeneratorConfig) -> None:
    network, (mels, faces) = untrained(config), inputs(config.face_px)
    whole = network(mels, faces)
    assert whole.shape == (2, 3, config.face_px, config.face_px)
    assert whole.std() > 0.01
    for first_row in (1, config.face_px // 2 - 3, config.face_px // 2, config.face_px - 5):
        torch.testing.assert_close(
            network(mels, faces, first_row=first_row), whole[:, :, first_row:], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("config", CONFIGS, ids=GeneratorConfig.to_json)
@torch.inference_mode()
def test_sound_and_reference_are_heeded_and_speech2vid_sees_no_pose(config: GeneratorConfig) -> None:
    network, (mels, faces) = untrained(config), inputs(config.face_px)
    whole = network(mels, faces)
    other_pose, other_reference = faces.clone(), faces.clone()
    other_pose[:, :3] = 0
    other_reference[:, 3:] = 0
    assert (network(-mels, faces) != whole).any()
    assert (network(mels, other_reference) != whole).any()
    assert (network(mels, other_pose) != whole).any() == (config.arrangement != "speech2vid")


@pytest.mark.parametrize("config", CONFIGS, ids=GeneratorConfig.to_json)
def test_every_weight_learns(config: GeneratorConfig) -> None:
    network, (mels, faces) = untrained(config).train(), inputs(config.face_px)
    network(mels, faces).square().mean().backward()
    still = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not still


@pytest.mark.skipif(not can_fuse(), reason="this build of PyTorch has no fused convolutions")
@pytest.mark.parametrize("config", CONFIGS, ids=GeneratorConfig.to_json)
@torch.inference_mode()
def test_fused_activations_draw_the_same(config: GeneratorConfig) -> None:
    network, (mels, faces) = untrained(config).requires_grad_(requires_grad=False), inputs(config.face_px)
    fold_batch_norm(network)
    folded = network(mels, faces)
    fuse_activations(network)
    assert not [block for block in network.modules() if isinstance(block, ConvBlock)]
    laid_out = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for drawn in (network(mels, faces), laid_out(mels, faces.contiguous(memory_format=torch.channels_last))):
        assert (drawn - folded).norm() <= 1e-3 * folded.norm()  # untrained weights blow rounding up


@pytest.mark.parametrize("face_px", [96, 192, 256])
@torch.inference_mode()
def test_an_expert_of_any_size_gives_unit_embeddings(face_px: int) -> None:
    expert = SyncExpert(ExpertConfig(width=NARROW, face_px=face_px)).eval()
    seeded = torch.Generator().manual_seed(2)
    audio, face = expert(
        torch.rand((2, 1, 80, 16), generator=seeded), torch.rand((2, 15, face_px // 2, face_px), generator=seeded)
    )
    assert audio.shape == face.shape == (2, 64)
    for embedding in (audio, face):
        torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))
