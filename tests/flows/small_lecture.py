"""A small lecture of real media, and stages over it, in a module that workers in other processes can import too.

Nothing here needs trained weights but the voice activity detector, whose weights come with its package.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from made_sounds import noise, syllables

from infra.media.audio import write_wav
from infra.media.probe import probe
from infra.store import Store
from manifests.errors import BadInput
from manifests.records import Chunk, Video
from manifests.time import Span, flicks
from models.vad import engines
from tasks.background import BackgroundSettings, BackgroundWork
from tasks.chunks import ChunkSettings, plan_chunks
from tasks.shots import SPEECH, ShotSettings, ShotWork, SpeechWork
from tasks.stage import Stage

NOW: list[Callable[[], Any]] = []
"""What the flow of a test does: a flow travels to its workers with its tasks, so it may hold nothing of a test."""


def what_is_now() -> Any:
    return NOW[-1]()


RATE = 16_000
LENGTH_S = 14
_PATIENCE_S = 120.0


def make_lecture(folder: Path) -> Video:
    """Two slides, a voice of syllables with pauses, and a hum behind it."""
    sound = noise(LENGTH_S * RATE, 0.003)
    for start_s in (1, 5, 9):
        at = slice(start_s * RATE, (start_s + 3) * RATE)
        sound[at] += syllables(3 * RATE, RATE, seed=start_s)
    write_wav(folder / "sound.wav", sound, RATE)
    slides = [f"color=c={colour}:s=320x180:r=25:d={LENGTH_S / 2}" for colour in ("navy", "white")]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", slides[0], "-f", "lavfi"]
    command += ["-i", slides[1], "-i", str(folder / "sound.wav"), "-filter_complex", "[0][1]concat=n=2[v]"]
    command += ["-map", "[v]", "-map", "2:a", "-c:v", "libx264", "-c:a", "aac", str(folder / "lecture.mp4")]
    subprocess.run(command, check=True)
    return probe(folder / "lecture.mp4")


def shots_and_speech(video: Video) -> tuple[ShotWork, SpeechWork]:
    return ShotWork(video=video, settings=ShotSettings()), SpeechWork(video=video, track=0)


def chunks_of(video: Video) -> list[Chunk]:
    said = [Span.of_seconds(start_s, start_s + 3) for start_s in (1, 5, 9)]
    return plan_chunks(video, (), said, ChunkSettings(target_s=1.5, max_s=2))


def backgrounds(video: Video) -> list[BackgroundWork]:
    return [
        BackgroundWork(
            video=video,
            track=0,
            chunk=chunk,
            speech=(Span(chunk.span.start, chunk.span.start + flicks(1)),),
            settings=BackgroundSettings(),
            weights=None,
        )
        for chunk in chunks_of(video)
    ]


@dataclass(frozen=True)
class LookWork:
    """`run` makes the same chunk another piece of work in each run; so many are at it at once."""

    chunk: Chunk
    run: str
    at_once: int


@dataclass(frozen=True)
class Look:
    """Who worked on a piece, and how often the process had loaded the detector of voices by then."""

    process: int
    thread: int
    loads: int


def look(work: LookWork, store: Store) -> Look:
    """Load the detector through the engines' own door, and wait until all workers have taken up a piece."""
    engines.load()
    seen = store.root / "seen" / work.run
    seen.mkdir(parents=True, exist_ok=True)
    (seen / f"{os.getpid()}-{threading.get_ident()}").touch()
    deadline = time.monotonic() + _PATIENCE_S
    while len(list(seen.iterdir())) < work.at_once and time.monotonic() < deadline:
        time.sleep(0.05)
    return Look(os.getpid(), threading.get_ident(), engines.load.loads)


LOOK: Stage[LookWork, Look] = Stage("look", 1, Look, look)


def refuse(work: str, store: Store) -> str:
    raise BadInput("this cannot be dubbed;", where=work, remedy="give another")


REFUSE: Stage[str, str] = Stage("refuse", 1, str, refuse)


@dataclass(frozen=True)
class DeadlyWork:
    """Work that ends its process `times` times."""

    name: str
    times: int


def die(work: DeadlyWork, store: Store) -> str:
    folder = store.root / "deaths" / work.name
    folder.mkdir(parents=True, exist_ok=True)
    died = len(list(folder.iterdir()))
    if died < work.times:
        (folder / str(died)).touch()
        os._exit(9)
    return f"{work.name} after {died}"


DIE: Stage[DeadlyWork, str] = Stage("die", 1, str, die)

__all__ = [
    "DIE",
    "LOOK",
    "NOW",
    "REFUSE",
    "SPEECH",
    "DeadlyWork",
    "Look",
    "LookWork",
    "backgrounds",
    "chunks_of",
    "make_lecture",
    "shots_and_speech",
    "what_is_now",
]
