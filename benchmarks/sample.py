"""Make a short lecture to try redub on: slides with narration and a talking head, all from installed packages.

python -m benchmarks.sample OUT.mp4

The voices are redub's own (Kokoro, synthetic); the portrait is scikit-image's `astronaut`, a NASA photograph of Eileen
Collins in the public domain, gently zoomed, whose lips redub moves. Nothing in it was said by anybody.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from infra.files import published
from infra.media.audio import write_wav
from infra.media.frames import read_frames
from infra.media.still import write_video
from infra.store import Store
from manifests.time import flicks
from models.speech import engines, voices
from models.speech.normalise import normalise
from tasks.journal import Journal
from tasks.pool import InProcessPool
from tasks.talking import TalkJob, make_talk

WIDTH, HEIGHT, FPS = 1280, 720, 25
SAMPLE_RATE = 24_000
PORTRAIT = 360
"""Side of the portrait while it is made to speak: the photograph holds no more."""
_PAUSE_S = 0.6


@dataclass(frozen=True, slots=True)
class Scene:
    """What is said, by which voice, and what is shown: a title with points, or the portrait (no title)."""

    words: str
    voice: str
    title: str = ""
    points: tuple[str, ...] = ()


SCENES = (
    Scene(
        "Welcome to this short lecture. Today we look at how the moon moves the sea, "
        "and why there are two tides a day.",
        "en-kokoro-am-michael",
        "The tides",
        ("Why the sea rises and falls", "Two tides a day", "Spring tides and neap tides"),
    ),
    Scene(
        "The moon pulls on the water that is nearest to it. On the far side of the earth its force is weaker, "
        "and there the water rises as well.",
        "en-kokoro-af-heart",
    ),
    Scene(
        "When the sun and the moon pull in one line, the tide is highest. Thank you for listening.",
        "en-kokoro-am-michael",
        "Spring tide",
        ("Sun, moon and earth in one line", "The highest water of the month"),
    ),
)


def make_sample(out: Path) -> None:
    """Write the sample to `out` (MP4, H.264 and AAC), published whole."""
    with published(out) as draft, av.open(str(draft), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "18", "preset": "fast", "g": "25"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE, options={"b": "128k"})
        audio.layout = "mono"
        shown, heard = 0, 0
        for scene in SCENES:
            speech = _spoken(scene)
            frames = -(-len(speech) * FPS // SAMPLE_RATE)
            speech = np.pad(speech, (0, frames * SAMPLE_RATE // FPS - len(speech)))
            for picture in _pictures(scene, speech, frames):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = shown, Fraction(1, FPS)
                shown += 1
                container.mux(video.encode(frame))
            sound = av.AudioFrame.from_ndarray(speech[None, :], format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE, heard, Fraction(1, SAMPLE_RATE)
            heard += len(speech)
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def _spoken(scene: Scene) -> npt.NDArray[np.float32]:
    voice = voices.find(scene.voice)
    waveform = engines.load(voice.engine).speak(normalise(scene.words, voice.language), voice)
    pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE), dtype=np.float32)
    return np.concatenate([pause / 2, waveform, pause])


def _pictures(scene: Scene, speech: npt.NDArray[np.float32], count: int) -> Iterator[npt.NDArray[np.uint8]]:
    if scene.title:
        for _ in range(count):
            yield _slide(scene)
        return
    canvas = np.full((HEIGHT, WIDTH, 3), (38, 40, 46), np.uint8)
    left = (WIDTH - HEIGHT) // 2
    for face in _talking(speech, count):
        shown = Image.fromarray(face).resize((HEIGHT, HEIGHT), Image.Resampling.BICUBIC)
        canvas[:, left : left + HEIGHT] = np.asarray(shown)
        yield canvas


def _talking(speech: npt.NDArray[np.float32], count: int) -> Iterator[npt.NDArray[np.uint8]]:
    """The portrait, (PORTRAIT, PORTRAIT, 3), speaking `speech`."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        silent, voice = folder / "silent.mp4", folder / "voice.wav"
        times = (flicks(Fraction(index, FPS)) for index in range(count))
        frames = ((time, _portrait(index / count)) for index, time in enumerate(times))
        write_video(frames, silent, rate=Fraction(FPS))
        write_wav(voice, speech, SAMPLE_RATE)
        store = Store(folder / "store")
        job = TalkJob(face=silent, audio=voice, out=folder / "talking.mp4")
        talk = make_talk(job, InProcessPool(store, Journal()), store)
        for _, frame in read_frames(store.path(talk.files.video)):
            yield frame


@cache
def _slide(scene: Scene) -> npt.NDArray[np.uint8]:
    image = Image.new("RGB", (WIDTH, HEIGHT), (250, 249, 245))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 24, HEIGHT), fill=(32, 78, 121))
    draw.text((90, 90), scene.title, font=ImageFont.load_default(72), fill=(32, 78, 121))
    for row, point in enumerate(scene.points):
        draw.text((120, 250 + 90 * row), f"-  {point}", font=ImageFont.load_default(44), fill=(40, 40, 40))
    return np.asarray(image)


@cache
def _astronaut() -> Image.Image:
    from skimage import data

    return Image.fromarray(data.astronaut())


def _portrait(progress: float) -> npt.NDArray[np.uint8]:
    # A slow zoom on the upper body: frames differ, as they do in a recording.
    side = 320 - 12 * progress
    left, top = 64 + 6 * progress, 3 * progress
    box = (left, top, left + side, top + side)
    return np.asarray(_astronaut().resize((PORTRAIT, PORTRAIT), Image.Resampling.BICUBIC, box=box))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    make_sample(Path(sys.argv[1]))
