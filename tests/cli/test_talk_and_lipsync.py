"""`redub talk` and `redub lipsync` as people run them: text or a recording, with an image or a video.

Where Wav2Lip draws the lips its generator is untrained: it stands in for trained weights, so mouths are noise; where
they are put is real.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pytest
from cli_command import Ended, Redub
from cli_media import ODD_NAME, ffmpeg, zoomed_portrait
from PIL import Image

from flows.server import Server
from infra.media.audio import read_waveform
from infra.media.frames import read_frames
from infra.media.probe import probe

pytestmark = [pytest.mark.weights, pytest.mark.usefixtures("server")]

FRAME_S = 1 / 25
# Where a person sees her mouth and chin in the picture, as shares of its width and height.
MOUTH_IN_PORTRAIT = (0.36, 0.23, 0.52, 0.36)
MOUTH_IN_VIDEO = (0.39, 0.26, 0.60, 0.44)
OUTSIDE_LEAST_DB = 34.0
ANOTHER_MOUTH = 2.0  # mean difference, in levels, of a mouth that has been moved at all from one that was only coded
NOISE = 10.0
CODED = 3.0


@dataclass(frozen=True)
class Made:
    """A finished file: durations in seconds, codecs, and the frames as (n, h, w, 3)."""

    path: Path
    picture_s: float
    sound_s: float
    codecs: tuple[str, ...]
    channels: int
    comment: str

    @property
    def frames(self) -> npt.NDArray[np.int16]:
        return np.stack([frame for _, frame in read_frames(self.path)]).astype(np.int16)


def look(path: Path) -> Made:
    with av.open(str(path)) as container:
        codecs = tuple(stream.codec_context.name for stream in container.streams if stream.type in ("video", "audio"))
        channels = container.streams.audio[0].codec_context.channels
        comment = container.metadata["comment"]
    sound_s = len(read_waveform(path, sample_rate=48_000)) / 48_000
    return Made(path, probe(path).span.duration_s, sound_s, codecs, channels, comment)


def result(ended: Ended) -> dict[str, object]:
    assert ended.code == 0, ended.err or ended.out
    return ended.events[-1]


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch, weights_with_untrained_lips: Path) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(weights_with_untrained_lips))


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch, usual_weights: Path) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(usual_weights))


def without_lips(redub: Redub, face: Path, audio: Path, out: Path) -> Made:
    """The same face while it is silent: a portrait breathes."""
    result(redub("lipsync", "--face", face, "--audio", audio, "--out", out, "--lips", "none", "--json"))
    return look(out)


@pytest.fixture(scope="module")
def half_second_face(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zoomed_portrait(12, tmp_path_factory.mktemp("face") / "face.mp4")


def assert_mouth_alone_changed(
    made: Made, original: npt.NDArray[np.int16], mouth: tuple[float, ...], least: float = ANOTHER_MOUTH
) -> None:
    frames = made.frames
    height, width = frames.shape[1:3]
    x0, y0, x1, y1 = (round(share * size) for share, size in zip(mouth, (width, height) * 2, strict=True))
    difference = (frames - original).astype(np.float64)
    inside = difference[:, y0:y1, x0:x1].copy()
    difference[:, y0:y1, x0:x1] = 0
    per_frame = (difference**2).mean(axis=(1, 2, 3))
    assert 10 * np.log10(255**2 / per_frame.max()) > OUTSIDE_LEAST_DB
    assert (np.abs(inside).mean(axis=(1, 2, 3)) > least).all(), "a frame shows the old mouth"


@pytest.mark.usefixtures("usual")
def test_an_image_says_a_recording(redub: Redub, portrait: Path, speech: Path, tmp_path: Path) -> None:
    out = tmp_path / ODD_NAME / f"{ODD_NAME}.mp4"
    said = result(redub("lipsync", "--face", portrait, "--audio", speech, "--out", out, "--json"))
    made = look(out)
    sidecar = out.with_suffix(".c2pa")
    assert said["files"] == {"und": [str(out), str(sidecar)]}
    assert said["degraded"] == {"und": 0}
    given_s = len(read_waveform(speech, sample_rate=48_000)) / 48_000
    assert abs(made.picture_s - given_s) <= FRAME_S
    assert abs(made.sound_s - given_s) <= FRAME_S
    assert made.codecs == ("h264", "aac")
    assert made.comment == "Lip movements of the speaker are synthetic."
    assert sorted(out.parent.iterdir()) == [sidecar, out]
    stated = result(redub("verify", out, "--source", portrait, "--json"))["statement"]
    assert isinstance(stated, dict)
    assert (stated["synthetic_speech"], stated["synthetic_lips"]) == (False, True)
    assert (stated["source_language"], stated["language"], stated["voices"]) == (None, None, [])
    assert [each["purpose"] for each in stated["models"]] == ["lips"]
    silent = without_lips(redub, portrait, speech, tmp_path / "silent.mp4")
    assert_mouth_alone_changed(made, silent.frames, MOUTH_IN_PORTRAIT)
    still = np.asarray(Image.open(portrait)).astype(np.int16)
    assert np.abs(silent.frames[0] - still).mean() < CODED


@pytest.mark.usefixtures("usual")
def test_a_video_says_a_text_from_a_file(redub: Redub, half_second_face: Path, tmp_path: Path) -> None:
    words, out = tmp_path / "words.txt", tmp_path / "out.mp4"
    words.write_text("Bonjour.\n", encoding="utf-8")
    said = result(
        redub("talk", "--face", half_second_face, "--text", f"@{words}", "--lang", "FR", "--out", out, "--json")
    )
    made = look(out)
    assert said["degraded"] == {"fr": 0}
    assert abs(made.picture_s - made.sound_s) <= FRAME_S
    assert made.codecs == ("h264", "aac")
    assert made.comment == "The speech in this file is synthetic. Lip movements of the speaker are synthetic."
    stated = result(redub("verify", out, "--source", half_second_face, "--json"))["statement"]
    assert isinstance(stated, dict)
    assert (stated["synthetic_speech"], stated["synthetic_lips"], stated["language"]) == (True, True, "fr")
    assert [each["purpose"] for each in stated["models"]] == ["voice", "lips"]
    # Played back and forth: 0 1 ... 11 10 ... 1 0 1 ...
    count = len(made.frames)
    assert count > 12
    turn = [*range(12), *range(10, 0, -1)]
    face = np.stack([frame for _, frame in read_frames(half_second_face)]).astype(np.int16)
    assert_mouth_alone_changed(made, face[[turn[i % len(turn)] for i in range(count)]], MOUTH_IN_VIDEO)


@pytest.mark.usefixtures("untrained")
def test_lips_may_be_drawn_by_a_network(redub: Redub, portrait: Path, speech: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    said = result(redub("lipsync", "--face", portrait, "--audio", speech, "--out", out, "--lips", "wav2lip", "--json"))
    made = look(out)
    assert said["degraded"] == {"und": 0}
    assert said["lip_frames"] == {"und": len(made.frames)}
    assert made.comment == "Lip movements of the speaker are synthetic."
    silent = without_lips(redub, portrait, speech, tmp_path / "silent.mp4")
    assert_mouth_alone_changed(made, silent.frames, MOUTH_IN_PORTRAIT, NOISE)


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize(("lips", "told"), [("none", ""), ("wav2lip-gan", "no lip-sync weights on this machine")])
def test_a_video_that_fits_is_copied_frame_for_frame_without_lips(
    redub: Redub, speech: Path, tmp_path: Path, lips: str, told: str
) -> None:
    given_s = len(read_waveform(speech, sample_rate=48_000)) / 48_000
    face = zoomed_portrait(round(given_s * 25), tmp_path / "face.mp4")
    said = redub("lipsync", "--face", face, "--audio", speech, "--out", tmp_path / "out.mp4", "--lips", lips)
    assert said.code == 0, said.err
    assert told in said.out
    assert ("degraded" in said.out) == bool(told)
    made = look(tmp_path / "out.mp4")
    assert made.comment == ""
    original = np.stack([frame for _, frame in read_frames(face)])
    assert np.array_equal(made.frames, original)


@pytest.mark.usefixtures("usual")
def test_a_video_that_is_longer_is_cut_off_and_stereo_stays(redub: Redub, speech: Path, tmp_path: Path) -> None:
    face = zoomed_portrait(50, tmp_path / "face.mp4")
    stereo = tmp_path / "stereo.m4a"
    ffmpeg("-i", speech, "-af", "pan=stereo|c0=c0|c1=0*c0", "-c:a", "aac", stereo)
    out = tmp_path / "out.mp4"
    result(redub("lipsync", "--face", face, "--audio", stereo, "--out", out, "--lips", "none", "--json"))
    made = look(out)
    given_s = len(read_waveform(stereo, sample_rate=48_000)) / 48_000
    assert abs(made.picture_s - given_s) <= FRAME_S
    assert made.channels == 2
    assert sound_packets(out) == sound_packets(stereo), "the given sound is what is heard, packet for packet"


@pytest.mark.usefixtures("usual")
def test_an_image_says_a_text_and_subtitles_come_with_it(redub: Redub, portrait: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    text = "Hello. How are you?"
    result(redub("talk", "--face", portrait, "--text", text, "--lang", "en", "--out", out, "--json"))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(out), "-map", "0:s:0", "-f", "srt", "-"]
    subtitles = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Hello." in subtitles
    assert "How are you?" in subtitles
    shown = redub("show")
    assert shown.code == 0
    assert "speak" in shown.out
    assert "with new lips" in shown.out
    assert "degraded" not in shown.out


@pytest.mark.usefixtures("usual")
def test_a_picture_without_a_face_passes_untouched_and_says_so(
    redub: Redub, still_life: Path, speech: Path, tmp_path: Path
) -> None:
    ended = redub("lipsync", "--face", still_life, "--audio", speech, "--out", tmp_path / "out.mp4")
    assert ended.code == 0
    assert "no face was found in the picture: it passes untouched" in ended.out
    assert look(tmp_path / "out.mp4").comment == ""


@pytest.mark.usefixtures("usual")
def test_a_face_too_small_to_draw_on_is_told(redub: Redub, portrait: Path, speech: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    Image.open(portrait).resize((256, 256)).save(small)
    ended = redub("lipsync", "--face", small, "--audio", speech, "--out", tmp_path / "out.mp4")
    assert ended.code == 0
    assert "less than 64: it passes untouched" in ended.out


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize("text", ["...", "— ? !"])
def test_a_text_without_words_is_refused(redub: Redub, portrait: Path, tmp_path: Path, text: str) -> None:
    ended = redub("talk", "--face", portrait, "--text", text, "--lang", "en", "--out", tmp_path / "out.mp4")
    assert ended.code == 2, ended
    assert ended.err.splitlines()[-1].startswith("redub: --text: there is nothing to say")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["tone.mp4", "silent.mp4"])
def test_a_video_in_which_nobody_speaks(redub: Redub, media: Path, tmp_path: Path, name: str) -> None:
    ended = redub("dub", media / name, "--to", "fr", "--from", "en", "--out", tmp_path / "out", "--json")
    assert ended.code == 2
    (error,) = [event for event in ended.events if event["event"] == "error"]
    assert error["message"].startswith(f"{media / name}: no speech was found in it;")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("usual")
def test_what_is_said_is_heard(redub: Redub, portrait: Path, tmp_path: Path) -> None:
    from models.asr import engines

    out = tmp_path / "out.mp4"
    text = "The moon pulls on the water that is nearest to it. There are two tides a day."
    result(redub("talk", "--face", portrait, "--text", text, "--lang", "en", "--out", out, "--json"))
    heard = engines.load("whisper").transcribe(read_waveform(out, sample_rate=16_000), "en")
    assert [plain(word.text) for word in heard] == [plain(word) for word in text.split()]
    lipped = tmp_path / "lipped.mp4"
    result(redub("lipsync", "--face", portrait, "--audio", out, "--out", lipped, "--json"))
    heard = engines.load("whisper").transcribe(read_waveform(lipped, sample_rate=16_000), "en")
    assert [plain(word.text) for word in heard] == [plain(word) for word in text.split()]


def plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())


def sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_the_server_is_the_configured_one(redub: Redub, server: Server, tmp_path: Path, media: Path) -> None:
    ended = redub("dub", media / "silent.mp4", "--to", "fr", "--from", "en", "--json", "--lips", "none")
    (event,) = [event for event in ended.events if event["event"] == "server"]
    assert (event["api"], event["embedded"]) == (server.api_url, False)
