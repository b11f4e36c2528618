"""`redub lipsync` with pictures that show nobody, or somebody else as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_command import Redub
from grid_clips import ONE, OTHER, frames_of, side_by_side, sound_of, with_grid

pytestmark = pytest.mark.usefixtures("server")

FRAMES = 32


@pytest.mark.weights
def test_a_video_that_shows_nobody_passes_untouched_and_that_is_said(
    redub: Redub, media: Path, speech: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    ended = redub("lipsync", "--face", media / "mute.mp4", "--audio", speech, "--out", out)
    assert ended.code == 0, ended.err
    assert "no face was found in the picture: it passes untouched" in ended.out
    shown, given = frames_of(out).astype(int), frames_of(media / "mute.mp4").astype(int)
    assert np.abs(shown - given[: len(shown)]).mean() < 8  # a test card, sharp and of every colour, coded twice


class TestTwoFaces:
    pytestmark = with_grid

    def test_one_of_two_faces_speaks_and_the_other_stays(self, redub: Redub, tmp_path: Path) -> None:
        both = side_by_side(ONE, OTHER, FRAMES, tmp_path / "both.mp4")
        audio = sound_of(OTHER, tmp_path / "said.wav", FRAMES / 25)
        out = tmp_path / "out.mp4"
        ended = redub("lipsync", "--face", both, "--audio", audio, "--out", out, "--json")
        assert ended.code == 0, ended.err or ended.out
        assert ended.events[-1]["degraded"] == {"und": 0}
        assert ended.events[-1]["lip_frames"] == {"und": FRAMES}
        difference = np.abs(frames_of(out).astype(int) - frames_of(both))
        middle = difference.shape[2] // 2
        largest = [np.percentile(half, 99.9) for half in (difference[:, :, :middle], difference[:, :, middle:])]
        assert min(largest) < 12 < max(largest)
