import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from drawn_faces import write_drawn_shards
from safetensors.torch import load_file
from torch import nn
from training_process import run

from models.training import runs
from models.training.curves import read_history

STEPS = 4


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    write_drawn_shards(folder, clips=4, validation=1, frames=40)
    return folder


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    (state,) = (folder / "state").iterdir()
    return {**load_file(state / "networks.safetensors"), **load_file(state / "optimizers.safetensors")}


def test_a_killed_run_ends_with_the_bits_of_one_left_alone(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, str(Path(__file__).with_name("training_process.py"))]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    killed, alone = tmp_path / "killed", tmp_path / "alone"
    process = subprocess.Popen(
        [*command, str(data), str(killed), str(STEPS)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "step 2\n":
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    left = runs.read_progress(killed)
    assert left is not None
    assert 0 < left.step < STEPS

    run(data, killed, STEPS)
    run(data, alone, STEPS)
    assert capsys.readouterr().out.startswith(f"began {left.step}\nstep {left.step + 1}\n")

    mended, whole = weights_of(killed), weights_of(alone)
    assert mended.keys() == whole.keys()
    assert all(torch.equal(mended[name], whole[name]) for name in whole)
    for name in ("best.safetensors", "last.safetensors"):
        assert (killed / name).read_bytes() == (alone / name).read_bytes()
    steps = [(point["kind"], point["step"]) for point in read_history(killed)]
    assert steps == [(point["kind"], point["step"]) for point in read_history(alone)]


def test_a_finished_run_is_left_alone_and_goes_on_with_more_steps(data: Path, tmp_path: Path) -> None:
    first = run(data, tmp_path, 1)
    assert first.finished
    before = weights_of(tmp_path)
    assert run(data, tmp_path, 1).step == 1
    assert all(torch.equal(before[name], now) for name, now in weights_of(tmp_path).items())
    assert run(data, tmp_path, 2).step == 2
    assert not all(torch.equal(before[name], now) for name, now in weights_of(tmp_path).items())


def test_half_a_checkpoint_is_none(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.rand(1, 2)).sum().backward()
    optimizer.step()
    runs.save_state(tmp_path, runs.Progress(step=3), {"a": network}, {"a": optimizer})
    part = tmp_path / "state" / "step-00000009.part"
    part.mkdir()
    (part / "networks.safetensors").write_bytes(b"half of it")
    kept = runs.read_progress(tmp_path)
    assert kept is not None
    assert kept.step == 3
    other = nn.Linear(2, 2)
    runs.restore(tmp_path, {"a": other}, {"a": torch.optim.AdamW(other.parameters())})
    assert torch.equal(other.weight, network.weight)
