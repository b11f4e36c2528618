"""A speaker's source frames as a library of mouths: what each looked like, and its pixels."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND
from models.landmarks.topology import KEPT, KEPT_MOUTH
from models.rewrite import mesh

Floats = npt.NDArray[np.float32]

CROP_MARGIN = 0.12
"""How far a crop reaches beyond the mouth's points, as a share of their longer side."""
MOST_PX = 400
"""Longer side that a stored crop has at most."""
JPEG_QUALITY = 96

LEAST_RUN_S = 0.5
"""Shorter runs of consecutive frames are not worth a joint at either end."""
_PIECE_S = 1.0
_CELLS = 384
_SHAPE_COEFFICIENTS = 6
"""Coefficients that the cells of `select` tell apart: the first ones hold nearly all of the mouth's motion."""
_POSE_UNIT_RAD = 0.12
"""A turn of the head that counts like one deviation of the mouth's shape."""
_RING = (164, 203, 423, 206, 426, 212, 432, 210, 430, 32, 262, 199, 175)
"""Points on the skin around the mouth that are neither lip nor outline."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """The mouth region of a frame.

    `pixels` (h, w, 3) uint8 RGB; `points` (202, 3) float32 the frame's kept landmarks in pixels of the crop, a
    pixel's centre at + 0.5.
    """

    pixels: npt.NDArray[np.uint8]
    points: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FaceLibrary:
    """N frames of one face, in order of time.

    `times` (N,) int64 flicks; `follows` (N,) bool: row i shows the source frame right after row i - 1's, in the same
    shot; `points` (N, 202, 3) float32 kept landmarks in pixels of the source; `shapes` (N, K) float32 the mouth's
    coefficients, whitened, so that Euclidean distance means something; `poses` (N, 3) float32 yaw, pitch, roll in rad;
    `light` (N, 3) float32 mean RGB of the skin around the mouth (`skin_light`); `origins` (N, 2) float32 and `scales`
    (N,) float32: a point of the source lies at (point - origin) * scale in the crop; `jpegs` N JPEG files.

    ValueError where the lengths do not agree.
    """

    times: npt.NDArray[np.int64]
    follows: npt.NDArray[np.bool_]
    points: Floats
    shapes: Floats
    poses: Floats
    light: Floats
    origins: Floats
    scales: Floats
    jpegs: Sequence[bytes]

    def __post_init__(self) -> None:
        count = len(self.times)
        shapes = {
            "follows": (self.follows.shape, (count,)),
            "points": (self.points.shape, (count, len(KEPT), 3)),
            "shapes": (self.shapes.shape, (count, *self.shapes.shape[1:2])),
            "poses": (self.poses.shape, (count, 3)),
            "light": (self.light.shape, (count, 3)),
            "origins": (self.origins.shape, (count, 2)),
            "scales": (self.scales.shape, (count,)),
            "jpegs": ((len(self.jpegs),), (count,)),
        }
        wrong = [f"{name} is {found}, not {wanted}" for name, (found, wanted) in shapes.items() if found != wanted]
        if wrong:
            raise ValueError(f"a library of {count} frames: {'; '.join(wrong)}")

    def __len__(self) -> int:
        return len(self.times)

    @property
    def sizes_px(self) -> Floats:
        """(N,) how large the face is in each row: `face_size_px` of its points."""
        return face_size_px(self.points)

    def crop(self, row: int) -> Crop:
        """The pixels of row `row`. BadInput where they cannot be read."""
        points = self.points[row].copy()
        points[:, :2] -= self.origins[row]
        points *= self.scales[row]
        return Crop(pixels=_decoded(self.jpegs[row], row), points=points)

    def subset(self, rows: npt.NDArray[np.int64]) -> FaceLibrary:
        """The library of `rows` (n,), which rise."""
        return FaceLibrary(
            times=self.times[rows],
            follows=follows_among(rows, self.follows),
            points=self.points[rows],
            shapes=self.shapes[rows],
            poses=self.poses[rows],
            light=self.light[rows],
            origins=self.origins[rows],
            scales=self.scales[rows],
            jpegs=[self.jpegs[int(row)] for row in rows],
        )

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything as named arrays, as `numpy.savez` takes them; the JPEG files lie one after the other."""
        ends = np.cumsum([0, *(len(jpeg) for jpeg in self.jpegs)], dtype=np.int64)
        return {
            "times": self.times,
            "follows": self.follows,
            "points": self.points,
            "shapes": self.shapes,
            "poses": self.poses,
            "light": self.light,
            "origins": self.origins,
            "scales": self.scales,
            "jpeg_ends": ends,
            "jpegs": np.frombuffer(b"".join(self.jpegs), np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """The inverse of `to_arrays`; KeyError where one is missing, ValueError where they do not agree."""
        files = np.ascontiguousarray(arrays["jpegs"], np.uint8).data
        ends = np.asarray(arrays["jpeg_ends"], np.int64)
        return cls(
            times=np.asarray(arrays["times"], np.int64),
            follows=np.asarray(arrays["follows"], np.bool_),
            points=np.asarray(arrays["points"], np.float32),
            shapes=np.asarray(arrays["shapes"], np.float32),
            poses=np.asarray(arrays["poses"], np.float32),
            light=np.asarray(arrays["light"], np.float32),
            origins=np.asarray(arrays["origins"], np.float32),
            scales=np.asarray(arrays["scales"], np.float32),
            jpegs=[bytes(files[start:end]) for start, end in itertools.pairwise(ends)],
        )


def face_size_px(points: Floats) -> Floats:
    """How large faces are: the distance between the outer corners of the eyes, in depth too; points (..., 202, 3)."""
    eyes = points[..., mesh.places(33, 263), :]
    return np.asarray(np.linalg.norm(eyes[..., 0, :] - eyes[..., 1, :], axis=-1), np.float32)


def crop_bounds(points: Floats, width: int, height: int) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 (half-open) of a frame's mouth region, clipped to the picture; `points` (202, 3) its landmarks."""
    mouth = points[KEPT_MOUTH, :2]
    low, high = mouth.min(axis=0), mouth.max(axis=0)
    margin = CROP_MARGIN * float((high - low).max())
    x0, y0 = np.floor(low - margin).astype(int)
    x1, y1 = np.ceil(high + margin).astype(int)
    return max(int(x0), 0), max(int(y0), 0), min(int(x1), width), min(int(y1), height)


def cut(frame: npt.NDArray[np.uint8], points: Floats) -> Crop:
    """The mouth region of `frame` (H, W, 3) RGB with landmarks `points` (202, 3), at the frame's own resolution.

    ValueError where the face's lower half lies outside the picture.
    """
    x0, y0, x1, y1 = crop_bounds(points, frame.shape[1], frame.shape[0])
    if x1 - x0 < 8 or y1 - y0 < 8:
        raise ValueError(f"no mouth in this picture: {(x0, y0, x1, y1)}")
    moved = points.astype(np.float32, copy=True)
    moved[:, :2] -= (x0, y0)
    return Crop(pixels=frame[y0:y1, x0:x1], points=moved)


def pack_crop(
    frame: npt.NDArray[np.uint8], points: Floats, *, most_px: int = MOST_PX
) -> tuple[bytes, tuple[float, float], float]:
    """The mouth region of `frame` as a JPEG file, its origin x, y in the frame, and its scale (1 unless shrunk).

    `points` (202, 3) are the frame's landmarks. A region wider or higher than `most_px` is averaged down to it.
    """
    import cv2

    x0, y0, _, _ = crop_bounds(points, frame.shape[1], frame.shape[0])
    pixels = cut(frame, points).pixels
    scale = min(1.0, most_px / max(pixels.shape[:2]))
    if scale < 1:
        # The same factor both ways: what the rounding cuts off lies at the margin's edge.
        height, width = (max(1, int(side * scale)) for side in pixels.shape[:2])
        shrink = np.array([[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5]])
        soft = cv2.GaussianBlur(pixels, (0, 0), 0.45 / scale)
        pixels = np.asarray(cv2.warpAffine(soft, shrink, (width, height), flags=cv2.INTER_CUBIC), np.uint8)
    settings = [
        *(cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), settings)
    return data.tobytes(), (float(x0), float(y0)), scale


def skin_light(frame: npt.NDArray[np.uint8], points: Floats) -> Floats:
    """Mean colour (3,) float32, 0..255, of the skin around the mouth; `points` (202, 3) in pixels of `frame` RGB."""
    spots = points[mesh.places(*_RING), :2]
    reach = max(1, round(float(face_size_px(points)) * 0.03))
    height, width = frame.shape[:2]
    found = []
    for x, y in np.floor(spots).astype(int):
        patch = frame[max(y - reach, 0) : max(y + reach + 1, 0), max(x - reach, 0) : max(x + reach + 1, 0)]
        if x < width and y < height and patch.size:
            found.append(patch.reshape(-1, 3).mean(axis=0))
    # The median of the spots: a microphone or a strand of hair covers some of them, not most.
    return np.asarray(np.median(found, axis=0) if found else np.zeros(3), np.float32)


def sharpness(frame: npt.NDArray[np.uint8], points: Floats) -> float:
    """How sharp the mouth region is: the standard deviation of its Laplacian over that of its grey levels."""
    import cv2

    grey = cv2.cvtColor(cut(frame, points).pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).std() / max(float(grey.std()), 1.0))


def follows_among(rows: npt.NDArray[np.int64], follows: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """`follows` of a library of which only `rows`, which rise, are kept."""
    next_to = np.zeros(len(rows), np.bool_)
    next_to[1:] = np.diff(rows) == 1
    return np.asarray(next_to & follows[rows])


def select(
    times: npt.NDArray[np.int64],
    follows: npt.NDArray[np.bool_],
    shapes: Floats,
    poses: Floats,
    quality: Floats,
    *,
    most: int = 6000,
) -> npt.NDArray[np.int64]:
    """At most `most` of a face's N rows, as rising indices: runs of consecutive frames that cover shapes and poses.

    `quality` (N,) in 0..1 says how sharp and how surely seen each row is (0: never take it); the rest as in
    `FaceLibrary`. The rows are cut into pieces of about a second. Pieces are taken one by one, each time the one
    that adds most: a frame counts its quality over how often its cell of shape-pose space has been taken already
    (the greedy cover, within 1 - 1/e of the best: Nemhauser et al. 1978). Cells are the Voronoi cells of
    farthest points (Gonzalez 1985). Runs under `LEAST_RUN_S` are left out where there are longer ones.
    """
    usable = quality > 0
    pieces = _pieces(times, follows, usable)
    if not pieces:
        return np.zeros(0, np.int64)
    if sum(end - start for start, end in pieces) <= most:
        return np.concatenate([np.arange(start, end, dtype=np.int64) for start, end in pieces])
    cells = _cells(np.concatenate([shapes[:, :_SHAPE_COEFFICIENTS], poses / _POSE_UNIT_RAD], axis=1))
    taken = np.zeros(int(cells.max()) + 1)

    def gain(piece: tuple[int, int]) -> float:
        own, first = cells[slice(*piece)], np.zeros(0)
        order = np.argsort(own, kind="stable")
        _, starts, counts = np.unique(own[order], return_index=True, return_counts=True)
        first = np.empty(len(own))
        first[order] = np.arange(len(own)) - np.repeat(starts, counts)
        return float((quality[slice(*piece)] / (1 + taken[own] + first)).sum() / len(own))

    # Lazy greedy (Minoux 1978): gains only fall, so a stale one is an upper bound.
    heap = [(-gain(piece), piece) for piece in pieces]
    heapq.heapify(heap)
    chosen: list[tuple[int, int]] = []
    left = most
    while heap:
        _, piece = heapq.heappop(heap)
        if piece[1] - piece[0] > left:
            continue
        fresh = -gain(piece)
        if heap and fresh > heap[0][0]:
            heapq.heappush(heap, (fresh, piece))
            continue
        chosen.append(piece)
        left -= piece[1] - piece[0]
        np.add.at(taken, cells[slice(*piece)], 1)
    return np.concatenate(
        [np.arange(start, end, dtype=np.int64) for start, end in sorted(chosen)] or [np.zeros(0, np.int64)]
    )


def _pieces(
    times: npt.NDArray[np.int64], follows: npt.NDArray[np.bool_], usable: npt.NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Stretches of usable, consecutive rows of about a second, start and end (half-open)."""
    if not len(times):
        return []
    begins = ~follows | ~usable
    begins[1:] |= ~usable[:-1]
    begins[0] = True
    starts = np.flatnonzero(begins)
    runs = [
        (int(start), int(end)) for start, end in zip(starts, [*starts[1:], len(times)], strict=True) if usable[start]
    ]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    least = LEAST_RUN_S * FLICKS_PER_SECOND
    long = [run for run in runs if (run[1] - run[0]) * step >= least]
    pieces = []
    for start, end in long or runs:
        count = max(1, int((end - start) * step / (_PIECE_S * FLICKS_PER_SECOND)))
        edges = np.linspace(start, end, count + 1).astype(int)
        pieces += [(int(a), int(b)) for a, b in itertools.pairwise(edges)]
    return pieces


def _cells(features: Floats) -> npt.NDArray[np.intp]:
    """(N,) which cell each row is in, the cells' centres being rows that lie far from each other."""
    nearest = np.full(len(features), np.inf)
    cells = np.zeros(len(features), np.intp)
    at = 0
    for cell in range(min(_CELLS, len(features))):
        distance = ((features - features[at]) ** 2).sum(axis=1)
        closer = distance < nearest
        nearest[closer], cells[closer] = distance[closer], cell
        at = int(nearest.argmax())
    return cells


def _decoded(jpeg: bytes, row: int) -> npt.NDArray[np.uint8]:
    import cv2

    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    if pixels is None:
        raise BadInput(
            "a frame of the face library cannot be read.",
            where=f"row {row}",
            remedy="Delete the library from the cache; it is made again.",
        )
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
