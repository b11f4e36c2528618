"""Talking faces, real ones, spoilt in known ways by ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

GRID = Path(__file__).parents[3] / "shared" / "data" / "grid" / "s1"

needs_grid = [
    pytest.mark.weights,
    pytest.mark.shared_data,
    pytest.mark.skipif(not GRID.is_dir(), reason="the team's shared/data/grid is not here"),
]


def grid_clip(index: int) -> Path:
    """One of a few clips that are in sync; they last 3 s."""
    return sorted(GRID.glob("*.mp4"))[index * 37]


def ffmpeg(*arguments: str | Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def spoilt(source: Path, target: Path, *options: str | Path) -> Path:
    """`source` encoded anew with `options`; the sound without loss where they do not say otherwise."""
    target.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg("-i", source, *options, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", target)
    return target
