"""Frames as they are decoded: a stream of upright RGB arrays with their times, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import chain, repeat
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from infra.media.pixels import Rgb, to_rgb
from infra.media.streams import Clock, Orientation, clock_of, decode_packets, open_media, orientation_of, picture_stream
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks, Span

# How far before the wanted time to seek, in turn: some containers land after it, and a frame near an open group of
# pictures needs the one before. None starts at the beginning.
_FARTHEST_REORDERING = 16  # frames: the largest decoded picture buffer of H.264 and HEVC
_PREROLLS: tuple[Flicks | None, ...] = (0, 2 * FLICKS_PER_SECOND, 15 * FLICKS_PER_SECOND, None)


def read_frames(path: Path, span: Span | None = None, *, width: int | None = None) -> Iterator[tuple[Flicks, Rgb]]:
    """The frames of `path` shown within `span` (all of them where None), in the order shown.

    Each comes as its time (flicks, the first frame of the video at 0) and (height, width, 3) uint8 RGB, upright.
    `width` scales the upright picture down to that width bilinearly, in proportion; a smaller picture is left as it
    is. BadInput where the file cannot be decoded.
    """
    upright = _Upright(width)
    with open_media(path) as container:
        for time, frame in decode_span(container, picture_stream(container, path), span, path):
            yield time, upright.rgb(frame)


def frame_at(path: Path, time: Flicks, *, width: int | None = None) -> tuple[Flicks, Rgb]:
    """The frame on show at `time`: the last that starts at or before it, else the first. As `read_frames` gives it."""
    return next(frames_at(path, (time,), width=width))


def frames_at(path: Path, times: Iterable[Flicks], *, width: int | None = None) -> Iterator[tuple[Flicks, Rgb]]:
    """`frame_at` for each of `times`, in their order, from a file opened once: the index of a long one takes time."""
    upright = _Upright(width)
    with open_media(path) as container:
        stream = picture_stream(container, path)
        for number, time in enumerate(times):
            if number:  # it stands where the one before was found
                _seek(container, stream, None)
            latest = _last(
                decode_span(container, stream, Span(max(time - FLICKS_PER_SECOND, 0), max(time, 0) + 1), path)
            )
            if latest is None:  # nothing within the second before: a slow or variable rate
                _seek(container, stream, None)
                latest = _last(decode_span(container, stream, None, path), time)
            if latest is None:
                raise BadInput("no frame of it can be decoded", where=str(path))
            yield latest[0], upright.rgb(latest[1])


def _last(frames: Iterator[tuple[Flicks, VideoFrame]], until: Flicks | None = None) -> tuple[Flicks, VideoFrame] | None:
    """The last of them, or the last that is not after `until`, the first where all are."""
    latest = None
    for shown in frames:
        if latest is not None and until is not None and shown[0] > until:
            break
        latest = shown
    return latest


class _Upright:
    """Makes pictures of the frames of one stream: upright, and no wider than `width`."""

    def __init__(self, width: int | None) -> None:
        self._width, self._reformatter = width, VideoReformatter()
        self._orientation: Orientation | None = None

    def rgb(self, frame: VideoFrame) -> Rgb:
        """(height, width, 3) uint8."""
        orientation = self._orientation = self._orientation or orientation_of(frame)
        seen_width, seen_height = orientation.upright_size(frame.width, frame.height)
        size = None
        if self._width is not None and self._width < seen_width:
            size = orientation.upright_size(self._width, max(1, round(seen_height * self._width / seen_width)))
        return orientation.upright(to_rgb(frame, self._reformatter, size=size))


def decode_span(
    container: InputContainer, stream: VideoStream, span: Span | None, path: Path
) -> Iterator[tuple[Flicks, VideoFrame]]:
    """Decoded frames with their times, those of `span` alone where given, in the order shown."""
    clock = clock_of(stream)
    try:
        if span is None or span.start <= 0:
            yield from _within(_decoded(container, stream), clock, span)
            return
        for preroll in _PREROLLS:
            _seek(container, stream, None if preroll is None else clock.ticks(span.start - preroll))
            decoded = _within(_decoded(container, stream), clock, None)
            first = next(decoded, None)
            if (first is not None and first[0] <= span.start) or preroll is None:
                if first is not None and first[0] in span:
                    yield first
                for time, frame in decoded:
                    if time >= span.end:
                        return
                    if time >= span.start:
                        yield time, frame
                return
    except av.error.FFmpegError as error:
        raise BadInput(
            f"the picture cannot be decoded ({error.strerror});", where=str(path), remedy="check that it plays"
        ) from error


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Frames in the order shown, with timestamps that rise.

    AVI keeps the order of packets only: with reordered frames (H.264, HEVC) the right timestamps come on the wrong
    frames, so they are sorted over the farthest that a frame can move.
    """
    if container.format.name != "avi" or stream.codec_context.codec.canonical_name not in ("h264", "hevc"):
        yield from decode_packets(container, stream)
        return
    held: deque[VideoFrame] = deque()
    stamps: list[int] = []
    for frame in chain(decode_packets(container, stream), repeat(None, _FARTHEST_REORDERING)):
        if frame is not None:
            held.append(frame)
            heappush(stamps, frame.pts if frame.pts is not None else (frame.dts or 0))
        if held and (frame is None or len(held) > _FARTHEST_REORDERING):
            held[0].pts = heappop(stamps)
            yield held.popleft()


def _seek(container: InputContainer, stream: VideoStream, ticks: int | None) -> None:
    if ticks is not None:
        container.seek(ticks, stream=stream, backward=True)
        return
    start = stream.start_time or 0
    try:
        container.seek(start - 60 * round(1 / (stream.time_base or 1)), stream=stream, backward=True)
    except av.error.FFmpegError:  # AVI has no time before its first frame
        container.seek(start, stream=stream, backward=True)


def _within(frames: Iterator[VideoFrame], clock: Clock, span: Span | None) -> Iterator[tuple[Flicks, VideoFrame]]:
    for frame in frames:
        ticks = frame.pts if frame.pts is not None else frame.dts
        if ticks is None:
            continue
        time = clock.time(ticks)
        if span is not None and time >= span.end:
            return
        if span is None or time >= span.start:
            yield time, frame
