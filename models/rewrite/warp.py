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

Floats = npt.NDArray[np.float32]
Bounds = tuple[int, int, int, int]
"""x0, y0, x1, y1 of a rectangle of pixels, half-open."""

_FRACTION_BITS = 4
_LEAST_AREA_PX = 0.05
"""Triangles smaller than this show nothing."""
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


def mesh_map(crop_points: Floats, target: Floats, bounds: Bounds) -> tuple[Floats, Floats]:
    """Where in the crop each pixel of `bounds` comes from: x and y, (h, w) float32 each, for `cv2.remap`.

    `crop_points` (202, 2) and `target` (202, 2) are the same landmarks in the crop and in the frame, a pixel's centre
    at + 0.5. Pixels outside the mesh come from far outside the crop.
    """
    import cv2

    x0, y0, x1, y1 = bounds
    corners = np.concatenate([mesh.skin(), mesh.opening(), mesh.lips()])
    moved = (target - np.array((x0, y0), np.float32)).astype(np.float64)
    to = moved[corners]
    edges = to[:, 1:] - to[:, :1]
    twice_area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    shown = np.abs(twice_area) > 2 * _LEAST_AREA_PX
    shown &= (to.max(axis=1) > 0).all(axis=1) & (to.min(axis=1) < (x1 - x0, y1 - y0)).all(axis=1)
    corners, to, edges, twice_area = corners[shown], to[shown], edges[shown], twice_area[shown]

    index = np.zeros((y1 - y0, x1 - x0), np.int32)
    fixed = np.rint((to - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    # Triangles that face away (behind the outline of a turned head) first, so that those in front cover them.
    for at in [*np.flatnonzero(twice_area < 0), *np.flatnonzero(twice_area > 0)]:
        cv2.fillConvexPoly(index, fixed[at], int(at) + 1, cv2.LINE_8, _FRACTION_BITS)

    source = crop_points[corners].astype(np.float64)
    source_edges = source[:, 1:] - source[:, :1]
    inverse = np.stack([edges[:, 1, ::-1] * (1, -1), edges[:, 0, ::-1] * (-1, 1)], axis=2) / twice_area[:, None, None]
    # crop = source_0 + (pixel - to_0) @ inverse @ source_edges; and between centres of pixels rather than corners.
    matrix = inverse @ source_edges
    shift = source[:, 0] - np.einsum("ni,nij->nj", to[:, 0] - 0.5, matrix) - 0.5
    table = np.full((len(corners) + 1, 6), 0, np.float32)
    table[0, 4:] = -1e4
    table[1:, :4], table[1:, 4:] = matrix.reshape(-1, 4), shift
    column = np.arange(x1 - x0, dtype=np.float32)
    row = np.arange(y1 - y0, dtype=np.float32)[:, None]
    xx, xy, yx, yy, x, y = (np.take(np.ascontiguousarray(part), index) for part in table.T)
    return xx * column + yx * row + x, xy * column + yy * row + y


def warp_crop(crop: Crop, target: Floats, bounds: Bounds) -> npt.NDArray[np.uint8]:
    """`crop` with its landmarks at `target` (202, 2), as it falls on the pixels of `bounds`: (h, w, 3) uint8.

    One Lanczos resampling; a crop that shrinks much is averaged down first. Beyond the crop its edge goes on.
    """
    import cv2

    pixels, points = crop.pixels, crop.points[:, :2]
    shrink = float(np.ptp(points, axis=0).max() / max(float(np.ptp(target, axis=0).max()), 1e-6))
    if shrink > _SHRINK_FROM:
        height, width = pixels.shape[:2]
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        points = points * np.array((size[0] / width, size[1] / height), np.float32)
    x, y = mesh_map(points, target, bounds)
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE), np.uint8)


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
    moving = mesh.places(*JAW, *CHIN_AREA, *CHEEK_AREA)
    chosen = np.concatenate([np.arange(len(STABLE)), moving])
    at = target[chosen].astype(np.float64)
    offset = (frame_points[chosen, :2] - target[chosen]).astype(np.float64)
    reach = _JAW_REACH * size
    weights = np.linalg.solve(_kernel(at, at, reach) + _JAW_NOISE * np.eye(len(at)), offset)

    columns, rows = max(2, (x1 - x0) // _GRID_PX), max(2, (y1 - y0) // _GRID_PX)
    x = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns
    y = y0 + (np.arange(rows) + 0.5) * (y1 - y0) / rows
    grid = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)
    field = (_kernel(grid, at, reach) @ weights).reshape(rows, columns, 2).astype(np.float32)
    fade = np.minimum.outer(_fade(y, y0, y1, 0.3 * size), _fade(x, x0, x1, 0.3 * size)).astype(np.float32)
    field *= fade[:, :, None]
    full: Floats = np.asarray(cv2.resize(field, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC), np.float32)
    return full[:, :, 0], full[:, :, 1]


def _kernel(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], reach: float) -> npt.NDArray[np.float64]:
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    return np.asarray(np.exp(-np.maximum(squared, 0) / (2 * reach * reach)))


def _fade(at: npt.NDArray[np.float64], start: int, end: int, reach: float) -> npt.NDArray[np.float64]:
    """0 at both ends and 1 from `reach` inwards, smoothly."""
    inwards = np.clip((np.minimum(at - start, end - at)) / max(reach, 1e-6), 0, 1)
    return np.asarray(inwards * inwards * (3 - 2 * inwards))
