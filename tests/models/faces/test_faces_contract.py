"""What every face detector and the embedder do.

YuNet and SFace run with their trained weights. S3FD's are not to be had by the tests, so its network is given fixed
random ones that fire everywhere: that shows the adapter's form, not that it finds faces.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Thread

import numpy as np
import numpy.typing as npt
import pytest

from manifests.errors import BadInput
from models import weights
from models.faces import engines
from models.faces.contract import Face, FaceDetector, RGBImage

GRID = Path(__file__).parents[3] / ".." / "shared" / "data" / "grid"


def yunet() -> FaceDetector:
    if not weights.present("yunet"):
        pytest.skip("YuNet's weights are not on this machine: make weights")
    return engines.load_detector("yunet")


@cache
def untrained_s3fd() -> FaceDetector:
    import torch

    from models.faces.s3fd import S3FDDetector, S3FDSettings
    from models.s3fd.network import S3FD

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = S3FD()
    return S3FDDetector(network, S3FDSettings(working_px=64, min_score=0.4))


@pytest.fixture(
    params=[pytest.param(yunet, marks=pytest.mark.weights), pytest.param(untrained_s3fd, id="untrained_s3fd")]
)
def detector(request: pytest.FixtureRequest) -> FaceDetector:
    build: Callable[[], FaceDetector] = request.param
    return build()


def first_frame(path: Path) -> RGBImage:
    if not path.is_file():
        pytest.skip("the team's GRID clips are not on this machine")
    import av

    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def check(faces: list[Face], image: RGBImage) -> None:
    height, width = image.shape[:2]
    for face in faces:
        assert face.box.shape == (4,)
        assert face.box.dtype == np.float32
        x, y, wide, high = face.box.tolist()
        assert x >= 0
        assert y >= 0
        assert wide > 0
        assert high > 0
        assert x + wide <= width + 1e-2
        assert y + high <= height + 1e-2
        assert 0 <= face.score <= 1
        assert face.landmarks is None or (face.landmarks.shape == (5, 2) and face.landmarks.dtype == np.float32)
    areas = [float(face.box[2] * face.box[3]) for face in faces]
    assert areas == sorted(areas, reverse=True)


@pytest.mark.parametrize("size", [(64, 64), (270, 480), (333, 101)])
def test_any_picture_gives_faces_inside_it(detector: FaceDetector, size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    before = image.copy()
    faces = detector.detect(image)
    check(faces, image)
    again = detector.detect(image)
    np.testing.assert_array_equal(image, before, "the picture is not written to")
    assert len(again) == len(faces)
    assert all(np.array_equal(one.box, other.box) for one, other in zip(faces, again, strict=True))


def test_untrained_s3fd_fires_so_its_faces_were_checked() -> None:
    assert untrained_s3fd().detect(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.weights
@pytest.mark.shared_data
def test_yunet_finds_a_face_and_its_points_at_any_size() -> None:
    import cv2

    image = first_frame(GRID / "s1" / "bbaf2n.mp4")
    (face,) = yunet().detect(image)
    check([face], image)
    assert face.score > 0.85
    assert face.landmarks is not None
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks.tolist()
    assert right_eye[0] < nose[0] < left_eye[0], "the person's right is the picture's left"
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    large = cv2.resize(image, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    (grown,) = yunet().detect(large)
    np.testing.assert_allclose(grown.box / 5, face.box, atol=0.12 * float(face.box[3]))
    assert yunet().detect(np.full_like(image, 128)) == []


@pytest.mark.weights
def test_each_thread_has_its_own_yunet() -> None:
    here = yunet()
    assert engines.load_detector("yunet") is here
    there: list[FaceDetector] = []
    thread = Thread(target=lambda: there.append(engines.load_detector("yunet")))
    thread.start()
    thread.join()
    assert there[0] is not here


def vectors(paths: list[Path]) -> npt.NDArray[np.float32]:
    embedder = engines.load_embedder()
    pictures = [first_frame(path) for path in paths]
    return np.stack([embedder.embed(image, yunet().detect(image)[0]) for image in pictures])


@pytest.mark.weights
@pytest.mark.shared_data
def test_sface_tells_speakers_apart() -> None:
    if not weights.present("sface"):
        pytest.skip("SFace's weights are not on this machine: make weights")
    same = vectors([GRID / "s1" / name for name in ("bbaf2n.mp4", "lbaq6p.mp4", "sbah1a.mp4")])
    others = vectors([GRID / "others" / name for name in ("lbax4n.mpg", "lbbc2a.mpg", "sbia1a.mpg")])
    assert same.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([same, others]), axis=1), 1, atol=1e-5)
    least = engines.load_embedder().same_person_cosine
    assert (same @ same.T).min() > least
    assert (same @ others.T).max() < least


@pytest.mark.weights
def test_sface_wants_landmarks() -> None:
    if not weights.present("sface"):
        pytest.skip("SFace's weights are not on this machine: make weights")
    face = Face(box=np.array([0, 0, 50, 50], np.float32), score=1, landmarks=None)
    with pytest.raises(ValueError, match="landmarks"):
        engines.load_embedder().embed(np.zeros((64, 64, 3), np.uint8), face)


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="s3fd"):
        engines.load_detector("eagle")


def test_a_file_that_is_no_s3fd_checkpoint_is_bad_input(tmp_path: Path) -> None:
    import torch

    from models.faces import s3fd

    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(BadInput, match="no S3FD checkpoint"):
        s3fd.load(tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("<html>not found</html>")
    with pytest.raises(BadInput, match="no S3FD checkpoint"):
        s3fd.load(tmp_path / "text.pth")
