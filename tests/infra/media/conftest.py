"""Small real media, each made by ffmpeg once a session (see `media_recipes`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from media_recipes import RECIPES, Make, ffmpeg


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a file by its recipe's name, once."""
    folder = tmp_path_factory.mktemp("media")

    def make(name: str) -> Path:
        path = folder / name
        if not path.exists():
            ffmpeg(*RECIPES[name], path)
        return path

    return make


@pytest.fixture(scope="session")
def rotated(media: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`h264_b.mp4` as a phone held upright films it: to be turned by 90 degrees."""
    path = tmp_path_factory.mktemp("rotated") / "rotated.mp4"
    ffmpeg("-display_rotation", "90", "-i", media("h264_b.mp4"), "-c", "copy", path)
    return path
