"""A real face that is made to say what it said at another time, from a plain Python shell.

The two clips show one man; what his lips really did while he said the second one is known, and is what they should do.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from grid_clips import ONE, OTHER, frames_of, with_grid

from infra.media.probe import probe
from infra.media.splice import RenderSettings as EncoderSettings
from infra.store import Store
from manifests.time import seconds
from models.articulation import engines as articulation
from models.articulation.shapes import openings
from models.faces import engines as faces
from models.landmarks import engines as landmarks
from models.landmarks.following import MeshFollower
from models.landmarks.topology import KEPT, KEPT_MOUTH
from models.rewrite.paint import bounds
from tasks.journal import Journal
from tasks.pool import InProcessPool
from tasks.render import RenderSettings
from tasks.settings import lecture
from tasks.talking import Talk, TalkJob, make_talk

pytestmark = with_grid

LOSSLESS = dataclasses.replace(lecture(), render=RenderSettings(encoder=EncoderSettings(crf=0)))


@dataclass(frozen=True)
class Made:
    talk: Talk
    file: Path
    stages: dict[str, bool]


def make(folder: Path) -> Made:
    store, journal = Store(folder), Journal()
    job = TalkJob(face=ONE.resolve(), audio=OTHER.resolve(), out=folder / "out.mp4", settings=LOSSLESS)
    talk = make_talk(job, InProcessPool(store, journal), store)
    return Made(talk, store.path(talk.files.video), {entry.stage: entry.hit for entry in journal.entries})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("store"))


def meshes(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(F, 202, 3) of the one face in them."""
    follower, detector = MeshFollower(landmarks.load_detector()), faces.load_detector()
    (face,) = detector.detect(pictures[0])
    found = [follower.follow(picture, face.box, face.landmarks) for picture in pictures]
    assert min(mesh.score for mesh in found) > 0.5
    return np.stack([mesh.points[list(KEPT)] for mesh in found])


def mouth_openings(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return openings(articulation.mouth_model().mouths(meshes(pictures)))


def test_it_lasts_as_long_as_the_sound_and_every_frame_speaks(made: Made) -> None:
    video = probe(made.file)
    assert seconds(video.span.duration) == pytest.approx(seconds(probe(OTHER).span.duration), abs=0.04)
    assert made.talk.lip_frames == video.frame_count
    assert made.talk.degradations == ()
    assert {"faces", "meshes", "library", "lips", "render"} <= made.stages.keys()


def test_the_mouth_does_what_it_did_when_that_was_said(made: Made) -> None:
    wanted, shown = mouth_openings(frames_of(OTHER)), mouth_openings(frames_of(made.file))
    before = mouth_openings(frames_of(ONE))
    count = min(len(wanted), len(shown), len(before))
    alike, alike_before = (np.corrcoef(wanted[:count], each[:count])[0, 1] for each in (shown, before))
    assert alike > 0.6
    assert alike > alike_before + 0.2, "or nothing had to be done"


def test_the_picture_outside_the_lower_face_is_untouched(made: Made) -> None:
    source, shown = frames_of(ONE), frames_of(made.file)
    height, width = source.shape[1:3]
    changed = []
    for index, points in enumerate(meshes(source)[: len(shown)]):
        # The lips of another moment reach a little further than those of this one.
        x0, y0, x1, y1 = bounds(points, points[KEPT_MOUTH, :2], width, height)
        differs = (source[index] != shown[index]).any(axis=2)
        changed.append(differs.any())
        differs[max(y0 - 6, 0) : y1 + 12, max(x0 - 6, 0) : x1 + 6] = False
        assert not differs.any(), f"frame {index} differs outside the lower face"
    assert np.mean(changed) > 0.9


def test_the_same_work_makes_the_same_bytes(made: Made, tmp_path: Path) -> None:
    again = make(tmp_path)
    assert not any(again.stages.values()), "a store of its own"
    assert again.file.read_bytes() == made.file.read_bytes()
