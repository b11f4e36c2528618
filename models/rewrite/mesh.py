"""The lower face as triangles between the kept landmarks.

One fixed triangulation for every frame: skin (a Delaunay triangulation of a frontal open mouth, made once, offline),
four rings of the lips, and the opening between them as a grid with points of its own, so that it can close to nothing,
and so that teeth need not stretch with the lips.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import numpy.typing as npt

from models.landmarks.topology import COUNT, KEPT, LIPS_INNER, LIPS_MIDDLE, LIPS_NEAR_INNER, LIPS_OUTER

Triangles = npt.NDArray[np.int32]
"""(T, 3) places among the kept landmarks, clockwise as seen in a frontal picture."""

OPENING_COLUMNS, OPENING_LEVELS = len(LIPS_INNER) // 2 + 1, 9
"""The opening's grid, from corner to corner and from lip to lip."""

_SKIN = """
    0 164 267, 3 5 4, 3 133 196, 3 203 118, 5 195 248, 5 248 4, 6 122 168, 6 197 122, 6 351 197, 18 83 17, 18 313
    200, 32 140 149, 32 170 211, 32 194 201, 32 201 208, 33 117 127, 33 133 118, 39 92 165, 40 92 39, 40 185 186, 43
    106 204, 43 146 91, 50 93 117, 50 117 118, 57 43 202, 57 61 43, 57 185 61, 57 202 212, 57 212 186, 58 138 172,
    58 215 192, 61 146 43, 83 18 200, 83 84 17, 83 182 84, 83 200 201, 84 182 181, 92 40 186, 92 206 165, 92 216
    206, 93 234 117, 106 43 91, 106 91 181, 106 182 204, 117 33 118, 117 234 127, 122 133 168, 122 197 196, 133 3
    118, 133 33 162, 133 122 196, 135 136 172, 136 210 169, 138 58 192, 138 214 172, 140 32 208, 140 176 149, 147 93
    50, 147 132 93, 147 187 213, 147 213 132, 148 175 152, 150 136 169, 150 170 149, 162 33 127, 164 0 37, 164 167
    4, 167 37 39, 167 39 165, 167 164 37, 167 203 4, 168 133 162, 170 32 149, 170 150 211, 171 175 148, 171 176 208,
    175 171 199, 175 377 152, 176 140 208, 176 171 148, 182 83 194, 182 106 181, 185 57 186, 187 50 205, 187 147 50,
    194 32 211, 194 83 201, 195 3 196, 195 5 3, 195 419 248, 197 195 196, 199 171 208, 200 313 421, 200 421 199, 201
    199 208, 201 200 199, 202 43 204, 202 210 212, 203 3 4, 203 167 165, 203 205 118, 203 206 205, 204 182 194, 204
    194 211, 205 50 118, 206 203 165, 206 207 205, 206 216 207, 207 187 205, 207 216 192, 210 136 135, 210 202 204,
    210 204 211, 210 211 169, 210 214 212, 211 150 169, 212 216 186, 213 187 207, 213 207 192, 213 215 132, 214 135
    172, 214 138 192, 214 210 135, 214 216 212, 215 58 132, 215 213 192, 216 92 186, 216 214 192, 248 347 423, 248
    419 362, 248 423 4, 262 378 369, 262 395 378, 262 421 418, 262 428 421, 262 431 395, 263 362 389, 263 389 356,
    267 164 393, 267 393 269, 273 422 424, 287 409 410, 287 410 432, 287 422 273, 288 416 435, 288 435 361, 291 287
    273, 313 17 314, 313 18 17, 313 406 418, 321 375 273, 322 270 269, 322 410 270, 323 376 280, 335 273 424, 335
    321 273, 346 263 356, 346 323 280, 346 347 263, 346 454 323, 347 248 362, 347 346 280, 347 362 263, 347 425 423,
    351 6 168, 351 419 197, 362 168 389, 362 351 168, 364 434 397, 365 364 397, 367 288 397, 367 416 288, 367 434
    416, 375 291 273, 376 323 361, 376 411 280, 377 175 396, 377 396 400, 378 400 369, 379 394 365, 389 168 162, 391
    322 269, 391 393 423, 393 164 4, 393 391 269, 394 430 365, 394 431 430, 395 379 378, 396 175 199, 396 428 400,
    400 428 369, 405 321 335, 405 406 314, 406 313 314, 406 335 424, 406 405 335, 409 287 291, 410 409 270, 410 436
    432, 411 425 280, 411 433 427, 416 433 435, 416 436 427, 418 406 424, 419 195 197, 419 351 362, 421 313 418, 421
    428 199, 422 287 432, 422 430 424, 422 432 430, 423 393 4, 425 347 280, 425 411 427, 425 426 423, 426 322 391,
    426 391 423, 426 425 427, 428 262 369, 428 396 199, 430 364 365, 430 431 424, 431 262 418, 431 379 395, 431 394
    379, 431 418 424, 432 434 430, 433 376 361, 433 411 376, 433 416 427, 434 364 430, 434 367 397, 434 436 416, 435
    433 361, 436 322 426, 436 410 322, 436 426 427, 436 434 432, 454 346 356
"""
"""MediaPipe's numbers of the corners, one triangle between two commas."""


@cache
def skin() -> Triangles:
    """Chin, cheeks and nose, up to the rim of the lips."""
    return _places([[int(corner) for corner in triangle.split()] for triangle in _SKIN.split(",")])


@cache
def lips() -> Triangles:
    """The red of the lips, from the rim to the opening, outermost ring first."""
    rings = (LIPS_OUTER, LIPS_MIDDLE, LIPS_NEAR_INNER, LIPS_INNER)
    triangles: list[list[int]] = []
    for outer, inner in itertools.pairwise(rings):
        for at in range(len(outer)):
            after = (at + 1) % len(outer)
            triangles += [[outer[at], outer[after], inner[after]], [outer[at], inner[after], inner[at]]]
    return _places(triangles)


@cache
def opening() -> Triangles:
    """What shows between the lips, as a grid of `OPENING_COLUMNS` x `OPENING_LEVELS` points of its own.

    The corners are numbered from 0 on, level by level from the upper lip down, each from the mouth's right to its left.
    """
    corners: list[tuple[int, int, int]] = []
    for level in range(OPENING_LEVELS - 1):
        for column in range(OPENING_COLUMNS - 1):
            upper = level * OPENING_COLUMNS + column
            lower = upper + OPENING_COLUMNS
            corners += [(upper, upper + 1, lower + 1), (upper, lower + 1, lower)]
    found: Triangles = np.array(corners, np.int32)
    found.setflags(write=False)
    return found


@cache
def opening_edges() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Where the upper and the lower inner lip lie among the kept points, from the right corner to the left one."""
    half = len(LIPS_INNER) // 2
    upper = LIPS_INNER[: half + 1]
    return places(*upper), places(upper[0], *LIPS_INNER[:half:-1], upper[-1])


@cache
def places(*indices: int) -> npt.NDArray[np.intp]:
    """Where the mesh's points `indices` lie among the kept ones."""
    return np.asarray(_place_of()[np.asarray(indices)])


@cache
def _place_of() -> npt.NDArray[np.intp]:
    table = np.full(COUNT, -1, np.intp)
    table[list(KEPT)] = np.arange(len(KEPT))
    return table


def _places(triangles: list[list[int]]) -> Triangles:
    found: Triangles = _place_of()[np.asarray(triangles)].astype(np.int32)
    found.setflags(write=False)
    return found
