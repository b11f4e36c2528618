"""Subtitle files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.files import published
from manifests.time import FLICKS_PER_SECOND, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One subtitle: its time and its lines, at most as many as fit on the picture."""

    span: Span
    lines: tuple[str, ...]


def write_subtitles(cues: Sequence[Cue], target: Path) -> None:
    """Write `cues` as SubRip or WebVTT, by the suffix of `target` (.srt, .vtt); UTF-8, published whole."""
    import pysubs2

    events = [
        pysubs2.SSAEvent(start=_ms(cue.span.start), end=_ms(cue.span.end), text="\\N".join(cue.lines)) for cue in cues
    ]
    subtitles = pysubs2.SSAFile()
    subtitles.events = events
    with published(target) as draft:
        subtitles.save(str(draft), encoding="utf-8", format_=target.suffix.lstrip("."))


def _ms(time: int) -> int:
    return round(time * 1000 / FLICKS_PER_SECOND)
