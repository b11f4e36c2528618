"""How well a mouth follows a voice. Fakes stand in for the trained networks: what they hear and see is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from made_up_people import FRAME, chunk_of, face_of, meshes, meshes_of, noise_video

from infra.media.audio import write_wav
from infra.media.splice import GroupRun
from infra.store import Store
from manifests.clock import HeldClock, Hold
from manifests.records import Chunk, FaceTrack, MeshTrack, SpeakingFace, Video
from manifests.time import FLICKS_PER_SECOND, Span
from models.articulation import engines
from models.articulation.contract import Articulation
from models.articulation.shapes import openings
from models.landmarks import engines as landmark_engines
from models.landmarks.contract import FaceMesh, Region
from models.landmarks.topology import COUNT, KEPT
from tasks.arrays import put_arrays
from tasks.lip_scores import (
    DUBBED_LIPS,
    REAL_LIPS,
    DubbedLipsWork,
    LineToScore,
    LipScore,
    LipScoreSettings,
    RealLipsWork,
)
from tasks.mix import ChunkSpeech
from tasks.render import RenderedRun

FRAMES = 100
Times = npt.NDArray[np.float64]


def shapes_of(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Shapes whose opening is that of `points`, as an articulator would hear them."""
    model = engines.mouth_model()
    gaps = openings(model.mouths(points))
    along = model.gap_of_shapes
    return np.asarray(np.outer(gaps, along) / (along @ along), np.float32)


def hears(monkeypatch: pytest.MonkeyPatch, at: Callable[[Times], npt.NDArray[np.float32]]) -> None:
    """An articulator that hears the shapes `at` of the times it is asked for."""

    class Fake:
        mouth = engines.mouth_model()

        def listen(self, waveform: npt.NDArray[np.float32], times_s: Times) -> Articulation:
            return Articulation(shapes=at(times_s), closed=np.zeros(len(times_s), np.float32))

    monkeypatch.setattr(engines, "load", Fake)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return noise_video(tmp_path_factory.mktemp("video") / "noise.mp4", FRAMES)


class Person:
    """Somebody who speaks for all of a chunk of 100 frames."""

    def __init__(self, store: Store, video: Video) -> None:
        self.points = meshes(FRAMES, seed=1)
        self.chunk: Chunk = chunk_of(video, 0, FRAMES)
        observations = put_arrays(
            store,
            {
                "time": np.arange(FRAMES, dtype=np.int64) * FRAME,
                "box": np.tile(np.array([110, 60, 100, 130], np.float32), (FRAMES, 1)),
                "landmarks": np.tile(
                    np.array([[130, 100], [190, 100], [160, 130], [140, 160], [180, 160]], np.float32), (FRAMES, 1, 1)
                ),
            },
        )
        face = face_of(store, "face", 0, FRAMES)
        self.face = FaceTrack(
            id=face.id,
            chunk_id=face.chunk_id,
            span=face.span,
            observations=observations,
            median_height_px=130,
            embedding=(1.0,),
            identity="eve",
        )
        self.mesh: MeshTrack = meshes_of(store, self.face, self.points)
        self.speaking = SpeakingFace(track_id=self.face.id, spans=(self.face.span,), agreement=0.6)


def with_sound(video: Video, tmp_path: Path) -> Video:
    """The video's record over a file with sound alone: the fake articulator does not listen to it."""
    import dataclasses

    file = tmp_path / "sound.wav"
    write_wav(file, np.zeros(16_000 * 4, np.float32), 16_000)
    return dataclasses.replace(video, uri=str(file))


def real(person: Person, video: Video, store: Store, *lines: LineToScore) -> tuple[LipScore, ...]:
    work = RealLipsWork(
        video=video,
        track=0,
        chunk=person.chunk,
        speaking=(person.speaking,),
        meshes=(person.mesh,),
        lines=lines,
        settings=LipScoreSettings(),
        weights="fake",
    )
    return REAL_LIPS.perform(work, store).value


def dubbed(
    person: Person,
    video: Video,
    store: Store,
    *lines: LineToScore,
    clock: HeldClock | None = None,
    changed: tuple[Span, ...] = (),
    rendered: tuple[RenderedRun, ...] = (),
) -> tuple[LipScore, ...]:
    with store.scratch() as folder:
        write_wav(folder / "speech.wav", np.zeros(48_000, np.float32), 48_000)
        audio = store.put(folder / "speech.wav")
    work = DubbedLipsWork(
        video=video,
        chunk=person.chunk,
        tracks=(person.face,),
        speaking=(person.speaking,),
        meshes=(person.mesh,),
        changed=changed,
        rendered=rendered,
        speech=(ChunkSpeech(span=Span(0, FLICKS_PER_SECOND), heard=(), audio=audio),),
        clock=clock or HeldClock(),
        lines=lines,
        settings=LipScoreSettings(),
        weights=("fake", "fake"),
    )
    return DUBBED_LIPS.perform(work, store).value


def frames_of(times_s: Times) -> npt.NDArray[np.int64]:
    return np.clip(np.round(times_s * FLICKS_PER_SECOND / FRAME).astype(np.int64), 0, FRAMES - 1)


def line(name: str, first: int, end: int) -> LineToScore:
    return LineToScore(utterance_id=name, span=Span(first * FRAME, end * FRAME))


def test_a_mouth_that_does_what_is_heard_agrees_and_another_does_not(
    store: Store, video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, sound = Person(store, video), with_sound(video, tmp_path)
    other = meshes(FRAMES, seed=9)
    half = FRAMES // 2
    mixed = np.concatenate([shapes_of(person.points)[:half], shapes_of(other)[half:]])
    hears(monkeypatch, lambda times: mixed[frames_of(times)])
    own, others = real(person, sound, store, line("own", 2, half - 2), line("others", half + 2, FRAMES - 2))
    assert own.agreement == pytest.approx(1, abs=1e-3)
    assert own.frames == half - 4
    assert others.agreement < 0.7


def test_a_line_without_the_face_or_with_too_little_of_it_has_no_score(
    store: Store, video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, sound = Person(store, video), with_sound(video, tmp_path)
    hears(monkeypatch, lambda times: shapes_of(person.points)[frames_of(times)])
    assert real(person, sound, store, line("later", 200, 260)) == ()
    assert real(person, sound, store, line("short", 0, 12)) == ()
    scored = real(person, sound, store, line("short", 0, 12), line("long", 20, 80))
    assert [each.utterance_id for each in scored] == ["long"]


def test_only_the_beginning_of_a_long_line_is_looked_at(
    store: Store, video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, sound = Person(store, video), with_sound(video, tmp_path)
    hears(monkeypatch, lambda times: shapes_of(person.points)[frames_of(times)])
    work = RealLipsWork(
        video=sound,
        track=0,
        chunk=person.chunk,
        speaking=(person.speaking,),
        meshes=(person.mesh,),
        lines=(line("long", 0, FRAMES),),
        settings=LipScoreSettings(most_s=2.0),
        weights="fake",
    )
    assert REAL_LIPS.perform(work, store).value[0].frames == 50


def test_an_untouched_mouth_is_scored_as_filmed_on_the_clock_of_the_dub(
    store: Store, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture waits for a second before frame 50: what is heard for it comes a second later."""
    person = Person(store, video)
    clock = HeldClock((Hold(50 * FRAME, 25 * FRAME),))

    def heard(times_s: Times) -> npt.NDArray[np.float32]:
        late = np.where(times_s >= 3, times_s - 1, np.minimum(times_s, 2))
        return shapes_of(person.points)[frames_of(late)]

    hears(monkeypatch, heard)
    before, after = dubbed(person, video, store, line("before", 5, 45), line("after", 78, 120), clock=clock)
    assert before.agreement == pytest.approx(1, abs=1e-3)
    assert after.agreement == pytest.approx(1, abs=1e-3)
    assert after.frames == 42


def test_what_was_rendered_is_looked_at_where_the_picture_was_changed(
    store: Store, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run holds frames 25 to 75; a fake stands in for the landmark network and sees other lips in them."""
    person, new = Person(store, video), meshes(FRAMES, seed=4)
    looked = iter(range(30, 70))

    class Fake:
        def locate(self, image: npt.NDArray[np.uint8], region: Region) -> FaceMesh:
            points = np.zeros((COUNT, 3), np.float32)
            points[list(KEPT)] = new[next(looked)]
            return FaceMesh(points=points, score=1.0)

    monkeypatch.setattr(landmark_engines, "load_detector", Fake)

    class FollowsAtOnce:
        def __init__(self, detector: Fake) -> None:
            self._detector = detector

        def follow(self, image: npt.NDArray[np.uint8], box: object, landmarks: object) -> FaceMesh:
            assert image.shape == (288, 320, 3)
            return self._detector.locate(image, Region(centre_x=0, centre_y=0, side_px=1, angle_rad=0))

    monkeypatch.setattr("tasks.lip_scores.MeshFollower", FollowsAtOnce)
    hears(monkeypatch, lambda times: shapes_of(new)[frames_of(times)])
    with store.scratch() as folder:
        made = noise_video(folder / "run.mp4", 50)
        picture = store.put(Path(made.uri))
    run = RenderedRun(run=GroupRun(first=1, end=3, span=Span(25 * FRAME, 75 * FRAME)), picture=picture, frame_count=50)
    (score,) = dubbed(person, video, store, line("x", 30, 70), changed=(Span(25 * FRAME, 75 * FRAME),), rendered=(run,))
    assert next(looked, None) is None
    assert (score.agreement, score.frames) == (pytest.approx(1, abs=1e-3), 40)


def test_nobody_in_the_picture_costs_nothing(store: Store, video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(store, video)
    monkeypatch.setattr(engines, "load", lambda: pytest.fail("nothing is to be heard"))
    assert dubbed(person, video, store, line("later", 500, 600)) == ()
