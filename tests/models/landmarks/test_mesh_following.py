"""Following a face: what moves in the picture moves in the mesh."""

from __future__ import annotations

import os

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from real_face import face, frames, real

from models.landmarks.contract import FaceMesh, LandmarkDetector, Region
from models.landmarks.engines import load_detector
from models.landmarks.facemesh import MediaPipeMesh
from models.landmarks.following import LEAST_SCORE, MeshFollower
from models.landmarks.topology import COUNT, LEFT_EYE_OUTER, RIGHT_EYE_OUTER

Matrix = npt.NDArray[np.float64]


def moved(shift: tuple[float, float] = (0, 0), scale: float = 1.0, turn_deg: float = 0.0) -> Matrix:
    matrix = np.asarray(cv2.getRotationMatrix2D((112, 112), turn_deg, scale))
    matrix[:, 2] += shift
    return matrix


def through(matrix: Matrix, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(points[:, :2] @ matrix[:, :2].T + matrix[:, 2], np.float32)


class TestARealFace:
    pytestmark = real

    @pytest.mark.parametrize(
        "matrix",
        [
            moved((14, -9)),
            moved(scale=1.25),
            moved(scale=0.6),
            moved(turn_deg=25),
            moved((-12, 6), scale=0.8, turn_deg=-15),
        ],
        ids=["shifted", "larger", "smaller", "turned", "all at once"],
    )
    def test_landmarks_move_with_the_picture(self, matrix: Matrix) -> None:
        frame, seen = frames()[0], face()
        mesh = MeshFollower(load_detector()).follow(frame, seen.box, seen.landmarks)
        # A pixel's centre lies at + 0.5, OpenCV's at 0.
        about = matrix.copy()
        about[:, 2] += about[:, :2] @ (-0.5, -0.5) + 0.5
        warped = np.asarray(cv2.warpAffine(frame, matrix, (224, 224), borderMode=cv2.BORDER_REPLICATE), np.uint8)
        corners = np.array([seen.box[:2], seen.box[:2] + seen.box[2:]])
        x0, y0, x1, y1 = through(about, corners).ravel() if about[0, 1] == 0 else (*seen.box[:2], *corners[1])
        box = np.array([x0, y0, x1 - x0, y1 - y0], np.float32)
        again = MeshFollower(load_detector()).follow(warped, box, through(about, seen.landmarks))
        eyes_px = float(np.linalg.norm(np.subtract(*mesh.points[[LEFT_EYE_OUTER, RIGHT_EYE_OUTER], :2])))
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        error = np.linalg.norm(again.points[:, :2] - through(about, mesh.points), axis=1) / (eyes_px * scale)
        assert min(mesh.score, again.score) > 0.9
        assert np.median(error) < 0.02
        assert error.max() < 0.1

    def test_a_talking_face_is_followed_without_a_jump(self) -> None:
        follower = MeshFollower(load_detector())
        meshes = [follower.follow(frame, face().box, face().landmarks) for frame in frames()[:25]]
        assert min(mesh.score for mesh in meshes) > 0.9
        steps = np.diff([mesh.points[:, :2] for mesh in meshes], axis=0)
        assert np.abs(steps).max() < 8  # of about 75 px between the eyes

    def test_where_there_is_no_face_the_score_is_low(self) -> None:
        wall = np.full((224, 224, 3), 180, np.uint8)
        noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)
        upside_down_corner = np.ascontiguousarray(frames()[0][::-1])[:60, :60]
        for picture in (wall, noise, upside_down_corner):
            mesh = MeshFollower(load_detector()).follow(picture, face().box, None)
            assert mesh.score < LEAST_SCORE

    def test_a_face_that_comes_back_is_found_again(self) -> None:
        follower = MeshFollower(load_detector())
        wall = np.full((224, 224, 3), 180, np.uint8)
        scores = [
            follower.follow(frame, face().box, face().landmarks).score for frame in (frames()[0], wall, frames()[1])
        ]
        assert scores[1] < LEAST_SCORE < min(scores[0], scores[2])

    def test_a_face_at_the_pictures_edge_is_met(self) -> None:
        x, y, width, height = face().box
        half = np.ascontiguousarray(frames()[0][:, : int(x + width / 2)])
        mesh = MeshFollower(load_detector()).follow(half, np.array([x, y, width, height], np.float32), None)
        assert np.isfinite(mesh.points).all()

    def test_the_runtime_keeps_its_news_to_itself(self, capfd: pytest.CaptureFixture[str]) -> None:
        os.write(2, b"before\n")
        MediaPipeMesh()
        os.write(2, b"after\n")
        assert capfd.readouterr().err == "before\nafter\n"


class FakeDetector:
    """Stands in for trained weights: sees a face of `side_px` at `centre`, and tells where it was asked to look."""

    def __init__(self, centre: tuple[float, float], side_px: float = 100) -> None:
        self.centre, self.side_px = centre, side_px
        self.asked: list[Region] = []

    def locate(self, image: npt.NDArray[np.uint8], region: Region) -> FaceMesh:
        self.asked.append(region)
        points = np.zeros((COUNT, 3), np.float32)
        spread = np.linspace(-0.5, 0.5, COUNT) * self.side_px
        points[:, 0], points[:, 1] = self.centre[0] + spread, self.centre[1] + spread
        points[RIGHT_EYE_OUTER, :2] = np.add(self.centre, (-30, 0))
        points[LEFT_EYE_OUTER, :2] = np.add(self.centre, (30, 0))
        near = abs(region.centre_x - self.centre[0]) + abs(region.centre_y - self.centre[1]) < self.side_px
        return FaceMesh(points, 0.95 if near else 0.05)


def box_about(centre: tuple[float, float], side_px: float = 100) -> npt.NDArray[np.float32]:
    return np.array([centre[0] - side_px / 2, centre[1] - side_px / 2, side_px, side_px], np.float32)


NOTHING = np.zeros((400, 400, 3), np.uint8)


def test_a_face_is_looked_at_twice_at_first_and_then_once_a_frame() -> None:
    detector: LandmarkDetector = (fake := FakeDetector((150, 150)))
    follower = MeshFollower(detector)
    for asked in (2, 3, 4):
        assert follower.follow(NOTHING, box_about((150, 150)), None).score > LEAST_SCORE
        assert len(fake.asked) == asked


def test_after_a_jump_of_the_box_the_new_place_is_looked_at() -> None:
    fake = FakeDetector((150, 150))
    follower = MeshFollower(fake)
    follower.follow(NOTHING, box_about((150, 150)), None)
    fake.centre = (300, 300)
    assert follower.follow(NOTHING, box_about((300, 300)), None).score > LEAST_SCORE
    assert (fake.asked[-1].centre_x, fake.asked[-1].centre_y) == pytest.approx((300, 300), abs=1)


def test_a_face_that_left_its_region_is_looked_for_in_the_box() -> None:
    fake = FakeDetector((150, 150))
    follower = MeshFollower(fake)
    follower.follow(NOTHING, box_about((150, 150)), None)
    fake.centre = (150, 255)
    assert follower.follow(NOTHING, box_about((150, 170)), None).score > LEAST_SCORE
