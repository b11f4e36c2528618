"""Pasting a mouth: the library's mouth inside the face, over a frame whose own jaw has moved along.

draft = lay(frame, points, crop, wanted)     # warped, not yet coloured
draft.gain                                   # (6, 6, 3) how its light differs from the frame's: smooth it over time
patch = draft.finish(gain)                   # pixels for frame[patch.y0 : ..., patch.x0 : ...]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.landmarks.topology import LIPS_OUTER
from models.rewrite import mesh, mouth_interior
from models.rewrite.library import Crop, cut, face_size_px
from models.rewrite.opening import INTERVALS, Shown, shown
from models.rewrite.warp import Bounds, jaw_bounds, jaw_map, sample, target_points, warp_crop

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

_OUTLINE = (
    *(164, 393, 423, 425, 427, 416, 434, 430, 394, 395, 369, 396, 175),
    *(171, 140, 170, 169, 210, 214, 192, 207, 205, 203, 167),
)
"""The rim of what is pasted: under the nose, over the cheeks, inside the jaw line."""
_FEATHER = 0.16
"""Width of the soft edge, as a share of the face's size."""

_DISSOLVED = 0.03
"""What is finer than this share of the face's size does not dissolve at a joint."""
_LEAST_MOVE_PX = 0.08
"""Pixels that move less stay what they are."""

GAIN_CELLS = 6
_GAIN_RANGE = 0.45
"""Most by which light is matched, as a logarithm: what differs more is something in front of the face."""
_DARK_LEVEL = 12.0
"""Added to levels before they are compared, so that noise in the dark is no difference of light."""
_GAIN_STEP = 4
"""Light is compared on a picture that is this much smaller."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Pixels (h, w, 3) uint8 RGB that replace those of a frame from x0, y0 on."""

    x0: int
    y0: int
    pixels: Picture

    def onto(self, frame: Picture) -> Picture:
        """A copy of `frame` (H, W, 3) with the patch in it."""
        changed = frame.copy()
        height, width = self.pixels.shape[:2]
        changed[self.y0 : self.y0 + height, self.x0 : self.x0 + width] = self.pixels
        return changed


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A mouth laid onto its frame, not yet lit.

    `base` (h, w, 3) uint8 is the frame with its jaw moved; `face` (fh, fw, 3) uint8 the library's mouth, whose pixel
    (0, 0) lies at `inner` (x, y) of the base; `alpha` (fh, fw) float32 how much of it shows; `gain` (6, 6, 3) float32
    the logarithm of the light that it lacks, over `face`; `target` (202, 2) float32 the landmarks in pixels of `face`;
    `inside` what shows between the library's lips; `size_px` the face's size.
    """

    x0: int
    y0: int
    base: Picture
    inner: tuple[int, int]
    face: Picture
    alpha: Floats
    gain: Floats
    target: Floats
    inside: Shown
    size_px: float

    def finish(self, gain: Floats | None = None) -> Patch:
        """The patch, lit by `gain` (6, 6, 3), by default the draft's own."""
        import cv2

        height, width = self.alpha.shape
        if not self.alpha.size:
            return Patch(self.x0, self.y0, self.base)
        lit = cv2.resize(np.exp(self.gain if gain is None else gain), (width, height), interpolation=cv2.INTER_CUBIC)
        face = self.face.astype(np.float32)
        face += np.float32(_DARK_LEVEL)
        face *= lit
        face -= np.float32(_DARK_LEVEL)
        mouth_interior.close(face, self.target, self.inside, self.size_px)
        mouth_interior.paint(face, self.target, self.inside, self.size_px)
        x, y = self.inner
        pixels = self.base.copy()
        below = pixels[y : y + height, x : x + width]
        mixed = cv2.blendLinear(face, below.astype(np.float32), self.alpha, 1 - self.alpha)
        below[:] = np.clip(np.rint(mixed), 0, 255)
        return Patch(self.x0, self.y0, pixels)


def bounds(frame_points: Floats, wanted: Floats, width: int, height: int) -> Bounds:
    """x0, y0, x1, y1 (half-open) of the pixels that `compose` may change, within a picture of `width` x `height`.

    `frame_points` (202, 3) and `wanted` (M, 2) in pixels of the frame. Empty where the face lies outside.
    """
    return jaw_bounds(frame_points, wanted, width, height)


def compose(
    frame: Picture,
    frame_points: Floats,
    crop: Crop,
    wanted: Floats,
    *,
    other: tuple[Crop, float] | None = None,
    gain: Floats | None = None,
) -> Patch:
    """`frame` (H, W, 3) RGB with the mouth of `crop`, in the shape `wanted` (M, 2), in pixels of the frame.

    `frame_points` (202, 3) are the frame's own landmarks; `other` is a second crop and its share, for the frames at a
    joint (`path.blends`). All pixels outside `bounds` stay. The same arguments give the same pixels.
    """
    return lay(frame, frame_points, crop, wanted, other=other).finish(gain)


def compose_still(frame: Picture, frame_points: Floats, wanted: Floats) -> Patch:
    """The same for a face of which there is no other frame: its own mouth, warped, with a painted inside."""
    return compose(frame, frame_points, cut(frame, frame_points), wanted)


def lay(
    frame: Picture, frame_points: Floats, crop: Crop, wanted: Floats, *, other: tuple[Crop, float] | None = None
) -> Draft:
    """As `compose`, up to the light, which may be smoothed over time (`smooth_gains`) before `Draft.finish`."""
    height, width = frame.shape[:2]
    target = target_points(frame_points, wanted)
    x0, y0, x1, y1 = outer = bounds(frame_points, target[len(target) - len(wanted) :], width, height)
    if x0 >= x1 or y0 >= y1:
        return _nothing(x0, y0)
    size = float(face_size_px(frame_points))
    inner = _inner_bounds(target, outer)
    corner = (inner[0] - x0, inner[1] - y0)
    local = target - np.array(inner[:2], np.float32)
    alpha = _alpha(local, inner[3] - inner[1], inner[2] - inner[0], size)
    shows = alpha > 0
    below = slice(corner[1], corner[1] + alpha.shape[0]), slice(corner[0], corner[0] + alpha.shape[1])
    hidden = np.zeros((y1 - y0, x1 - x0), np.bool_)
    hidden[below] = alpha >= 1
    base = _moved(frame, jaw_map(frame_points, target, outer), outer, hidden)

    inside = shown(crop, size)
    face = base[below].copy()
    face[shows] = warp_crop(crop, target, inner, shows, inside)
    mouth_interior.smooth_edges(face, local, inside, size)
    if other is not None and other[1] > 0:
        beside, share = other
        second, inside_second = face.copy(), shown(beside, size)
        second[shows] = warp_crop(beside, target, inner, shows, inside_second)
        # The fine band is not taken from the second, so its edges need no care.
        face = _dissolved(face, second, share, _DISSOLVED * size)
        inside = inside.mixed(inside_second, share)
    return Draft(
        x0=x0,
        y0=y0,
        base=base,
        inner=corner,
        face=face,
        alpha=alpha,
        gain=_gain(base[below], face, alpha, local),
        target=local,
        inside=inside,
        size_px=size,
    )


def smooth_gains(gains: Sequence[Floats], weights: Sequence[float] = (1, 2, 3, 2, 1)) -> Floats:
    """The middle one of an odd number of neighbouring gains, smoothed; ends of a run are given by repeating them."""
    share = np.asarray(weights, np.float32)
    return np.asarray(np.tensordot(share / share.sum(), np.stack(list(gains)), axes=1), np.float32)


def finish_all(drafts: Iterable[Draft], *, reach: int = 2) -> Iterator[Patch]:
    """The patches of consecutive frames of one track, their light smoothed over `reach` frames to either side.

    At most 2 `reach` + 1 drafts are held.
    """
    weights = [float(reach + 1 - abs(at)) for at in range(-reach, reach + 1)]
    held: list[Draft] = []
    at = 0

    def finished(middle: int) -> Patch:
        around = [held[min(max(middle + step, 0), len(held) - 1)].gain for step in range(-reach, reach + 1)]
        return held[middle].finish(smooth_gains(around, weights))

    for draft in drafts:
        held.append(draft)
        if len(held) - at > reach:
            yield finished(at)
            at += 1
        if at > reach:
            held.pop(0)
            at -= 1
    for middle in range(at, len(held)):
        yield finished(middle)


def _dissolved(face: Picture, second: Picture, share: float, reach_px: float) -> Picture:
    """`face` with a share of what `second` looks like from afar: light and dark dissolve, grain and edges do not.

    Two bands, after Burt and Adelson (1983): mixing the fine band as well would show teeth twice, and blur the rest.
    """
    import cv2

    coarse = cv2.GaussianBlur(cv2.subtract(second, face, dtype=cv2.CV_32F), (0, 0), max(reach_px, 0.8))
    return np.asarray(np.clip(np.rint(face + share * coarse), 0, 255), np.uint8)


def _nothing(x0: int, y0: int) -> Draft:
    empty = np.zeros((0, 0, 3), np.uint8)
    return Draft(
        x0=x0,
        y0=y0,
        base=empty,
        inner=(0, 0),
        face=empty,
        alpha=np.zeros((0, 0), np.float32),
        gain=np.zeros((GAIN_CELLS, GAIN_CELLS, 3), np.float32),
        target=np.zeros((0, 2), np.float32),
        inside=Shown(
            heights_px=np.zeros(mesh.OPENING_COLUMNS, np.float32),
            dark=np.zeros((INTERVALS, mesh.OPENING_COLUMNS), np.float32),
        ),
        size_px=1.0,
    )


def _moved(frame: Picture, offset: tuple[Floats, Floats], outer: Bounds, hidden: npt.NDArray[np.bool_]) -> Picture:
    """The frame's pixels in `outer` with their jaw moved, save where that is `hidden` (h, w)."""
    x0, y0, x1, y1 = outer
    dx, dy = offset
    moves = (np.abs(dx) > _LEAST_MOVE_PX) | (np.abs(dy) > _LEAST_MOVE_PX)
    rows, columns = np.nonzero(moves & ~hidden)
    base = frame[y0:y1, x0:x1].copy()
    base[rows, columns] = sample(
        frame,
        (dx[rows, columns] + columns + x0).astype(np.float32),
        (dy[rows, columns] + rows + y0).astype(np.float32),
    )
    return base


def _inner_bounds(target: Floats, outer: Bounds) -> Bounds:
    rim = target[mesh.places(*_OUTLINE, *LIPS_OUTER)]
    x0, y0 = np.floor(rim.min(axis=0)).astype(int)
    x1, y1 = np.ceil(rim.max(axis=0)).astype(int) + 1
    return (
        min(max(int(x0), outer[0]), outer[2] - 1),
        min(max(int(y0), outer[1]), outer[3] - 1),
        max(min(int(x1), outer[2]), outer[0] + 1),
        max(min(int(y1), outer[3]), outer[1] + 1),
    )


def _alpha(target: Floats, height: int, width: int, size: float) -> Floats:
    """1 on the mouth, 0 on the rim of the pasted region, with a smooth fall between."""
    import cv2

    inside = np.zeros((height + 2, width + 2), np.uint8)
    rim = np.rint((target[mesh.places(*_OUTLINE)] + 0.5) * 16).astype(np.int32)
    cv2.fillPoly(inside, [rim], 255, cv2.LINE_8, 4)
    # Nothing beyond the picture: the mask reaches its edge only where the picture ends.
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    lips = target[mesh.places(*LIPS_OUTER)]
    columns = np.clip(lips[:, 0].astype(int), 0, width - 1)
    rows = np.clip(lips[:, 1].astype(int), 0, height - 1)
    feather = min(_FEATHER * size, max(float(depth[rows, columns].min()), 0.04 * size))
    share = np.clip(depth / feather, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _gain(below: Picture, face: Picture, alpha: Floats, target: Floats) -> Floats:
    """The logarithm of `below` over `face` on the ring around the mouth, spread smoothly over the whole: (6, 6, 3)."""
    import cv2

    height, width = alpha.shape
    small = max(2, width // _GAIN_STEP), max(2, height // _GAIN_STEP)
    levels = [
        cv2.resize(picture, small, interpolation=cv2.INTER_AREA).astype(np.float32) + _DARK_LEVEL
        for picture in (below, face)
    ]
    ratio = np.log(levels[0] / levels[1])
    ring = (alpha > 0.02).astype(np.uint8) * 255
    lips = cv2.convexHull(np.rint(target[mesh.places(*LIPS_OUTER)]).astype(np.int32))
    cv2.fillConvexPoly(ring, lips, 0)
    weight = cv2.resize(ring, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    share = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    weight *= (weight > 0.9) * (1.05 - share)
    if weight.sum() < 4:
        return np.zeros((GAIN_CELLS, GAIN_CELLS, 3), np.float32)
    middle = np.median(ratio[weight > 0], axis=0)
    # Something in front of the face, or a fold that moved, is no difference of light (Tukey's weights).
    off = np.abs(ratio - middle).max(axis=2) / 0.35
    weight = (weight * np.clip(1 - off * off, 0, 1) ** 2)[:, :, None]
    reach = 0.18 * float(np.hypot(*small))
    spread = cv2.GaussianBlur(np.concatenate([ratio * weight, weight], axis=2), (0, 0), reach)
    filled = (spread[:, :, :3] + 1e-3 * middle) / (spread[:, :, 3:] + 1e-3)
    cells = cv2.resize(filled, (GAIN_CELLS, GAIN_CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(cells, -_GAIN_RANGE, _GAIN_RANGE), np.float32)
