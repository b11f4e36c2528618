"""Small real media for browser tests, made by ffmpeg once a session."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]


def lecture(path: Path, *, tone_hz: int, tint: str, length_s: int = 26) -> Path:
    """A picture with a running count and a pulsed tone, H.264 and AAC."""
    tone = f"sine=frequency={tone_hz}:sample_rate=48000:duration={length_s},tremolo=f=2.6:d=0.9"
    look = f"testsrc2=size=320x180:rate=25:duration={length_s},hue=h={tint}:s=0.5"
    _ffmpeg(
        "-f",
        "lavfi",
        "-i",
        look,
        "-f",
        "lavfi",
        "-i",
        tone,
        *_X264,
        "-g",
        "25",
        "-b:v",
        "120k",
        "-c:a",
        "aac",
        "-b:a",
        "48k",
        str(path),
    )
    return path


def portrait(path: Path) -> Path:
    """A JPEG of 480 by 480."""
    _ffmpeg("-f", "lavfi", "-i", "testsrc2=size=480x480:rate=1:duration=1", "-frames:v", "1", str(path))
    return path


def sound(path: Path, *, length_s: float = 1.5) -> Path:
    """A mono tone; the ending of `path` says how it is coded."""
    _ffmpeg("-f", "lavfi", "-i", f"sine=frequency=330:sample_rate=24000:duration={length_s}", str(path))
    return path


def _ffmpeg(*arguments: str) -> None:
    tool = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([tool, "-hide_banner", "-loglevel", "error", "-y", *arguments], check=True, timeout=120)
