"""Opening containers, picking the picture and the sound, and the clock that both are put on.

The clock: a presentation timestamp, less the `start_time` of the video stream, in flicks. So the first frame shown is
at 0, and a sample of any audio track has the time of the frame it is heard with. In a file without a picture the
first sample of its first audio track is at 0.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast, overload

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.buffer import Buffer
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks

_MOST_DAMAGED = 250  # packets in a row: some seconds
_OPENING = threading.Lock()
"""One file at a time: FFmpeg builds the index of an MP4 in twice the memory that it then takes, 36 bytes a sample."""
_NO_MEDIA = "give a video file, such as MP4, MKV, MOV, WebM, AVI or MPEG"


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """`path` opened for reading. BadInput, in one line, where it is missing, empty, no media or not readable."""
    try:
        if path.is_dir():
            raise BadInput("this is a folder, not a file;", where=str(path), remedy="name one video file")
        if path.stat().st_size == 0:
            raise BadInput("the file is empty;", where=str(path), remedy="copy or download it again")
        with _OPENING:
            container = av.open(media_url(path), metadata_errors="replace")
    except FileNotFoundError as error:
        raise BadInput("there is no such file;", where=str(path), remedy="check the name") from error
    except PermissionError as error:
        raise BadInput("the file may not be read;", where=str(path), remedy="grant read permission") from error
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise BadInput(*_why_not_media(path), where=str(path)) from error
    except OSError as error:
        raise BadInput(f"the file cannot be read ({error.strerror or error});", where=str(path)) from error
    with container:
        yield container


def _why_not_media(path: Path) -> tuple[str]:
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide"):
        return ("the file is cut off: its index (moov) is missing; copy or download it again",)
    if head and b"\0" not in head:
        return (f"this is text, not media; {_NO_MEDIA}",)
    return (f"no audio or video format is recognised in it; {_NO_MEDIA}",)


def media_url(path: Path) -> str:
    """The name that FFmpeg takes for this very file, whatever characters it holds: no protocol, no pattern."""
    return f"file:{path.absolute()}"


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream to show: the first video stream that is not cover art. BadInput where there is none."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if moving:
        moving[0].thread_type = "AUTO"
        return moving[0]
    if container.streams.audio:
        what = "it holds sound and no picture" + (" but cover art;" if container.streams.video else ";")
        remedy = "to make a face say this sound, use `redub lipsync`"
    else:
        what, remedy = "it holds no picture;", _NO_MEDIA
    raise BadInput(what, where=str(path), remedy=remedy)


def audio_stream(container: InputContainer, path: Path, track: int) -> AudioStream:
    """Audio stream number `track`, counted from 0 among the audio streams. BadInput where there is none."""
    tracks = container.streams.audio
    if not tracks:
        raise BadInput("it has no sound;", where=str(path), remedy="give a video with an audio track")
    if not 0 <= track < len(tracks):
        raise BadInput(
            f"it has no audio track {track};", where=str(path), remedy=f"choose one of 0 to {len(tracks) - 1}"
        )
    return tracks[track]


@overload
def decode_packets(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]: ...
@overload
def decode_packets(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]: ...
def decode_packets(container: InputContainer, stream: VideoStream | AudioStream) -> Iterator[VideoFrame | AudioFrame]:
    """The frames of `stream`, a packet that is damaged left out as players do.

    What lacks then shows as a jump in time. The decoder's error comes through where nothing can be decoded, or where
    nothing could for `_MOST_DAMAGED` packets.
    """
    damaged, decoded = 0, False
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            damaged += 1
            if damaged > _MOST_DAMAGED or (packet.size == 0 and not decoded):
                raise
            continue
        for frame in frames:
            damaged, decoded = 0, True
            if isinstance(frame, VideoFrame | AudioFrame):
                yield frame
    if damaged and not decoded:
        raise av.error.InvalidDataError(-1, "Invalid data found when processing input")


def base_of(stream: VideoStream | AudioStream) -> Fraction:
    """The stream's time base, in seconds a tick."""
    if not stream.time_base:
        raise BadInput("a stream has no time base", where=stream.container.name)
    return Fraction(stream.time_base)


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns a stream's ticks into flicks since `origin`, and back. `origin` is in seconds, exact."""

    origin: Fraction
    time_base: Fraction

    def time(self, ticks: int) -> Flicks:
        """The time of timestamp `ticks`, to the nearest flick."""
        # Of whole numbers, half to even as `round` does: fractions take ten times as long, 90,000 times an hour.
        base, origin = self.time_base, self.origin
        moment = (ticks * base.numerator * origin.denominator - origin.numerator * base.denominator) * FLICKS_PER_SECOND
        parts = base.denominator * origin.denominator
        whole, rest = divmod(moment, parts)
        return whole + (2 * rest > parts or (2 * rest == parts and whole % 2 == 1))

    def since_origin(self, ticks: int) -> int:
        """Timestamp `ticks` counted from the origin, in the same ticks."""
        return ticks - round(self.origin / self.time_base)

    def ticks(self, time: Flicks) -> int:
        """The last timestamp at or before `time`."""
        return math.floor((Fraction(time, FLICKS_PER_SECOND) + self.origin) / self.time_base)


def clock_of(stream: VideoStream | AudioStream) -> Clock:
    """The clock of one stream of a container, on which the first frame of the picture is at 0."""
    streams = stream.container.streams
    moving: list[VideoStream | AudioStream] = [s for s in streams.video if not s.disposition & Disposition.attached_pic]
    lead = (moving or list(streams.audio))[0]
    return Clock(Fraction(lead.start_time or 0) * base_of(lead), base_of(stream))


@dataclass(frozen=True, slots=True)
class Orientation:
    """How the coded picture is turned to be seen: a quarter turn counter-clockwise `turns` times, then mirrored.

    `mirrored` (left and right exchanged, after the turn) occurs in photographs; cameras that film only turn.
    """

    turns: int = 0
    mirrored: bool = False

    def upright(self, coded: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) coded pixels as seen."""
        turned = np.rot90(coded, self.turns)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)

    def coded(self, upright: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) pixels as seen, turned back to how they are coded."""
        plain = upright[:, ::-1] if self.mirrored else upright
        return np.ascontiguousarray(np.rot90(plain, -self.turns))

    def upright_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as seen, of a picture coded as `width` x `height`."""
        return (height, width) if self.turns % 2 else (width, height)

    def coded_corner(self, x: int, y: int, width: int, height: int, seen: tuple[int, int]) -> tuple[int, int]:
        """Where the top left corner of a patch lies in the coded picture.

        The patch is `width` x `height` at (`x`, `y`) in the upright picture, whose size is `seen` (width, height).
        """
        seen_width, seen_height = seen
        if self.mirrored:
            x = seen_width - x - width
        for _ in range(self.turns % 4):
            # One quarter turn clockwise, the inverse of one step of the turn to upright.
            x, y, width, height = seen_height - y - height, x, height, width
            seen_width, seen_height = seen_height, seen_width
        return x, y


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """The nine entries of the frame's display matrix as FFmpeg keeps them, None where it has none.

    Ask it of one frame of a stream, not of each: PyAV then keeps the frame in a reference cycle, which is freed late.
    """
    try:
        # The library's type knows of one kind of side data only.
        data = cast("Mapping[str, Buffer]", frame.side_data).get("DISPLAYMATRIX")
    except ValueError:
        # PyAV 18.1 reads no side data of a frame that has any of a kind newer than itself; the angle it still knows.
        return _matrix_of_rotation(frame.rotation) if frame.rotation else None
    return None if data is None else tuple(int(value) for value in np.frombuffer(bytes(data), np.int32))


def _matrix_of_rotation(degrees: int) -> tuple[int, ...]:
    cosine, sine = (round(f(math.radians(degrees))) << 16 for f in (math.cos, math.sin))
    return cosine, -sine, 0, sine, cosine, 0, 0, 0, 1 << 30


def orientation_of(frame: VideoFrame) -> Orientation:
    """How `frame` asks to be turned, to the nearest quarter turn."""
    matrix = display_matrix(frame)
    if matrix is None:
        return Orientation()
    a, b, _, c, d = matrix[:5]
    mirrored = a * d - b * c < 0
    if mirrored:
        # matrix = turn, then mirror: undo the mirror to read the angle.
        a, c = -a, -c
    degrees = math.degrees(math.atan2(-b, a))
    return Orientation(round(degrees / 90) % 4, mirrored)
