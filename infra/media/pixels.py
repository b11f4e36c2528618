"""Between the decoder's planes and RGB arrays, and back for the rectangle that changed.

The matrix is the one that the frame is tagged with. An untagged frame is read as BT.709 from 720 lines up and as
BT.601 below, as players do, and written back by the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from infra.media.streams import Orientation
from manifests.time import Flicks

Rgb: TypeAlias = NDArray[np.uint8]
"""(height, width, 3) uint8, red first."""

_UNSPECIFIED = 2
# AVColorSpace -> the matrices that swscale knows; bt470bg and smpte170m are one matrix.
_MATRICES = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601,
             7: Colorspace.SMPTE240M, 9: Colorspace.BT2020, 10: Colorspace.BT2020}  # fmt: skip
QUICK = int(Interpolation.BILINEAR | Interpolation.BITEXACT)
"""For looking at: a millisecond for 720 lines; 1 to 1.5 levels dark on average (measured)."""
EXACT = QUICK | int(Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)
"""For writing back: no bias, luma there and back within 0.1 level; fifteen times slower. ACCURATE_RND without
FULL_CHR_H_INT would be 2.5 levels dark."""
_FULL_RANGE = 2


def matrix_of(frame: VideoFrame) -> int:
    """The YUV matrix to read `frame` with, in swscale's numbering."""
    untagged = Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601
    return int(_MATRICES.get(int(frame.colorspace), untagged))


def to_rgb(
    frame: VideoFrame,
    reformatter: VideoReformatter,
    *,
    size: tuple[int, int] | None = None,
    interpolation: int = QUICK,
) -> Rgb:
    """`frame` as coded, in RGB; scaled bilinearly to `size` (width, height) where given."""
    width, height = size or (frame.width, frame.height)
    matrix = matrix_of(frame)
    rgb = reformatter.reformat(
        frame, width, height, "rgb24", src_colorspace=matrix, dst_colorspace=matrix,
        interpolation=interpolation, threads=1,
    )  # fmt: skip
    return np.asarray(rgb.to_ndarray(), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Patch:
    """New pixels for a rectangle of a frame: `rgb` (h, w, 3) uint8, its top left corner at (`x`, `y`), upright."""

    x: int
    y: int
    rgb: Rgb


class FrameView:
    """One decoded frame as its changer sees it: upright, and turned into RGB only when asked for."""

    def __init__(
        self, time: Flicks, frame: VideoFrame, orientation: Orientation, reformatter: VideoReformatter
    ) -> None:
        self.time = time
        self.width, self.height = orientation.upright_size(frame.width, frame.height)
        self._frame, self._orientation, self._reformatter = frame, orientation, reformatter
        self._coded: Rgb | None = None

    def rgb(self) -> Rgb:
        """The whole frame, (height, width, 3) uint8 RGB, upright; a copy to keep and to write to."""
        return self._orientation.upright(self.coded_rgb()).copy()

    def coded_rgb(self) -> Rgb:
        """The frame in RGB as coded, not turned; read only."""
        if self._coded is None:
            self._coded = to_rgb(self._frame, self._reformatter, interpolation=EXACT)
        return self._coded


def plane_array(frame: VideoFrame, index: int) -> NDArray[Any]:
    """Plane `index` of a planar frame as a (height, width) view of uint8 or uint16 samples, writable."""
    plane = frame.planes[index]
    sample = np.dtype(np.uint16 if frame.format.components[index].bits > 8 else np.uint8)
    rows: NDArray[Any] = np.frombuffer(memoryview(plane), dtype=sample).reshape(-1, plane.line_size // sample.itemsize)
    return rows[: plane.height, : plane.width]


def copy_of(frame: VideoFrame, width: int | None = None, height: int | None = None) -> VideoFrame:
    """A planar frame with its own memory, the decoder's left alone; padded by its last row and column to a larger size.

    Timestamps and colour tags come along.
    """
    copy = VideoFrame(width or frame.width, height or frame.height, frame.format.name)
    for index in range(len(frame.planes)):
        old, new = plane_array(frame, index), plane_array(copy, index)
        new[: old.shape[0], : old.shape[1]] = old
        new[: old.shape[0], old.shape[1] :] = old[:, -1:]
        new[old.shape[0] :] = new[old.shape[0] - 1]
    copy.pts = frame.pts
    if frame.time_base is not None:
        copy.time_base = frame.time_base
    copy.colorspace, copy.color_range = frame.colorspace, frame.color_range
    return copy


def apply_patch(frame: VideoFrame, view: FrameView, patch: Patch, orientation: Orientation) -> VideoFrame:
    """A copy of `frame` with `patch` in it. Samples whose RGB the patch leaves as it was keep their native value.

    Luma changes only where a pixel does; a chroma sample changes where any pixel it serves does. Parts of the patch
    beyond the frame are left out. ValueError for a patch that is no (h, w, 3) uint8 array.
    """
    if patch.rgb.ndim != 3 or patch.rgb.shape[2] != 3 or patch.rgb.dtype != np.uint8:
        raise ValueError(f"a patch is (h, w, 3) uint8, not {patch.rgb.shape} {patch.rgb.dtype}")
    left, top = max(patch.x, 0), max(patch.y, 0)
    seen = patch.rgb[top - patch.y : view.height - patch.y, left - patch.x : view.width - patch.x]
    if not seen.size:
        return frame
    x, y = orientation.coded_corner(left, top, seen.shape[1], seen.shape[0], (view.width, view.height))
    inner = orientation.coded(seen)
    old = view.coded_rgb()
    # Whole chroma blocks: the rectangle is widened to them by the frame's own pixels.
    step_x, step_y = chroma_step(frame.format)
    x0, y0 = x - x % step_x, y - y % step_y
    x1 = min(-(-(x + inner.shape[1]) // step_x) * step_x, frame.width)
    y1 = min(-(-(y + inner.shape[0]) // step_y) * step_y, frame.height)
    new = old[y0:y1, x0:x1].copy()
    new[y - y0 : y - y0 + inner.shape[0], x - x0 : x - x0 + inner.shape[1]] = inner
    differs = (new != old[y0:y1, x0:x1]).any(axis=2)
    if not differs.any():
        return frame
    native = VideoReformatter().reformat(
        VideoFrame.from_ndarray(new, "rgb24"), format=frame.format.name, interpolation=EXACT, threads=1,
        src_colorspace=matrix_of(frame), dst_colorspace=matrix_of(frame),
        dst_color_range=frame.color_range or 1,
    )  # fmt: skip
    changed = copy_of(frame)
    for index in range(len(frame.planes)):
        sx, sy = (step_x, step_y) if frame.format.components[index].is_chroma else (1, 1)
        source = plane_array(native, index)
        target = plane_array(changed, index)[y0 // sy :, x0 // sx :][: source.shape[0], : source.shape[1]]
        mask = _blocks(differs, sx, sy)
        target[mask] = source[mask]
    return changed


def chroma_step(pixel_format: VideoFormat) -> tuple[int, int]:
    """How many pixels one chroma sample serves, across and down."""
    return 16 // max(pixel_format.chroma_width(16), 1), 16 // max(pixel_format.chroma_height(16), 1)


def _blocks(differs: NDArray[np.bool_], step_x: int, step_y: int) -> NDArray[np.bool_]:
    """Whether any pixel of each `step_x` x `step_y` block differs; short blocks at the edge count as whole."""
    height, width = differs.shape
    padded = np.zeros((-(-height // step_y) * step_y, -(-width // step_x) * step_x), dtype=np.bool_)
    padded[:height, :width] = differs
    blocks = padded.reshape(padded.shape[0] // step_y, step_y, padded.shape[1] // step_x, step_x)
    return np.asarray(blocks.any(axis=(1, 3)))
