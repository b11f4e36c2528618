"""The ffmpeg program that imageio-ffmpeg carries, run with argument lists."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from manifests.errors import BadInput, NoSpace

_NO_SPACE = ("No space left on device", "Permission denied", "Read-only file system", "Disk quota exceeded")


def run_ffmpeg(arguments: Sequence[str], *, where: Path) -> str:
    """Run ffmpeg with `arguments` and return what it wrote to standard error.

    On failure: NoSpace where the output cannot be written, else BadInput about `where` with ffmpeg's last line.
    """
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-nostats", "-y", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        last = lines[-1] if lines else f"ended with code {done.returncode} and no message"
        if any(sign in done.stderr for sign in _NO_SPACE):
            raise NoSpace(f"{where}: ffmpeg could not write: {last}")
        raise BadInput(f"ffmpeg failed: {last}", where=str(where))
    return done.stderr
