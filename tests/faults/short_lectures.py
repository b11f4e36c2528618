"""A lecture of some seconds whose voice is a buzz, and its dub over networks that are made up."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from made_sounds import noise, syllables
from redub_command import Dubbed, Redub

from infra.media.audio import write_wav
from infra.media.binary import run_ffmpeg
from manifests.records import Chunk, Placement
from manifests.tables import read_table
from manifests.time import Span

RATE = 48_000
SAID_S, PAUSE_S = 2.6, 1.0
SENTENCES = 7
_DUB = (".mp4", ".srt", ".vtt")


@dataclass(frozen=True)
class Out:
    """What a run left."""

    folder: Path

    @cached_property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "lecture.redub" / "report.fr.json").read_text())
        return found

    @property
    def failed(self) -> list[tuple[str, float, float]]:
        """Stage, and start and end in seconds, of what failed."""
        return [
            (each["stage"], each["span"]["start_s"], each["span"]["end_s"])
            for each in self.report["degradations"]
            if each["failed"]
        ]

    @property
    def whole(self) -> Span:
        return Span(self.report["span"]["start"], self.report["span"]["end"])

    @property
    def video(self) -> Path:
        return self.folder / "lecture.fr.mp4"

    def chunks(self) -> list[Chunk]:
        return read_table(Chunk, self.folder / "lecture.redub" / "chunks.parquet")

    def spoken(self) -> list[Placement]:
        return read_table(Placement, self.folder / "lecture.redub" / "placements.parquet")

    def dub(self) -> dict[str, str]:
        """The hashes of video and subtitles, which are the same in every folder and whoever dubbed them."""
        return {path.name: sha256_of(path.read_bytes()) for path in self.folder.iterdir() if path.suffix in _DUB}


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_lecture(file: Path, *, sentences: int = SENTENCES, seed: int = 0, large: bool = False) -> Path:
    """`sentences` of 2.6 s with a second's pause after each; another `seed` is another lecture of the same length.

    A `large` one has some 20 MB.
    """
    pause = np.zeros(int(PAUSE_S * RATE), np.float32)
    said = [syllables(int(SAID_S * RATE), RATE, seed=100 * seed + number) for number in range(sentences)]
    sound = np.concatenate([np.concatenate([each, pause]) for each in said])
    track = file.with_suffix(".wav")
    write_wav(track, sound + noise(len(sound), 0.0005), RATE)
    size, rate = ("640x360", "16M") if large else ("320x180", "300k")
    picture = f"testsrc2=size={size}:rate=25:duration={len(sound) / RATE},noise=alls=20:all_seed={seed + 1}"
    run_ffmpeg(
        [
            *("-f", "lavfi", "-i", picture, "-i", str(track)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-b:v", rate),
            *("-c:a", "aac", "-b:a", "64k", "-shortest", str(file)),
        ],
        where=file,
    )
    track.unlink()
    return file


def redub(folder: Path, **environment: str) -> Redub:
    """The command over made-up networks, its cache and state below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).parents[2]
    path = os.pathsep.join(str(each) for each in (root, Path(__file__).parent, Path(__file__).parents[1]))
    return Redub(
        folder / "cache",
        folder / "state",
        folder / "weights",
        {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", **environment},
        (sys.executable, str(Path(__file__).with_name("made_up_networks.py"))),
    )


def order(source: Path | str, out: Path | str) -> tuple[str, ...]:
    """What the command is told: French, by the draft preset."""
    return ("dub", str(source), "--to", "fr", "--from", "en", "--out", str(out), "--preset", "draft")


def dubbed(command: Redub, source: Path, out: Path) -> Dubbed:
    """`source` dubbed by the command, which has to succeed."""
    return Dubbed(command, source, out, command.run(*order(source, out)))


def dub_here(command: Redub, source: Path, out: Path, how: str = "here") -> subprocess.CompletedProcess[str]:
    """The same without Prefect: a process that ends with the dub in `out`, or otherwise.

    `how`: "here", or "really" for trained networks and lips.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REDUB_", "AWS_"))},
        **command.environment,
        "REDUB_CACHE": str(command.cache),
        "REDUB_STATE": str(command.state),
        "REDUB_WEIGHTS": str(command.weights),
    }
    return subprocess.run(
        [*command.program, how, str(source), str(out)], env=environment, capture_output=True, text=True, check=False
    )


def dub_in_process(lecture: Path, folder: Path, fault: str = "", **environment: str) -> Out:
    """Without Prefect, and to its end; `fault` is for `made_up_networks`."""
    faults = {"REDUB_FAULT": fault} if fault else {}
    done = dub_here(redub(folder, **faults, **environment), lecture, folder / "out")
    assert done.returncode == 0, done.stderr
    return Out(folder / "out")
