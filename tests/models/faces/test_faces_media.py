"""Faces followed on real pictures, with the trained YuNet and SFace."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from manifests.time import Flicks, flicks, seconds
from models import weights
from models.faces.contract import RGBImage
from models.faces.engines import load_detector, load_embedder
from models.faces.geometry import overlaps
from models.faces.identity import link
from models.faces.tracking import track_faces

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
pytestmark = [pytest.mark.weights, pytest.mark.shared_data]


@pytest.fixture(autouse=True)
def _weights_are_here() -> None:
    if not (weights.present("yunet") and weights.present("sface")):
        pytest.skip("the weights of YuNet and SFace are not on this machine: make weights")


def frames(path: Path, start_s: float = 0, end_s: float = 1e6) -> Iterator[tuple[Flicks, RGBImage]]:
    if not path.is_file():
        pytest.skip("the team's sample data are not on this machine")
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if start_s:
            container.seek(int((start_s - 0.01) / stream.time_base) if stream.time_base else 0, stream=stream)
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert frame.time_base is not None
            time = flicks(frame.pts * frame.time_base)
            if time >= flicks(end_s):
                return
            if time >= flicks(start_s):
                yield time, frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


@pytest.mark.parametrize("clip", ["s1/bgin3a.mp4", "others/lbbc2a.mpg"])
def test_tracking_agrees_with_detection_on_every_frame(clip: str) -> None:
    film = list(frames(DATA / "grid" / clip))
    (track,) = track_faces(film, [], load_detector(), load_embedder())
    assert track.times.tolist() == [time for time, _ in film]
    assert track.detected.all()
    faces = [load_detector().detect(image)[0] for _, image in film]
    boxes = np.stack([face.box for face in faces])
    agreement = np.diag(overlaps(track.boxes, boxes))
    assert agreement.mean() > 0.95
    assert agreement.min() > 0.8
    points = np.stack([face.landmarks for face in faces if face.landmarks is not None])
    off = np.linalg.norm(track.landmarks - points, axis=2).mean() / boxes[:, 3].mean()
    assert off < 0.015, "landmarks differ by less than 1.5 % of the face's height"
    assert np.abs(np.diff(track.boxes, 2, axis=0)).mean() < np.abs(np.diff(boxes, 2, axis=0)).mean(), "calmer"


def test_a_lecture_shows_two_persons_and_tracks_end_at_its_cuts() -> None:
    lecture = DATA / "lecture" / "lecture_en.mp4"
    woman = list(islice(frames(lecture, 14.6, 17.0), 60))
    man = list(islice(frames(lecture, 31.5, 33.9), 60))
    cut_woman, cut_man = flicks(16.12), flicks(32.96)
    tracks = [
        track
        for film, cut in ((woman[:20], cut_woman), (woman[20:], cut_woman), (man, cut_man))
        for track in track_faces(film, [cut], load_detector(), load_embedder())
    ]
    assert len(tracks) == 3
    assert [seconds(int(track.times[-1])) for track in tracks[1:]] == pytest.approx([16.08, 32.92], abs=1e-3)
    embeddings = np.stack([track.embedding for track in tracks])
    assert link(embeddings, [len(track.times) for track in tracks], load_embedder().same_person_cosine) == [0, 0, 1]
