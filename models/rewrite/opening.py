"""What shows between the lips of a source frame, and how it goes into an opening of another height.

Teeth are bone: they must not stretch with the lips. So an opening is cut into levels from lip to lip, and what it has
too much or too little of is taken up where the source is dark, which is the gap between the teeth. Where that is not
enough, the lips slide over the teeth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.rewrite import mesh
from models.rewrite.library import Crop, face_size_px

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

INTERVALS = mesh.OPENING_LEVELS - 1

_YIELDING = 8.0
"""How much more than the brightest level the darkest one gives way."""
_LEAST_DARK = 0.06
"""Of a level as bright as any: a mouth full of teeth stretches after all, evenly."""
_POWER = 3.0
_SEEN_FROM_PX, _SEEN_TO_PX = 2.0, 6.0
"""Height of the source's opening in pixels up to which its levels cannot be told apart, and from which they can."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The opening of a source frame.

    `heights_px` (11,) its height from corner to corner, in pixels of the frame that it goes into; `dark`
    (INTERVALS, 11) 0..1 how dark it is there from the upper lip to the lower one.
    """

    heights_px: Floats
    dark: Floats

    def mixed(self, other: Shown, share: float) -> Shown:
        """With a share of `other`, for a dissolve."""
        return Shown(
            heights_px=self.heights_px + np.float32(share) * (other.heights_px - self.heights_px),
            dark=self.dark + np.float32(share) * (other.dark - self.dark),
        )


def shown(crop: Crop, size_px: float) -> Shown:
    """The opening of `crop`; `size_px` is the face's size (`face_size_px`) in the frame that it goes into."""
    points = crop.points[:, :2]
    own = heights(points)
    scale = size_px / max(float(face_size_px(crop.points)), 1e-6)
    upper, lower = mesh.opening_edges()
    level = (np.arange(INTERVALS, dtype=np.float32)[:, None, None] + 0.5) / INTERVALS
    places = points[upper] + level * (points[lower] - points[upper])
    grey = _levels(crop.pixels, places).mean(axis=2)
    skin = _levels(crop.pixels, points[mesh.places(164, 206, 426, 212, 432, 200)]).mean(axis=1)
    # Neighbouring columns together, the corners like those beside them: single pixels are noise.
    grey[:, :2], grey[:, -2:] = grey[:, 2:3], grey[:, -3:-2]
    around = np.concatenate([grey[:, :1]] * 2 + [grey] + [grey[:, -1:]] * 2, axis=1)
    shares = np.array((0.1, 0.25, 0.3, 0.25, 0.1), np.float32)
    light = np.lib.stride_tricks.sliding_window_view(around, len(shares), axis=1) @ shares
    dark = 1 - light / np.maximum(np.maximum(light.max(axis=0), 0.7 * float(np.median(skin))), 1)
    seen = np.clip((float(own[2:-2].mean()) - _SEEN_FROM_PX) / (_SEEN_TO_PX - _SEEN_FROM_PX), 0, 1)
    return Shown(
        heights_px=np.asarray(own * scale, np.float32),
        dark=np.asarray(seen * np.clip(dark, 0, 1) + (1 - seen) * 0.5, np.float32),
    )


def landing(wanted_px: Floats | Doubles, source: Shown) -> tuple[Doubles, Doubles]:
    """Where levels of the source land in openings `wanted_px` (n,) high, whose source is `source.heights_px` (n,) high.

    Two (INTERVALS + 1, n) arrays of shares 0..1 from the upper lip to the lower one: of the source's opening, and of
    the wanted one. Both rise; the wanted ones run from 0 to 1.
    """
    wanted = np.maximum(wanted_px.astype(np.float64), 1e-6)
    own = np.maximum(source.heights_px.astype(np.float64), 1e-6)
    yielding = 1 + _YIELDING * np.maximum(source.dark.astype(np.float64), _LEAST_DARK) ** 2
    # The power at which the levels, each `yielding ** power` of its height, add up to what is wanted.
    low, high = np.full(len(wanted), -_POWER), np.full(len(wanted), _POWER)
    for _ in range(16):
        middle = (low + high) / 2
        short = (yielding**middle).mean(axis=0) * own < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    parts = yielding ** ((low + high) / 2)
    total = parts.mean(axis=0) * own
    # Still too high: half of the rest is hidden by the lips, half squeezed.
    kept = np.sqrt(np.clip(wanted / total, 0, 1))
    edges = np.concatenate([np.zeros((1, len(wanted))), parts.cumsum(axis=0)]) / parts.sum(axis=0)
    level = np.linspace(0, 1, INTERVALS + 1)[:, None]
    return 0.5 + (level - 0.5) * kept, edges


def stretch(wanted_px: Floats, source: Shown) -> tuple[Doubles, Doubles]:
    """How much the levels of the source's middle are stretched in an opening `wanted_px` (11,) high.

    Where the levels' middles lie, (INTERVALS,) shares of the opening, and by how much each is higher than at the face's
    own scale.
    """
    middle = slice(3, -3)
    height, own = float(wanted_px[middle].mean()), float(source.heights_px[middle].mean())
    one = Shown(heights_px=np.array([own], np.float32), dark=source.dark[:, middle].mean(axis=1, keepdims=True))
    _, to = landing(np.array([height], np.float32), one)
    edges = to[:, 0]
    return (edges[1:] + edges[:-1]) / 2, np.diff(edges) * height * INTERVALS / max(own, 1e-6)


def heights(points: Floats) -> Floats:
    """How far apart the inner lips are, (11,) from corner to corner; `points` (202, 2 or 3)."""
    upper, lower = mesh.opening_edges()
    return np.asarray(np.linalg.norm(points[lower, :2] - points[upper, :2], axis=1), np.float32)


def _levels(pixels: npt.NDArray[np.uint8], places: Floats) -> Floats:
    """The pixels (..., 3) at `places` (..., 2); those beyond the edge are the edge's."""
    at = np.floor(places).astype(int)
    x = np.clip(at[..., 0], 0, pixels.shape[1] - 1)
    y = np.clip(at[..., 1], 0, pixels.shape[0] - 1)
    return np.asarray(pixels[y, x], np.float32)
