"""Subtitle files: SubRip and WebVTT, written as they stand, with nothing taken for markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.files import published
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One subtitle: its time and its lines, at most as many as fit on the picture."""

    span: Span
    lines: tuple[str, ...]


def write_subtitles(cues: Sequence[Cue], target: Path) -> None:
    """Write `cues` as SubRip or WebVTT (W3C, 2019), by the suffix of `target` (.srt, .vtt); UTF-8, published whole.

    BadInput for another suffix.
    """
    writers = {".srt": _subrip, ".vtt": _webvtt}
    if target.suffix not in writers:
        raise BadInput("subtitles are written as .srt or .vtt;", where=str(target))
    with published(target) as draft:
        draft.write_text("".join(writers[target.suffix](cues)), encoding="utf-8", newline="\n")


def _subrip(cues: Sequence[Cue]) -> Iterator[str]:
    for number, cue in enumerate(cues, start=1):
        text = "\n".join(cue.lines)
        yield f"{number}\n{_clock(cue.span.start, ',')} --> {_clock(cue.span.end, ',')}\n{text}\n\n"


def _webvtt(cues: Sequence[Cue]) -> Iterator[str]:
    yield "WEBVTT\n\n"
    for cue in cues:
        # WebVTT is markup: these would start a tag or an entity, or be taken for the times of a cue.
        text = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace("-->", "--&gt;")
        yield f"{_clock(cue.span.start, '.')} --> {_clock(cue.span.end, '.')}\n{text}\n\n"


def _clock(time: Flicks, separator: str) -> str:
    ms = (2 * time * 1000 + FLICKS_PER_SECOND) // (2 * FLICKS_PER_SECOND)
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{separator}{rest % 1000:03d}"
