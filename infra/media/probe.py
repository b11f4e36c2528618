"""What a file is, found once at the door: every fault that a later stage would trip over is named here, in one line.

All packets are read (no more than hashing reads), none is decoded but the first and the last group of pictures.
"""

from __future__ import annotations

import dataclasses
import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from infra.media.streams import base_of, clock_of, decode_packets, open_media, orientation_of, picture_stream
from manifests.errors import BadInput
from manifests.records import AudioTrack, Video
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks

_AGAIN = "copy or download it again"
# How much of the length that a header declares may lack before the file counts as cut off. MP4 headers also list
# every frame, so their lengths, which edit lists blur, need not be taken to the letter.
_MISSING_S = {"mp4": Fraction(1), "matroska": Fraction(3, 10)}
_TAIL_S = 12  # how far before the end the decoding of the end starts


def probe(path: Path) -> Video:
    """The record of the video in `path`.

    BadInput, in one line with a remedy, where there is nothing to dub: no such file, no media, no moving picture,
    sound only, no length, cut off, or not decodable at its start or its end.
    """
    return dataclasses.replace(inspect(path), id=_sha256(path))


def inspect(path: Path) -> Video:
    """As `probe`, but with an empty id: the file is not hashed. For a look at what was given, before any work.

    A process looks once at a file that stays as it is.
    """
    try:
        stat = path.stat()
    except OSError:
        return _inspect(path)  # which says what is wrong with it
    return _inspected(path, (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


def picture_span(path: Path) -> Span:
    """From the first frame to the end of the last, of a file that is known to be whole: no frame is decoded."""
    with open_media(path) as container:
        packets = _read_packets(container, picture_stream(container, path), path)
        if not packets.times:
            raise BadInput("its picture lasts no time;", where=str(path), remedy="give a video that moves")
        return Span(0, max(packets.times) + packets.last_duration)


@lru_cache(maxsize=8)
def _inspected(path: Path, version: tuple[int, ...]) -> Video:  # noqa: ARG001 (another version is another file)
    return _inspect(path)


def _inspect(path: Path) -> Video:
    with open_media(path) as container:
        stream = picture_stream(container, path)
        if stream.codec_context is None:
            raise BadInput("no decoder for its picture is built in;", where=str(path), remedy="convert it to H.264")
        first = _first_frame(path)
        packets = _read_packets(container, stream, path)
        _check_length(container, stream, packets, path)
        _check_end(container, stream, packets, path)
        orientation = orientation_of(first)
        width, height = orientation.upright_size(first.width, first.height)
        variable = packets.variable_frame_rate
        span = Span(0, max(packets.times) + packets.last_duration)
        tracks = tuple(_track(index, audio) for index, audio in enumerate(container.streams.audio))
        return Video(
            id="",
            uri=str(path),
            span=span,
            container=container.format.name,
            codec=stream.codec_context.codec.canonical_name,
            pixel_format=first.format.name,
            width=width,
            height=height,
            rotation_deg=90 * orientation.turns,
            frame_rate=_frame_rate(stream, len(packets.times), span.end, variable=variable),
            variable_frame_rate=variable,
            frame_count=len(packets.times),
            audio_tracks=tracks,
        )


@dataclass(slots=True)
class _Packets:
    """What the packets tell: the times of all shown frames, in stream order, and how far every stream reaches."""

    tick: Flicks
    times: array[int] = field(default_factory=partial(array, "q"))
    last_duration: Flicks = 0
    reached_s: Fraction = Fraction(0)
    corrupt: bool = False
    count: int = 0

    @property
    def variable_frame_rate(self) -> bool:
        """Whether the steps between frames differ by more than the rounding of timestamps explains."""
        steps = np.diff(np.sort(self.times))
        return bool(steps.size) and int(steps.max() - steps.min()) > 2 * self.tick


def _first_frame(path: Path) -> VideoFrame:
    # Opened by itself: seeking back need not lead to the very first packet.
    with open_media(path) as container:
        try:
            for frame in decode_packets(container, picture_stream(container, path)):
                return frame
        except av.error.FFmpegError as error:
            what = f"its picture cannot be decoded ({error.strerror});"
            raise BadInput(what, where=str(path), remedy=_AGAIN) from error
    raise BadInput("it holds no frame that can be decoded;", where=str(path), remedy=_AGAIN)


def _read_packets(container: InputContainer, stream: VideoStream, path: Path) -> _Packets:
    clock = clock_of(stream)
    packets = _Packets(tick=flicks(base_of(stream)))
    latest = -1
    ends: dict[int, int] = {}  # by stream, in its ticks; fractions are slow, and there are 200,000 packets an hour
    for packet in _demux(container, path):
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None or not packet.size:
            continue
        end = ticks + (packet.duration or 0)
        ends[packet.stream_index] = max(ends.get(packet.stream_index, end), end)
        packets.corrupt |= packet.is_corrupt
        if packet.stream_index != stream.index:
            continue
        packets.count += 1
        if packet.is_discard:
            continue
        packets.times.append(clock.time(ticks))
        if ticks > latest:
            latest = ticks
            packets.last_duration = clock.time(ticks + (packet.duration or 0)) - clock.time(ticks)
    bases = {each.index: Fraction(each.time_base or 0) for each in container.streams}
    packets.reached_s = max((Fraction(0), *(end * bases[index] for index, end in ends.items())))
    if packets.times and not packets.last_duration:
        packets.last_duration = flicks(1 / Fraction(stream.average_rate or stream.guessed_rate or 25))
    return packets


def _demux(container: InputContainer, path: Path) -> Iterator[Packet[Stream]]:
    try:
        yield from container.demux()
    except av.error.FFmpegError as error:
        raise BadInput(f"it is damaged or cut off ({error.strerror});", where=str(path), remedy=_AGAIN) from error


def _check_length(container: InputContainer, stream: VideoStream, packets: _Packets, path: Path) -> None:
    if len(packets.times) == 0 or max(packets.times) + packets.last_duration <= 0:
        raise BadInput("its picture lasts no time;", where=str(path), remedy="give a video that moves")
    if len(packets.times) == 1:
        raise BadInput(
            "it holds a single picture, no video;", where=str(path), remedy="to animate a face image, use `redub talk`"
        )
    # MP4 counts its frames in the index; Matroska and others declare a length.
    if "mp4" in container.format.name and packets.count < stream.frames:
        raise _cut_off(f"{packets.count} of its {stream.frames} frames are there", path)
    declared = Fraction(container.duration or 0, av.time_base) + Fraction(container.start_time or 0, av.time_base)
    allowed = next((lack for name, lack in _MISSING_S.items() if name in container.format.name), None)
    if allowed is not None and declared - packets.reached_s > allowed:
        raise _cut_off(f"{float(packets.reached_s):.1f} s of its {float(declared):.1f} s are there", path)


def _check_end(container: InputContainer, stream: VideoStream, packets: _Packets, path: Path) -> None:
    """Decode what leads to the last frame: a cut within the last packet, or damage there, shows only now."""
    clock = clock_of(stream)
    end = max(packets.times)
    container.seek(clock.ticks(max(end - _TAIL_S * FLICKS_PER_SECOND, 0)), stream=stream, backward=True)
    latest = -1
    try:
        for frame in container.decode(stream):
            ticks = frame.pts if frame.pts is not None else frame.dts
            latest = max(latest, -1 if ticks is None else clock.time(ticks))
    except av.error.FFmpegError as error:
        raise _cut_off(f"its end cannot be decoded: {error.strerror}", path) from error
    if packets.corrupt or end - latest > FLICKS_PER_SECOND:
        raise _cut_off(f"it decodes to {max(latest, 0) / FLICKS_PER_SECOND:.1f} s only", path)


def _cut_off(detail: str, path: Path) -> BadInput:
    return BadInput(f"it is cut off or damaged ({detail});", where=str(path), remedy=_AGAIN)


def _frame_rate(stream: VideoStream, count: int, duration: Flicks, *, variable: bool) -> Fraction:
    """Frames per second: the container's own figure where every step is the same, else the average."""
    declared = stream.guessed_rate or stream.average_rate
    if declared and not variable:
        return Fraction(declared)
    return Fraction(count * FLICKS_PER_SECOND, duration).limit_denominator(1001)


def _track(index: int, stream: AudioStream) -> AudioTrack:
    context = stream.codec_context
    language = stream.language
    return AudioTrack(
        index=index,
        codec=context.codec.canonical_name,
        sample_rate=context.sample_rate,
        channels=context.channels,
        language=None if language in (None, "", "und") else language,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
