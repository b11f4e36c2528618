"""How long a video lasts, by its header alone: a look at thousands of files without reading them.

The header of an MP4 file lists every frame, megabytes for an hour, yet says its length in the first hundred bytes. So
that is read here; all else is left to FFmpeg.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition

from manifests.errors import BadInput

# The headers that redub's formats have are read whatever these are; no packets are wanted beside them.
_OPTIONS = {"probesize": "65536", "analyzeduration": "0"}
_REMUX = "copy it into a new container: ffmpeg -i IN -c copy OUT.mkv"
_REMOVE = "take it out of the archive"
_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}
_MOST_BOXES = 1000
_UNKNOWN = {0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0}


def glanced_length_s(file: BinaryIO, name: str) -> float:
    """The length in seconds that the header of `file`, called `name`, declares.

    BadInput where it is no media, has no moving picture or declares no length; also what reading `file` raises.
    """
    length = _mp4_length_s(file, name)
    if length is not None:
        return length
    file.seek(0)
    try:
        with av.open(file, "r", options=_OPTIONS, metadata_errors="replace") as container:
            return _length_s(container, name)
    except av.error.FFmpegError as error:
        what = f"it cannot be read as a video ({error.strerror});"
        raise BadInput(what, where=name, remedy=f"copy it there again, or {_REMOVE}") from error


def _length_s(container: InputContainer, name: str) -> float:
    if not any(not each.disposition & Disposition.attached_pic for each in container.streams.video):
        raise BadInput("it has no moving picture;", where=name, remedy=_REMOVE)
    lengths = [
        float(each.duration * each.time_base)
        for each in container.streams.video
        if each.duration is not None and each.time_base is not None
    ]
    if container.duration is not None:
        lengths.append(container.duration / 1_000_000)
    if not lengths or max(lengths) <= 0:
        raise BadInput("it does not say how long it is;", where=name, remedy=_REMUX)
    return max(lengths)


def _mp4_length_s(file: BinaryIO, name: str) -> float | None:
    """The length of an MP4 or MOV file; None for what is none, or is unusual. BadInput where it has no picture."""
    size = file.seek(0, os.SEEK_END)
    for index, (kind, start, end) in enumerate(_boxes(file, 0, size)):
        if index == 0 and kind not in _FIRST_BOXES:
            return None
        if kind == b"moov":
            return _movie_length_s(file, start, end, name) if end <= size else None
    return None


def _movie_length_s(file: BinaryIO, start: int, end: int, name: str) -> float | None:
    length: float | None = None
    for kind, inner, inner_end in _boxes(file, start, end):
        if kind == b"mvhd":
            length = _declared_s(_read(file, inner, 32))
            if length is None:
                return None
        elif kind == b"trak" and _is_picture(file, inner, inner_end):
            return length
    if length is None:
        return None
    raise BadInput("it has no moving picture;", where=name, remedy=_REMOVE)


def _declared_s(header: bytes) -> float | None:
    """The length in a movie's header; None where it is not known there, as in files that came in fragments."""
    if len(header) < 32:
        return None
    scale, length = struct.unpack_from(">IQ", header, 20) if header[0] == 1 else struct.unpack_from(">II", header, 12)
    return None if length in _UNKNOWN or not scale else length / scale


def _is_picture(file: BinaryIO, start: int, end: int) -> bool:
    for kind, inner, inner_end in _boxes(file, start, end):
        if kind == b"mdia":
            for part, place, _ in _boxes(file, inner, inner_end):
                if part == b"hdlr":
                    return _read(file, place, 12)[8:12] == b"vide"
    return False


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two places: each one's kind, and where its content starts and ends."""
    for _ in range(_MOST_BOXES):
        header = _read(file, start, 16) if start + 8 <= end else b""
        if len(header) < 8:
            return
        size, kind = struct.unpack_from(">I4s", header)
        inner = start + 8
        if size == 1 and len(header) == 16:
            size, inner = struct.unpack_from(">Q", header, 8)[0], start + 16
        elif size == 0:
            size = end - start
        if size < inner - start:
            return
        yield kind, inner, start + size
        start += size


def _read(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)
