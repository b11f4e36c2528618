from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models import weights
from models.metrics import fidelity, frechet, seam
from models.metrics.changed import changed_pixels, share_changed_outside
from models.metrics.sharpness import sharpness

Picture = npt.NDArray[np.uint8]


def skin(seed: int = 0, side: int = 96) -> Picture:
    """Soft blotches, as skin has them."""
    noise = np.random.default_rng(seed).normal(0, 60, (side, side, 3)).astype(np.float32)
    return np.clip(140 + cv2.GaussianBlur(noise, (0, 0), 4) * 3, 0, 255).astype(np.uint8)


def noisy(picture: Picture, amount: float) -> Picture:
    noise = np.random.default_rng(9).normal(0, amount, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def test_equal_pictures_are_perfect_and_noise_costs() -> None:
    picture = skin()
    assert fidelity.ssim(picture, picture) == pytest.approx(1)
    assert fidelity.psnr(picture, picture) == math.inf
    assert 1 > fidelity.ssim(noisy(picture, 5), picture) > fidelity.ssim(noisy(picture, 25), picture)
    assert fidelity.psnr(noisy(picture, 5), picture) == pytest.approx(10 * math.log10(255**2 / 25), abs=0.5)


def test_pictures_that_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        fidelity.ssim(skin(), skin(side=80))
    with pytest.raises(ValueError, match="sides of"):
        fidelity.ssim(skin(side=8), skin(side=8))


def test_a_blurred_picture_is_less_sharp() -> None:
    picture = noisy(skin(), 10)
    blurred = cv2.GaussianBlur(picture, (0, 0), 1.5).astype(np.uint8)
    assert sharpness(blurred) < 0.2 * sharpness(picture)
    assert sharpness(np.full((20, 20, 3), 90, np.uint8)) == 0


def disc(side: int = 96, radius: float = 28) -> npt.NDArray[np.bool_]:
    y, x = np.ogrid[:side, :side]
    return np.asarray((x - side / 2) ** 2 + (y - side / 2) ** 2 < radius**2)


def test_a_hard_edge_shows_and_a_soft_one_does_not() -> None:
    source = skin()
    inside = disc()
    brighter = np.clip(source.astype(np.int16) + 25, 0, 255).astype(np.uint8)
    hard = np.where(inside[..., None], brighter, source)
    mask = seam.soft_mask(changed_pixels(source, hard), reach_px=12)
    share = mask[..., None]
    soft = np.rint(source * (1 - share) + brighter * share).astype(np.uint8)
    assert seam.seam_visibility(source, source, mask) == 0
    assert seam.seam_visibility(source, hard, mask) > 1
    assert seam.seam_visibility(source, soft, mask) < 0.4 * seam.seam_visibility(source, hard, mask)


def test_a_mask_without_a_border_says_so() -> None:
    with pytest.raises(ValueError, match="no border"):
        seam.seam_visibility(skin(), skin(), np.zeros((96, 96), np.float32))


def test_a_soft_mask_closes_holes_and_keeps_the_largest_region() -> None:
    changed = disc()
    changed[48, 48] = False
    changed[2, 2] = True
    mask = seam.soft_mask(changed, reach_px=10)
    assert mask[48, 48] == 1
    assert mask[2, 2] == 0
    assert 0 < mask[48, 48 - 27] < 0.5


def test_one_changed_pixel_is_found() -> None:
    source = skin()
    result = source.copy()
    result[5, 7, 2] ^= 8
    changed = changed_pixels(source, result)
    assert np.argwhere(changed).tolist() == [[5, 7]]
    assert not changed_pixels(source, result, tolerance=8).any()
    allowed = np.zeros(changed.shape, np.bool_)
    assert share_changed_outside(changed, allowed) == pytest.approx(1 / changed.size)
    allowed[:10] = True
    assert share_changed_outside(changed, allowed) == 0


def test_frechet_distance_of_gaussians_is_that_of_the_formula() -> None:
    draw = np.random.default_rng(3)
    one = draw.normal(0, 1, (4000, 4)).astype(np.float32)
    other = (draw.normal(0, 1, (4000, 4)) * 2 + 3).astype(np.float32)
    assert frechet.frechet_distance(one, one) == pytest.approx(0, abs=1e-6)
    # |m1 - m2|² + sum (s1 - s2)² for independent dimensions
    assert frechet.frechet_distance(one, other) == pytest.approx(4 * 9 + 4 * 1, rel=0.03)


def test_frechet_distance_agrees_with_a_matrix_root() -> None:
    from scipy.linalg import sqrtm

    draw = np.random.default_rng(4)
    one, other = (draw.normal(0, 1, (50, 6)) @ draw.normal(0, 1, (6, 6)) for _ in range(2))
    covariances = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = np.square(one.mean(0) - other.mean(0)).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet.frechet_distance(one.astype(np.float32), other.astype(np.float32)) == pytest.approx(
        expected, rel=1e-4
    )


def test_one_picture_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="two pictures"):
        frechet.frechet_distance(np.zeros((1, 4), np.float32), np.zeros((5, 4), np.float32))


@pytest.mark.weights
@pytest.mark.skipif(not weights.present("inception-fid"), reason="redub weights pull inception-fid")
def test_inception_tells_pictures_apart() -> None:
    y, x = np.mgrid[:60, :60]
    board = np.repeat(((x // 8 + y // 8) % 2 * 255)[..., None], 3, axis=2).astype(np.uint8)
    faces = [skin(0), skin(1, side=120), board]
    features = frechet.inception_features(faces)
    assert features.shape == (3, frechet.FEATURES)
    near, far = (np.linalg.norm(features[0] - features[other]) for other in (1, 2))
    assert near < far
