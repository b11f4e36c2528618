"""A drawn face with landmarks that fit it, for tests that need no camera and no weights."""

import cv2
import numpy as np

from models.landmarks.topology import (
    JAW,
    KEPT,
    KEPT_MOUTH,
    LIPS_INNER,
    LIPS_MIDDLE,
    LIPS_NEAR_INNER,
    LIPS_OUTER,
)
from models.rewrite import library, mesh

SIDE = 360
INSIDE_RGB = (20, 200, 40)
"""Nothing else in the picture is green."""


def face_points(opening_px: float = 30.0, *, width_px: float = 80.0) -> np.ndarray:
    """(202, 3) landmarks of a frontal face of about 220 pixels in a picture of `SIDE`, its mouth open by `opening_px`.

    The outline and the lips are put on ellipses, every other point where its neighbours' mean is (Tutte, 1963: no
    triangle folds over).
    """
    fixed: dict[int, tuple[float, float]] = {
        **dict(zip((162, 389, 127, 356), ((98, 60), (262, 60), (94, 90), (266, 90)), strict=True)),
        **dict(zip((234, 454, 93, 323), ((93, 120), (267, 120), (94, 150), (266, 150)), strict=True)),
        **dict(zip((33, 263, 133, 362), ((135, 90), (225, 90), (160, 92), (200, 92)), strict=True)),
        **dict(zip((168, 4, 164), ((180, 85), (180, 165), (180, 190)), strict=True)),
    }
    for place, index in enumerate(JAW):
        angle = np.pi - np.pi * place / (len(JAW) - 1)
        fixed[index] = (180 + 85 * np.cos(angle), 170 + (120 + 0.8 * opening_px) * np.sin(angle))
    # Chin and corners hang on the lower lip: x from the middle, y from the lip's own rim.
    beside = {83: (16, 8), 182: (30, 6), 106: (40, 2), 43: (50, -4)}
    below = {201: (20, 20), 194: (34, 18), 204: (48, 14)}
    others = {83: 313, 182: 406, 106: 335, 43: 273, 201: 421, 194: 418, 204: 424}
    for index, (aside, down) in {**beside, **below}.items():
        for each, side in ((index, -1), (others[index], 1)):
            fixed[each] = (180 + side * aside, 234 + opening_px * (0.75 if index == 43 else 1) + down)
    for index, down in ((18, 9), (200, 20), (199, 32)):
        fixed[index] = (180, 234 + opening_px + down)
    for ring, share in ((LIPS_INNER, 0.0), (LIPS_NEAR_INNER, 0.3), (LIPS_MIDDLE, 0.6), (LIPS_OUTER, 1.0)):
        for place, index in enumerate(ring):
            angle = np.pi - 2 * np.pi * place / len(ring)
            height = opening_px / 2 + share * 12
            fixed[index] = (
                180 + (width_px / 2 + share * 5) * np.cos(angle),
                222 + opening_px / 2 - height * np.sin(angle),
            )
    place_of = {index: place for place, index in enumerate(KEPT)}
    laplacian = np.zeros((len(KEPT), len(KEPT)))
    for triangle in np.concatenate([mesh.skin(), mesh.lips()]):
        for a in triangle:
            for b in triangle:
                laplacian[a, b] -= a != b
                laplacian[a, a] += a != b
    wanted = np.zeros((len(KEPT), 2))
    for index, xy in fixed.items():
        row = place_of[index]
        laplacian[row] = 0
        laplacian[row, row] = 1
        wanted[row] = xy
    points = np.zeros((len(KEPT), 3), np.float32)
    points[:, :2] = np.linalg.solve(laplacian, wanted)
    return points


def draw(points: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """(SIDE, SIDE, 3) RGB: grained skin, red lips, `INSIDE_RGB` between them."""
    rng = np.random.default_rng(seed)
    picture = np.empty((SIDE, SIDE, 3), np.float32)
    picture[:] = (200, 150, 130)
    picture += np.linspace(-25, 25, SIDE, dtype=np.float32)[None, :, None]
    for ring, colour in ((LIPS_OUTER, (170, 60, 70)), (LIPS_INNER, INSIDE_RGB)):
        outline = np.rint((points[mesh.places(*ring), :2] - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(picture, [outline], colour, cv2.LINE_AA, 4)
    picture += cv2.GaussianBlur(rng.normal(0, 12, picture.shape).astype(np.float32), (0, 0), 1.2)
    return np.clip(picture, 0, 255).astype(np.uint8)


def mouth(points: np.ndarray) -> np.ndarray:
    """The points (M, 2) that a new mouth is wanted at."""
    return points[KEPT_MOUTH, :2].copy()


def green(pixels: np.ndarray) -> np.ndarray:
    """Which pixels show the inside of the drawn mouth."""
    r, g, b = (pixels[..., channel].astype(int) for channel in range(3))
    return (g > r + 30) & (g > b + 30)


def library_of(count: int, shapes: np.ndarray, *, follows: np.ndarray | None = None) -> library.FaceLibrary:
    """`count` rows with these `shapes` (count, K) and nothing else that differs; their pixels are never looked at."""
    chained = np.arange(count) > 0 if follows is None else follows
    return library.FaceLibrary(
        times=np.arange(count, dtype=np.int64) * 28_224_000,
        follows=chained,
        points=np.repeat(face_points()[None], count, axis=0),
        shapes=shapes.astype(np.float32),
        poses=np.zeros((count, 3), np.float32),
        light=np.full((count, 3), 150, np.float32),
        origins=np.zeros((count, 2), np.float32),
        scales=np.ones(count, np.float32),
        jpegs=[b""] * count,
    )
