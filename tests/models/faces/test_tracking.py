"""The tracker on scripted faces.

The detector and the embedder are fakes that stand in for trained weights: a picture is a tiny array that carries its
frame number, and the script says which faces show there. The tests with real ones are in test_faces_media.py.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.time import FLICKS_PER_SECOND, Flicks
from models.faces.contract import Face, RGBImage
from models.faces.tracking import Track, TrackingSettings, track_faces

FRAME: Flicks = FLICKS_PER_SECOND // 25
Script = Callable[[int], list[tuple[int, float, float]]]
"""The faces of a frame: (person, x, y) each, 100 pixels wide and 120 high."""


class ScriptedDetector:
    """Reads the frame number from the picture and gives the scripted faces; the person is hidden in the score."""

    def __init__(self, script: Script, *, landmarks: bool = True) -> None:
        self._script = script
        self._landmarks = landmarks
        self.looked: list[int] = []

    def detect(self, image: RGBImage) -> list[Face]:
        frame = int(image[0, 0, 0]) * 256 + int(image[0, 0, 1])
        self.looked.append(frame)
        points = np.array([[30, 40], [70, 40], [50, 60], [35, 85], [65, 85]], np.float32)
        return [
            Face(
                box=np.array([x, y, 100, 120], np.float32),
                score=0.9 + person / 100,
                landmarks=points + np.array([x, y], np.float32) if self._landmarks else None,
            )
            for person, x, y in self._script(frame)
        ]


class ScriptedEmbedder:
    """The person that the score hides, as a unit vector."""

    same_person_cosine = 0.5

    def embed(self, image: RGBImage, face: Face) -> npt.NDArray[np.float32]:
        if face.landmarks is None:
            raise ValueError("no landmarks")
        vector = np.zeros(128, np.float32)
        vector[round((face.score - 0.9) * 100)] = 1
        return vector


def film(count: int, start: int = 0) -> Iterator[tuple[Flicks, RGBImage]]:
    for frame in range(start, start + count):
        image = np.full((240, 640, 3), 128, np.uint8)
        image[0, 0, :2] = divmod(frame, 256)
        yield frame * FRAME, image


def run(
    script: Script, count: int, cuts: tuple[int, ...] = (), settings: TrackingSettings | None = None
) -> tuple[list[Track], ScriptedDetector]:
    detector = ScriptedDetector(script)
    tracks = track_faces(film(count), [cut * FRAME for cut in cuts], detector, ScriptedEmbedder(), settings)
    return tracks, detector


def frames_of(track: Track) -> list[int]:
    return [int(time) // FRAME for time in track.times]


def person_of(track: Track) -> int:
    return int(np.argmax(track.embedding))


def test_a_still_face_is_looked_at_on_the_stride_alone() -> None:
    tracks, detector = run(lambda _: [(1, 50, 60)], 101)
    (track,) = tracks
    assert frames_of(track) == list(range(101))
    assert detector.looked == list(range(0, 101, 5))
    assert track.detected.all()
    np.testing.assert_allclose(track.boxes, np.tile([50, 60, 100, 120], (101, 1)), atol=1e-3)
    assert track.landmarks.shape == (101, 5, 2)
    assert person_of(track) == 1
    assert np.linalg.norm(track.embedding) == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(12, 60))
def test_a_face_that_comes_and_goes_is_found_to_the_frame(first: int, length: int) -> None:
    (track,), _ = run(lambda frame: [(0, 50, 60)] if first <= frame < first + length else [], 130)
    assert frames_of(track) == list(range(first, first + length))
    assert track.detected.all()


@settings(max_examples=40, deadline=None)
@given(st.integers(15, 40), st.integers(1, 30))
def test_short_gaps_are_bridged_and_long_ones_end_the_track(gone: int, length: int) -> None:
    """The gap is only known to be there where a look falls into it: one of a whole stride or more is always seen."""
    tracks, detector = run(lambda frame: [] if gone <= frame < gone + length else [(0, 50, 60)], 110)
    noticed = any(gone <= frame < gone + length for frame in detector.looked)
    assert noticed or length < 5
    if length + 1 > 12:  # seen last half a second and more before it is seen again
        assert [frames_of(track) for track in tracks] == [list(range(gone)), list(range(gone + length, 110))]
    else:
        (track,) = tracks
        assert frames_of(track) == list(range(110))
        hidden = [frame for frame, seen in enumerate(track.detected) if not seen]
        assert hidden == (list(range(gone, gone + length)) if noticed else [])


def test_no_track_passes_a_cut() -> None:
    tracks, _ = run(lambda _: [(0, 50, 60)], 100, cuts=(0, 33, 70, 500))
    assert [frames_of(track) for track in tracks] == [list(range(33)), list(range(33, 70)), list(range(70, 100))]


def test_glimpses_and_small_faces_are_left_out() -> None:
    assert run(lambda frame: [(0, 50, 60)] if 20 <= frame < 28 else [], 60)[0] == []
    assert run(lambda _: [(0, 50, 60)], 60, settings=TrackingSettings(min_height_px=121))[0] == []
    assert run(lambda _: [], 60)[0] == []
    assert track_faces([], [], ScriptedDetector(lambda _: []), ScriptedEmbedder()) == []


def test_fast_movement_is_looked_at_more_closely() -> None:
    def dash(frame: int) -> list[tuple[int, float, float]]:
        return [(0, 50.0 + 20 * min(max(frame - 30, 0), 10), 60)]

    (track,), detector = run(dash, 70)
    true = np.array([dash(frame)[0][1] for frame in range(70)])
    assert np.abs(track.boxes[:, 0] - true).max() < 14
    assert len([frame for frame in detector.looked if 30 <= frame <= 40]) > 6
    assert len([frame for frame in detector.looked if frame >= 45]) <= 6


def test_two_people_who_pass_each_other_stay_themselves() -> None:
    def passing(frame: int) -> list[tuple[int, float, float]]:
        return [(1, 20 + 4 * frame, 60), (2, 420 - 4 * frame, 70)]

    tracks, _ = run(passing, 101)
    assert len(tracks) == 2
    for track in tracks:
        person = person_of(track)
        assert frames_of(track) == list(range(101))
        start, end = passing(0)[person - 1][1], passing(100)[person - 1][1]
        assert track.boxes[0, 0] == pytest.approx(start, abs=3)
        assert track.boxes[-1, 0] == pytest.approx(end, abs=3)


def test_another_face_in_the_same_place_after_a_gap_is_another_track() -> None:
    """A cut that nobody noticed: by place alone it would be one face."""

    def swap(frame: int) -> list[tuple[int, float, float]]:
        return [(1, 50, 60)] if frame < 40 else [] if frame < 46 else [(2, 55, 62)]

    tracks, _ = run(swap, 90)
    assert [(person_of(track), frames_of(track)[0], frames_of(track)[-1]) for track in tracks] == [
        (1, 0, 39),
        (2, 46, 89),
    ]


def test_a_detector_without_landmarks_gives_tracks_without_identity() -> None:
    detector = ScriptedDetector(lambda _: [(0, 50, 60), (1, 300, 60)], landmarks=False)
    tracks = track_faces(film(50), [], detector, ScriptedEmbedder())
    assert len(tracks) == 2
    assert all(np.isnan(track.landmarks).all() and not track.embedding.any() for track in tracks)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 119), max_size=3))
def test_any_flicker_gives_whole_tracks_inside_one_shot(seed: int, cuts: list[int]) -> None:
    showing = np.random.default_rng(seed).uniform(size=(120, 3)) < 0.8

    def flicker(frame: int) -> list[tuple[int, float, float]]:
        return [(who, 20 + 200.0 * who, 60) for who in range(3) if showing[frame, who]]

    tracks, _ = run(flicker, 120, cuts=tuple(sorted(cuts)))
    again, _ = run(flicker, 120, cuts=tuple(sorted(cuts)))
    for track, same in zip(tracks, again, strict=True):
        frames = frames_of(track)
        assert frames == list(range(frames[0], frames[-1] + 1))
        assert not any(frames[0] < cut <= frames[-1] for cut in cuts)
        assert track.detected[[0, -1]].all()
        assert len(track.boxes) == len(track.landmarks) == len(track.scores) == len(track.detected) == len(frames)
        np.testing.assert_array_equal(track.boxes, same.boxes)
    assert [int(track.times[0]) for track in tracks] == sorted(int(track.times[0]) for track in tracks)


def test_frames_of_one_stride_are_held_and_no_more() -> None:
    alive: set[int] = set()
    most = 0

    def watched() -> Iterator[tuple[Flicks, RGBImage]]:
        nonlocal most
        for time, image in film(200):
            alive.add(time)
            weakref.finalize(image, alive.discard, time)
            most = max(most, len(alive))
            yield time, image

    track_faces(watched(), [], ScriptedDetector(lambda _: [(0, 50, 60)]), ScriptedEmbedder())
    assert most <= 8


def test_frames_out_of_order_are_refused() -> None:
    frames = list(film(3))
    with pytest.raises(ValueError, match="rise in time"):
        track_faces([frames[1], frames[0]], [], ScriptedDetector(lambda _: []), ScriptedEmbedder())


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="stride_s"):
        TrackingSettings(stride_s=2)
    with pytest.raises(ValueError, match="same_overlap"):
        TrackingSettings(same_overlap=0.8, still_overlap=0.5)
