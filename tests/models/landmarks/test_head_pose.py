"""The pose of a head: a similarity put on a face is the one that is found again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.landmarks.pose import fit_pose

angles = st.floats(-1.2, 1.2)
places = st.tuples(st.floats(-500, 2000), st.floats(-500, 2000), st.floats(-200, 200))


def turned(yaw: float, pitch: float, roll: float) -> npt.NDArray[np.float64]:
    """Pitch about x, then yaw about y, then roll about z, as Tait and Bryan have it."""
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


@pytest.fixture(scope="module")
def canonical() -> npt.NDArray[np.float32]:
    return np.random.default_rng(5).normal(0, 0.5, (26, 3)).astype(np.float32)


@given(angles, angles, angles, st.floats(8, 600), places)
def test_a_known_similarity_is_recovered(
    canonical: npt.NDArray[np.float32],
    yaw: float,
    pitch: float,
    roll: float,
    scale: float,
    place: tuple[float, float, float],
) -> None:
    rotation = turned(yaw, pitch, roll)
    seen = (scale * canonical @ rotation.T + place).astype(np.float32)
    pose = fit_pose(seen, canonical)
    assert pose.scale == pytest.approx(scale, rel=1e-3)
    assert pose.rotation == pytest.approx(rotation, abs=2e-3)
    assert pose.angles_rad == pytest.approx((yaw, pitch, roll), abs=5e-3)
    assert pose.to_picture(canonical) == pytest.approx(seen, abs=1e-3 * scale)
    assert pose.to_canonical(seen) == pytest.approx(canonical, abs=2e-3)


@given(st.integers(0, 2**32 - 1))
def test_landmarks_that_tremble_hardly_turn_the_head(canonical: npt.NDArray[np.float32], seed: int) -> None:
    trembling = 100 * canonical + np.random.default_rng(seed).normal(0, 0.5, canonical.shape)
    pose = fit_pose(trembling.astype(np.float32), canonical)
    assert pose.angles_rad == pytest.approx(0, abs=0.03)
    assert pose.scale == pytest.approx(100, rel=0.02)


def test_a_head_is_never_mirrored(canonical: npt.NDArray[np.float32]) -> None:
    mirrored = canonical * np.array([-1, 1, 1], np.float32)
    assert np.linalg.det(fit_pose(mirrored, canonical).rotation) == pytest.approx(1)
