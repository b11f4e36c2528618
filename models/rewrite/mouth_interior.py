"""A painted inside of a mouth, for an opening that the source never showed.

A warm dark that deepens backwards, and under the upper lip a band of teeth in the tone of the face's own highlights.
Restrained on purpose: at 100 to 300 pixels a mouth's inside reads from its darkness and one soft light edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.landmarks.topology import CHEEK_AREA, CHIN_AREA, LIPS_INNER, LIPS_MIDDLE
from models.rewrite import mesh
from models.rewrite.opening import Shown, heights, stretch

Floats = npt.NDArray[np.float32]

_DARK = 0.24
"""The back of the mouth over the colour of the lips."""
_TEETH_HEIGHT = 0.10
"""Most that shows of the upper teeth, over the width of the mouth."""
_TEETH_TONE = 0.93
_LACK_FROM, _LACK_TO = 0.02, 0.07
"""Wanted opening beyond what the source shows, over the face's size, from which and at which it is painted."""
_CONTACT, _CONTACT_DARK = 0.008, 0.5
"""Width of the shadow between lips that touch, over the face's size, and how dark it is."""
_BREAK_FROM, _BREAK_TO = 0.03, 0.07
"""Difference between wanted and shown opening, over the face's size, from which the lips' edge breaks."""
_EDGE, _EDGE_BLUR = 0.012, 0.005
"""Width of that edge and of its blur, over the face's size."""
_STRETCH = 1.5
"""An opening may be stretched this much before anything lacks."""


def opening_mask(target: Floats, height: int, width: int, soft_px: float) -> Floats:
    """(height, width) float32, 1 between the inner lips; `target` (202, 2) in pixels of the mask."""
    import cv2

    ring = target[mesh.places(*LIPS_INNER)] - 0.5
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.rint(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(inside, (0, 0), max(soft_px, 0.4))
    return np.asarray(soft / 255, np.float32)


def paint(face: Floats, target: Floats, source: Shown, size_px: float) -> None:
    """Paint in place what the source lacks of the opening of `face` (h, w, 3) float32 RGB.

    `target` (202, 2) are its landmarks in pixels of `face`, `source` what the source shows (`opening.shown`), `size_px`
    the face's size. Levels that are stretched too much are painted over; teeth, which are not, stay.
    """
    wanted_px = heights(target)
    missing = (wanted_px - _STRETCH * source.heights_px) / size_px
    amounts = _smooth((missing - _LACK_FROM) / (_LACK_TO - _LACK_FROM))
    if not amounts.any():
        return
    box = _box(target, face.shape[1], face.shape[0], 4)
    if box is None:
        return
    x0, y0, x1, y1 = box
    moved = target - np.array((x0, y0), np.float32)
    opening = _opening(moved, y1 - y0, x1 - x0)
    mask = opening_mask(moved, y1 - y0, x1 - x0, 0.012 * opening.mouth_px)
    amount = np.interp(opening.share * (len(amounts) - 1), np.arange(len(amounts)), amounts)
    places, factors = stretch(wanted_px, source)
    covered = _smooth((factors - _STRETCH) / _STRETCH)
    amount *= np.interp(opening.depth / opening.height, places, covered)
    region = face[y0:y1, x0:x1]
    painted = _painted(opening, *_tones(face, target))
    region += (amount.astype(np.float32) * mask)[:, :, None] * (painted - region)


def smooth_edges(face: npt.NDArray[np.uint8], target: Floats, source: Shown, size_px: float) -> None:
    """Smooth in place the inner edge of the lips in `face` (h, w, 3) uint8 where the warp breaks there.

    Where lips slide over teeth, neighbouring pixels come from places that are no neighbours: a jagged edge, single
    bright pixels. A lens would have blurred it. Arguments as for `paint`.
    """
    import cv2

    differs = np.abs(heights(target) - source.heights_px) / size_px
    amount = float(_smooth((differs.max(keepdims=True) - _BREAK_FROM) / (_BREAK_TO - _BREAK_FROM))[0])
    box = _box(target, face.shape[1], face.shape[0], 0.02 * size_px + 3)
    if amount <= 0 or box is None:
        return
    x0, y0, x1, y1 = box
    region = face[y0:y1, x0:x1]
    ring = np.rint((target[mesh.places(*LIPS_INNER)] - 0.5 - (x0, y0)) * 16).astype(np.int32)
    edge = np.zeros(region.shape[:2], np.uint8)
    thickness = max(2, round(_EDGE * size_px))
    cv2.polylines(edge, [ring], isClosed=True, color=255, thickness=thickness, lineType=cv2.LINE_AA, shift=4)
    share = cv2.GaussianBlur(edge, (0, 0), 0.8).astype(np.float32)[:, :, None] * (amount / 255)
    soft = cv2.GaussianBlur(cv2.medianBlur(region, 3), (0, 0), max(0.7, _EDGE_BLUR * size_px)).astype(np.float32)
    region[:] = np.rint(region + share * (soft - region))


def close(face: Floats, target: Floats, source: Shown, size_px: float) -> None:
    """Darken in place the line where lips touch that the source shows apart; arguments as for `paint`.

    Between lips that were open there is no shadow to bring over.
    """
    wanted_px = heights(target)
    amounts = _smooth((source.heights_px - 3 * wanted_px) / (0.06 * size_px)) * (
        1 - _smooth(wanted_px / (0.02 * size_px))
    )
    # The corners are closed in every mouth.
    amounts[[0, -1]] = 0
    if not amounts.any():
        return
    box = _box(target, face.shape[1], face.shape[0], 0.03 * size_px + 2)
    if box is None:
        return
    x0, y0, x1, y1 = box
    opening = _opening(target - np.array((x0, y0), np.float32), y1 - y0, x1 - x0)
    amount = np.interp(opening.share * (len(amounts) - 1), np.arange(len(amounts)), amounts)
    off = (opening.depth - opening.height / 2) / (max(_CONTACT * size_px, 0.7) + opening.height / 2)
    shadow = 1 - _CONTACT_DARK * amount * np.exp(-off * off)
    face[y0:y1, x0:x1] *= shadow[:, :, None].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Opening:
    """For each pixel: `share` 0..1 of the way from corner to corner, `depth` below the upper lip, `height` there."""

    mouth_px: float
    share: Floats
    depth: Floats
    height: Floats


def _opening(target: Floats, height: int, width: int) -> _Opening:
    edges = mesh.opening_edges()
    upper, lower = (target[edge] - 0.5 for edge in edges)
    right = upper[0]
    along = upper[-1] - right
    mouth_px = max(float(np.linalg.norm(along)), 1e-6)
    along = along / mouth_px
    down = np.array([-along[1], along[0]], np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    across = (x - right[0]) * along[0] + (y - right[1]) * along[1]
    depth = (x - right[0]) * down[0] + (y - right[1]) * down[1]
    top, bottom = (_edge(across, lip, right, along, down) for lip in (upper, lower))
    return _Opening(
        mouth_px=mouth_px,
        share=np.clip(across / mouth_px, 0, 1),
        depth=depth - top,
        height=np.maximum(bottom - top, 1e-3),
    )


def _painted(opening: _Opening, dark: Floats, teeth: Floats) -> Floats:
    share, depth = opening.share, opening.depth
    # Darkest in the upper middle, a little light on the tongue near the lower lip.
    below = np.clip(depth / opening.height, 0, 1)
    light = 0.75 + 0.65 * below**2 + 0.25 * np.abs(2 * share - 1)
    picture = dark[None, None] * light[:, :, None]

    arch = np.sqrt(np.clip(1 - (2 * share - 1) ** 2 / 0.72, 0, 1))
    edge = np.minimum(_TEETH_HEIGHT * opening.mouth_px, 0.42 * opening.height) * (0.55 + 0.45 * arch)
    soft = np.maximum(0.14 * edge, 0.4)
    band = 1 / (1 + np.exp(-np.clip((edge - depth) / soft, -30, 30)))
    # The lip's shadow above, and none in the corners.
    shade = (0.55 + 0.45 * np.clip(depth / np.maximum(0.6 * edge, 1e-3), 0, 1)) * (0.35 + 0.65 * arch)
    visible = band * arch * np.clip((opening.height / opening.mouth_px - 0.05) / 0.10, 0, 1)
    picture += visible[:, :, None] * (teeth[None, None] * shade[:, :, None] - picture)
    return np.asarray(picture, np.float32)


def _box(target: Floats, width: int, height: int, margin: float) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 of the opening with a margin around, within the picture; None where nothing of it lies in it."""
    ring = target[mesh.places(*LIPS_INNER)]
    low, high = np.floor(ring.min(axis=0) - margin).astype(int), np.ceil(ring.max(axis=0) + margin).astype(int)
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]), width), min(int(high[1]), height)
    return None if x1 <= x0 or y1 <= y0 else (x0, y0, x1, y1)


def _edge(across: Floats, points: Floats, origin: Floats, along: Floats, down: Floats) -> Floats:
    """How deep the lip's edge `points` (11, 2) lies at each `across`, in the mouth's own axes."""
    offset = points - origin
    positions, depths = offset @ along, offset @ down
    order = np.argsort(positions)
    return np.asarray(np.interp(across, positions[order], depths[order]), np.float32)


def _tones(face: Floats, target: Floats) -> tuple[Floats, Floats]:
    """The mouth's dark and the teeth's light, RGB, out of the lips' colour and the face's highlights."""
    lips = np.median(_levels(face, target, LIPS_MIDDLE), axis=0)
    # At landmarks of the skin alone: a collar or a window behind is brighter than any tooth should be.
    skin = _levels(face, target, (*CHIN_AREA, *CHEEK_AREA))
    grey = skin.mean(axis=1)
    highlight = skin[grey >= np.quantile(grey, 0.8)].mean(axis=0)
    teeth = _TEETH_TONE * (0.45 * highlight + 0.55 * highlight.mean() * np.array([1.04, 1.0, 0.93]))
    dark = _DARK * lips * np.array([1.15, 0.9, 0.9])
    return np.asarray(dark, np.float32), np.asarray(teeth, np.float32)


def _levels(face: Floats, target: Floats, indices: tuple[int, ...]) -> Floats:
    """The colours of `face` at landmarks, (n, 3), of those that lie in it; black where none does."""
    spots = np.floor(target[mesh.places(*indices)]).astype(int)
    inside = ((spots >= 0) & (spots < (face.shape[1], face.shape[0]))).all(axis=1)
    found = face[spots[inside, 1], spots[inside, 0]]
    return found if len(found) else np.zeros((1, 3), np.float32)


def _smooth(share: npt.NDArray[np.floating]) -> Floats:
    inside = np.clip(share, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)
