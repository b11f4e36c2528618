"""What a file holds, as far as its header tells: asked of files that nobody vouches for, before any decoding."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.stream import Disposition

from infra.media.streams import audio_stream, base_of, open_media
from manifests.errors import BadInput

Kind = Literal["video", "image", "audio"]

# FFmpeg also reads lists of other files and addresses. What somebody sends must be a file that stands by itself.
_CONTAINERS = frozenset(
    {"mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "asf", "ogg", "wav", "mp3", "flac", "aac", "flv"}
)
_IMAGES = ("PNG", "JPEG", "WEBP")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """`kind` by what there is to show or hear; what the header does not tell is None. `duration_s` in seconds.

    `width` and `height` are as coded, `streams` counts all that the container holds, `sound` whether any is audio.
    """

    kind: Kind
    container: str
    duration_s: float | None
    width: int | None
    height: int | None
    frame_rate: float | None
    streams: int
    sound: bool


def image_size(path: Path) -> tuple[int, int] | None:
    """(width, height) in the header of a PNG, JPEG or WebP file, without decoding it; None for any other file."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=_IMAGES) as image:
                return image.width, image.height
        except Image.DecompressionBombError as error:
            raise BadInput("the picture has too many pixels;", where=str(path), remedy="make it smaller") from error
        except (OSError, ValueError, SyntaxError):
            return None


def read_facts(path: Path) -> MediaFacts:
    """The facts of `path`. BadInput where it is no media, holds neither picture nor sound, or names other files.

    FFmpeg decodes the first frames of streams whose header says too little, so this is to be called with limits.
    """
    size = image_size(path)
    if size is not None:
        return MediaFacts(
            kind="image",
            container="image",
            duration_s=None,
            width=size[0],
            height=size[1],
            frame_rate=None,
            streams=1,
            sound=False,
        )
    try:
        with open_media(path) as container:
            return _facts(container, path)
    except av.error.FFmpegError as error:
        raise BadInput(f"it cannot be read ({error.strerror});", where=str(path), remedy="copy it again") from error


def _facts(container: InputContainer, path: Path) -> MediaFacts:
    names = set(container.format.name.split(","))
    if not names & _CONTAINERS:
        remedy = "give MP4, MOV, MKV, WebM, AVI, MPEG, WMV, or WAV, MP3, M4A, OGG, FLAC"
        raise BadInput(f"files of this kind ({container.format.name}) are not taken;", where=str(path), remedy=remedy)
    moving = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    sound = bool(container.streams.audio)
    if not moving and not sound:
        raise BadInput("it holds neither picture nor sound;", where=str(path), remedy="give a video or a recording")
    lengths = [
        float(each.duration * each.time_base)
        for each in container.streams
        if each.duration is not None and each.time_base is not None and each.type in ("video", "audio")
    ]
    if container.duration is not None:
        lengths.append(container.duration / av.time_base)
    rate = (moving[0].guessed_rate or moving[0].average_rate) if moving else None
    return MediaFacts(
        kind="video" if moving else "audio",
        container=container.format.name,
        duration_s=max(lengths) if lengths else None,
        width=moving[0].codec_context.width if moving else None,
        height=moving[0].codec_context.height if moving else None,
        frame_rate=float(rate) if rate else None,
        streams=len(container.streams),
        sound=sound,
    )


def measured_length_s(path: Path) -> float:
    """How far the sound of `path` reaches, by its packets: recordings that a browser makes declare no length.

    BadInput where it has no sound, or is damaged.
    """
    reached = 0.0
    try:
        with open_media(path) as container:
            stream = audio_stream(container, path, 0)
            start = float((stream.start_time or 0) * base_of(stream))
            for packet in container.demux(stream):
                if packet.pts is not None and packet.size:
                    reached = max(reached, float((packet.pts + (packet.duration or 0)) * base_of(stream)) - start)
    except av.error.FFmpegError as error:
        raise BadInput(
            f"it is damaged ({error.strerror});", where=str(path), remedy="record or copy it again"
        ) from error
    return reached
