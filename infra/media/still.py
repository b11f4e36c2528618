"""Pictures that stand still, and videos made as long as a speech: what `redub talk` puts a voice to."""

from __future__ import annotations

import io
import math
import re
import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream

from infra.files import published
from infra.media.frames import frame_at, read_frames
from infra.media.groups import plan_groups
from infra.media.pixels import EXACT, Rgb, to_rgb
from infra.media.probe import probe
from infra.media.streams import Orientation, media_url, open_media
from infra.media.x264 import REPEATABLE
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks

_LONGEST_PX, _SHORTEST_PX = 1920, 1080  # 1080p, either way up
_TICKS_PER_S = 90_000
_CRF = "16"
_BACKWARD_STEP: Flicks = FLICKS_PER_SECOND  # how much is held in memory while playing backwards
_BT709 = 1
_SWELL, _BREATH_S, _SWAY_S = 0.012, 4.2, 7.7
"""How much a breathing picture grows, how long a breath takes, and how long a sway: no common period shows."""
_EXIF = re.compile(rb"(?:Exif\0\0|eXIf|EXIF....)(II\*\0|MM\0\*)", re.DOTALL)
_EXIF_WITHIN = 4_000_000  # bytes from the start that are searched for the block
_ORIENTATION_TAG = 0x0112
# EXIF's number -> quarter turns counter-clockwise, then mirrored left to right.
_ORIENTATIONS = {
    2: Orientation(0, mirrored=True), 3: Orientation(2), 4: Orientation(2, mirrored=True),
    5: Orientation(3, mirrored=True), 6: Orientation(3), 7: Orientation(1, mirrored=True), 8: Orientation(1),
}  # fmt: skip


_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def is_image(path: Path) -> bool:
    """Whether `path` is a still image, by its suffix or else by its content. BadInput where it is no media at all."""
    if path.suffix.lower() in _IMAGE_SUFFIXES:
        return True
    with open_media(path) as container:
        name = container.format.name
    return name == "image2" or name.endswith("_pipe")


def read_image(path: Path) -> Rgb:
    """The image in `path` (JPEG, PNG, WebP, BMP, TIFF...), upright by its EXIF orientation, (h, w, 3) uint8 RGB.

    What is transparent shows over black. BadInput for a file that is no image.
    """
    try:
        data = path.read_bytes()
        # From memory: by name, FFmpeg would take "%d" in it for a sequence of files.
        with av.open(io.BytesIO(data), "r") as container:
            for frame in container.decode(video=0):
                if container.format.name in ("matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "avi"):
                    raise BadInput("this is a video, not an image;", where=str(path), remedy="give a JPEG or PNG")
                return _exif_orientation(data).upright(to_rgb(frame, VideoReformatter(), interpolation=EXACT))
    except FileNotFoundError as error:
        raise BadInput("there is no such file;", where=str(path), remedy="check the name") from error
    except IsADirectoryError as error:
        raise BadInput("this is a folder, not an image;", where=str(path), remedy="name one image") from error
    except PermissionError as error:
        raise BadInput("the file may not be read;", where=str(path), remedy="grant read permission") from error
    except (av.error.FFmpegError, IndexError) as error:
        raise BadInput("no image can be read from it;", where=str(path), remedy="give a JPEG or PNG") from error
    raise BadInput("it holds no image;", where=str(path), remedy="give a JPEG or PNG")


def _exif_orientation(data: bytes) -> Orientation:
    """How EXIF (2.32, 4.6.5) asks to turn the image in `data`, a JPEG, PNG, WebP...; upright where it says nothing."""
    found = _EXIF.search(data, 0, _EXIF_WITHIN)
    if found is None:
        return Orientation()
    tiff = data[found.start(1) : found.start(1) + 65_536]
    order = "<" if tiff.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG:
                return _ORIENTATIONS.get(value, Orientation())
    except struct.error:  # a damaged block says nothing
        return Orientation()
    return Orientation()


def video_from_image(image: Path, duration: Flicks, out: Path, *, fps: int = 25) -> None:
    """An H.264 4:2:0 video (MP4) that shows `image` for `duration`, rounded up to a whole frame.

    Scaled down to fit 1080p either way up, never up; odd sizes lose a row or a column.
    """
    rgb = _even(_fitted(read_image(image)))
    count = max(1, -(-duration * fps // FLICKS_PER_SECOND))
    write_video(((flicks(Fraction(number, fps)), rgb) for number in range(count)), out, rate=Fraction(fps))


def breathing_video(image: Path, duration: Flicks, out: Path, *, fps: int = 25) -> None:
    """As `video_from_image`, but alive: the picture swells and sways by less than a hundredth, as if somebody breathed.

    A portrait of which the mouth alone moves looks like a mask; what moves as a whole hides where the mouth was put in.
    The first frame is the image itself.
    """
    rgb = _even(_fitted(read_image(image)))
    count = max(1, -(-duration * fps // FLICKS_PER_SECOND))
    write_video(
        ((flicks(Fraction(number, fps)), _breathed(rgb, number / fps)) for number in range(count)),
        out,
        rate=Fraction(fps),
    )


def _breathed(rgb: Rgb, at_s: float) -> Rgb:
    """`rgb` as it is `at_s` seconds on: larger about its lower middle, and moved less than that uncovers."""
    from PIL import Image

    height, width = rgb.shape[:2]
    swell = 1 + _SWELL * (1 - math.cos(2 * math.pi * at_s / _BREATH_S)) / 2
    sway = (swell - 1) * 0.3 * width * math.sin(2 * math.pi * at_s / _SWAY_S)
    step = 1 / swell
    left, top = (width / 2) * (1 - step) + sway, height * (1 - step) * 0.7
    moved = Image.fromarray(rgb).transform(
        (width, height), Image.Transform.AFFINE, (step, 0, left, 0, step, top), Image.Resampling.BICUBIC
    )
    return np.asarray(moved)


def fit_duration(path: Path, duration: Flicks, out: Path) -> None:
    """The picture of `path` made to last `duration`: cut off there, or played back and forth until then.

    Rendered to H.264 4:2:0 (MP4), upright, without sound; memory does not grow with the length.
    """
    video = probe(path)
    write_video(_until(_back_and_forth(path, video.span, video.frame_rate), duration), out, rate=video.frame_rate)


def extract_still(path: Path, time: Flicks, out_png: Path) -> None:
    """Write the frame of `path` that is on show at `time` as a PNG, upright."""
    _, rgb = frame_at(path, time)
    with published(out_png) as draft:
        encoder = av.CodecContext.create("png", "w")
        encoder.width, encoder.height, encoder.pix_fmt = rgb.shape[1], rgb.shape[0], "rgb24"
        encoder.time_base = Fraction(1, 25)
        packets = [*encoder.encode(VideoFrame.from_ndarray(rgb, "rgb24")), *encoder.encode(None)]
        draft.write_bytes(b"".join(bytes(packet) for packet in packets))


def write_video(frames: Iterable[tuple[Flicks, Rgb]], out: Path, *, rate: Fraction) -> None:
    """Encode upright RGB frames with rising times to H.264 4:2:0 BT.709 in an MP4. Odd sizes lose a row or column.

    `rate` is the frame rate that is declared, and gives the last frame its length. BadInput where there is no frame.
    """
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise BadInput("there is no frame to write", where=str(out))
    height, width = _even(first[1]).shape[:2]
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with (
        published(out) as draft,
        av.open(media_url(draft), "w", format="mp4", container_options=options) as target,
    ):
        asked = {"crf": _CRF, "preset": "veryfast", "threads": "4", "x264-params": REPEATABLE}
        stream = target.add_stream("libx264", rate=rate, options=asked)
        if not isinstance(stream, VideoStream):
            raise TypeError("libx264 is no video encoder")
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.thread_count = 4
        context.time_base = stream.time_base = Fraction(1, _TICKS_PER_S)
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        reformatter = VideoReformatter()
        for time, rgb in chain([first], iterator):
            frame = reformatter.reformat(
                VideoFrame.from_ndarray(_even(rgb), "rgb24"), format="yuv420p",
                src_colorspace=Colorspace.ITU709, dst_colorspace=Colorspace.ITU709, dst_color_range=1,
                interpolation=EXACT, threads=1,
            )  # fmt: skip
            frame.pict_type = PictureType.NONE
            frame.time_base = Fraction(1, _TICKS_PER_S)
            frame.pts = round(Fraction(time * _TICKS_PER_S, FLICKS_PER_SECOND))
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


def _fitted(rgb: Rgb) -> Rgb:
    height, width = rgb.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width), _SHORTEST_PX / min(height, width))
    if scale == 1.0:
        return rgb
    size = max(2, round(width * scale)), max(2, round(height * scale))
    scaled = VideoFrame.from_ndarray(rgb, "rgb24").reformat(*size, interpolation="AREA", threads=1)
    return np.asarray(scaled.to_ndarray(), dtype=np.uint8)


def _even(rgb: Rgb) -> Rgb:
    """Without its last row or column where there is an odd number of them; a single one is shown twice."""
    height, width = rgb.shape[:2]
    if min(height, width) < 2:
        return np.ascontiguousarray(np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))
    return np.ascontiguousarray(rgb[: height - height % 2, : width - width % 2])


def _back_and_forth(path: Path, span: Span, rate: Fraction) -> Iterator[tuple[Flicks, Rgb]]:
    """Forwards, backwards, forwards... without end, the turning frames shown once; times go on rising evenly."""
    step = flicks(1 / rate)
    at: Flicks = 0
    base: Flicks = 0
    for time, rgb in read_frames(path):
        at = base + time
        yield at, rgb
    last = at
    while True:
        for time, rgb in _backwards(path, span):
            if time < last:
                at += step
                yield at, rgb
        shown_first = True
        for _, rgb in read_frames(path):
            if not shown_first:
                at += step
                yield at, rgb
            shown_first = False


def _backwards(path: Path, span: Span) -> Iterator[tuple[Flicks, Rgb]]:
    borders = [group.span.start for group in plan_groups(path).groups] or [span.start]
    pieces: list[Span] = []
    for start, end in zip(borders, [*borders[1:], span.end], strict=True):
        cuts = [*range(start, end, _BACKWARD_STEP), end]
        pieces += [Span(before, after) for before, after in pairwise(cuts)]
    for piece in reversed(pieces):
        yield from reversed(list(read_frames(path, piece)))


def _until(frames: Iterator[tuple[Flicks, Rgb]], duration: Flicks) -> Iterator[tuple[Flicks, Rgb]]:
    for time, rgb in frames:
        if time >= duration:
            return
        yield time, rgb
