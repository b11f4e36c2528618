"""Bringing a mouth to an exact shape: one resampling from the library's crop to the frame.

Two maps. `mesh_map` is piecewise affine over the face's triangles, so every landmark lands exactly where it is wanted,
and the opening between the lips may close to nothing. `jaw_map` is smooth (Gaussian kernel ridge regression of the
landmarks' displacements, so their noise averages out) and fades to nothing: it moves the frame's own jaw line, collar
and neck along with the new jaw, so that nothing has to be pasted over the outline of the face.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.landmarks.topology import CHEEK_AREA, CHIN_AREA, JAW, LIPS_INNER, STABLE
from models.rewrite import mesh
from models.rewrite.library import Crop, face_size_px
from models.rewrite.opening import Shown, landing

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bounds = tuple[int, int, int, int]
"""x0, y0, x1, y1 of a rectangle of pixels, half-open."""

_FRACTION_BITS = 4
_LEAST_AREA_PX = 0.05
"""Triangles smaller than this show nothing."""
_WIDTH_RANGE = (0.7, 1.4)
"""How far the width of the wanted opening may differ from that of the source before teeth are stretched after all."""
_LIP_EDGE = 0.02
"""Width of a lip's edge that is not all lip, over the spread of the stable points (about half the face's size)."""
_SAMPLE_WIDTH = 256
"""Samples are laid out in rows of this many, as OpenCV wants pictures."""
_SHRINK_FROM = 1.5
"""From this reduction on, a crop is averaged down before it is warped, so that it does not alias."""

_JAW_REACH = 0.28
"""Width of the kernel, as a share of the face's size (`face_size_px`)."""
_JAW_NOISE = 0.05
"""The ridge: how much of a displacement is taken to be the detector's noise, against a kernel's height of 1."""
_GRID_PX = 8
_JAW_MARGIN, _NECK_MARGIN = 0.35, 0.55
"""How far the jaw's map reaches beyond the landmarks, sideways and downwards, as shares of the face's size."""


def target_points(frame_points: Floats, wanted: Floats) -> Floats:
    """All kept points (202, 2) of the new face: the frame's stable ones, then `wanted` (M, 2).

    Where the upper inner lip lies below the lower one, both are put in their middle: lips touch, they do not cross.
    """
    points = np.concatenate([frame_points[: len(STABLE), :2], wanted]).astype(np.float32)
    half = len(LIPS_INNER) // 2
    upper = mesh.places(*LIPS_INNER[1:half])
    lower = mesh.places(*LIPS_INNER[:half:-1])
    down = points[mesh.places(152)[0]] - points[mesh.places(168)[0]]
    down /= max(float(np.linalg.norm(down)), 1e-6)
    crossing = np.minimum((points[lower] - points[upper]) @ down, 0)[:, None] * (down / 2)
    points[upper] += crossing
    points[lower] -= crossing
    return points


def mesh_map(
    crop_points: Floats, target: Floats, bounds: Bounds, where: npt.NDArray[np.bool_], inside: Shown
) -> tuple[Floats, Floats]:
    """Where in the crop each pixel of `bounds` that `where` (h, w) names comes from: x and y, (n,) each.

    `crop_points` (202, 2) and `target` (202, 2) are the same landmarks in the crop and in the frame, a pixel's centre
    at + 0.5; `inside` is what shows between the lips (`opening.shown`). The result is what `cv2.remap` wants, a pixel's
    centre at + 0. Pixels outside the mesh come from far outside the crop.
    """
    x0, y0, x1, y1 = bounds
    moved = (target - np.array((x0, y0), np.float32)).astype(np.float64)
    opening_from, opening_to = _opening_grid(crop_points.astype(np.float64), moved, inside)
    corners = np.concatenate([mesh.skin(), mesh.opening() + len(moved), mesh.lips()])
    to = np.concatenate([moved, opening_to])[corners]
    edges = to[:, 1:] - to[:, :1]
    twice_area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    shown = np.abs(twice_area) > 2 * _LEAST_AREA_PX
    shown &= (to.max(axis=1) > 0).all(axis=1) & (to.min(axis=1) < (x1 - x0, y1 - y0)).all(axis=1)
    corners, to, edges, twice_area = corners[shown], to[shown], edges[shown], twice_area[shown]

    source = np.concatenate([_drawn_back(crop_points, moved), opening_from])[corners]
    source_edges = source[:, 1:] - source[:, :1]
    inverse = np.stack([edges[:, 1, ::-1] * (1, -1), edges[:, 0, ::-1] * (-1, 1)], axis=2) / twice_area[:, None, None]
    # crop = source_0 + (pixel - to_0) @ inverse @ source_edges; and between centres of pixels rather than corners.
    matrix = inverse @ source_edges
    shift = source[:, 0] - np.einsum("ni,nij->nj", to[:, 0] - 0.5, matrix) - 0.5
    table = np.full((len(corners) + 1, 6), 0, np.float32)
    table[0, 4:] = -1e4
    table[1:, :4], table[1:, 4:] = matrix.reshape(-1, 4), shift
    rows, columns = np.nonzero(where)
    chosen = table[_index(to, twice_area, x1 - x0, y1 - y0)[rows, columns]]
    x = chosen[:, 0] * columns + chosen[:, 2] * rows + chosen[:, 4]
    y = chosen[:, 1] * columns + chosen[:, 3] * rows + chosen[:, 5]
    return x.astype(np.float32), y.astype(np.float32)


def warp_crop(
    crop: Crop, target: Floats, bounds: Bounds, where: npt.NDArray[np.bool_], inside: Shown
) -> npt.NDArray[np.uint8]:
    """`crop` with its landmarks at `target` (202, 2), as it falls on the pixels of `bounds` that `where` (h, w) names.

    (n, 3) uint8, in the order of `numpy.nonzero(where)`. One Lanczos resampling; a crop that shrinks much is averaged
    down first. Beyond the crop its edge goes on.
    """
    import cv2

    pixels, points = crop.pixels, crop.points[:, :2]
    shrink = float(np.ptp(points, axis=0).max() / max(float(np.ptp(target, axis=0).max()), 1e-6))
    if shrink > _SHRINK_FROM:
        height, width = pixels.shape[:2]
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        points = points * np.array((size[0] / width, size[1] / height), np.float32)
    return sample(pixels, *mesh_map(points, target, bounds, where, inside))


def sample(pixels: npt.NDArray[np.uint8], x: Floats, y: Floats) -> npt.NDArray[np.uint8]:
    """`pixels` (H, W, 3) at the places `x`, `y` (n,), a pixel's centre at + 0: (n, 3) uint8, by Lanczos' kernel.

    Only the places that are asked for, as this kernel is what costs most; a cubic one loses 13 % of the Laplacian's
    variance half way between pixels, where this one loses 7 %.
    """
    import cv2

    rows = -(-len(x) // _SAMPLE_WIDTH)
    places = np.zeros((2, rows * _SAMPLE_WIDTH), np.float32)
    places[0, : len(x)], places[1, : len(x)] = x, y
    if not rows:
        return np.zeros((0, 3), np.uint8)
    grid = places.reshape(2, rows, _SAMPLE_WIDTH)
    found = cv2.remap(pixels, grid[0], grid[1], cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8).reshape(-1, 3)[: len(x)]


def _index(to: Doubles, twice_area: Doubles, width: int, height: int) -> npt.NDArray[np.int32]:
    """Which triangle covers each pixel, (height, width), counted from 1; 0 for none."""
    import cv2

    index = np.zeros((height, width), np.int32)
    fixed = np.rint((to - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    # Triangles that face away (behind the outline of a turned head) first, so that those in front cover them.
    for at in [*np.flatnonzero(twice_area < 0).tolist(), *np.flatnonzero(twice_area > 0).tolist()]:
        cv2.fillConvexPoly(index, fixed[at], at + 1, cv2.LINE_8, _FRACTION_BITS)
    return index


def _opening_grid(source: Doubles, target: Doubles, inside: Shown) -> tuple[Doubles, Doubles]:
    """The grid between the inner lips in the crop and in the frame, (OPENING_LEVELS * OPENING_COLUMNS, 2) each.

    Across, the picture keeps the face's own scale in the mouth's middle; what it has too much or too little of is taken
    up in the corners. Down, see `opening.landing`.
    """
    upper, lower = mesh.opening_edges()
    stable = slice(0, len(STABLE))
    scale = np.sqrt(target[stable].var(axis=0).sum() / max(float(source[stable].var(axis=0).sum()), 1e-9))
    shares, width = _across(target, upper, lower)
    source_shares, source_width = _across(source, upper, lower)
    own = np.clip(width / max(source_width * scale, 1e-6), *_WIDTH_RANGE)
    at = np.clip(own * shares + (1 - own) * shares**3, -1, 1)
    top, bottom = (
        np.stack([np.interp(at, source_shares, source[edge, axis]) for axis in (0, 1)], axis=1)
        for edge in (upper, lower)
    )
    heights_px = np.asarray(np.linalg.norm(bottom - top, axis=1) * scale, np.float32)
    apart = target[lower] - target[upper]
    come, to = landing(np.linalg.norm(apart, axis=1), Shown(heights_px=heights_px, dark=inside.dark))
    come_from = top + come[:, :, None] * (bottom - top)
    go_to = target[upper] + to[:, :, None] * apart
    return come_from.reshape(-1, 2), go_to.reshape(-1, 2)


def _drawn_back(source: Floats, target: Doubles) -> Doubles:
    """`source` (202, 2) with the inner lips moved off the opening where that has to close.

    The last pixels of a lip are half teeth, by the lens and by the detector's error; between closed lips they would
    show as a bright line.
    """
    points = source.astype(np.float64)
    upper, lower = mesh.opening_edges()
    stable = slice(0, len(STABLE))
    scale = np.sqrt(points[stable].var(axis=0).sum() / max(float(target[stable].var(axis=0).sum()), 1e-9))
    apart = points[lower] - points[upper]
    shown = np.linalg.norm(apart, axis=1, keepdims=True)
    wanted = np.linalg.norm(target[lower] - target[upper], axis=1, keepdims=True) * scale
    most = _LIP_EDGE * float(np.sqrt(points[stable].var(axis=0).sum()))
    share = np.clip((shown - 3 * wanted) / (4 * most), 0, 1)
    back = most * share * apart / np.maximum(shown, 1e-6)
    points[upper] -= back
    points[lower] += back
    return points


def _across(points: Doubles, upper: npt.NDArray[np.intp], lower: npt.NDArray[np.intp]) -> tuple[Doubles, float]:
    """Where the columns of the opening lie, -1..1 from corner to corner and never falling, and its width."""
    right, left = points[upper[0]], points[upper[-1]]
    width = max(float(np.linalg.norm(left - right)), 1e-6)
    middles = (points[upper] + points[lower]) / 2 - (left + right) / 2
    shares = middles @ (left - right) / (width * width / 2)
    return np.maximum.accumulate(np.clip(shares, -1, 1)), width


def jaw_bounds(frame_points: Floats, wanted: Floats, width: int, height: int) -> Bounds:
    """The rectangle that a new mouth may change within a picture of `width` x `height`; empty where it lies outside."""
    size = float(face_size_px(frame_points))
    both = np.concatenate([frame_points[len(STABLE) :, :2], wanted])
    (left, top), (right, bottom) = both.min(axis=0), both.max(axis=0)
    x0, x1 = np.floor(left - _JAW_MARGIN * size), np.ceil(right + _JAW_MARGIN * size)
    y0, y1 = np.floor(top - 0.1 * size), np.ceil(bottom + _NECK_MARGIN * size)
    x0, x1 = (int(min(max(x, 0), width)) for x in (x0, x1))
    y0, y1 = (int(min(max(y, 0), height)) for y in (y0, y1))
    return x0, y0, x1, y1


def jaw_map(frame_points: Floats, target: Floats, bounds: Bounds) -> tuple[Floats, Floats]:
    """By how much each pixel of `bounds` lies off its place in the frame: x and y, (h, w) float32.

    The pixel at p of the new frame is the old one's at p + offset(p). 0 at the rim of `bounds` and on the stable
    points. `frame_points` (202, 3) and `target` (202, 2) in pixels of the frame.
    """
    import cv2

    x0, y0, x1, y1 = bounds
    size = float(face_size_px(frame_points))
    chosen = np.concatenate([np.arange(len(STABLE)), mesh.places(*JAW, *CHIN_AREA, *CHEEK_AREA)])
    at = target[chosen].astype(np.float64)
    offset = (frame_points[chosen, :2] - target[chosen]).astype(np.float64)
    reach = _JAW_REACH * size
    across, down = (_kernel(at[:, axis], at[:, axis], reach) for axis in (0, 1))
    weights = np.linalg.solve(across * down + _JAW_NOISE * np.eye(len(at)), offset)

    columns, rows = max(2, (x1 - x0) // _GRID_PX), max(2, (y1 - y0) // _GRID_PX)
    x = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns
    y = y0 + (np.arange(rows) + 0.5) * (y1 - y0) / rows
    # The kernel is separable: e^-(dx^2 + dy^2) = e^-dx^2 e^-dy^2.
    across, down = _kernel(x, at[:, 0], reach), _kernel(y, at[:, 1], reach)
    field = np.stack([(down * weights[:, axis]) @ across.T for axis in (0, 1)], axis=2).astype(np.float32)
    fade = np.minimum.outer(_fade(y, y0, y1, 0.3 * size), _fade(x, x0, x1, 0.3 * size)).astype(np.float32)
    field *= fade[:, :, None]
    full: Floats = np.asarray(cv2.resize(field, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR), np.float32)
    return full[:, :, 0], full[:, :, 1]


def _kernel(a: Doubles, b: Doubles, reach: float) -> Doubles:
    return np.asarray(np.exp(-((a[:, None] - b[None]) ** 2) / (2 * reach * reach)))


def _fade(at: Doubles, start: int, end: int, reach: float) -> Doubles:
    """0 at both ends, over a cell of the grid at least, and 1 from `reach` inwards, smoothly."""
    inwards = np.clip((np.minimum(at - start, end - at) - 2 * _GRID_PX) / max(reach, 1e-6), 0, 1)
    return np.asarray(inwards * inwards * (3 - 2 * inwards))
