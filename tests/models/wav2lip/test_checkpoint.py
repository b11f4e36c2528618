from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from manifests.errors import BadInput
from models.wav2lip.checkpoint import load_checkpoint, read_state
from models.wav2lip.discriminator import QualityDiscriminator
from models.wav2lip.untrained import untrained_state


class Small(nn.Module):
    """Stands in for a network: what is tested is the file's wrapping."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.layer(x))
        return y


def state() -> dict[str, Tensor]:
    return untrained_state(Small().state_dict())


def save(wrapping: str, path: Path) -> None:
    if wrapping == "safetensors":
        save_file(state(), path)
    elif wrapping == "torchscript":
        network = Small().eval()
        network.load_state_dict(state())
        torch.jit.trace(network, torch.zeros(1, 3)).save(str(path))  # type: ignore[no-untyped-call]
    elif wrapping == "training":
        held = {f"module.{name}": tensor for name, tensor in state().items()}
        torch.save({"state_dict": held, "optimizer": None, "global_step": 3, "global_epoch": 1}, path)
    elif wrapping == "legacy":
        torch.save(state(), path, _use_new_zipfile_serialization=False)
    else:
        torch.save(state(), path)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("wrapping", ["plain", "training", "legacy", "safetensors", "torchscript"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_every_wrapping_gives_the_same_tensors(wrapping: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"checkpoint{suffix}"
    save(wrapping, path)
    network = Small()
    load_checkpoint(network, path)
    assert not network.training
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, state()[name])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda held: held.pop("layer.bias"), "layer.bias is missing"),
        (lambda held: held.update(extra=torch.zeros(1)), "extra is not of this network"),
        (lambda held: held.update({"layer.weight": torch.zeros(2, 4)}), "layer.weight is 2x4, not 2x3"),
    ],
)
def test_a_checkpoint_of_another_network_names_the_tensor(change: object, complaint: str, tmp_path: Path) -> None:
    held = state()
    change(held)  # type: ignore[operator]
    torch.save(held, tmp_path / "other.pth")
    with pytest.raises(BadInput, match=complaint) as caught:
        load_checkpoint(Small(), tmp_path / "other.pth")
    assert caught.value.where == str(tmp_path / "other.pth")
    assert "redub weights" in caught.value.remedy


def test_batch_counters_may_be_missing(tmp_path: Path) -> None:
    held = state()
    del held["norm.num_batches_tracked"]
    torch.save(held, tmp_path / "old.pth")
    load_checkpoint(Small(), tmp_path / "old.pth")


def run_me() -> None:
    raise AssertionError("a checkpoint ran code")


class Pickled:
    def __reduce__(self) -> tuple[object, ...]:
        return run_me, ()


@pytest.mark.parametrize(
    "content", [b"", b"<html>not found</html>", b"{" * 64, b"PK\x03\x04 cut short", b"\x80\x02", b"junk\n"]
)
def test_what_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.pth").write_bytes(content)
    with pytest.raises(BadInput, match=r"broken\.pth"):
        read_state(tmp_path / "broken.pth")


def test_code_in_a_pickle_is_refused_not_run(tmp_path: Path) -> None:
    torch.save({"state_dict": Pickled()}, tmp_path / "evil.pth")
    with pytest.raises(BadInput, match="not a readable checkpoint"):
        read_state(tmp_path / "evil.pth")


def test_a_missing_file_and_a_file_without_tensors_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such checkpoint"):
        read_state(tmp_path / "absent.pth")
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(BadInput, match="no state dict"):
        read_state(tmp_path / "empty.pth")


def test_the_discriminator_judges_the_lower_half_alone() -> None:
    network = QualityDiscriminator().eval()
    network.load_state_dict(untrained_state(network.state_dict()))
    faces = torch.rand((1, 3, 2, 96, 96), generator=torch.Generator().manual_seed(1))
    judged = network(faces)
    upper, lower = faces.clone(), faces.clone()
    upper[:, :, :, :48] = 0
    lower[:, :, 1, 48:] = 0
    torch.testing.assert_close(network(upper), judged)
    assert network(lower)[0] == judged[0]
    assert network(lower)[1] != judged[1]
