"""Media for tests of the studio, made by ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg


def ffmpeg(*arguments: str | Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


PICTURE = ("-f", "lavfi", "-i", "testsrc=size=320x240:rate=25:duration=2")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=300:duration=2")
CODECS = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")


def make_lecture(file: Path) -> Path:
    """Two seconds with picture and sound."""
    ffmpeg(*PICTURE, *SOUND, *CODECS, file)
    return file
