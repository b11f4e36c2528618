"""A painted inside of a mouth, for an opening that the source never showed.

A warm dark that deepens backwards, and under the upper lip a band of teeth in the tone of the face's own highlights.
Restrained on purpose: at 100 to 300 pixels a mouth's inside reads from its darkness and one soft light edge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.landmarks.topology import LIPS_INNER, LIPS_MIDDLE
from models.rewrite import mesh
from models.rewrite.library import Crop, face_size_px

Floats = npt.NDArray[np.float32]

_DARK = 0.2
"""The back of the mouth over the colour of the lips."""
_TEETH_HEIGHT = 0.10
"""Most that shows of the upper teeth, over the width of the mouth."""
_TEETH_TONE = 0.78
_LACK_FROM, _LACK_TO = 0.03, 0.09
"""Wanted opening beyond what the source shows, over the face's size, from which and at which it is all painted."""
_STRETCH = 1.6
"""An opening may be stretched this much before anything lacks."""


def lack(crop: Crop, target: Floats, size_px: float) -> float:
    """How much of the wanted opening the source does not show, 0..1.

    `target` (202, 2) are the wanted landmarks in pixels of the frame, in which the face's size is `size_px`.
    """
    shown = _openings(crop.points[:, :2]) * (size_px / max(float(face_size_px(crop.points)), 1e-6))
    missing = float((_openings(target) - _STRETCH * shown).mean()) / size_px
    share = min(max((missing - _LACK_FROM) / (_LACK_TO - _LACK_FROM), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def opening_mask(target: Floats, height: int, width: int, soft_px: float) -> Floats:
    """(height, width) float32, 1 between the inner lips; `target` (202, 2) in pixels of the mask."""
    import cv2

    ring = target[mesh.places(*LIPS_INNER)] - 0.5
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.rint(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(inside, (0, 0), max(soft_px, 0.4))
    return np.asarray(soft / 255, np.float32)


def paint(face: Floats, target: Floats, amount: float) -> None:
    """Paint the opening of `face` (h, w, 3) float32 RGB in place, as far as `amount` 0..1 says.

    `target` (202, 2) are its landmarks in pixels of `face`.
    """
    if amount <= 0:
        return
    height, width = face.shape[:2]
    ring = target[mesh.places(*LIPS_INNER)]
    low = np.floor(ring.min(axis=0) - 4).astype(int)
    high = np.ceil(ring.max(axis=0) + 4).astype(int)
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]), width), min(int(high[1]), height)
    if x1 <= x0 or y1 <= y0:
        return
    mouth_px = float(np.linalg.norm(ring[10] - ring[0]))
    moved = target - np.array((x0, y0), np.float32)
    mask = opening_mask(moved, y1 - y0, x1 - x0, 0.012 * mouth_px)
    region = face[y0:y1, x0:x1]
    painted = _painted(moved, y1 - y0, x1 - x0, *_tones(face, target))
    region += (amount * mask)[:, :, None] * (painted - region)


def _painted(target: Floats, height: int, width: int, dark: Floats, teeth: Floats) -> Floats:
    ring = target[mesh.places(*LIPS_INNER)] - 0.5
    upper, lower = ring[:11], np.concatenate([ring[:1], ring[:10:-1], ring[10:11]])
    right, left = ring[0], ring[10]
    along = left - right
    mouth_px = max(float(np.linalg.norm(along)), 1e-6)
    along = along / mouth_px
    down = np.array([-along[1], along[0]], np.float32)

    y, x = np.mgrid[:height, :width].astype(np.float32)
    across = (x - right[0]) * along[0] + (y - right[1]) * along[1]
    depth = (x - right[0]) * down[0] + (y - right[1]) * down[1]
    top = _edge(across, upper, right, along, down)
    bottom = _edge(across, lower, right, along, down)
    opening = np.maximum(bottom - top, 1e-3)
    below = (depth - top) / opening
    share = np.clip(across / mouth_px, 0, 1)

    # Darkest in the upper middle, a little light on the tongue near the lower lip.
    light = 0.75 + 0.65 * np.clip(below, 0, 1) ** 2 + 0.25 * np.abs(2 * share - 1)
    picture = dark[None, None] * light[:, :, None]

    reach = np.minimum(_TEETH_HEIGHT * mouth_px, 0.42 * opening)
    arch = np.sqrt(np.clip(1 - (2 * share - 1) ** 2 / 0.72, 0, 1))
    edge = reach * (0.55 + 0.45 * arch)
    soft = np.maximum(0.18 * edge, 0.7)
    band = 1 / (1 + np.exp(-np.clip((edge - (depth - top)) / (0.5 * soft), -30, 30)))
    # The lip's shadow above, and none in the corners.
    shade = (0.55 + 0.45 * np.clip((depth - top) / np.maximum(0.6 * edge, 1e-3), 0, 1)) * (0.35 + 0.65 * arch)
    visible = band * arch * np.clip((opening / mouth_px - 0.05) / 0.10, 0, 1)
    picture += visible[:, :, None] * (teeth[None, None] * shade[:, :, None] - picture)
    return np.asarray(picture, np.float32)


def _edge(across: Floats, points: Floats, origin: Floats, along: Floats, down: Floats) -> Floats:
    """How deep the lip's edge `points` (11, 2) lies at each `across`, in the mouth's own axes."""
    offset = points - origin
    positions, depths = offset @ along, offset @ down
    order = np.argsort(positions)
    return np.asarray(np.interp(across, positions[order], depths[order]), np.float32)


def _tones(face: Floats, target: Floats) -> tuple[Floats, Floats]:
    """The mouth's dark and the teeth's light, RGB, out of the lips' colour and the face's highlights."""
    height, width = face.shape[:2]
    spots = np.rint(target[mesh.places(*LIPS_MIDDLE)] - 0.5).astype(int)
    lips = np.median(face[np.clip(spots[:, 1], 0, height - 1), np.clip(spots[:, 0], 0, width - 1)], axis=0)
    skin = face[:: max(1, height // 48), :: max(1, width // 48)].reshape(-1, 3)
    grey = skin.mean(axis=1)
    highlight = skin[grey >= np.quantile(grey, 0.9)].mean(axis=0)
    teeth = _TEETH_TONE * (0.45 * highlight + 0.55 * highlight.mean() * np.array([1.04, 1.0, 0.93]))
    dark = _DARK * lips * np.array([1.15, 0.9, 0.9])
    return np.asarray(dark, np.float32), np.asarray(teeth, np.float32)


def _openings(points: Floats) -> Floats:
    """How far apart the inner lips are, (9,), from corner to corner."""
    ring = points[mesh.places(*LIPS_INNER)]
    return np.asarray(np.linalg.norm(ring[:10:-1] - ring[1:10], axis=1), np.float32)
