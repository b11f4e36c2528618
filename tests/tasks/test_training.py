import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import BadInput
from models.landmarks.topology import KEPT
from models.metrics import sync_confidence
from models.training import config
from models.training.shards import ClipRef, ShardWriter, Split, shard_folder
from models.wav2lip.checkpoint import read_generator, save_network
from models.wav2lip.config import ExpertConfig, GeneratorConfig
from models.wav2lip.expert import SyncExpert
from models.wav2lip.generator import Generator
from tasks.training import (
    Options,
    TrainingRecord,
    adapt,
    expert_settings,
    lipsync_settings,
    split_clips,
    train_expert,
    train_lipsync,
)


@dataclass
class Watching:
    """Ends a run after `patience` steps."""

    patience: int = 1000
    steps: int = 0

    def began(self, *, step: int, samples: int) -> None:
        pass

    def stepped(self, *, step: int, share: float, values: Mapping[str, float]) -> None:
        self.steps += 1

    def validated(self, *, step: int, values: Mapping[str, float], best: bool) -> None:
        pass

    def wants_end(self) -> bool:
        return self.steps >= self.patience


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    random = np.random.default_rng(0)
    with ShardWriter(shard_folder(folder, 0), 32) as writer:
        for number in range(3):
            faces = random.integers(0, 256, (30, 32, 32, 3)).astype(np.uint8)
            points = random.uniform(0.3, 0.7, (30, len(KEPT), 2)).astype(np.float32)
            mel = random.normal(0, 1, (80, 100)).astype(np.float32)
            writer.add(f"clip{number}", "nobody", "train", faces, points, mel)
    return folder


def tiny(steps: int = 2, rate: float = 1e-3) -> config.ExpertSettings:
    preset = config.expert_tiny()
    schedule = dataclasses.replace(preset.schedule, steps=steps, learning_rate=rate)
    return dataclasses.replace(preset, clips=1, windows=2, extra_sounds=0, validation_clips=1, schedule=schedule)


def clip(name: str, split: Split, index: int = 0) -> ClipRef:
    return ClipRef(shard=0, index=index, name=name, speaker="s", split=split, frame_count=75)


def test_options_change_the_preset_alone_where_they_are_given() -> None:
    plain = expert_settings(Options(preset="tiny"))
    assert plain == config.expert_tiny()
    told = expert_settings(Options(preset="tiny", minutes=3, batch=2, width=0.25, seed=7, threads=2))
    assert (told.schedule.minutes, told.schedule.steps) == (3, None)
    assert (told.clips, told.width, told.seed, told.schedule.threads) == (2, 0.25, 7, 2)
    assert told.schedule.learning_rate == plain.schedule.learning_rate
    assert lipsync_settings(Options(preset="wgan", batch=3)).windows == 3


def test_an_unknown_preset_is_told() -> None:
    with pytest.raises(BadInput, match="cpu, paper, wgan, adapt, tiny"):
        lipsync_settings(Options(preset="huge"))


@pytest.mark.parametrize("make", [config.expert_cpu, config.expert_paper, config.lipsync_cpu, config.lipsync_wgan])
def test_settings_survive_json(make: object) -> None:
    settings = make()  # type: ignore[operator]
    assert config.from_json(type(settings), config.to_json(settings)) == settings


def test_settings_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="validation error"):
        config.from_json(config.ExpertSettings, config.to_json(config.lipsync_cpu()))


def test_clips_are_split_as_they_say_else_by_name() -> None:
    said = [clip("a", "train"), clip("b", "validation", 1), clip("c", "test", 2)]
    training, held_out = split_clips(said, Path("data"))
    assert [each.name for each in training] == ["a"]
    assert [each.name for each in held_out] == ["b"]
    unsaid = [clip(f"clip{number}", "train", number) for number in range(40)]
    training, held_out = split_clips(unsaid, Path("data"))
    assert len(held_out) == 2
    assert len(training) == 38
    assert split_clips(unsaid[::-1], Path("data"))[1] == held_out
    with pytest.raises(BadInput, match="one of each is needed"):
        split_clips([clip("a", "train")], Path("data"))


def test_a_folder_without_shards_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="redub data prepare"):
        train_expert(tmp_path, tmp_path / "run", tiny(), Watching())
    assert not (tmp_path / "run").exists()


def test_a_run_ends_when_asked_and_is_taken_up_again(data: Path, tmp_path: Path) -> None:
    stopped = train_expert(data, tmp_path, tiny(steps=3), Watching(patience=1))
    assert (stopped.step, stopped.finished, stopped.best) == (1, False, None)
    watching = Watching()
    done = train_expert(data, tmp_path, tiny(steps=3), watching)
    assert (done.step, done.finished, watching.steps) == (3, True, 2)
    assert done.best == tmp_path / "best.safetensors"
    assert train_expert(data, tmp_path, tiny(steps=3), watching).finished
    assert watching.steps == 2
    assert train_expert(data, tmp_path, tiny(steps=1), watching).finished

    with pytest.raises(BadInput, match="begun with clips 1, not 2"):
        train_expert(data, tmp_path, dataclasses.replace(tiny(steps=3), clips=2), Watching())
    with pytest.raises(BadInput, match="a run of another kind"):
        train_lipsync(data, tmp_path, dataclasses.replace(config.lipsync_tiny(), sync_weight=0), Watching())
    with pytest.raises(BadInput, match=r"Give --width 0\.125"):
        wider = dataclasses.replace(tiny(), width=0.25)
        train_expert(data, tmp_path / "wider", wider, Watching(), start=tmp_path / "best.safetensors")


def test_a_run_that_never_began_leaves_nothing_in_the_way(data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="width"):
        train_expert(data, tmp_path / "run", dataclasses.replace(tiny(), width=7.0), Watching())
    assert train_expert(data, tmp_path / "run", tiny(), Watching()).finished


def test_a_folder_that_holds_other_things_is_left_alone(data: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(BadInput, match="holds other things"):
        train_expert(data, tmp_path, tiny(), Watching())
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_that_runs_away_says_what_to_do(data: Path, tmp_path: Path) -> None:
    train_expert(data, tmp_path, tiny(steps=4), Watching(patience=1))
    with pytest.raises(BadInput, match="lower --learning-rate"):
        train_expert(data, tmp_path, tiny(steps=4, rate=float("inf")), Watching())
    assert train_expert(data, tmp_path, tiny(steps=4), Watching()).finished


def test_the_sync_loss_needs_an_expert(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_confidence, "OWN_CHECKPOINT", tmp_path / "absent.safetensors")
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(BadInput, match="redub train expert"):
        train_lipsync(data, tmp_path, config.lipsync_tiny(), Watching())


LECTURE = Path(__file__).parents[3] / "shared" / "data" / "lecture" / "lecture_en.mp4"


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.shared_data
@pytest.mark.skipif(not LECTURE.exists(), reason="the team's sample lecture is not here")
def test_weights_are_adapted_to_the_faces_of_a_lecture(tmp_path: Path) -> None:
    """Untrained networks stand in for trained weights: what matters is the way from lecture to weights."""
    generator, expert = tmp_path / "generator.safetensors", tmp_path / "expert.safetensors"
    save_network(Generator(GeneratorConfig(width=0.125)), generator, about={})
    save_network(SyncExpert(ExpertConfig(width=0.125)), expert, about={})
    told: list[tuple[str, int, int]] = []

    def adapted(steps: int) -> TrainingRecord:
        options = Options(preset="adapt", steps=steps, batch=1, learning_rate=2e-3, threads=1)
        return adapt(
            LECTURE,
            tmp_path / "prof",
            options,
            Watching(),
            lambda what, done, total: told.append((what, done, total)),
            expert=expert,
            start=generator,
        )

    assert adapted(3).best == tmp_path / "prof" / "run" / "best.safetensors"
    assert told[-1][1] == told[-1][2] > 1
    assert read_generator(tmp_path / "prof" / "run" / "best.safetensors").config == GeneratorConfig(width=0.125)
    made = (tmp_path / "prof" / "data" / "shard-0000" / "faces.bin").stat().st_mtime_ns
    assert adapted(5).step == 5
    assert (tmp_path / "prof" / "data" / "shard-0000" / "faces.bin").stat().st_mtime_ns == made
