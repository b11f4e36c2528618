"""Which source frame gives each new frame its mouth: the cheapest path through the library (Viterbi 1967).

As in Video Rewrite (Bregler et al. 1997), a frame costs what its mouth and head differ from what is wanted, and a
joint costs what cannot follow in the source. Consecutive source frames join for nothing, so the path is made of runs
of real speech, as long as they fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.rewrite.library import FaceLibrary

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]


_SHARE = 1 / 3
"""Of the other run, in the frames at either side of a joint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings:
    """What counts how much. One unit of shape is one deviation of one whitened coefficient.

    `pose_unit_rad`, `size_unit` (a share) and `light_unit` (of 255) are differences that count like one unit of
    shape. `joint` is the cost of any joint, `joint_distance` that of a squared unit of difference there, `stay` that of
    showing a frame once more. `neighbours` frames are looked at for each wanted one.
    """

    pose_unit_rad: float = 0.10
    size_unit: float = 0.12
    light_unit: float = 20.0
    joint: float = 1.0
    joint_distance: float = 0.5
    stay: float = 0.5
    neighbours: int = 40

    def __post_init__(self) -> None:
        if min(self.pose_unit_rad, self.size_unit, self.light_unit) <= 0 or self.neighbours < 1:
            raise ValueError(f"units and the number of neighbours are positive: {self}")
        if min(self.joint, self.joint_distance, self.stay) < 0:
            raise ValueError(f"costs are not negative: {self}")


def choose(
    wanted_shapes: Floats,
    wanted_poses: Floats,
    breaks: npt.NDArray[np.bool_],
    library: FaceLibrary,
    settings: PathSettings | None = None,
    *,
    barred: npt.NDArray[np.int64] | None = None,
    wanted_sizes_px: Floats | None = None,
    wanted_light: Floats | None = None,
) -> Rows:
    """The library's row for each of T frames, (T,) int32.

    `wanted_shapes` (T, K) and `wanted_poses` (T, 3) in the library's units; `breaks` (T,): frame t does not follow
    frame t - 1, so nothing has to join there. Frame t shows no row whose time lies in the half-open range `barred[t]`
    of `barred` (T, 2) flicks. Where `wanted_sizes_px` (T,) (`face_size_px`) and `wanted_light` (T, 3) (`skin_light`)
    are given, rows of another size or light cost more. The same arguments give the same rows.

    ValueError where shapes do not agree, the library is empty, or every row is barred to a frame.
    """
    cost = _Cost(
        wanted_shapes, wanted_poses, library, settings or PathSettings(), wanted_sizes_px, wanted_light, barred
    )
    if breaks.shape != (len(wanted_shapes),):
        raise ValueError(f"{len(wanted_shapes)} frames, but breaks {breaks.shape}")
    if not len(wanted_shapes):
        return np.zeros(0, np.int32)
    near = cost.nearest()
    successors = _successors(library)

    best: list[npt.NDArray[np.float64]] = []
    rows: list[npt.NDArray[np.intp]] = []
    came_from: list[npt.NDArray[np.intp]] = []
    for t in range(len(wanted_shapes)):
        # At a break nothing has to join: what went before only adds a constant.
        joins = t > 0 and not breaks[t]
        here = _candidates(near[t], rows[-1], best[-1], successors) if joins else np.unique(near[t])
        unary = cost.of_rows(t, here)
        if joins:
            total = best[-1][:, None] + cost.of_joints(rows[-1], here, successors)
            back = total.argmin(axis=0)
            reached = np.take_along_axis(total, back[None], axis=0)[0]
        else:
            back = np.full(len(here), int(best[-1].argmin()) if t else 0, np.intp)
            reached = np.full(len(here), float(best[-1].min()) if t else 0.0)
        rows.append(here)
        best.append(reached + unary)
        came_from.append(back)
    chosen = np.empty(len(rows), np.int32)
    at = int(best[-1].argmin())
    for t in range(len(rows) - 1, -1, -1):
        chosen[t] = rows[t][at]
        at = int(came_from[t][at])
    return chosen


def path_cost(
    rows: npt.NDArray[np.integer],
    wanted_shapes: Floats,
    wanted_poses: Floats,
    breaks: npt.NDArray[np.bool_],
    library: FaceLibrary,
    settings: PathSettings | None = None,
    *,
    barred: npt.NDArray[np.int64] | None = None,
    wanted_sizes_px: Floats | None = None,
    wanted_light: Floats | None = None,
) -> float:
    """What the path `rows` (T,) costs: the sum that `choose` makes small. Arguments as there."""
    cost = _Cost(
        wanted_shapes, wanted_poses, library, settings or PathSettings(), wanted_sizes_px, wanted_light, barred
    )
    successors = _successors(library)
    chosen = rows.astype(np.intp)
    total = 0.0
    for t in range(len(chosen)):
        total += float(cost.of_rows(t, chosen[t : t + 1])[0])
        if t and not breaks[t]:
            total += float(cost.of_joints(chosen[t - 1 : t], chosen[t : t + 1], successors)[0, 0])
    return total


@dataclass(frozen=True, slots=True)
class Blend:
    """What a frame shows: row `row`, with `share` (0..0.5) of row `other` mixed in (-1 and 0 for none)."""

    row: int
    other: int
    share: float


def blends(rows: npt.NDArray[np.integer], breaks: npt.NDArray[np.bool_], library: FaceLibrary) -> list[Blend]:
    """Short dissolves at the joints of the path `rows` (T,).

    The last frame before a joint takes a third of the frame that comes before the new run's first one in the source,
    and the first frame after it a third of the old run's next one: both are warped to the same mouth, so what
    dissolves is the texture alone. At a joint whose neighbours the library does not hold, the run's own end stands
    in. No dissolve where a run lasts one frame, as it would be mixed with both sides.
    """
    chosen = rows.astype(int)
    joint = np.ones(len(chosen) + 1, np.bool_)
    if len(chosen):
        follows = _follow(chosen[:-1], chosen[1:], library)
        joint[1:-1] = ~(follows | (chosen[1:] == chosen[:-1]))
    found = []
    for t, row in enumerate(chosen):
        starts = t > 0 and bool(joint[t]) and not breaks[t]
        ends = t + 1 < len(chosen) and bool(joint[t + 1]) and not breaks[t + 1]
        if starts == ends:
            found.append(Blend(int(row), -1, 0.0))
            continue
        if starts:
            last = chosen[t - 1]
            other = last + 1 if last + 1 < len(library) and library.follows[last + 1] else last
        else:
            first = chosen[t + 1]
            other = first - 1 if library.follows[first] else first
        found.append(Blend(int(row), int(other), _SHARE))
    return found


def _follow(
    first: npt.NDArray[np.integer], second: npt.NDArray[np.integer], library: FaceLibrary
) -> npt.NDArray[np.bool_]:
    return np.asarray((second == first + 1) & library.follows[second])


def _successors(library: FaceLibrary) -> npt.NDArray[np.intp]:
    """The row that comes after each one in the source; -1 where there is none."""
    after = np.arange(1, len(library) + 1)
    return np.where(np.append(library.follows[1:], False), after, -1)


def _candidates(
    near: npt.NDArray[np.intp],
    before: npt.NDArray[np.intp],
    best: npt.NDArray[np.float64],
    successors: npt.NDArray[np.intp],
) -> npt.NDArray[np.intp]:
    """Rows to look at: the nearest ones, and what the cheapest paths so far could go on with."""
    keep = min(len(near), len(before))
    leading = before[np.argpartition(best, keep - 1)[:keep]]
    following = successors[leading]
    return np.unique(np.concatenate([near, following[following >= 0], leading]))


class _Cost:
    """The costs of one search. Features are scaled so that cost is squared Euclidean distance."""

    def __init__(
        self,
        wanted_shapes: Floats,
        wanted_poses: Floats,
        library: FaceLibrary,
        settings: PathSettings,
        wanted_sizes_px: Floats | None,
        wanted_light: Floats | None,
        barred: npt.NDArray[np.int64] | None,
    ) -> None:
        count = len(wanted_shapes)
        if wanted_shapes.shape[1:] != library.shapes.shape[1:] or wanted_poses.shape != (count, 3):
            raise ValueError(
                f"wanted shapes {wanted_shapes.shape} and poses {wanted_poses.shape} do not fit a library of "
                f"{library.shapes.shape}"
            )
        parts = [(wanted_shapes, library.shapes), *_scaled(wanted_poses, library.poses, settings.pose_unit_rad)]
        sizes, light = np.log(np.maximum(library.sizes_px, 1e-3))[:, None], library.light
        if wanted_sizes_px is not None:
            parts += _scaled(np.log(np.maximum(wanted_sizes_px, 1e-3))[:, None], sizes, settings.size_unit)
        if wanted_light is not None:
            parts += _scaled(wanted_light, light, settings.light_unit)
        self._wanted = np.concatenate([wanted for wanted, _ in parts], axis=1, dtype=np.float64)
        self._rows = np.concatenate([rows for _, rows in parts], axis=1, dtype=np.float64)
        # What has to go on smoothly over a joint, whether or not it is wanted: all of it.
        self._joined = np.concatenate(
            [
                library.shapes,
                library.poses / settings.pose_unit_rad,
                sizes / settings.size_unit,
                light / settings.light_unit,
            ],
            axis=1,
            dtype=np.float64,
        )
        self._joined *= np.sqrt(settings.joint_distance)
        self._joined_square = (self._joined**2).sum(axis=1)
        self._settings = settings
        none = np.zeros((count, 2), np.int64)
        self._times = library.times
        self._barred = none if barred is None else barred

    def nearest(self) -> npt.NDArray[np.intp]:
        """(T, k) the rows that are nearest to each wanted frame, some of which may be barred to it; never all."""
        from scipy.spatial import cKDTree

        first, end = np.searchsorted(self._times, self._barred).T
        most = int((end - first).max())
        if most >= len(self._rows):
            raise ValueError("no row of the library may be used")
        k = min(self._settings.neighbours + most, len(self._rows))
        if k == len(self._rows):
            return np.broadcast_to(np.arange(k), (len(self._wanted), k))
        _, found = cKDTree(self._rows).query(self._wanted, k=k)
        return np.asarray(found, np.intp).reshape(len(self._wanted), k)

    def of_rows(self, t: int, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """What showing each of `rows` at frame `t` costs; infinity for one that is barred to it."""
        costs = ((self._rows[rows] - self._wanted[t]) ** 2).sum(axis=1)
        start, end = self._barred[t]
        costs[(self._times[rows] >= start) & (self._times[rows] < end)] = np.inf
        return np.asarray(costs)

    def of_joints(
        self, before: npt.NDArray[np.intp], after: npt.NDArray[np.intp], successors: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.float64]:
        """(len(before), len(after)) what going from one to the other costs.

        What differs at a joint is the new frame against the one that the source would have shown next.
        """
        following = successors[before]
        expected = np.where(following >= 0, following, before)
        # |a - b|^2 = |a|^2 + |b|^2 - 2ab, already times what a squared unit costs.
        cost = self._joined[expected] @ (-2 * self._joined[after].T)
        cost += self._joined_square[expected][:, None]
        cost += self._joined_square[after]
        np.maximum(cost, 0, out=cost)
        cost += self._settings.joint
        goes_on, where = _found(following, after)
        cost[goes_on, where] = 0.0
        stays, where = _found(before, after)
        cost[stays, where] = np.minimum(cost[stays, where], self._settings.stay)
        return np.asarray(cost)


def _found(
    rows: npt.NDArray[np.intp], among: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Which of `rows` are `among` others, that rise, and where there."""
    at = np.minimum(np.searchsorted(among, rows), len(among) - 1)
    hits = np.flatnonzero(among[at] == rows)
    return hits, at[hits]


def _scaled(
    wanted: npt.NDArray[np.floating], rows: npt.NDArray[np.floating], unit: float
) -> list[tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]]:
    return [(wanted / unit, rows / unit)]
