"""The drawings of a report as plain geometry: histograms and the timeline. What is drawn is text for no parser.

Lengths are in units of the drawing, y down. Colours are names of classes that the page's style sheet knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from manifests.clock import HeldClock
from manifests.report import RATES, DubReport, LineReport
from manifests.time import Flicks, Span, flicks, merge, seconds
from tasks.illustrations import Illustrations

STRIP_WIDTH = 1200
MARGIN = 96
"""Left of a strip, for the names of its rows."""
_RIGHT = 20

_STRIPS = 60
_LEAST_PX = 1.5
SOURCE_ROW = (24, 44)
DUB_ROW = (74, 60)
PICTURE_ROW = (140, 12)
LEFT_ROW = (158, 12)
"""Top and height of each row of a strip."""
STRIP_HEIGHT = 176

_DUB_WAVE = (DUB_ROW[0] + 16, DUB_ROW[1] - 16)
"""Below what is written on a line."""
_SHORTEST: Flicks = flicks(10)

_NEAR = 1e-6
_HURRIED = 1.3
_NATURAL = (0.95, 1.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle: its class `kind`, the `label` that says what it is, a `text` to write into it, where it leads."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str
    text: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How many lines fall where. `wanted` is the stretch of the axis that is asked for, x and width."""

    title: str
    axis: str
    summary: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    wanted: tuple[float, float] | None
    most: int
    width: float = 360
    height: float = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A stretch of the dub, `width` units wide. `source_wave` and `dub_wave` are paths."""

    title: str
    width: float
    ticks: tuple[Tick, ...]
    cuts: tuple[float, ...]
    bars: tuple[Bar, ...]
    source_wave: str
    dub_wave: str


def clock_text(time: Flicks) -> str:
    """A moment as 1:02:03.4, hours only where there are any."""
    tenths = round(seconds(time) * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    return f"{hours}:{minutes:02d}:{rest / 10:04.1f}" if hours else f"{minutes}:{rest / 10:04.1f}"


def rate_kind(rate: float | None) -> str:
    """The class of a rate."""
    if rate is None:
        return "rate-none"
    if rate < RATES[0]:
        return "rate-drawn"
    if rate < _NATURAL[0]:
        return "rate-slow"
    if rate <= _NATURAL[1]:
        return "rate-own"
    if rate <= RATES[1]:
        return "rate-fast"
    return "rate-hurried" if rate <= _HURRIED else "rate-rushed"


def histogram(
    values: Sequence[float],
    *,
    title: str,
    axis: str,
    low: float,
    high: float,
    bins: int,
    wanted: tuple[float, float] | None = None,
    ticks: Sequence[float] = (),
) -> Histogram:
    """Values beyond `low` and `high` are counted in the outermost bins."""
    width, height, left, bottom = 360.0, 150.0, 8.0, 26.0
    inner = width - 2 * left
    clipped = np.clip(np.asarray(values, np.float64), low, np.nextafter(high, low))
    if wanted is not None:  # its upper end is within, and bins are open above
        clipped = np.where(np.abs(clipped - wanted[1]) < _NEAR, wanted[1] - _NEAR, clipped)
    counts, edges = np.histogram(clipped, bins=bins, range=(low, high))
    most = int(counts.max(initial=0))
    top = height - bottom - 16

    def x_of(value: float) -> float:
        return left + inner * (min(max(value, low), high) - low) / (high - low)

    bars = tuple(
        Bar(
            x=round(x_of(float(edges[index])) + 1, 2),
            y=round(height - bottom - top * count / most, 2),
            width=round(inner / bins - 2, 2),
            height=round(top * count / most, 2),
            kind="bar",
            label=f"{edges[index]:.2f} to {edges[index + 1]:.2f}: {count} line{'' if count == 1 else 's'}",
            text=str(count),
        )
        for index, count in enumerate(counts.tolist())
        if count
    )
    median = f"median {np.median(values):.2f}, {min(values):.2f} to {max(values):.2f}" if len(values) else "no lines"
    return Histogram(
        title=title,
        axis=axis,
        summary=median,
        bars=bars,
        ticks=tuple(Tick(x=round(x_of(value), 2), label=f"{value:g}") for value in ticks),
        wanted=None if wanted is None else (round(x_of(wanted[0]), 2), round(x_of(wanted[1]) - x_of(wanted[0]), 2)),
        most=most,
    )


def histograms(report: DubReport) -> tuple[Histogram, ...]:
    """Rates, errors and lengths of the lines that are spoken."""
    spoken = [line for line in report.lines if line.spoken]
    rates = [line.rate for line in spoken if line.rate is not None]
    errors = [line.back_asr_cer for line in spoken if line.back_asr_cer is not None]
    lengths = [line.length_ratio for line in spoken if line.length_ratio is not None]
    return (
        histogram(
            rates,
            title="Rate of speech",
            axis="times the voice's own rate",
            low=0.7,
            high=1.5,
            bins=16,
            wanted=RATES,
            ticks=(0.7, 0.85, 1.0, 1.2, 1.5),
        ),
        histogram(
            errors,
            title="Heard back",
            axis="share of characters heard otherwise",
            low=0.0,
            high=0.6,
            bins=12,
            ticks=(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
        ),
        histogram(
            lengths,
            title="Length",
            axis="dubbed line over the source's",
            low=0.4,
            high=2.0,
            bins=16,
            ticks=(0.4, 0.8, 1.0, 1.2, 1.6, 2.0),
        ),
    )


def timeline(report: DubReport, pictures: Illustrations) -> tuple[Strip, ...]:
    """The dub on its own clock, a minute a strip; of a long lecture more, so that strips do not grow in number."""
    clock = HeldClock(report.holds)
    end = max([clock.dub_span(report.span).end, *(line.dub_span.end for line in report.lines)])
    if end == 0:
        return ()
    minutes = max(1, math.ceil(seconds(end) / 60 / _STRIPS))
    # What fits one strip fills it.
    whole = flicks(60 * minutes) if end > flicks(60) else max(end, _SHORTEST)
    parts = _Parts.of(report, clock)
    strips = []
    for start in range(0, end, whole):
        span = Span(start, min(start + whole, end))
        strips.append(_strip(span, _Scale(start, (STRIP_WIDTH - MARGIN - _RIGHT) / whole), parts, pictures))
    return tuple(strips)


@dataclass(frozen=True, slots=True)
class _Scale:
    start: Flicks
    per_flick: float

    def x(self, time: Flicks) -> float:
        return round(MARGIN + (time - self.start) * self.per_flick, 2)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a strip shows, all on the dub's clock."""

    speech: tuple[Span, ...]
    lines: tuple[tuple[int, LineReport], ...]
    cuts: tuple[Flicks, ...]
    changed: tuple[Span, ...]
    holds: tuple[Span, ...]
    left: tuple[tuple[Span, str], ...]

    @classmethod
    def of(cls, report: DubReport, clock: HeldClock) -> _Parts:
        reasons: dict[str, list[Span]] = {}
        for each in report.degradations:
            inside = each.span.intersection(report.span)
            if inside is not None:
                reasons.setdefault(f"{each.stage}: {each.reason}", []).append(clock.dub_span(inside))
        return cls(
            speech=merge(clock.dub_span(span) for span in report.source_speech),
            lines=tuple((number, line) for number, line in enumerate(report.lines, start=1) if line.spoken),
            cuts=tuple(clock.dub_time(shot.start) for shot in report.shots[1:]),
            changed=merge(clock.dub_span(span) for span in report.changed),
            holds=clock.held_spans(),
            left=tuple((span, reason) for reason, spans in reasons.items() for span in merge(spans)),
        )


def _strip(span: Span, scale: _Scale, parts: _Parts, pictures: Illustrations) -> Strip:
    def bars(spans: Iterable[Span], row: tuple[int, int], kind: str, label: str) -> Iterable[Bar]:
        for each in spans:
            part = each.intersection(span)
            if part is not None:
                yield _bar(part, scale, row, kind, f"{label}, {clock_text(each.start)} to {clock_text(each.end)}")

    drawn = [*bars(parts.speech, SOURCE_ROW, "speech", "the source speaks")]
    for number, line in parts.lines:
        part = line.dub_span.intersection(span)
        if part is not None:
            drawn.append(_line_bar(part, scale, number, line))
    drawn.extend(bars(parts.changed, PICTURE_ROW, "lips", "new lips"))
    drawn.extend(bars(parts.holds, PICTURE_ROW, "hold", "the picture waits"))
    for each, reason in parts.left:
        drawn.extend(bars([each], LEFT_ROW, "left", reason))
    width = scale.x(span.end) - MARGIN
    return Strip(
        title=f"{clock_text(span.start)} to {clock_text(span.end)}",
        width=width,
        ticks=tuple(_ticks(span, scale)),
        cuts=tuple(scale.x(cut) for cut in parts.cuts if cut in span),
        bars=tuple(drawn),
        source_wave=_wave(pictures.source, pictures.per_s, span, width, SOURCE_ROW),
        dub_wave=_wave(pictures.dub, pictures.per_s, span, width, _DUB_WAVE),
    )


def _bar(span: Span, scale: _Scale, row: tuple[int, int], kind: str, label: str) -> Bar:
    x = scale.x(span.start)
    width = max(round(scale.x(span.end) - x, 2), _LEAST_PX)
    return Bar(x=x, y=row[0], width=width, height=row[1], kind=kind, label=label)


def _line_bar(span: Span, scale: _Scale, number: int, line: LineReport) -> Bar:
    bar = _bar(span, scale, DUB_ROW, rate_kind(line.rate), "")
    rate = "" if line.rate is None else f"{line.rate:.2f}x"
    written = f"{number}" if bar.width < 70 or not rate else f"{number} · {rate}"
    label = f"line {number}, {line.speaker or 'unknown speaker'}, {rate}: {line.translation}"
    return Bar(
        x=bar.x,
        y=bar.y,
        width=bar.width,
        height=bar.height,
        kind=bar.kind,
        label=label,
        text=written if bar.width > 16 else "",
        href=f"#line-{number}",
    )


def _ticks(span: Span, scale: _Scale) -> Iterable[Tick]:
    step = flicks(5) if span.duration <= flicks(60) else flicks(60 * max(1, round(seconds(span.duration) / 60 / 10)))
    for time in range(-(-span.start // step) * step, span.end + 1, step):
        yield Tick(x=scale.x(time), label=clock_text(time).removesuffix(".0"))


def _wave(values: npt.NDArray[np.float32], per_s: float, span: Span, width: float, row: tuple[int, int]) -> str:
    """The outline of the columns of `span`, mirrored about the middle of the row; empty where there are none."""
    first, end = math.floor(span.start_s * per_s), math.ceil(span.end_s * per_s)
    shown = values[first:end]
    if not len(shown):
        return ""
    step, middle, half = width / (end - first), row[0] + row[1] / 2, row[1] / 2 - 1
    heights = [max(round(float(value) * half, 1), 0.3) for value in shown]
    upper = " ".join(f"{MARGIN + index * step:.1f},{middle - each:.1f}" for index, each in enumerate(heights))
    lower = " ".join(
        f"{MARGIN + index * step:.1f},{middle + each:.1f}" for index, each in reversed(list(enumerate(heights)))
    )
    return f"M{upper} {lower}Z"
