"""What every shot detector does: made-up cuts, and the sample lecture's real ones."""

from __future__ import annotations

import itertools
import json
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks, flicks
from models.shots import engines
from models.shots.contract import ShotDetector
from models.shots.spacing import spaced

if TYPE_CHECKING:
    import torch

LECTURE = Path(__file__).parents[3] / ".." / "shared" / "data" / "lecture" / "lecture_en.mp4"
FRAME = FLICKS_PER_SECOND // 25
Image = npt.NDArray[np.uint8]


@pytest.fixture(params=engines.NAMES)
def detector(request: pytest.FixtureRequest) -> ShotDetector:
    return engines.load(request.param)


def scene(seed: int, frame: int, width: int) -> Image:
    """A smooth coloured background with a disc that moves over it; `seed` chooses the scene."""
    generator = np.random.default_rng(seed)
    height = width * 9 // 16
    y, x = np.mgrid[0:height, 0:width] / width
    base, slope = generator.uniform(40, 215, 3), generator.uniform(-60, 60, (2, 3))
    image = base + x[..., None] * slope[0] + y[..., None] * slope[1]
    at = 0.5 + 0.3 * np.cos(frame / 12 + seed)
    image[(x - at) ** 2 + (y - 0.28) ** 2 < 0.01] = generator.uniform(0, 255, 3)
    noise = np.random.default_rng(frame).normal(0, 1.5, image.shape)
    drawn: Image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return drawn


def scenes(*lengths: int, width: int, start: Flicks = 0) -> Iterator[tuple[Flicks, Image]]:
    frame = 0
    for seed, length in enumerate(lengths):
        for _ in range(length):
            yield start + frame * FRAME, scene(seed, frame, width)
            frame += 1


def test_finds_hard_cuts_to_the_frame(detector: ShotDetector) -> None:
    found = detector.cuts(scenes(25, 35, 30, width=detector.frame_width, start=-7 * FRAME))
    assert found == [(25 - 7) * FRAME, (60 - 7) * FRAME]


def test_no_cut_in_one_shot_and_none_in_no_frames(detector: ShotDetector) -> None:
    assert detector.cuts([]) == []
    assert detector.cuts(scenes(1, width=detector.frame_width)) == []
    assert detector.cuts(scenes(40, width=detector.frame_width)) == []


class Flagging:
    """Stands in for TransNet V2's weights: a frame is a transition where its first pixel is 255."""

    def predict_raw(self, frames: torch.Tensor) -> tuple[torch.Tensor, None]:
        import torch

        assert frames.shape == (1, 100, 27, 48, 3)
        return (frames[..., 0, 0, 0] == 255).to(torch.float32)[..., None], None


def flagging_transnet() -> ShotDetector:
    from models.shots.transnet import TransNetSettings, TransNetShotDetector

    return TransNetShotDetector(TransNetSettings(min_shot_s=0), network=Flagging())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 260), st.sets(st.integers(0, 260), max_size=6))
def test_transnet_windows_line_up(count: int, flagged: set[int]) -> None:
    """Whatever the length, every frame is answered for once and in its place; a run of flags is one cut, at its end."""
    frames = [(i * FRAME, np.full((27, 48, 3), 255 if i in flagged else 0, np.uint8)) for i in range(count)]
    expected = [i * FRAME for i in range(1, count) if i - 1 in flagged and i not in flagged]
    assert flagging_transnet().cuts(frames) == expected


@pytest.mark.parametrize("build", [lambda: engines.load("content"), flagging_transnet], ids=["content", "transnetv2"])
def test_frames_are_let_go(build: Callable[[], ShotDetector]) -> None:
    alive: set[int] = set()
    most = 0

    def watched() -> Iterator[tuple[Flicks, Image]]:
        nonlocal most
        for time, image in scenes(120, width=320):
            alive.add(time)
            weakref.finalize(image, alive.discard, time)
            most = max(most, len(alive))
            yield time, image

    build().cuts(watched())
    assert most <= 5, "full-size frames must not pile up"


def text_slide(rows: tuple[int, ...]) -> Image:
    slide = np.full((720, 1280, 3), 245, np.uint8)
    for row in rows:
        for column in range(80, 800, 24):
            slide[row : row + 26, column : column + 14] = 30
    return slide


def test_content_sees_a_slide_whose_text_alone_changes_and_a_bullet_does_not_count_twice() -> None:
    one, two = text_slide((60, 140, 220)), text_slide((100, 180, 400, 460))
    frames = [one] * 40 + [two] * 40
    assert engines.load("content").cuts((i * FRAME, image) for i, image in enumerate(frames)) == [40 * FRAME]


def test_content_joins_a_flash_to_its_shot() -> None:
    dark, bright = np.full((90, 160, 3), 20, np.uint8), np.full((90, 160, 3), 240, np.uint8)
    frames = [dark] * 30 + [bright] * 3 + [dark] * 30
    assert engines.load("content").cuts((i * FRAME, image) for i, image in enumerate(frames)) == [30 * FRAME]


def lecture_frames(width: int) -> Iterator[tuple[Flicks, Image]]:
    if not LECTURE.is_file():
        pytest.skip("the team's sample lecture is not on this machine")
    import av

    with av.open(str(LECTURE)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert frame.time_base is not None
            image = frame.to_ndarray(width=width, height=width * 9 // 16, format="rgb24", interpolation="AREA")
            yield flicks(frame.pts * frame.time_base), image.astype(np.uint8, copy=False)


def f1_within_two_frames(found: list[Flicks], true: list[Flicks]) -> float:
    hits = sum(any(abs(cut - other) <= 2 * FRAME for other in true) for cut in found)
    recalled = sum(any(abs(cut - other) <= 2 * FRAME for other in found) for cut in true)
    return 0.0 if not found else 2 * hits * recalled / (hits * len(true) + recalled * len(found) or 1)


@pytest.mark.shared_data
def test_content_finds_every_cut_of_the_lecture_and_no_other() -> None:
    detector = engines.load("content")
    found = detector.cuts(lecture_frames(detector.frame_width))
    shots = json.loads(LECTURE.with_suffix(".json").read_text())["shots"]
    assert f1_within_two_frames(found, [flicks(shot["start_s"]) for shot in shots[1:]]) == 1


@pytest.mark.shared_data
@pytest.mark.slow
def test_transnet_finds_the_cuts_between_faces_and_slides() -> None:
    """It takes two slides of one layout for one shot (it was trained on films), so those two cuts are not asked."""
    detector = engines.load("transnetv2")
    found = detector.cuts(lecture_frames(detector.frame_width))
    shots = json.loads(LECTURE.with_suffix(".json").read_text())["shots"]
    kinds = [(before["kind"], after) for before, after in itertools.pairwise(shots)]
    true = [flicks(after["start_s"]) for kind, after in kinds if kind != after["kind"]]
    assert f1_within_two_frames(found, true) == 1


def test_transnet_leaves_the_process_as_it_found_it() -> None:
    import torch

    from models.shots.transnet import TransNetShotDetector

    np.random.seed(7)  # noqa: NPY002
    torch.manual_seed(7)
    expected_numpy, expected_torch = np.random.rand(), torch.rand(1)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    torch.manual_seed(7)
    TransNetShotDetector()
    assert np.random.rand() == expected_numpy  # noqa: NPY002
    assert torch.equal(torch.rand(1), expected_torch)
    assert not torch.are_deterministic_algorithms_enabled()


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="transnetv2"):
        engines.load("scissors")


@given(st.lists(st.integers(0, 10_000), unique=True).map(sorted), st.integers(0, 500), st.integers(0, 800))
def test_spacing_keeps_shots_long_and_drops_no_cut_without_reason(cuts: list[int], start: int, shortest: int) -> None:
    kept = list(spaced(cuts, start=start, min_shot=shortest))
    ends = [start, *kept]
    assert all(after - before >= max(shortest, 1) for before, after in itertools.pairwise(ends))
    for cut in set(cuts) - set(kept):
        assert cut <= start or any(0 <= cut - before < shortest for before in ends)
    assert list(spaced(kept, start=start, min_shot=shortest)) == kept
