from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from cli_command import Redub
from cli_media import ODD_NAME, ffmpeg
from PIL import Image

from benchmarks import untrained_checkpoint
from flows.server import Server, StartingServer
from infra.media.audio import write_wav
from models import weights
from models.speech import engines, voices
from models.speech.normalise import normalise


@pytest.fixture
def redub(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> Redub:
    """The command, with a cache and a state of this test's own."""
    folder = tmp_path_factory.mktemp("redub")
    monkeypatch.setenv("REDUB_CACHE", str(folder / "cache"))
    monkeypatch.setenv("REDUB_STATE", str(folder / "state"))
    return Redub(monkeypatch, capsys)


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known to be wrong beforehand is told before a server serves."""

    class Refused(StartingServer):
        def go(self) -> None:
            pytest.fail("a server was started")

    nowhere = Server("http://127.0.0.1:9/api", "http://127.0.0.1:9", embedded=True)
    monkeypatch.setattr("flows.cli.work.prefect_server", lambda: nullcontext(Refused(nowhere, None, None)))


@pytest.fixture
def lectures(tmp_path: Path) -> Path:
    """A folder whose name is as odd as people make them."""
    folder = tmp_path / ODD_NAME
    folder.mkdir()
    return folder


PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=2")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10")


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What people take for lectures: tone.mp4 and silent.mp4 (nobody speaks), mute.mp4 (no audio track), sound.m4a."""
    folder = tmp_path_factory.mktemp("media")
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
    silence = ("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t", "2")
    ffmpeg(*PICTURE, *tone, *X264, "-c:a", "aac", "-movflags", "+faststart", folder / "tone.mp4")
    ffmpeg(*PICTURE, *silence, *X264, "-c:a", "aac", folder / "silent.mp4")
    ffmpeg(*PICTURE, *X264, folder / "mute.mp4")
    ffmpeg(*tone, "-c:a", "aac", folder / "sound.m4a")
    return folder


@pytest.fixture(scope="session")
def usual_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that anybody can bring: lips are the speaker's own mouths, and no network of others draws any."""
    root = tmp_path_factory.mktemp("usual-weights")
    for name in ("kokoro", "yunet", "sface", "facemesh", "whisper-base"):
        if not weights.present(name):
            pytest.skip(f"weights that are not on this machine: {name} (make weights)")
        (root / name).symlink_to(weights.root() / name)
    return root


@pytest.fixture(scope="session")
def weights_with_untrained_lips(usual_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and a Wav2Lip generator that nobody trained: it stands in for trained weights, and draws noise."""
    root = tmp_path_factory.mktemp("weights-with-lips")
    for name in usual_weights.iterdir():
        (root / name.name).symlink_to(name.resolve())
    checkpoint = tmp_path_factory.mktemp("checkpoint") / "untrained.safetensors"
    untrained_checkpoint.write(checkpoint)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDUB_WEIGHTS", str(root))
        weights.pull("wav2lip", source=checkpoint)
    return root


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eileen Collins, a NASA photograph in the public domain that scikit-image carries."""
    from skimage import data

    file = tmp_path_factory.mktemp("portrait") / f"{ODD_NAME}.png"
    Image.fromarray(data.astronaut()).save(file)
    return file


@pytest.fixture(scope="session")
def still_life(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cup of coffee: nobody's face."""
    from skimage import data

    file = tmp_path_factory.mktemp("still-life") / "coffee.jpg"
    Image.fromarray(data.coffee()).save(file)
    return file


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory, usual_weights: Path) -> Path:
    """A word of greeting in WAV, about a second long."""
    voice = voices.find("en-kokoro-am-michael")
    waveform = engines.load("kokoro").speak(normalise("Hello.", "en"), voice)
    file = tmp_path_factory.mktemp("speech") / "hello.wav"
    write_wav(file, waveform, voice.sample_rate)
    return file
