"""Gender and age read off faces, with the trained networks."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from infra.media.frames import read_frames
from models import weights
from models.faces import engines
from models.faces.contract import AppearanceReader, Face, Look

GRID = Path(__file__).parents[3] / ".." / "shared" / "data" / "grid"
WOMEN = ("brbk7n", "lbbc2a", "lrwp9a", "lwbsza")
MEN = ("id2_vcd_swwp2s", "lbax4n", "sbia1a", "sbwe5n", "swiz3n")


@pytest.fixture
def reader() -> AppearanceReader:
    if not all(weights.present(name) for name in ("yunet", engines.APPEARANCE_NAME)):
        pytest.skip("the networks for faces are not on this machine: make weights")
    return engines.load_appearance()


def look_of(reader: AppearanceReader, name: str, *, mirrored: bool = False) -> Look:
    path = GRID / "others" / f"{name}.mpg"
    if not path.is_file():
        pytest.skip("the team's GRID clips are not on this machine")
    _, frame = next(islice(read_frames(path), 40, 41))
    image = np.ascontiguousarray(frame[:, ::-1]) if mirrored else frame
    return reader.read([(image, engines.load_detector().detect(image)[0])])[0]


@pytest.mark.weights
@pytest.mark.shared_data
def test_women_and_men_of_grid_are_told(reader: AppearanceReader) -> None:
    for name in WOMEN:
        assert look_of(reader, name).female > 0.8, name
    for name in MEN:
        assert look_of(reader, name).female < 0.2, name
    assert all(18 < look_of(reader, name).age_years < 60 for name in (*WOMEN, *MEN))


@pytest.mark.weights
@pytest.mark.shared_data
def test_a_mirrored_face_looks_nearly_the_same(reader: AppearanceReader) -> None:
    one, other = look_of(reader, "lbax4n"), look_of(reader, "lbax4n", mirrored=True)
    assert one.female == pytest.approx(other.female, abs=0.05)
    assert one.age_years == pytest.approx(other.age_years, abs=5)


@pytest.mark.weights
def test_no_pictures_no_looks_and_no_look_without_landmarks(reader: AppearanceReader) -> None:
    assert reader.read([]) == []
    face = Face(box=np.array([0, 0, 50, 50], np.float32), score=1, landmarks=None)
    with pytest.raises(ValueError, match="landmarks"):
        reader.read([(np.zeros((64, 64, 3), np.uint8), face)])


@pytest.mark.weights
def test_a_face_that_leaves_the_picture_is_read_all_the_same(reader: AppearanceReader) -> None:
    points = np.array([[-20, 5], [10, 5], [-5, 20], [-15, 30], [8, 30]], np.float32)
    face = Face(box=np.array([-30, -10, 60, 60], np.float32), score=1, landmarks=points)
    (look,) = reader.read([(np.full((64, 64, 3), 128, np.uint8), face)])
    assert 0 <= look.female <= 1
    assert 0 <= look.age_years <= 80
