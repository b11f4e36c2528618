"""The gate: whether a dub is good enough to be published, by thresholds that a preset names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from manifests.report import DubReport, Failure, GateResult, LineReport

_NAMED_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Thresholds; None asks nothing. `preset` names them in what is said of a failure.

    Shares are 0..1: `most_unfilled` of the source's speech time, `least_overlap` of the dubbed speech, `most_degraded`
    and `most_failed` of the lecture's time, `least_within_rate` of the lines. `mean_cer` and `line_cer` are character
    error rates of what a recogniser hears. `least_lip_ratio` is how well the lips follow, over how well the real ones
    did.
    """

    preset: str = "lecture"
    most_mean_cer: float | None = 0.12
    most_line_cer: float | None = 0.5
    least_within_rate: float | None = 0.95
    least_overlap: float | None = 0.75
    most_unfilled: float | None = 0.2
    most_overrun_s: float | None = 1.0
    most_drift_frames: int | None = 0
    loudness_lufs: float = -16.0
    most_loudness_off_lu: float | None = 0.5
    most_true_peak_dbtp: float | None = -1.0
    most_degraded: float | None = 0.25
    most_failed: float | None = 0.05
    least_lip_ratio: float | None = 0.7


def judge(report: DubReport, settings: GateSettings) -> GateResult:
    """What of `report` is beyond `settings`. What was to be measured and was not fails too.

    Lips are not asked for where no speaking face shows, nor what only speech has where nothing is spoken.
    """
    totals, lines = report.totals, [line for line in report.lines if line.spoken]
    off_lu = None if totals.loudness_lufs is None else round(abs(totals.loudness_lufs - settings.loudness_lufs), 2)
    most: list[tuple[str, float | None, float | None, str, Callable[[LineReport], float | None]]] = [
        ("mean character error of what is heard", totals.mean_cer, settings.most_mean_cer, "share", _cer),
        ("character error of the worst line", totals.worst_cer, settings.most_line_cer, "share", _cer),
        ("speech of the source left unfilled", totals.unfilled, settings.most_unfilled, "share", _unfilled),
        ("speech longer than its place", totals.overrun_s, settings.most_overrun_s, "s", _overrun),
        ("drift at the end", abs(totals.drift_frames), settings.most_drift_frames, "frames", _no_line),
        ("distance from the wanted loudness", off_lu, settings.most_loudness_off_lu, "LU", _no_line),
        ("true peak", totals.true_peak_dbtp, settings.most_true_peak_dbtp, "dBTP", _no_line),
        ("lecture time left as it was", totals.degraded, settings.most_degraded, "share", _no_line),
        (
            "lecture time left as it was because work on it failed",
            totals.failed,
            settings.most_failed,
            "share",
            _no_line,
        ),
    ]
    least: list[tuple[str, float | None, float | None, str, Callable[[LineReport], float | None]]] = [
        ("lines at an unhurried rate", totals.within_rate, settings.least_within_rate, "share", _rate_off),
        ("dubbed speech on the source's speech", totals.overlap, settings.least_overlap, "share", _outside),
    ]
    if totals.lip_lines:
        least.append(("lips over the real ones", totals.lip_ratio, settings.least_lip_ratio, "", _lips_behind))
    failures = [
        Failure(
            measure=name, figure=figure, threshold=threshold, at_least=at_least, unit=unit, lines=_worst(lines, badness)
        )
        for at_least, measures in ((False, most), (True, least))
        for name, figure, threshold, unit, badness in measures
        if threshold is not None and (figure is not None or lines) and _beyond(figure, threshold, at_least=at_least)
    ]
    return GateResult(preset=settings.preset, failures=tuple(failures))


def told(failure: Failure) -> str:
    """A failure in words."""
    if failure.figure is None:
        return f"{failure.measure} could not be measured"
    figure, threshold = (_written(each, failure.unit) for each in (failure.figure, failure.threshold))
    limit = "at least" if failure.at_least else "at most"
    return f"{failure.measure}: {figure}, where {limit} {threshold} is asked for"


def _written(value: float, unit: str) -> str:
    return f"{value:.1%}" if unit == "share" else f"{value:.3g} {unit}".rstrip()


def _beyond(figure: float | None, threshold: float, *, at_least: bool) -> bool:
    if figure is None:
        return True
    return figure < threshold if at_least else figure > threshold


def _worst(lines: Sequence[LineReport], badness: Callable[[LineReport], float | None]) -> tuple[str, ...]:
    """The ids of the few lines that are worst, worst first; those that are not bad at all are left out."""
    found = [(value, line.id) for line in lines if (value := badness(line)) is not None and value > 0]
    return tuple(name for _, name in sorted(found, key=lambda each: (-each[0], each[1]))[:_NAMED_LINES])


def _cer(line: LineReport) -> float | None:
    return line.back_asr_cer


def _unfilled(line: LineReport) -> float:
    return line.unfilled_s


def _overrun(line: LineReport) -> float:
    return line.overrun_s


def _rate_off(line: LineReport) -> float | None:
    return None if line.rate is None or line.within_rate else abs(line.rate - 1)


def _outside(line: LineReport) -> float | None:
    return None if line.overlap is None else 1 - line.overlap


def _lips_behind(line: LineReport) -> float | None:
    return None if line.sync is None or line.real_sync is None else line.real_sync - line.sync


def _no_line(line: LineReport) -> None:  # noqa: ARG001
    return None
