"""Tiny runs that must learn: seconds on one core, from data to weights."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import pytest
import torch
from drawn_faces import write_drawn_shards
from torch import nn

from models.training import config
from models.training.curves import read_history
from models.training.lipsync import LipsyncTrainee
from models.training.loop import Moment
from models.training.shards import open_shards
from models.wav2lip.checkpoint import read_about, read_expert, read_generator
from tasks.training import train_expert, train_lipsync


class Watching:
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.validations: list[Mapping[str, float]] = []
        self.steps: list[Mapping[str, float]] = []

    def began(self, *, step: int, samples: int) -> None:
        pass

    def stepped(self, *, step: int, share: float, values: Mapping[str, float]) -> None:
        self.steps.append(values)

    def validated(self, *, step: int, values: Mapping[str, float], best: bool) -> None:
        self.validations.append(values)

    def wants_end(self) -> bool:
        return False


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    write_drawn_shards(folder, clips=20, validation=4)
    return folder


@pytest.fixture(scope="module")
def expert_run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Watching]:
    tiny = config.expert_tiny()
    settings = dataclasses.replace(
        tiny,
        clips=4,
        windows=3,
        extra_sounds=5,
        augment_steps=2000,
        schedule=dataclasses.replace(tiny.schedule, steps=60, learning_rate=4e-3, validate_every=60),
    )
    out, watching = tmp_path_factory.mktemp("runs") / "expert", Watching()
    train_expert(data, out, settings, watching)
    return out, watching


def test_an_expert_learns_to_tell_sounds_apart(expert_run: tuple[Path, Watching]) -> None:
    out, watching = expert_run
    (values,) = watching.validations
    assert values["told"] > 0.65  # 0.5 by chance
    assert values["ranked"] > 0.7
    assert read_expert(out / "best.safetensors").config.width == 0.125
    assert read_about(out / "best.safetensors")["temperature"] == "0.07"


def test_a_run_leaves_its_curves(expert_run: tuple[Path, Watching]) -> None:
    out, watching = expert_run
    points = read_history(out)
    assert [point["step"] for point in points if point["kind"] == "train"] == [10, 20, 30, 40, 50, 60]
    assert points[0]["loss"] == pytest.approx(sum(step["loss"] for step in watching.steps[:10]) / 10)
    assert points[-1]["kind"] == "validation"
    picture = cv2.imread(str(out / "curves.png"))
    assert picture is not None
    assert picture.std() > 5
    assert any((out / "tensorboard").iterdir())


def test_a_generator_learns_to_draw(data: Path, expert_run: tuple[Path, Watching], tmp_path: Path) -> None:
    tiny = config.lipsync_tiny()
    settings = dataclasses.replace(
        tiny,
        upper_share=0.0,
        sync_weight=0.01,
        sync_from=0.8,
        pictures=config.NO_PICTURE_AUGMENT,
        schedule=dataclasses.replace(tiny.schedule, steps=30, learning_rate=4e-3, validate_every=30),
    )
    shards, watching = open_shards(data), Watching()
    held_out = shards.of_split("validation")
    untaught = dataclasses.replace(settings, sync_weight=0.0)
    before = LipsyncTrainee(shards, shards.of_split("train"), held_out, untaught, None).validate()
    record = train_lipsync(data, tmp_path / "run", settings, watching, expert=expert_run[0] / "best.safetensors")
    (last,) = watching.validations
    assert last["l1"] < 0.6 * before["l1"]
    assert ["sync" in values for values in watching.steps] == [False] * 24 + [True] * 6
    assert record.best is not None
    assert read_generator(record.best).config.width == 0.125
    strips = cv2.imread(str(tmp_path / "run" / "samples" / "step-00000030.png"))
    assert strips is not None
    assert strips.shape == (2 * 96, 4 * 96, 3)
    middle = strips[48:96, 96:192]
    assert (middle == 0).all()  # what the generator is not shown


def numbers(network: nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in network.parameters()])


@pytest.mark.parametrize(
    ("adversary", "told"),
    [("discriminator", {"real", "fake", "adversarial"}), ("critic", {"real", "fake", "adversarial", "penalty"})],
)
def test_a_judge_learns_beside_the_generator(data: Path, adversary: config.Adversary, told: set[str]) -> None:
    settings = dataclasses.replace(
        config.lipsync_tiny(),
        sync_weight=0.0,
        windows=1,
        adversary=adversary,
        adversarial_weight=0.01,
        adversarial_from=0.5,
        critic_steps=2,
    )
    shards = open_shards(data)
    trainee = LipsyncTrainee(shards, shards.of_split("train"), [], settings, None)
    before = {name: numbers(each) for name, each in trainee.networks.items()}
    early = trainee.learn(trainee.batch(0), Moment(0, 0.0, 1e-3))
    judge = numbers(trainee.networks["judge"])
    assert told.isdisjoint(early)
    assert torch.equal(judge, before["judge"])
    assert told <= trainee.learn(trainee.batch(1), Moment(1, 0.5, 1e-3)).keys()
    for name, network in trainee.networks.items():
        assert not torch.equal(numbers(network), before[name])
