"""Media that the tests of the command line are made of."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from infra.media.still import write_video
from manifests.time import flicks

ODD_NAME = 'it\'s "odd" & محاضرة %d'
FACE_SIZE = 320
FACE_FPS = 25


def ffmpeg(*arguments: str | Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def zoomed_portrait(frame_count: int, file: Path) -> Path:
    """The portrait as a video, slowly zoomed."""
    from skimage import data

    image = Image.fromarray(data.astronaut())

    def frames() -> Iterator[tuple[int, np.ndarray]]:
        for index in range(frame_count):
            side = 430 - 0.2 * index
            box = (10.0, 4.0, 10 + side, 4 + side)
            picture = image.resize((FACE_SIZE, FACE_SIZE), Image.Resampling.BICUBIC, box=box)
            yield flicks(Fraction(index, FACE_FPS)), np.asarray(picture)

    write_video(frames(), file, rate=Fraction(FACE_FPS))
    return file
