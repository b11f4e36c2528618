"""Muxing: one MP4 or MKV of picture, sound tracks, soft subtitles and chapters; the same bytes for the same input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from infra.files import no_space_told, published
from infra.media.binary import run_ffmpeg
from infra.media.streams import audio_stream, clock_of, media_url, open_media
from manifests.errors import BadInput
from manifests.languages import LANGUAGES
from manifests.time import FLICKS_PER_SECOND, Span

_ALPHA3 = {each.code: each.alpha3 for each in LANGUAGES}
_MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
_AAC_BITS_PER_CHANNEL = 96_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Container:
    """How one kind of file holds text and names of tracks."""

    subtitles: str
    title: str
    options: tuple[str, ...]


_CONTAINERS = {
    ".mp4": _Container(
        subtitles="mov_text",
        # A track's name in MP4 is its handler's; `title` would add a box that readers complain of.
        title="handler_name",
        options=("-movflags", "+faststart+use_metadata_tags", "-f", "mp4"),
    ),
    ".mkv": _Container(subtitles="srt", title="title", options=("-default_mode", "passthrough", "-f", "matroska")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioOut:
    """A sound track of the result: audio stream `track` of the file `source`.

    Copied packet for packet where MP4 holds its codec, and kept on its own file's clock, so that the original's sound
    stays with its picture; else encoded to AAC. `language` is ISO 639-1, or an ISO 639-2 tag, or None.
    """

    source: Path
    track: int = 0
    language: str | None = None
    title: str = ""
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleOut:
    """Soft subtitles (mov_text in MP4, SubRip in MKV) from a SubRip file in UTF-8."""

    srt: Path
    language: str | None = None
    title: str = ""
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A chapter mark."""

    span: Span
    title: str


def mux(
    *,
    picture: Path,
    audio: Sequence[AudioOut],
    subtitles: Sequence[SubtitleOut] = (),
    chapters: Sequence[Chapter] = (),
    metadata: Mapping[str, str] | None = None,
    out: Path,
) -> None:
    """Write `out` (.mp4, index first, or .mkv): the picture's packets as they are, then sound, subtitles and chapters.

    The picture starts at 0. `metadata` may hold keys of any name. No dates, no encoder's name: equal input, equal
    bytes. BadInput for another suffix, and with ffmpeg's last line where an input cannot be muxed; NoSpace where `out`
    cannot be written.
    """
    container = _CONTAINERS.get(out.suffix)
    if container is None:
        raise BadInput("a dub is written as .mp4 or .mkv;", where=str(out), remedy="name it so")
    inputs: list[str] = ["-i", media_url(picture)]
    outputs: list[str] = ["-map", "0:v:0", "-c:v", "copy"]
    with published(out) as draft:
        notes = draft.with_suffix(".ffmetadata")
        try:
            with no_space_told(out.parent):
                notes.write_text(_ffmetadata(chapters, metadata or {}), encoding="utf-8")
            for index, sound in enumerate(audio):
                copied, channels, shift = _how(sound)
                inputs += ["-itsoffset", f"{float(shift):.9f}", "-i", media_url(sound.source)]
                outputs += ["-map", f"{index + 1}:a:{sound.track}"]
                bit_rate = str(_AAC_BITS_PER_CHANNEL * min(channels, 6))
                outputs += [f"-c:a:{index}", "copy"] if copied else [f"-c:a:{index}", "aac", f"-b:a:{index}", bit_rate]
                outputs += _labels(container, "a", index, sound.language, sound.title, default=sound.default)
            for index, text in enumerate(subtitles):
                inputs += ["-f", "srt", "-sub_charenc", "UTF-8", "-i", media_url(text.srt)]
                outputs += ["-map", f"{1 + len(audio) + index}:s:0", f"-c:s:{index}", container.subtitles]
                outputs += _labels(container, "s", index, text.language, text.title, default=text.default)
            described = str(1 + len(audio) + len(subtitles))
            inputs += ["-f", "ffmetadata", "-i", media_url(notes)]
            outputs += ["-map_metadata", described, "-map_chapters", described]
            run_ffmpeg([*inputs, *outputs, *_OUTPUT, *container.options, media_url(draft)], where=out)
        finally:
            notes.unlink(missing_ok=True)


# Timestamps as they are (each input already on the picture's clock); every stream waited for, so that packets
# interleave the same way each time; one thread where an encoder's bytes could depend on it.
_OUTPUT = ("-copyts", "-avoid_negative_ts", "disabled", "-max_interleave_delta", "0", "-threads", "1",
           "-fflags", "+bitexact", "-flags:a", "+bitexact", "-flags:s", "+bitexact")  # fmt: skip


def _how(sound: AudioOut) -> tuple[bool, int, Fraction]:
    """Whether its packets can be copied, its channels, and the shift (s) that puts it on the picture's clock."""
    with open_media(sound.source) as container:
        stream = audio_stream(container, sound.source, sound.track)
        context = stream.codec_context
        return context.codec.canonical_name in _MP4_AUDIO, context.channels, -clock_of(stream).origin


def _labels(
    container: _Container, kind: str, index: int, language: str | None, title: str, *, default: bool
) -> list[str]:
    tag = _ALPHA3.get(language or "", language or "und")
    labels = [f"-metadata:s:{kind}:{index}", f"language={tag}", f"-disposition:{kind}:{index}"]
    labels.append("default" if default else "0")
    if title:
        labels += [f"-metadata:s:{kind}:{index}", f"{container.title}={title}"]
    return labels


def _ffmetadata(chapters: Sequence[Chapter], metadata: Mapping[str, str]) -> str:
    """FFmpeg's metadata text: global tags by name, then chapters."""
    lines = [";FFMETADATA1"]
    lines += [f"{_escaped(key)}={_escaped(metadata[key])}" for key in sorted(metadata)]
    for chapter in chapters:
        start, end = (
            round(Fraction(time * 1000, FLICKS_PER_SECOND)) for time in (chapter.span.start, chapter.span.end)
        )
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={start}", f"END={end}", f"title={_escaped(chapter.title)}"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if text.endswith("\\"):
        text += " "  # a line that ends in a backslash, escaped or not, is read as going on
    return "".join(f"\\{character}" if character in "=;#\\\n" else character for character in text)
