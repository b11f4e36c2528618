"""Would an official checkpoint load, and give the original's numbers? (The team's shared/reference has the rules.)"""

from __future__ import annotations

import json
import wave
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from models.s3fd.network import S3FD
from models.syncnet.lse import distance_by_offset, lip_sync_error
from models.syncnet.mfcc import mfcc
from models.syncnet.network import SyncNet
from models.wav2lip.discriminator import QualityDiscriminator
from models.wav2lip.expert import SyncExpert
from models.wav2lip.generator import Generator
from models.wav2lip.layers import fold_batch_norm
from models.wav2lip.mel import mel_spectrogram
from models.wav2lip.untrained import untrained_state

REFERENCE = Path(__file__).parents[3].parent / "shared" / "reference"
RELATIVE_TOLERANCE = 1e-4

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not (REFERENCE / "reference.npz").is_file(), reason="the team's shared/reference is not here"),
]

NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "wav2lip_generator": Generator,
    "syncnet_expert": SyncExpert,
    "quality_discriminator": QualityDiscriminator,
    "syncnet_v2": SyncNet,
    "s3fd": S3FD,
}


@pytest.fixture(scope="module")
def reference() -> Mapping[str, npt.NDArray[np.float32]]:
    with np.load(REFERENCE / "reference.npz") as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def speech() -> npt.NDArray[np.int16]:
    with wave.open(str(REFERENCE / "speech.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def fixed_input(name: str, shape: tuple[int, ...], low: float, high: float) -> Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(f"dev.{name}".encode()))
    return torch.rand(shape, generator=generator) * (high - low) + low


def filled(name: str) -> nn.Module:
    network = NETWORKS[name]()
    network.load_state_dict(untrained_state(network.state_dict()))
    return network.eval()


def assert_same(found: Tensor | npt.NDArray[np.float32], expected: npt.NDArray[np.float32]) -> None:
    """Within the tolerance of the whole array's length: single values near 0 or 1 hold float32's own rounding.

    The same generator in float64 differs from its reference by 3e-4 at the worst pixel, and by 6e-6 so measured.
    """
    got = np.asarray(found)
    assert got.shape == expected.shape
    assert np.linalg.norm(got - expected) <= RELATIVE_TOLERANCE * np.linalg.norm(expected)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_published_state_dict_fits(name: str) -> None:
    published = json.loads((REFERENCE / "state_dict_shapes.json").read_text())[name]
    found = {key: list(tensor.shape) for key, tensor in NETWORKS[name]().state_dict().items()}
    assert found == dict(published)


@torch.inference_mode()
def test_wav2lip_generator(reference: Mapping[str, npt.NDArray[np.float32]]) -> None:
    generator = filled("wav2lip_generator")
    audio = fixed_input("wav2lip.audio", (2, 1, 80, 16), -4, 4)
    face = fixed_input("wav2lip.face", (2, 6, 96, 96), 0, 1)
    assert_same(generator(audio, face), reference["wav2lip.out"])
    fold_batch_norm(generator)
    channels_last = generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert_same(channels_last(audio, face), reference["wav2lip.out"])
    assert_same(channels_last(audio, face, first_row=48), reference["wav2lip.out"][:, :, 48:])


@torch.inference_mode()
def test_sync_expert(reference: Mapping[str, npt.NDArray[np.float32]]) -> None:
    audio = fixed_input("expert.audio", (2, 1, 80, 16), -4, 4)
    face = fixed_input("expert.face", (2, 15, 48, 96), 0, 1)
    audio_embedding, face_embedding = filled("syncnet_expert")(audio, face)
    assert_same(audio_embedding, reference["expert.audio_embedding"])
    assert_same(face_embedding, reference["expert.face_embedding"])


@torch.inference_mode()
def test_quality_discriminator(reference: Mapping[str, npt.NDArray[np.float32]]) -> None:
    face = fixed_input("quality.face", (2, 3, 5, 96, 96), 0, 1)
    assert_same(filled("quality_discriminator")(face), reference["quality.out"])


@torch.inference_mode()
def test_syncnet(reference: Mapping[str, npt.NDArray[np.float32]]) -> None:
    network = filled("syncnet_v2")
    audio, lips = network(
        fixed_input("syncnet.mfcc", (2, 1, 13, 20), -20, 20), fixed_input("syncnet.lip", (2, 3, 5, 224, 224), 0, 255)
    )
    assert_same(lips, reference["syncnet.lip_embedding"])
    assert_same(audio, reference["syncnet.audio_embedding"])


@torch.inference_mode()
def test_s3fd(reference: Mapping[str, npt.NDArray[np.float32]]) -> None:
    maps = filled("s3fd")(fixed_input("s3fd.image", (1, 3, 128, 160), -123, 132))
    assert len(maps) == 12
    for index, found in enumerate(maps):
        assert_same(found, reference[f"s3fd.out{index}"])


def test_lse(reference: Mapping[str, npt.NDArray[np.float32]]) -> None:
    lips = fixed_input("lse.lip", (40, 1024), 0, 1)
    audio = (fixed_input("lse.audio", (40, 1024), 0, 1) * 0.6 + torch.roll(lips, 3, dims=0) * 0.4).numpy()
    mean = distance_by_offset(lips.numpy(), audio).mean(axis=0)
    assert_same(mean, reference["lse.mean_distance_by_offset"])
    error = lip_sync_error(lips.numpy(), audio)
    found = (error.offset_frames, error.distance, error.confidence)
    assert found == pytest.approx(reference["lse.offset_distance_confidence"], rel=RELATIVE_TOLERANCE)


def test_mel(reference: Mapping[str, npt.NDArray[np.float32]], speech: npt.NDArray[np.int16]) -> None:
    assert_same(mel_spectrogram(speech.astype(np.float32) / np.float32(32768)), reference["mel.out"])


def test_mfcc(reference: Mapping[str, npt.NDArray[np.float32]], speech: npt.NDArray[np.int16]) -> None:
    assert_same(mfcc(speech), reference["mfcc.out"])
