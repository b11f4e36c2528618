"""One contract over every `LipSyncer`. Weights are fixed by a rule, not trained: the contract holds for any."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save_file

from manifests.errors import BadInput, MissingWeights
from models import weights
from models.lipsync import engines
from models.lipsync.contract import LipSyncer
from models.lipsync.wav2lip import Wav2Lip
from models.wav2lip.checkpoint import load_checkpoint, save_network
from models.wav2lip.config import GeneratorConfig
from models.wav2lip.generator import Generator
from models.wav2lip.untrained import untrained_state

Pictures = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("untrained") / "wav2lip.safetensors"
    save_file(untrained_state(Generator().state_dict()), path)
    return path


def own_checkpoint(folder: Path, config: GeneratorConfig) -> Path:
    """One of the project's own format."""
    network = Generator(config)
    network.load_state_dict(untrained_state(network.state_dict()))
    save_network(network, folder / "own.safetensors", about={})
    return folder / "own.safetensors"


OWN = {
    "large": GeneratorConfig(width=0.125, face_px=192),
    "attentive": GeneratorConfig(width=0.125, attention="lips"),
    "lipgan": GeneratorConfig(width=0.125, arrangement="lipgan"),
    "speech2vid": GeneratorConfig(width=0.125, arrangement="speech2vid"),
}


@pytest.fixture(scope="module", params=["published", *OWN])
def syncer(request: pytest.FixtureRequest, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> LipSyncer:
    """Every adapter once, the one of Wav2Lip with every kind of generator."""
    if config := OWN.get(request.param):
        checkpoint = own_checkpoint(tmp_path_factory.mktemp(request.param), config)
    return engines.load("wav2lip", checkpoint=checkpoint, device="cpu")


@pytest.fixture(scope="module")
def inputs(syncer: LipSyncer) -> tuple[Pictures, Pictures, npt.NDArray[np.float32]]:
    rng = np.random.default_rng(5)
    side = syncer.face_size
    faces, references = (rng.integers(0, 256, (3, side, side, 3), dtype=np.uint8) for _ in range(2))
    return faces, references, rng.uniform(-4, 4, (3, 80, 16)).astype(np.float32)


def apart(one: Pictures, other: Pictures) -> int:
    return int(np.abs(one.astype(int) - other).max())


def test_faces_come_back_as_they_were_asked_for(
    syncer: LipSyncer, inputs: tuple[Pictures, Pictures, npt.NDArray[np.float32]]
) -> None:
    before = [array.copy() for array in inputs]
    faces = syncer.sync(*inputs)
    assert faces.shape == inputs[0].shape
    assert faces.dtype == np.uint8
    for array, kept in zip(inputs, before, strict=True):
        assert (array == kept).all()
    assert (syncer.sync(*inputs) == faces).all()


def test_a_batch_gives_what_its_rows_give(
    syncer: LipSyncer, inputs: tuple[Pictures, Pictures, npt.NDArray[np.float32]]
) -> None:
    together = syncer.sync(*inputs)
    faces, references, mels = inputs
    rows = [slice(row, row + 1) for row in range(len(faces))]
    alone = np.concatenate([syncer.sync(faces[row], references[row], mels[row]) for row in rows])
    assert apart(together, alone) <= 1


def test_no_faces_give_no_faces(syncer: LipSyncer) -> None:
    none = np.empty((0, syncer.face_size, syncer.face_size, 3), np.uint8)
    assert syncer.sync(none, none, np.empty((0, 80, 16), np.float32)).shape == none.shape


def test_only_the_lower_half_is_redrawn_and_it_is_never_looked_at(
    syncer: LipSyncer, inputs: tuple[Pictures, Pictures, npt.NDArray[np.float32]]
) -> None:
    faces, references, mels = inputs
    half = syncer.face_size // 2
    drawn = syncer.sync(*inputs)
    assert (drawn[:, :half] == faces[:, :half]).all()
    hidden = faces.copy()
    hidden[:, half:] = 0
    assert (syncer.sync(hidden, references, mels)[:, half:] == drawn[:, half:]).all()


def test_sound_and_reference_both_count(
    syncer: LipSyncer, inputs: tuple[Pictures, Pictures, npt.NDArray[np.float32]]
) -> None:
    faces, references, mels = inputs
    drawn = syncer.sync(*inputs)
    assert apart(syncer.sync(faces, references, -mels), drawn) > 0
    assert apart(syncer.sync(faces, 255 - references, mels), drawn) > 0


def test_views_and_read_only_arrays_are_taken(
    syncer: LipSyncer, inputs: tuple[Pictures, Pictures, npt.NDArray[np.float32]]
) -> None:
    faces, references, mels = np.flip(inputs[0], axis=0), np.flip(inputs[1], axis=0), np.flip(inputs[2], axis=0)
    faces.flags.writeable = False
    assert apart(np.flip(syncer.sync(faces, references, mels), axis=0), syncer.sync(*inputs)) <= 1


@torch.inference_mode()
def test_wav2lip_is_the_plain_generator_on_blue_first_pictures(checkpoint: Path) -> None:
    syncer = engines.load("wav2lip", checkpoint=checkpoint, device="cpu")
    with torch.device("meta"):
        generator = Generator()
    load_checkpoint(generator, checkpoint)
    rng = np.random.default_rng(6)
    face, reference = (rng.integers(0, 256, (1, 96, 96, 3), dtype=np.uint8) for _ in range(2))
    mels = rng.uniform(-4, 4, (1, 80, 16)).astype(np.float32)
    blue_first = np.concatenate((face[..., ::-1], reference[..., ::-1]), axis=3).transpose(0, 3, 1, 2) / np.float32(255)
    blue_first[:, :3, 48:] = 0
    plain = generator(torch.from_numpy(mels)[:, None], torch.from_numpy(blue_first)).numpy()
    expected = (plain.transpose(0, 2, 3, 1)[..., ::-1] * 255)[:, 48:]
    drawn = syncer.sync(face, reference, mels)[:, 48:]
    assert np.abs(drawn - expected).max() <= 0.75


def test_more_faces_than_a_batch_are_drawn_in_order(checkpoint: Path) -> None:
    syncer = engines.load("wav2lip", checkpoint=checkpoint, device="cpu")
    rng = np.random.default_rng(7)
    faces = rng.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    mels = rng.uniform(-4, 4, (3, 80, 16)).astype(np.float32)
    in_twos = Wav2Lip.from_checkpoint(checkpoint, device="cpu", batch_size=2).sync(faces, faces, mels)
    assert apart(in_twos, syncer.sync(faces, faces, mels)) <= 1


def test_arrays_that_do_not_agree_are_refused(syncer: LipSyncer) -> None:
    faces = np.zeros((2, syncer.face_size, syncer.face_size, 3), np.uint8)
    with pytest.raises(ValueError, match="do not agree"):
        syncer.sync(faces, faces, np.zeros((1, 80, 16), np.float32))


def test_engines_are_loaded_once_and_unknown_ones_are_bad_input(checkpoint: Path, tmp_path: Path) -> None:
    assert engines.load("wav2lip", checkpoint=checkpoint, device="cpu") is engines.load(
        "wav2lip", checkpoint=checkpoint, device="cpu"
    )
    with pytest.raises(BadInput, match="no lip syncer is called 'lipgan'"):
        engines.load("lipgan")
    wrong = tmp_path / "wrong.pth"
    torch.save({"x": torch.zeros(1)}, wrong)
    with pytest.raises(BadInput, match="not a checkpoint of Generator"):
        engines.load("wav2lip", checkpoint=wrong)


def test_missing_weights_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(engines, "SHIPPED", {"wav2lip": tmp_path / "not-shipped.safetensors"})
    for name in engines.ENGINES:
        assert weights.find(engines.weights_of(name)).name == engines.weights_of(name)
        for ask in (engines.load, engines.source_of):
            with pytest.raises(MissingWeights, match="redub weights pull"):
                ask(name)


def test_what_ships_is_used_until_the_user_adopts_another(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path / "store"))
    shipped = own_checkpoint(tmp_path, GeneratorConfig(width=0.125, face_px=192))
    monkeypatch.setattr(engines, "SHIPPED", {"wav2lip": shipped})
    path, revision = engines.source_of("wav2lip")
    assert path == shipped
    assert engines.load("wav2lip", device="cpu").face_size == 192
    with pytest.raises(MissingWeights):
        engines.source_of("wav2lip-gan")
    shipped.write_bytes(shipped.read_bytes() + b"\0")
    assert engines.source_of("wav2lip")[1] != revision

    weights.pull("wav2lip", source=checkpoint)
    path, revision = engines.source_of("wav2lip")
    assert path.read_bytes() == checkpoint.read_bytes()
    assert revision == weights.revision("wav2lip")
    assert engines.load("wav2lip", device="cpu").face_size == 96


def test_a_checkpoint_that_is_not_of_its_config_is_refused(tmp_path: Path) -> None:
    narrow = Generator(GeneratorConfig(width=0.125))
    entry = {"network": "Generator", "config": {"width": 0.25}}
    save_file(narrow.state_dict(), tmp_path / "wrong.safetensors", metadata={"redub": json.dumps(entry)})
    with pytest.raises(BadInput, match="not a checkpoint of Generator"):
        Wav2Lip.from_checkpoint(tmp_path / "wrong.safetensors")
