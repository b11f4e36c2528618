from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from manifests.errors import BadInput, NoSpace
from models.wav2lip.checkpoint import read_about, read_expert, read_generator, save_network
from models.wav2lip.config import ExpertConfig, GeneratorConfig
from models.wav2lip.expert import SyncExpert
from models.wav2lip.generator import Generator
from models.wav2lip.layers import fold_batch_norm
from models.wav2lip.untrained import untrained_state

ABOUT = {"data": "none", "seed": "7"}


@pytest.fixture
def generator() -> Generator:
    network = Generator(GeneratorConfig(width=0.125, arrangement="lipgan", attention="lips"))
    network.load_state_dict(untrained_state(network.state_dict()))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def same(one: nn.Module, other: nn.Module, tolerance: float = 0) -> None:
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], tensor, rtol=tolerance, atol=tolerance)


def test_a_generator_comes_back_as_it_was_saved(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "new" / "generator.safetensors"
    save_network(generator, path, about=ABOUT)
    read = read_generator(path)
    assert read.config == generator.config
    assert not read.training
    assert read_about(path) == ABOUT
    same(generator, read)
    assert [held.name for held in path.parent.iterdir()] == [path.name]


def test_half_precision_halves_the_file_and_keeps_the_network(generator: Generator, tmp_path: Path) -> None:
    save_network(generator, tmp_path / "whole", about=ABOUT)
    save_network(generator, tmp_path / "half", about=ABOUT, dtype=torch.float16)
    assert (tmp_path / "half").stat().st_size < 0.6 * (tmp_path / "whole").stat().st_size
    read = read_generator(tmp_path / "half")
    assert {tensor.dtype for tensor in read.parameters()} == {torch.float32}
    same(generator, read, tolerance=1e-3)


def test_equal_networks_give_equal_files(generator: Generator, tmp_path: Path) -> None:
    save_network(generator, tmp_path / "one", about=ABOUT)
    save_network(generator, tmp_path / "two", about=dict(reversed(ABOUT.items())))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_expert_comes_back_and_is_no_generator(tmp_path: Path) -> None:
    expert = SyncExpert(ExpertConfig(width=0.125))
    save_network(expert, tmp_path / "expert", about={})
    same(expert, read_expert(tmp_path / "expert"))
    with pytest.raises(BadInput, match="holds a SyncExpert, not a Generator"):
        read_generator(tmp_path / "expert")


@pytest.mark.parametrize("name", ["published.pth", "published.safetensors"])
def test_a_published_checkpoint_is_the_papers_network(name: str, tmp_path: Path) -> None:
    state = untrained_state(SyncExpert().state_dict())
    if name.endswith("pth"):
        torch.save({"state_dict": state}, tmp_path / name)
    else:
        save_file(state, tmp_path / name)
    read = read_expert(tmp_path / name)
    assert read.config == ExpertConfig()
    assert read_about(tmp_path / name) == {}
    torch.testing.assert_close(dict(read.state_dict()), state, rtol=0, atol=0)


@pytest.mark.parametrize(
    "entry",
    [
        "not JSON",
        "[]",
        '{"network": "Generator"}',
        '{"network": "Generator", "config": {"width": 0}}',
        '{"network": "Generator", "config": {"width": 0.25}}',
        '{"network": "Generator", "config": {"width": 0.125, "attention": "lips"}}',
        '{"config": {"width": 0.125}}',
    ],
)
def test_metadata_that_does_not_fit_is_bad_input(entry: str, tmp_path: Path) -> None:
    network = Generator(GeneratorConfig(width=0.125))
    save_file(network.state_dict(), tmp_path / "file", metadata={"redub": entry})
    with pytest.raises(BadInput, match="file"):
        read_generator(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"junk", struct.pack("<Q", 20) + b"{" + b" " * 30])
def test_what_is_no_checkpoint_is_bad_input(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BadInput, match="file"):
        read_generator(tmp_path / "file")
    with pytest.raises(BadInput, match="no such checkpoint"):
        read_generator(tmp_path / "absent")


def test_a_cut_file_is_bad_input(generator: Generator, tmp_path: Path) -> None:
    save_network(generator, tmp_path / "file", about=ABOUT)
    (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes()[:-100])
    with pytest.raises(BadInput, match="not a readable checkpoint"):
        read_generator(tmp_path / "file")


def test_a_folded_network_is_not_written(generator: Generator, tmp_path: Path) -> None:
    fold_batch_norm(generator.eval())
    with pytest.raises(ValueError, match="fold_batch_norm"):
        save_network(generator, tmp_path / "file", about=ABOUT)
    assert not (tmp_path / "file").exists()


def test_a_full_disk_leaves_what_was_there(
    generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_network(generator, tmp_path / "file", about=ABOUT)
    before = (tmp_path / "file").read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NoSpace):
        save_network(generator, tmp_path / "file", about={"seed": "8"})
    assert (tmp_path / "file").read_bytes() == before
    assert [held.name for held in tmp_path.iterdir()] == ["file"]


def test_metadata_is_one_readable_entry(generator: Generator, tmp_path: Path) -> None:
    save_network(generator, tmp_path / "file", about=ABOUT)
    content = (tmp_path / "file").read_bytes()
    header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    entry = json.loads(header["__metadata__"]["redub"])
    assert entry["network"] == "Generator"
    assert GeneratorConfig.from_json(json.dumps(entry["config"])) == generator.config
