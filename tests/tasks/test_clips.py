"""Is a clip dropped for what is wrong with it, and kept as it should be where nothing is?"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talking_clips import ffmpeg, grid_clip, needs_grid, spoilt

from manifests.time import Span
from tasks.clips import FRAME, ClipSettings, Outcome, Stretch, at_times, prepare_clips

PICTURE = np.zeros((1, 1, 3), np.uint8)


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=30, unique=True), st.lists(st.integers(-50, 1050), max_size=40)
)
def test_each_time_gets_the_nearest_frame(times: list[int], wanted: list[int]) -> None:
    times, wanted = sorted(times), sorted(wanted)
    got = [time for time, _ in at_times(((time, PICTURE) for time in times), wanted)]
    assert got == [min(times, key=lambda time: (abs(time - moment), time)) for moment in wanted]


def outcomes(video: Path, *, single: bool = True, span: Span | None = None, **changes: float) -> list[Outcome]:
    stretch = Stretch(picture=video, sound=None, span=span, single=single)
    return prepare_clips(stretch, ClipSettings(**changes))  # type: ignore[arg-type]


def reason(video: Path, **changes: float) -> str:
    (outcome,) = outcomes(video, **changes)
    assert outcome.material is None
    return outcome.reason


TEST_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25")
TONE = ("-f", "lavfi", "-i", "sine=frequency=500:sample_rate=16000")


def test_what_needs_no_look_at_a_face(tmp_path: Path) -> None:
    mute, brief, silent, broken = (tmp_path / f"{name}.mp4" for name in ("mute", "brief", "silent", "broken"))
    ffmpeg(*TEST_PICTURE, "-t", "1.5", mute)
    ffmpeg(*TEST_PICTURE, *TONE, "-t", "0.6", brief)
    ffmpeg(*TEST_PICTURE, "-f", "lavfi", "-i", "anullsrc=r=16000", "-t", "1.5", silent)
    broken.write_bytes(mute.read_bytes()[:3000])
    assert reason(mute) == "no sound"
    assert reason(brief).startswith("too short: 0.60 s")
    assert reason(silent) == "silent"
    assert reason(broken).startswith("cannot be decoded")
    assert reason(tmp_path / "missing.mp4").startswith("cannot be decoded: there is no such file")


@pytest.mark.weights
def test_a_picture_without_a_face(tmp_path: Path) -> None:
    ffmpeg(*TEST_PICTURE, *TONE, "-t", "1.5", tmp_path / "tone.mp4")
    assert reason(tmp_path / "tone.mp4").startswith("no face")


class TestRealFaces:
    pytestmark = needs_grid

    def test_a_good_clip_is_kept_whole(self) -> None:
        (outcome,) = outcomes(grid_clip(0))
        made = outcome.material
        assert made is not None
        assert (outcome.frame_count, outcome.frame_rate, outcome.reason) == (75, 25, "")
        assert 110 < outcome.face_px < 180
        assert outcome.offset is not None
        assert abs(outcome.offset.frames) <= 1
        assert len(made.faces) == 75
        assert made.points.shape == (75, 202, 2)
        assert made.mel.shape[0] == 80
        assert made.mel.shape[1] >= 80 * 74 // 25 + 16  # the last frame hears its whole window
        from models.landmarks.topology import CHIN, LEFT_EYE_OUTER, RIGHT_EYE_OUTER, kept

        right, left, chin = (
            made.points[:, kept(index)].mean(axis=0) for index in (RIGHT_EYE_OUTER, LEFT_EYE_OUTER, CHIN)
        )
        assert 0.1 < right[0] < 0.45
        assert 0.55 < left[0] < 0.9
        assert right[1] < 0.5
        assert 0.7 < chin[1] < 1
        steps = np.array([np.abs(after - before).max() for before, after in pairwise(made.points)])
        assert np.median(steps) < 0.04  # shares of the crop: a track, not a guess a frame

    def test_sound_a_few_frames_late_is_moved_back(self, tmp_path: Path) -> None:
        late = spoilt(grid_clip(0), tmp_path / "late.mkv", "-af", "adelay=160:all=1", "-c:a", "pcm_s16le")
        (straight,), (moved,) = outcomes(grid_clip(0)), outcomes(late)
        assert straight.offset is not None
        assert moved.offset is not None
        assert abs(moved.offset.frames - straight.offset.frames - 4) <= 1
        assert straight.material is not None
        assert moved.material is not None
        shift = 4 - (moved.offset.frames - straight.offset.frames)  # frames that the estimate is off
        columns = round(80 * shift / 25)
        a, b = straight.material.mel[:, 40:200], moved.material.mel[:, 40 + columns : 200 + columns]
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.95
        assert reason(late, most_offset=2).startswith("audio-visual offset not found: the best is +")

    def test_what_is_wrong_with_a_face(self, tmp_path: Path) -> None:
        assert "confidence" in reason(grid_clip(0), least_confidence=1.9)
        assert reason(grid_clip(0), min_face_px=170).startswith("face too small: 14")
        pair = tmp_path / "pair.mp4"
        joined = ("-filter_complex", "hstack", "-t", "1.6", "-preset", "ultrafast", "-c:a", "aac")
        ffmpeg("-i", grid_clip(0), "-i", grid_clip(1), *joined, pair)
        assert reason(pair).startswith("several faces of comparable size")
        leaves = spoilt(
            grid_clip(0), tmp_path / "leaves.mp4", "-vf", "drawbox=enable='gt(t,1)':t=fill:color=gray", "-c:a", "copy"
        )
        assert reason(leaves).startswith("no face in most frames: 3")

    def test_another_rate_and_a_span_of_it(self, tmp_path: Path) -> None:
        """The same clip at 30000/1001: 25 a second of it, each nearly the picture that the clip itself gives."""
        other = spoilt(grid_clip(0), tmp_path / "ntsc.mkv", "-r", "30000/1001", "-c:a", "pcm_s16le")
        (straight,), (resampled,) = outcomes(grid_clip(0)), outcomes(other, single=False, span=Span(0, 75 * FRAME))
        assert straight.material is not None
        assert resampled.material is not None
        assert abs(resampled.frame_count - 75) <= 1
        assert resampled.frame_rate == pytest.approx(29.97, abs=0.01)
        difference = np.abs(resampled.material.points[:70] - straight.material.points[:70]).mean()
        assert difference < 0.01
