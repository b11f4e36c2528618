from __future__ import annotations

import fcntl
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from media_checks import ffmpeg
from redub_command import Dubbed, Redub

from models.weights import store as weights

REPOSITORY = Path(__file__).parents[2]
NEEDED = (
    "whisper-base",
    "opus-mt-en-fr",
    "kokoro",
    "yunet",
    "sface",
    "facemesh",
    "age-gender",
    "ge2e",
    "spleeter",
)


@pytest.fixture(scope="session")
def usual_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that anybody can bring: lips are the speaker's own mouths, and no network of others draws any."""
    return _linked_weights(tmp_path_factory.mktemp("usual-weights"))


@pytest.fixture(scope="session")
def weights_with_untrained_lips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and a Wav2Lip generator that nobody trained: it stands in for trained weights, and draws noise."""
    root = _linked_weights(tmp_path_factory.mktemp("weights-with-lips"))
    checkpoint = tmp_path_factory.mktemp("checkpoint") / "untrained.safetensors"
    _module("benchmarks.untrained_checkpoint", checkpoint)
    folder = tmp_path_factory.mktemp("pull")
    Redub(folder / "cache", folder / "state", root).run("weights", "pull", "wav2lip", "--from", checkpoint).result  # noqa: B018
    return root


def _linked_weights(root: Path) -> Path:
    missing = [name for name in NEEDED if not weights.present(name)]
    if missing:
        pytest.skip(f"weights that are not on this machine: {', '.join(missing)} (make weights)")
    for name in NEEDED:
        (root / name).symlink_to(weights.root() / name)
    return root


def _module(name: str, *arguments: Path) -> None:
    subprocess.run([sys.executable, "-m", name, *map(str, arguments)], cwd=REPOSITORY, check=True, capture_output=True)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, usual_weights: Path) -> Path:
    """The sample lecture: a slide, a talking head, a slide; 23 s in English. Its voices are synthetic."""
    file = tmp_path_factory.mktemp("sample") / "lecture.mp4"
    _module("benchmarks.sample", file)
    return file


@pytest.fixture(scope="session")
def short_lecture(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """One sentence of the talking head and one of the slide after it."""
    file = tmp_path_factory.mktemp("short") / "short.mp4"
    ffmpeg("-v", "error", "-ss", "11.2", "-i", str(sample), "-t", "9.6", "-g", "25", str(file))
    return file


@pytest.fixture(scope="session")
def sample_dub(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Dubbed:
    """The sample's dub, made once a test run: processes that run side by side wait for the one that makes it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return _dub(request, tmp_path_factory.mktemp("sample-dub"))
    folder = tmp_path_factory.getbasetemp().parent / f"sample-dub-{run}"
    folder.mkdir(exist_ok=True)
    made = folder / "dubbed.pickle"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_bytes(pickle.dumps(_dub(request, folder)))
    dubbed = pickle.loads(made.read_bytes())  # noqa: S301 (written above, by this very run)
    assert isinstance(dubbed, Dubbed)
    return dubbed


def _dub(request: pytest.FixtureRequest, folder: Path) -> Dubbed:
    sample, weights_here = request.getfixturevalue("sample"), request.getfixturevalue("usual_weights")
    return Redub(folder / "cache", folder / "state", weights_here).dub(sample, folder / "out")
