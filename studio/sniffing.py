"""What a file is by its first bytes, told while it still arrives: what is no media is turned away at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HEAD_BYTES = 512
"""So much of a file's start tells; a shorter file is told by all of it."""

Kind = Literal["video", "image", "audio"]


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`kind` as far as the start tells (a container of video may turn out to hold sound alone), suffix and type."""

    kind: Kind
    suffix: str
    media_type: str


_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
_PLAIN: tuple[tuple[bytes, Sniffed], ...] = (
    (b"\x89PNG\r\n\x1a\n", Sniffed("image", ".png", "image/png")),
    (b"\xff\xd8\xff", Sniffed("image", ".jpg", "image/jpeg")),
    (b"OggS", Sniffed("audio", ".ogg", "audio/ogg")),
    (b"fLaC", Sniffed("audio", ".flac", "audio/flac")),
    (b"ID3", Sniffed("audio", ".mp3", "audio/mpeg")),
    (b"\x00\x00\x01\xba", Sniffed("video", ".mpg", "video/mpeg")),
    (b"\x00\x00\x01\xb3", Sniffed("video", ".mpg", "video/mpeg")),
    (b"FLV\x01", Sniffed("video", ".flv", "video/x-flv")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Sniffed("video", ".wmv", "video/x-ms-wmv")),
)
_RIFF = {
    b"AVI ": Sniffed("video", ".avi", "video/x-msvideo"),
    b"WAVE": Sniffed("audio", ".wav", "audio/wav"),
    b"WEBP": Sniffed("image", ".webp", "image/webp"),
}
_TS_PACKET = 188


def sniff(head: bytes) -> Sniffed | None:
    """What a file is whose first bytes (`HEAD_BYTES`, or all) are `head`; None for what redub does not take."""
    for start, found in _PLAIN:
        if head.startswith(start):
            return found
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] in _BOXES:
        return _boxed(head)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        webm = b"webm" in head[:64]
        return Sniffed("video", ".webm", "video/webm") if webm else Sniffed("video", ".mkv", "video/x-matroska")
    if len(head) > 2 * _TS_PACKET and head[0] == head[_TS_PACKET] == head[2 * _TS_PACKET] == 0x47:
        return Sniffed("video", ".ts", "video/mp2t")
    return _framed_sound(head)


def _boxed(head: bytes) -> Sniffed | None:
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in _STILL_BRANDS:
        return None  # HEIC and AVIF: nothing here reads them
    if brand == b"qt  " or not brand:
        return Sniffed("video", ".mov", "video/quicktime")
    if brand[:3] in (b"M4A", b"M4B"):
        return Sniffed("audio", ".m4a", "audio/mp4")
    return Sniffed("video", ".mp4", "video/mp4")


def _framed_sound(head: bytes) -> Sniffed | None:
    """MPEG audio and AAC without a container: they begin with the mark of a frame."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return Sniffed("audio", ".aac", "audio/aac")
    layer, bitrate, rate = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return Sniffed("audio", ".mp3", "audio/mpeg") if layer and bitrate not in (0, 15) and rate != 3 else None
