"""What a report doubts of a dub, line by line, as data: what kind of doubt, in words, and how much it weighs.

Pure, over a finished report, so that it can be asked of any dub that was ever made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.clock import HeldClock
from manifests.report import RATES, DubReport, LineReport
from manifests.time import Span

KINDS = ("nothing spoken", "translation", "misheard", "rate", "overrun", "apart", "unfilled", "lips", "loudness")

_MISHEARD = 0.2
_APART = 0.5
_SILENT_S = 1.0
_OVERRUN_S = 0.05
_FOLLOWS_LESS = 0.6
_OFF_LU = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something about a line that deserves a look. `kind` is one of `KINDS`; `weight` is above 0, 1 for a plain one."""

    kind: str
    text: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulLine:
    """A line with its doubts, the worst first. `id` is the report's, `span` is on the source's clock."""

    id: str
    span: Span
    dub_span: Span
    doubts: tuple[Doubt, ...]

    @property
    def weight(self) -> float:
        """How much the line wants a look, all doubts together."""
        return sum(doubt.weight for doubt in self.doubts)


def doubtful(report: DubReport) -> tuple[DoubtfulLine, ...]:
    """The lines of `report` that it doubts, worst first, those that weigh the same in their order."""
    clock = HeldClock(report.holds)
    whole = report.totals.loudness_lufs
    lines = [
        DoubtfulLine(
            id=line.id,
            span=_on_source(line, clock),
            dub_span=line.dub_span,
            doubts=tuple(sorted((*_lost(line, whole), *measured(line, whole)), key=lambda doubt: -doubt.weight)),
        )
        for line in report.lines
    ]
    return tuple(sorted((line for line in lines if line.doubts), key=lambda line: (-line.weight, line.span)))


def measured(line: LineReport, whole_lufs: float | None) -> Iterator[Doubt]:
    """What the measures of a line make doubtful. `whole_lufs` is how loud the whole dub is, None where unknown."""
    if not line.spoken:
        yield Doubt(kind="nothing spoken", text="nothing is spoken", weight=2.0)
        return
    if line.back_asr_cer is not None and line.back_asr_cer > _MISHEARD:
        text = f"{line.back_asr_cer:.0%} of its characters are heard otherwise"
        yield Doubt(kind="misheard", text=text, weight=1 + min(line.back_asr_cer, 1.0))
    if line.rate is not None and not line.within_rate:
        off = max(line.rate - RATES[1], RATES[0] - line.rate)
        text = f"spoken at {line.rate:.2f} times the voice's own rate"
        yield Doubt(kind="rate", text=text, weight=1 + min(5 * off, 1.0))
    if line.overrun_s > _OVERRUN_S:
        text = f"{line.overrun_s:.1f} s longer than its place"
        yield Doubt(kind="overrun", text=text, weight=1 + min(line.overrun_s, 1.0))
    if line.overlap is not None and line.overlap < _APART:
        yield Doubt(kind="apart", text="most of it is heard where the speaker is silent", weight=1.0)
    if line.unfilled_s > _SILENT_S:
        text = f"silent for {line.unfilled_s:.1f} s in which the speaker speaks"
        yield Doubt(kind="unfilled", text=text, weight=0.5 + min(line.unfilled_s / 10, 0.5))
    if line.sync is not None and line.real_sync is not None and line.sync < _FOLLOWS_LESS * line.real_sync:
        yield Doubt(kind="lips", text="the mouth follows the dub less than it followed the speaker", weight=1.0)
    if line.loudness_lufs is not None and whole_lufs is not None and abs(line.loudness_lufs - whole_lufs) > _OFF_LU:
        text = f"{'louder' if line.loudness_lufs > whole_lufs else 'softer'} than the rest"
        yield Doubt(kind="loudness", text=text, weight=0.5)


def _lost(line: LineReport, whole_lufs: float | None) -> Iterator[Doubt]:
    """What the translator warned of: a line's warnings beyond those that its measures give."""
    told = {doubt.text for doubt in measured(line, whole_lufs)}
    for warning in line.warnings:
        if warning not in told:
            yield Doubt(kind="translation", text=warning, weight=1.5)


def _on_source(line: LineReport, clock: HeldClock) -> Span:
    if not line.spoken:
        return line.source_span
    return Span(clock.source_time(line.dub_span.start), clock.source_time(line.dub_span.end))
