"""Boxes and landmarks: pure arithmetic that the detectors, the tracker and the embedder share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.faces.contract import Face

Boxes = npt.NDArray[np.float32]
"""(N, 4): x, y, width, height in pixels."""


def fitted_size(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """`size` (width, height) scaled down so that its longest side is at most `longest_px`; never scaled up."""
    factor = min(1.0, longest_px / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def clipped(faces: Iterable[Face], *, width: int, height: int) -> list[Face]:
    """`faces` with their boxes cut to the picture; those that lie outside it are left out. Landmarks stay."""
    limits = np.array([width, height], np.float32)
    inside = []
    for face in faces:
        start = np.clip(face.box[:2], 0, limits)
        size = np.clip(face.box[:2] + face.box[2:], 0, limits) - start
        if (size > 0).all():
            inside.append(replace(face, box=np.concatenate([start, size]).astype(np.float32)))
    return inside


def largest_first(faces: Iterable[Face]) -> list[Face]:
    """`faces` by falling area, those of one area from left to right."""
    return sorted(faces, key=lambda face: (-float(face.box[2] * face.box[3]), float(face.box[0])))


def overlaps(one: Boxes, other: Boxes) -> npt.NDArray[np.float64]:
    """Intersection over union of every box of `one` (N, 4) with every box of `other` (M, 4): (N, M), 0..1."""
    a, b = one[:, None].astype(np.float64), other[None].astype(np.float64)
    start = np.maximum(a[..., :2], b[..., :2])
    end = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    shared = np.prod(np.clip(end - start, 0, None), axis=-1)
    union = np.prod(a[..., 2:], axis=-1) + np.prod(b[..., 2:], axis=-1) - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def similarity(source: npt.NDArray[np.float32], target: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The turn, scale and shift, as a (2, 3) matrix, that brings `source` (N, 2) nearest to `target` in least squares.

    Points are read as complex numbers, so a reflection cannot come out (Umeyama, 1991, in two dimensions).
    """
    s = source[:, 0].astype(np.complex128) + 1j * source[:, 1]
    t = target[:, 0].astype(np.complex128) + 1j * target[:, 1]
    spread = s - s.mean()
    turn = np.vdot(spread, t - t.mean()) / max(np.vdot(spread, spread).real, 1e-12)
    shift = t.mean() - turn * s.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
