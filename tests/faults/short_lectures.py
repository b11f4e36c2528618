"""A lecture of some seconds whose voice is a buzz, for networks that are made up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from made_sounds import noise, syllables
from redub_command import Dubbed, Redub

from infra.media.audio import write_wav
from infra.media.binary import run_ffmpeg

RATE = 48_000
SAID_S, PAUSE_S = 2.6, 1.0
SENTENCES = 7


def make_lecture(file: Path, *, sentences: int = SENTENCES, tone_hz: int = 440) -> Path:
    """`sentences` of 2.6 s with a second's pause after each; `tone_hz` makes another lecture of the same length."""
    import numpy as np

    pause = np.zeros(int(PAUSE_S * RATE), np.float32)
    parts = [
        np.concatenate([syllables(int(SAID_S * RATE), RATE, seed=seed + tone_hz), pause]) for seed in range(sentences)
    ]
    sound = np.concatenate(parts)
    track = file.with_suffix(".wav")
    write_wav(track, sound + noise(len(sound), 0.0005), RATE)
    run_ffmpeg(
        [
            *("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={len(sound) / RATE}", "-i", str(track)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"),
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
    path = ":".join(str(each) for each in (root, Path(__file__).parent, Path(__file__).parents[1]))
    return Redub(
        folder / "cache",
        folder / "state",
        folder / "weights",
        {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", **environment},
        (sys.executable, str(Path(__file__).with_name("made_up_networks.py"))),
    )


def dubbed(command: Redub, source: Path | str, out: Path | str, *options: str) -> Dubbed:
    """`source` dubbed into French with the draft preset."""
    return command.dub(source, out, "--preset", "draft", "--from", "en", *options)


def dub_here(command: Redub, source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """The same without Prefect: a process that ends with the dub in `out`, or otherwise."""
    environment = {
        **os.environ,
        **command.environment,
        "REDUB_CACHE": str(command.cache),
        "REDUB_STATE": str(command.state),
    }
    return subprocess.run(
        [*command.program, "here", str(source), str(out)], env=environment, capture_output=True, text=True, check=False
    )
