"""What every articulator promises, for the one that ships and for one over made-up features."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from talking_heads import apart

from infra.media.audio import read_waveform
from manifests.errors import BadInput
from models import weights
from models.articulation import engines
from models.articulation.articulator import TrainedArticulator, read, save
from models.articulation.contract import SAMPLE_RATE, Articulator
from models.articulation.features import RATE_HZ, SIZE, WEIGHTS, SpeechFeatures, load_features
from models.articulation.network import ArticulationConfig, ArticulationNetwork
from models.articulation.shapes import MouthModel

CLIPS = Path(__file__).parents[3] / ".." / "shared" / "data" / "grid" / "s1"
Waveform = npt.NDArray[np.float32]

real = [
    pytest.mark.weights,
    pytest.mark.shared_data,
    pytest.mark.skipif(not CLIPS.is_dir(), reason="the team's clips of GRID are not on this machine"),
    pytest.mark.skipif(not weights.present(WEIGHTS), reason=f"weights that are not on this machine: {WEIGHTS}"),
]


PART_S = 23
PART = slice(PART_S * SAMPLE_RATE, 32 * SAMPLE_RATE)


class LoudnessAndPitch:
    """Stands in for trained weights: features that are the level in bands of the sound around each row."""

    def extract(self, waveform: Waveform) -> npt.NDArray[np.float32]:
        hop = SAMPLE_RATE // RATE_HZ
        rows = -(-len(waveform) // hop)
        if not rows:
            return np.zeros((0, SIZE), np.float32)
        padded = np.pad(waveform, (hop, rows * hop - len(waveform) + hop))
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3 * hop)[::hop][:rows]
        spectrum = np.log1p(np.abs(np.fft.rfft(windows, axis=1)))[:, :SIZE]
        return np.pad(spectrum, ((0, 0), (0, max(0, SIZE - spectrum.shape[1])))).astype(np.float32)


class Remembered:
    """Features of sounds that were heard before, so that each is heard once."""

    def __init__(self, features: SpeechFeatures) -> None:
        self._features = features
        self._known: dict[bytes, npt.NDArray[np.float32]] = {}

    def extract(self, waveform: Waveform) -> npt.NDArray[np.float32]:
        key = waveform.tobytes()
        if key not in self._known:
            self._known[key] = self._features.extract(waveform)
        return self._known[key]


@cache
def remembered_whisper() -> Remembered:
    return Remembered(load_features())


@cache
def speech() -> Waveform:
    """33 s of him, clip after clip."""
    return np.concatenate([read_waveform(path, sample_rate=SAMPLE_RATE) for path in sorted(CLIPS.glob("*.mp4"))[:11]])


@cache
def hum() -> Waveform:
    """33 s that swell twice a second, at pitches that change."""
    time = np.arange(33 * SAMPLE_RATE) / SAMPLE_RATE
    pitch = 150 + 50 * np.sin(2 * np.pi * 0.7 * time)
    return np.asarray(0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE) * np.sin(np.pi * time) ** 2, np.float32)


def untrained(seed: int = 0) -> ArticulationNetwork:
    torch.manual_seed(seed)
    return ArticulationNetwork(ArticulationConfig(shapes=10, hidden=8)).eval()


@pytest.fixture(scope="module", params=["untrained", pytest.param("shipped", marks=real)])
def heard(request: pytest.FixtureRequest, model: MouthModel) -> Iterator[tuple[Articulator, Waveform]]:
    """An articulator, and 33 s of what it knows to hear."""
    if request.param == "untrained":
        yield TrainedArticulator(untrained(), model, Remembered(LoudnessAndPitch())), hum()
    else:
        network, mouth = read(engines.CHECKPOINT)
        yield TrainedArticulator(network, mouth, remembered_whisper()), speech()


def frames(fps: float, duration_s: float) -> npt.NDArray[np.float64]:
    return np.arange(int(duration_s * fps)) / fps


class TestEveryArticulator:
    def test_one_mouth_a_frame_and_closures_that_are_probabilities(self, heard: tuple[Articulator, Waveform]) -> None:
        articulator, waveform = heard
        for fps in (12.5, 25, 29.97, 60):
            told = articulator.listen(waveform, frames(fps, 33))
            assert told.shapes.shape == (int(33 * fps), articulator.mouth.size)
            assert told.shapes.dtype == told.closed.dtype == np.float32
            assert told.closed.shape == (int(33 * fps),)
            assert np.isfinite(told.shapes).all()
            assert told.closed.min() >= 0
            assert told.closed.max() <= 1
            assert told.shapes.std(axis=0).max() > 0.01, "a mouth moves"

    def test_the_mouth_of_a_moment_is_the_same_at_any_rate(self, heard: tuple[Articulator, Waveform]) -> None:
        articulator, waveform = heard
        slow, fast = (articulator.listen(waveform, frames(fps, 33)) for fps in (25, 75))
        assert apart(fast.shapes[::3], slow.shapes) < 1e-5
        assert apart(fast.closed[::3], slow.closed) < 1e-5

    def test_frames_may_come_at_irregular_times_and_in_any_order(self, heard: tuple[Articulator, Waveform]) -> None:
        articulator, waveform = heard
        times = frames(25, 33)
        order = np.random.default_rng(0).permutation(len(times))[:90]
        regular, irregular = articulator.listen(waveform, times), articulator.listen(waveform, times[order])
        assert apart(irregular.shapes, regular.shapes[order]) < 1e-6

    def test_beyond_the_sound_the_mouth_is_the_nearest(self, heard: tuple[Articulator, Waveform]) -> None:
        articulator, waveform = heard
        end = len(waveform) / SAMPLE_RATE
        told = articulator.listen(waveform, np.array([-3.0, 0.0, end + 1, end + 60]))
        assert np.array_equal(told.shapes[0], told.shapes[1])
        assert np.array_equal(told.shapes[2], told.shapes[3])

    def test_the_same_sound_gives_the_same_mouths(self, heard: tuple[Articulator, Waveform], model: MouthModel) -> None:
        articulator, waveform = heard
        one, other = (articulator.listen(waveform, frames(25, 33)) for _ in range(2))
        assert one.shapes.tobytes() == other.shapes.tobytes()
        assert one.closed.tobytes() == other.closed.tobytes()

    def test_no_sound_is_a_closed_mouth(self, heard: tuple[Articulator, Waveform]) -> None:
        articulator, _ = heard
        told = articulator.listen(np.zeros(0, np.float32), frames(25, 2))
        assert told.shapes.shape == (50, articulator.mouth.size)
        assert not told.shapes.any()
        assert (told.closed == 1).all()

    def test_no_frames_have_no_mouths(self, heard: tuple[Articulator, Waveform]) -> None:
        articulator, waveform = heard
        told = articulator.listen(waveform, np.zeros(0))
        assert (told.shapes.shape, told.closed.shape) == ((0, articulator.mouth.size), (0,))

    def test_a_longer_sounds_middle_agrees_with_the_middle_alone(self, heard: tuple[Articulator, Waveform]) -> None:
        articulator, waveform = heard
        alone = articulator.listen(waveform[PART], frames(25, 9)).shapes
        within = articulator.listen(waveform, PART_S + frames(25, 9)).shapes
        inner = slice(25, -25)  # what is heard before and after shapes a mouth for a while
        for one, other in zip(alone[inner, :3].T, within[inner, :3].T, strict=True):
            assert np.corrcoef(one, other)[0, 1] > 0.9


class TestTheOneThatShips:
    pytestmark = real

    @pytest.mark.slow
    def test_in_silence_the_mouth_hardly_moves(self) -> None:
        told = engines.load().listen(np.zeros(2 * SAMPLE_RATE, np.float32), frames(25, 2))
        assert np.isfinite(told.shapes).all()
        assert told.shapes[5:-5, 0].std() < 0.5, "speech has deviation 1"

    def test_windows_of_the_encoder_join_without_a_seam(self) -> None:
        """33 s take two windows, which meet at 29 s: there the mouth goes on as it does in a window about the joint."""
        network, mouth = read(engines.CHECKPOINT)
        articulator = TrainedArticulator(network, mouth, remembered_whisper())
        whole = articulator.listen(speech(), frames(25, 33)).shapes
        about = articulator.listen(speech()[PART], frames(25, 9)).shapes
        near = slice(28 * 25, 30 * 25)
        first = PART_S * 25
        for one, other in zip(whole[near, :3].T, about[near.start - first : near.stop - first, :3].T, strict=True):
            assert np.corrcoef(one, other)[0, 1] > 0.95
        steps = np.linalg.norm(np.diff(whole, axis=0), axis=1)
        assert steps[29 * 25 - 5 : 29 * 25 + 5].max() < np.percentile(steps, 99)

    @pytest.mark.slow
    def test_sounds_that_share_a_window_are_heard_one_by_one(self) -> None:
        network, mouth = read(engines.CHECKPOINT)
        starts = (0, 6, 15)
        clips = [speech()[start * SAMPLE_RATE :][: 3 * SAMPLE_RATE - 123] for start in starts]
        rows = load_features().extract_many(clips)
        assert [each.shape for each in rows] == [(150, SIZE)] * 3
        whole = TrainedArticulator(network, mouth, remembered_whisper()).listen(speech(), frames(25, 33)).shapes
        for start, own in zip(starts, rows, strict=True):
            alone = TrainedArticulator(network, mouth, Known(own)).listen(clips[0], frames(25, 3)).shapes
            assert np.corrcoef(alone[:, 0], whole[start * 25 : (start + 3) * 25, 0])[0, 1] > 0.8


class Known:
    """Features that are there already."""

    def __init__(self, rows: npt.NDArray[np.float32]) -> None:
        self._rows = rows

    def extract(self, waveform: Waveform) -> npt.NDArray[np.float32]:
        return self._rows


def test_a_saved_articulator_is_read_as_it_was(model: MouthModel, tmp_path: Path) -> None:
    network = untrained(3)
    file = tmp_path / "articulation.safetensors"
    save(file, network, model, {"trained on": "nothing"})
    again, mouth = read(file)
    assert again.config == ArticulationConfig(shapes=10, hidden=8)
    for name in ("canonical", "components", "weights", "rest"):
        assert np.array_equal(getattr(mouth, name), getattr(model, name))
    one, other = (
        TrainedArticulator(each, model, LoudnessAndPitch()).listen(hum()[: 2 * SAMPLE_RATE], frames(25, 2))
        for each in (network, again)
    )
    assert np.array_equal(one.shapes, other.shapes)


def test_another_file_is_no_articulator(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    words, other = tmp_path / "words.safetensors", tmp_path / "other.safetensors"
    words.write_text("lips\n")
    save_file({"a": torch.zeros(2)}, other, metadata={"kind": "redub generator"})
    for file in (words, other, tmp_path / "missing.safetensors"):
        with pytest.raises(BadInput, match=r"safetensors file|no articulation network"):
            read(file)


def test_a_network_that_tells_other_numbers_is_refused(model: MouthModel) -> None:
    network = ArticulationNetwork(ArticulationConfig(shapes=3, hidden=4))
    with pytest.raises(ValueError, match="tells 3 numbers, the mouth has 10"):
        TrainedArticulator(network, model, LoudnessAndPitch())
