"""Lips by rewriting: which frames change, into what, and what is painted of it.

The articulator is a fake that stands in for trained weights: it hears loudness as an open mouth. People are made up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_people import FRAME, SIZE, chunk_of, face_of, meshes, meshes_of, noise_video

from infra.media.frames import read_frames
from infra.media.splice import FrameView, Patch, RenderSettings, reencode_picture
from infra.store import Store
from manifests.records import Chunk, FaceTrack, MeshTrack, Video
from manifests.time import FLICKS_PER_SECOND, Span, flicks
from models.articulation import engines
from models.articulation.contract import SAMPLE_RATE, Articulation
from models.articulation.shapes import MouthModel, openings
from models.landmarks.pose import fit_pose
from models.landmarks.topology import KEPT_STABLE
from models.rewrite.paint import bounds
from tasks import rewriting
from tasks.arrays import get_arrays, put_arrays
from tasks.library import LibrarySettings, SpeakerLibrary, make_library, open_library, work_for
from tasks.painting import painter
from tasks.rewriting import RewriteSettings, Rewritten, Speech, rewrite, voicing

FRAMES = 60
CHUNK = Chunk(id="c", video_id="v", index=0, span=Span.of_seconds(10, 20))
Waveform = npt.NDArray[np.float32]


def tone(duration_s: float, *, level: float = 0.3) -> Waveform:
    time = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    return (level * np.sin(2 * np.pi * 220 * time)).astype(np.float32)


def spoken(*parts: tuple[float, float], duration_s: float = 10, level: float = 0.3) -> Speech:
    """Speech from the start of `CHUNK` on, where a tone sounds in `parts` (seconds after it)."""
    waveform = np.zeros(round(duration_s * SAMPLE_RATE), np.float32)
    for start, end in parts:
        first = round(start * SAMPLE_RATE)
        sound = tone(end - start, level=level)
        waveform[first : first + len(sound)] = sound
    heard = tuple(Span.of_seconds(10 + start, 10 + end) for start, end in parts)
    return Speech(waveform=waveform, heard=heard)


def at(*seconds: float) -> npt.NDArray[np.int64]:
    return np.array([CHUNK.span.start + flicks(each) for each in seconds], np.int64)


@given(
    st.lists(st.tuples(st.floats(0, 9), st.floats(0.05, 1)), max_size=4),
    st.floats(1e-3, 1),
    st.lists(st.floats(0, 9.99), max_size=20),
)
@settings(deadline=None, max_examples=40)
def test_voicing_is_a_share(parts: list[tuple[float, float]], level: float, times: list[float]) -> None:
    speech = spoken(*((start, start + length) for start, length in parts), level=level)
    told = voicing(speech, CHUNK, at(*times))
    assert told.shape == (len(times),)
    assert told.dtype == np.float32
    assert ((told >= 0) & (told <= 1 + 1e-6)).all()
    for time, voiced in zip(times, told, strict=True):
        # A mouth opens a moment before it is heard and closes a moment after.
        nearest = min((max(start - time, time - start - length, 0) for start, length in parts), default=99.0)
        assert voiced == 0 or nearest < 0.35


def test_the_voice_speaks_within_speech_with_soft_edges_and_through_short_pauses() -> None:
    speech = spoken((2, 3), (3.15, 4), (7, 8))
    assert voicing(speech, CHUNK, at(2.5, 3.07, 3.5, 7.5)) == pytest.approx(1, abs=0.01)
    assert voicing(speech, CHUNK, at(0, 1, 5, 6, 9.5)) == pytest.approx(0)
    edge = voicing(speech, CHUNK, at(*np.arange(1.5, 2.3, 0.02)))
    assert (np.diff(edge) >= -1e-6).all()
    assert np.diff(edge).max() < 0.25, "no jump"


def test_what_is_heard_outside_speech_is_no_voice() -> None:
    music = spoken((1, 9))
    assert voicing(Speech(music.waveform, (Span.of_seconds(14, 15),)), CHUNK, at(2, 8)) == pytest.approx(0)
    assert voicing(Speech(music.waveform, ()), CHUNK, at(2, 4.5, 8)) == pytest.approx(0)


@pytest.mark.parametrize("duration_s", [0, 0.005, 1])
def test_silence_is_no_voice(duration_s: float) -> None:
    silence = Speech(np.zeros(round(duration_s * SAMPLE_RATE), np.float32), ())
    assert not voicing(silence, CHUNK, at(0, 0.5, 3)).any()


flags = st.lists(st.booleans(), min_size=1, max_size=60).map(lambda each: np.array(each, np.bool_))


def runs(shown: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shown.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@given(flags)
def test_only_whole_short_runs_are_left_out(shown: npt.NDArray[np.bool_]) -> None:
    times = np.arange(len(shown), dtype=np.int64) * FRAME
    kept = rewriting._long_enough(times, shown)
    long = [run for run in runs(shown) if times[run[1] - 1] - times[run[0]] >= flicks(0.2) or run == (0, len(shown))]
    assert runs(kept) == long


@given(flags)
def test_spans_cover_the_flagged_frames_and_no_others(shown: npt.NDArray[np.bool_]) -> None:
    times = np.arange(len(shown), dtype=np.int64) * FRAME + 7
    spans = rewriting._spans(times, shown)
    assert len(spans) == len(runs(shown))
    assert [any(time in span for span in spans) for time in times.tolist()] == shown.tolist()


class LoudIsOpen:
    """Stands in for trained weights: the louder the sound, the further the jaw is down; a full silence is closed."""

    def __init__(self, mouth: MouthModel) -> None:
        self.mouth = mouth
        unit = np.zeros((mouth.size, *mouth.components.shape[1:2], 3), np.float32)
        unit[:, :, :2] = mouth.components
        self._open = openings(unit) / np.linalg.norm(openings(unit))

    def listen(self, waveform: Waveform, times_s: npt.NDArray[np.float64]) -> Articulation:
        block = SAMPLE_RATE // 50
        level = np.abs(waveform[: len(waveform) // block * block]).reshape(-1, block).max(axis=1)
        loud = np.interp(times_s * 50 - 0.5, np.arange(len(level)), level / max(float(level.max()), 1e-6))
        shapes = (3 * loud - 1.5)[:, None] * self._open
        return Articulation(shapes=shapes.astype(np.float32), closed=np.zeros(len(times_s), np.float32))


@pytest.fixture(autouse=True)
def fake_articulator(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = LoudIsOpen(engines.mouth_model())
    monkeypatch.setattr(engines, "load", lambda: fake)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return noise_video(tmp_path_factory.mktemp("video") / "noise.mp4", FRAMES)


@pytest.fixture(scope="module")
def face(store: Store) -> FaceTrack:
    return face_of(store, "face", 0, FRAMES)


@pytest.fixture(scope="module")
def mesh(store: Store, face: FaceTrack) -> MeshTrack:
    return meshes_of(store, face, meshes(FRAMES, 1))


@pytest.fixture(scope="module")
def library(video: Video, store: Store, face: FaceTrack, mesh: MeshTrack) -> SpeakerLibrary:
    (work,) = work_for(video, [face], [mesh], LibrarySettings(), "weights")
    (found,) = make_library(work, store)
    return found


WHOLE = (Span(0, FRAMES * FRAME),)


def said(video: Video, *parts: tuple[float, float]) -> Speech:
    speech = spoken(*parts, duration_s=video.span.duration_s)
    return Speech(speech.waveform, tuple(Span.of_seconds(start, end) for start, end in parts))


def rewritten(
    video: Video,
    faces: list[tuple[FaceTrack, MeshTrack, tuple[Span, ...]]],
    libraries: list[SpeakerLibrary],
    store: Store,
    speech: Speech | None = None,
    settings: RewriteSettings | None = None,
) -> Rewritten:
    return rewrite(
        chunk_of(video, 0, FRAMES),
        faces,
        libraries,
        speech or said(video, (0.6, 1.6)),
        LibrarySettings().max_yaw_rad,
        settings or RewriteSettings(),
        store,
    )


def gaps(made: Rewritten) -> npt.NDArray[np.float32]:
    """How far the wanted mouths are open, in distances between the eyes."""
    model = engines.mouth_model()
    found = []
    for points, wanted in zip(made.arrays["points"], made.arrays["wanted"], strict=True):
        pose = fit_pose(points[KEPT_STABLE], model.canonical[KEPT_STABLE])
        found.append(openings(wanted[None])[0] / pose.scale)
    return np.array(found, np.float32)


def test_the_mouth_opens_while_the_voice_is_heard_and_rests_before_and_after(
    video: Video, store: Store, face: FaceTrack, mesh: MeshTrack, library: SpeakerLibrary
) -> None:
    made = rewritten(video, [(face, mesh, WHOLE)], [library], store)
    assert made.left_alone == ()
    times_s = made.arrays["time"] / FLICKS_PER_SECOND
    assert made.arrays["time"].tolist() == [index * FRAME for index in range(FRAMES)]
    opened = gaps(made)
    speaking, silent = (times_s > 0.8) & (times_s < 1.4), (times_s < 0.3) | (times_s > 1.9)
    assert opened[speaking].min() > opened[silent].max() + 0.03
    assert np.ptp(opened[silent]) < 0.01
    count = library.frame_count
    assert ((made.arrays["row"] >= 0) & (made.arrays["row"] < count)).all()
    mixed = made.arrays["share"] > 0
    assert ((made.arrays["other"][mixed] >= 0) & (made.arrays["other"][mixed] < count)).all()
    assert made.arrays["share"].max() <= 0.5
    # Rows are frames whose own mouth is alike: open ones while he speaks, closed ones while he rests.
    model = engines.mouth_model()
    own = openings(model.mouths(open_library(library, store).frames.points))[made.arrays["row"]]
    assert np.median(own[speaking]) > np.median(own[silent])


def test_only_the_wanted_spans_change(
    video: Video, store: Store, face: FaceTrack, mesh: MeshTrack, library: SpeakerLibrary
) -> None:
    spans = (Span(5 * FRAME, 20 * FRAME), Span(40 * FRAME, 50 * FRAME))
    made = rewritten(video, [(face, mesh, spans)], [library], store)
    assert [int(time) // FRAME for time in made.arrays["time"]] == [*range(5, 20), *range(40, 50)]
    assert made.left_alone == ()
    nothing = rewritten(video, [(face, mesh, ())], [library], store)
    assert (nothing.arrays, nothing.left_alone) == ({}, ())


def test_a_turned_face_is_left_alone_and_told(
    video: Video, store: Store, face: FaceTrack, library: SpeakerLibrary
) -> None:
    points = meshes(FRAMES, 1)
    points[20:40] = meshes(FRAMES, 1, yaw_rad=0.9)[20:40]
    made = rewritten(video, [(face, meshes_of(store, face, points), WHOLE)], [library], store)
    assert [int(time) // FRAME for time in made.arrays["time"]] == [*range(20), *range(40, 60)]
    assert made.left_alone == (Span(20 * FRAME, 40 * FRAME),)


def test_a_moment_between_turned_heads_is_not_worth_a_change(
    video: Video, store: Store, face: FaceTrack, library: SpeakerLibrary
) -> None:
    points = meshes(FRAMES, 1, yaw_rad=0.9)
    points[30:33] = meshes(FRAMES, 1)[30:33]
    made = rewritten(video, [(face, meshes_of(store, face, points), WHOLE)], [library], store)
    assert made.arrays == {}
    assert made.left_alone == (Span(0, 60 * FRAME),)


def test_somebody_without_a_library_is_left_alone(
    video: Video, store: Store, face: FaceTrack, mesh: MeshTrack, library: SpeakerLibrary
) -> None:
    stranger = face_of(store, "stranger", 0, 30, person="adam")
    strange = meshes_of(store, stranger, meshes(30, 2))
    made = rewritten(
        video, [(stranger, strange, WHOLE), (face, mesh, (Span(30 * FRAME, 60 * FRAME),))], [library], store
    )
    assert made.left_alone == (Span(0, 30 * FRAME),)
    assert made.arrays["time"].min() == 30 * FRAME
    assert rewritten(video, [(stranger, strange, WHOLE)], [library], store).arrays == {}


def test_each_face_is_made_of_its_own_library(
    video: Video, store: Store, face: FaceTrack, mesh: MeshTrack, library: SpeakerLibrary
) -> None:
    other = face_of(store, "other", 0, 30, person="adam")
    its_mesh = meshes_of(store, other, meshes(30, 2))
    (work,) = work_for(video, [other], [its_mesh], LibrarySettings(), "weights")
    (its,) = make_library(work, store)
    early, late = (Span(0, 20 * FRAME),), (Span(30 * FRAME, 60 * FRAME),)
    made = rewritten(video, [(other, its_mesh, early), (face, mesh, late)], [library, its], store)
    assert made.arrays["library"].tolist() == [1] * 20 + [0] * 30
    assert made.arrays["row"][:20].max() < its.frame_count


def test_a_frame_may_be_barred_from_its_own_place(
    video: Video, store: Store, face: FaceTrack, mesh: MeshTrack, library: SpeakerLibrary
) -> None:
    made = rewritten(video, [(face, mesh, WHOLE)], [library], store, settings=RewriteSettings(barred_s=0.3))
    assert len(made.arrays["time"]) == FRAMES
    times = open_library(library, store).frames.times
    assert np.abs(times[made.arrays["row"]] - made.arrays["time"]).min() > flicks(0.29)
    mixed = made.arrays["share"] > 0
    assert np.abs(times[made.arrays["other"]] - made.arrays["time"])[mixed].min(initial=flicks(1)) > flicks(0.29)


def test_a_frame_that_nothing_is_left_for_stays(
    video: Video, store: Store, face: FaceTrack, mesh: MeshTrack, library: SpeakerLibrary
) -> None:
    made = rewritten(video, [(face, mesh, WHOLE)], [library], store, settings=RewriteSettings(barred_s=2))
    # Of 2.4 s of frames, 2 s to either side of those in the middle is all there is.
    assert [int(time) // FRAME for time in made.arrays["time"]] == [*range(9), *range(51, 60)]
    assert made.left_alone == (Span(9 * FRAME, 51 * FRAME),)


def test_the_same_work_gives_the_same_recipe(
    video: Video, store: Store, face: FaceTrack, mesh: MeshTrack, library: SpeakerLibrary
) -> None:
    one, other = (put_arrays(store, rewritten(video, [(face, mesh, WHOLE)], [library], store).arrays) for _ in range(2))
    assert one == other


def test_frames_outside_the_mouths_stay_and_inside_only_the_mouth_changes(
    video: Video, store: Store, face: FaceTrack, mesh: MeshTrack, library: SpeakerLibrary, tmp_path: Path
) -> None:
    made = rewritten(video, [(face, mesh, (Span(20 * FRAME, 35 * FRAME),))], [library], store)
    mouths = put_arrays(store, made.arrays)
    paint = painter([mouths], [library], store)
    patches: dict[int, Patch | None] = {}

    def change(view: FrameView) -> Patch | None:
        patches[view.time // FRAME] = paint(view)
        return patches[view.time // FRAME]

    out = tmp_path / "out.mp4"
    reencode_picture(Path(video.uri), change, out, RenderSettings(crf=0, preset="ultrafast", threads=1))
    changed = {index for index, patch in patches.items() if patch is not None}
    assert changed == set(range(20, 35))
    arrays = get_arrays(store, mouths)
    frames = zip(read_frames(Path(video.uri)), read_frames(out), strict=True)
    for index, ((_, before), (_, after)) in enumerate(frames):
        if index not in changed:
            assert np.array_equal(before, after), index
            continue
        x0, y0, x1, y1 = bounds(arrays["points"][index - 20], arrays["wanted"][index - 20], *SIZE)
        differs = (before != after).any(axis=2)
        assert differs.any()
        # A chroma sample serves two by two pixels, and is shared with its neighbours where it is shown.
        differs[y0 - 2 : y1 + 2, x0 - 2 : x1 + 2] = False
        assert not differs.any(), index


def test_without_mouths_nothing_is_painted(store: Store) -> None:
    class Nothing:
        time = 0

    assert painter([], [], store)(Nothing()) is None  # type: ignore[arg-type]
