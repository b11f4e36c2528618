"""Which part of a picture a measure looks at, from the landmarks of the face in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.landmarks import topology
from models.metrics.mouth import Floats

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1, half-open, within the picture."""

_NOSE_TIP = topology.kept(4)
_JAW = [topology.kept(point) for point in topology.JAW]
_LIPS = [topology.kept(point) for point in topology.LIPS_OUTER]
_CHIN_MARGIN = 0.12
_LIP_MARGIN = 0.25
_SIDE_MARGIN, _BELOW_MARGIN = 0.3, 0.35


def lower_face(points: Floats, width: int, height: int) -> Box:
    """From the tip of the nose to just below the chin, jaw to jaw: what lip sync redraws.

    `points` (202, 3) in pixels of a picture of `width` x `height`; the box may be empty where the face is outside.
    """
    jaw = points[_JAW, :2]
    top = float(points[_NOSE_TIP, 1])
    bottom = float(jaw[:, 1].max())
    return _box(
        (float(jaw[:, 0].min()), top, float(jaw[:, 0].max()), bottom + _CHIN_MARGIN * (bottom - top)), width, height
    )


def mouth(points: Floats, width: int, height: int) -> Box:
    """The lips and a quarter of their width around them."""
    lips = points[_LIPS, :2]
    low, high = lips.min(axis=0), lips.max(axis=0)
    margin = _LIP_MARGIN * float(high[0] - low[0])
    return _box(
        (float(low[0]) - margin, float(low[1]) - margin, float(high[0]) + margin, float(high[1]) + margin),
        width,
        height,
    )


def may_change(points: Floats, width: int, height: int) -> npt.NDArray[np.bool_]:
    """(H, W): where an engine has a reason to draw: below the eyes, a third of the face beyond jaw and chin.

    Wider than any mask should be, so that what is found changed outside is a mistake.
    """
    everything = points[:, :2]
    low, high = everything.min(axis=0), everything.max(axis=0)
    eyes = float(points[[topology.kept(index) for index in (33, 133, 362, 263)], 1].max())
    size = float((high - low).max())
    x0, y0, x1, y1 = _box(
        (
            float(low[0]) - _SIDE_MARGIN * size,
            eyes,
            float(high[0]) + _SIDE_MARGIN * size,
            float(high[1]) + _BELOW_MARGIN * size,
        ),
        width,
        height,
    )
    allowed = np.zeros((height, width), np.bool_)
    allowed[y0:y1, x0:x1] = True
    return allowed


def cut(picture: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.uint8]:
    """The pixels of `picture` in `box`."""
    x0, y0, x1, y1 = box
    return picture[y0:y1, x0:x1]


def _box(edges: tuple[float, float, float, float], width: int, height: int) -> Box:
    x0, x1 = (min(max(round(edge), 0), width) for edge in (edges[0], edges[2]))
    y0, y1 = (min(max(round(edge), 0), height) for edge in (edges[1], edges[3]))
    return x0, y0, max(x1, x0), max(y1, y0)
