"""A person's library: which frames are kept of whom. The people are made up, the stages and the video are real."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_people import FRAME, chunk_of, face_of, meshes, meshes_of, noise_video

from infra.store import Store
from manifests.records import FaceTrack, MeshTrack, SpeakingFace, Video
from models.articulation import engines
from tasks.library import LibrarySettings, OpenLibrary, make_library, open_library, work_for
from tasks.looking import ChunkFaces, by_chunk, libraries_of

FRAMES = 60


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return noise_video(tmp_path_factory.mktemp("video") / "noise.mp4", FRAMES)


def made(
    video: Video, store: Store, *people: tuple[FaceTrack, MeshTrack], most_frames: int = 6000
) -> dict[str, OpenLibrary]:
    """The libraries of everybody in these tracks."""
    settings = LibrarySettings(most_frames=most_frames)
    work = work_for(video, [face for face, _ in people], [mesh for _, mesh in people], settings, "weights")
    found = [library for each in work for library in make_library(each, store)]
    opened = {library.identity: open_library(library, store) for library in found}
    assert [len(opened[library.identity].frames) for library in found] == [library.frame_count for library in found]
    return opened


def frames_of(library: OpenLibrary) -> list[int]:
    return [int(time) // FRAME for time in library.frames.times]


def test_a_persons_tracks_make_one_library(video: Video, store: Store) -> None:
    first, second = face_of(store, "a", 0, 25), face_of(store, "b", 30, 30, chunk="chunk-1")
    other = face_of(store, "c", 25, 5, person="adam")
    libraries = made(
        video,
        store,
        (second, meshes_of(store, second, meshes(30, 2))),
        (first, meshes_of(store, first, meshes(25, 1))),
        (other, meshes_of(store, other, meshes(5, 3))),
    )
    assert libraries.keys() == {"eve", "adam"}
    eve = libraries["eve"].frames
    assert frames_of(libraries["eve"]) == [*range(25), *range(30, 60)]
    assert np.flatnonzero(~eve.follows).tolist() == [0, 25], "a joint is where a track begins"
    crop = eve.crop(40)
    assert min(crop.pixels.shape[:2]) > 50
    assert crop.points[:, 0].max() > 0
    assert np.isfinite(eve.shapes).all()


def test_somebody_without_a_name_is_somebody_of_their_own(video: Video, store: Store) -> None:
    first, second = (face_of(store, name, at, 20, person="") for name, at in (("a", 0), ("b", 30)))
    libraries = made(
        video, store, *((face, meshes_of(store, face, meshes(20, seed))) for seed, face in enumerate((first, second)))
    )
    assert libraries.keys() == {"a", "b"}


@pytest.mark.parametrize("tremble_px", [0.0, 0.2], ids=["exactly", "but for what landmarks tremble"])
def test_a_still_is_one_frame(video: Video, store: Store, tremble_px: float) -> None:
    face = face_of(store, "still", 0, 40)
    points = meshes(40, spread=0)
    points += np.random.default_rng(0).normal(0, 1, points.shape).astype(np.float32) * np.float32(tremble_px)
    # A portrait breathes: it is moved as a whole.
    points[:, :, :2] += np.linspace(0, 4, 40, dtype=np.float32)[:, None, None]
    library = made(video, store, (face, meshes_of(store, face, points)))["eve"]
    assert len(library.frames) == 1
    assert library.speaker.deviation == pytest.approx(1)


def test_profiles_are_left_out(video: Video, store: Store) -> None:
    face = face_of(store, "turns", 0, 60)
    points = meshes(60, 4)
    points[20:35] = meshes(60, 4, yaw_rad=0.9)[20:35]
    library = made(video, store, (face, meshes_of(store, face, points)))["eve"]
    assert frames_of(library) == [*range(20), *range(35, 60)]
    assert not library.frames.follows[20]


def test_somebody_who_is_never_seen_from_in_front_has_no_library(video: Video, store: Store) -> None:
    face = face_of(store, "profile", 0, 30)
    assert made(video, store, (face, meshes_of(store, face, meshes(30, 4, yaw_rad=-1.0)))) == {}
    hidden = meshes_of(store, face, meshes(30, 4), score=np.full(30, 0.1, np.float32))
    assert made(video, store, (face, hidden)) == {}


def test_hidden_and_blurred_frames_are_left_out(video: Video, store: Store) -> None:
    face = face_of(store, "moves", 0, 60)
    score, sharpness = np.ones((2, 60), np.float32)
    score[:5], sharpness[40:45] = 0.2, 0.1
    library = made(video, store, (face, meshes_of(store, face, meshes(60, 5), score=score, sharpness=sharpness)))["eve"]
    assert frames_of(library) == [*range(5, 40), *range(45, 60)]


def test_two_faces_at_once_are_not_both_one_person(video: Video, store: Store) -> None:
    twin, other = face_of(store, "twin", 0, 30), face_of(store, "other", 10, 30)
    one, two = meshes(30, 6), meshes(30, 7) + np.float32(3)
    library = made(video, store, (twin, meshes_of(store, twin, one)), (other, meshes_of(store, other, two)))["eve"]
    assert frames_of(library) == list(range(40))
    assert np.array_equal(library.frames.points[10:30], one[10:30])


def test_a_long_lecture_keeps_what_is_worth_keeping(video: Video, store: Store) -> None:
    face = face_of(store, "long", 0, 60)
    library = made(video, store, (face, meshes_of(store, face, meshes(60, 8))), most_frames=30)["eve"]
    assert 0 < len(library.frames) <= 30
    assert frames_of(library) == sorted(set(frames_of(library)))


def test_a_library_is_the_same_whenever_it_is_made(video: Video, store: Store) -> None:
    face = face_of(store, "same", 0, 30)
    work = work_for(video, [face], [meshes_of(store, face, meshes(30, 9))], LibrarySettings(), "weights")
    assert make_library(work[0], store) == make_library(work[0], store)


def test_shapes_are_about_the_speakers_own_mouth(video: Video, store: Store) -> None:
    face = face_of(store, "own", 0, 60)
    library = made(video, store, (face, meshes_of(store, face, meshes(60, 10))))["eve"]
    shapes = library.frames.shapes / engines.mouth_model().visibility
    assert shapes.mean(axis=0) == pytest.approx(0, abs=0.05)
    assert shapes.std(axis=0) == pytest.approx(1, abs=0.1)


def test_faces_are_sorted_by_their_chunk(video: Video, store: Store) -> None:
    chunks = [chunk_of(video, 0, 30), chunk_of(video, 30, 60, 1)]
    faces = [
        face_of(store, "a", 0, 30),
        face_of(store, "b", 30, 20, chunk="chunk-1"),
        face_of(store, "c", 50, 10, chunk="chunk-1"),
    ]
    found = [meshes_of(store, face, meshes(2, 1)) for face in faces[:2]]
    spoken = [SpeakingFace(track_id="b", spans=(faces[1].span,), agreement=0.5)]
    sorted_ = by_chunk(chunks, faces, found, spoken)
    assert sorted_["chunk-0"] == ChunkFaces(tracks=(faces[0],), meshes=(found[0],), speaking=())
    assert sorted_["chunk-1"] == ChunkFaces(tracks=(faces[1], faces[2]), meshes=(found[1],), speaking=tuple(spoken))
    work = work_for(video, faces, found, LibrarySettings(), "weights")
    libraries = [library for each in work for library in make_library(each, store)]
    assert libraries_of(sorted_["chunk-0"], libraries) == ()
    assert libraries_of(sorted_["chunk-1"], libraries) == tuple(libraries)
