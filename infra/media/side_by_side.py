"""Several videos in one picture, beside each other, with a sound: what a person compares them by."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from infra.files import published
from infra.media.frames import read_frames
from infra.media.mux import AudioOut, mux
from infra.media.pixels import Rgb
from infra.media.still import write_video
from manifests.errors import BadInput
from manifests.time import Flicks, flicks

_MOST_HEIGHT_PX = 480
_FRAMES_PER_SECOND = 25
_GAP_PX = 4


def write_side_by_side(videos: Sequence[Path], sound: Path, out: Path) -> None:
    """Write `out` (MP4, 25 frames/s): `videos` left to right at one height, heard with the sound of the file `sound`.

    It lasts as long as the shortest, and is as high as the lowest, 480 px at most. BadInput where one is not decodable.
    """
    with tempfile.TemporaryDirectory(prefix="redub-") as folder:
        picture = Path(folder) / "picture.mp4"
        write_video(_composed(videos), picture, rate=Fraction(_FRAMES_PER_SECOND))
        mux(picture=picture, audio=[AudioOut(source=sound)], out=out)


def write_png(picture: Rgb, out: Path) -> None:
    """Write (H, W, 3) RGB as a PNG."""
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.shape[1], picture.shape[0], "rgb24"
    encoder.time_base = Fraction(1, _FRAMES_PER_SECOND)
    packets = [*encoder.encode(VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")), *encoder.encode(None)]
    with published(out) as draft:
        draft.write_bytes(b"".join(bytes(packet) for packet in packets))


def scaled_to(picture: Rgb, width: int, height: int) -> Rgb:
    """`picture` at another size, averaged where it shrinks."""
    if picture.shape[:2] == (height, width):
        return picture
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
    how = "AREA" if width < picture.shape[1] else "BICUBIC"
    return np.asarray(frame.reformat(width, height, interpolation=how, threads=1).to_ndarray(), np.uint8)


def _composed(videos: Sequence[Path]) -> Iterator[tuple[Flicks, Rgb]]:
    """The frames of all of them as one picture at each 25th of a second."""
    streams = [_steady(read_frames(video)) for video in videos]
    height = 0
    for index, frames in enumerate(zip(*streams, strict=False)):
        height = height or _even(min(_MOST_HEIGHT_PX, *(frame.shape[0] for frame in frames)))
        parts: list[Rgb] = []
        for frame in frames:
            parts.append(scaled_to(frame, _even(frame.shape[1] * height / frame.shape[0]), height))
            parts.append(np.zeros((height, _GAP_PX, 3), np.uint8))
        yield flicks(Fraction(index, _FRAMES_PER_SECOND)), np.concatenate(parts[:-1], axis=1)
    if not height:
        raise BadInput("there is no frame to show", where=", ".join(video.name for video in videos))


def _steady(frames: Iterator[tuple[Flicks, Rgb]]) -> Iterator[Rgb]:
    """The frame on show at each 25th of a second."""
    wanted = 0
    latest: Rgb | None = None
    for time, frame in frames:
        while latest is not None and flicks(Fraction(wanted, _FRAMES_PER_SECOND)) < time:
            yield latest
            wanted += 1
        latest = frame
    if latest is not None:
        yield latest


def _even(size: float) -> int:
    return max(2, 2 * round(size / 2))
