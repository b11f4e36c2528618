"""From speech probabilities to spans of speech: threshold with hysteresis, shortest speech and silence, padding."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from manifests.time import Flicks, Span, flicks, merge


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSettings:
    """When speech starts, ends and counts. The values are those that silero-vad publishes for its model.

    Speech starts where the probability reaches `threshold` and ends where it falls below `exit_threshold` and does
    not come back within `min_silence_s`. Speech shorter than `min_speech_s` is dropped; `pad_s` is added on both sides.
    """

    threshold: float = 0.5
    exit_threshold: float = 0.35
    min_speech_s: float = 0.25
    min_silence_s: float = 0.1
    pad_s: float = 0.03

    def __post_init__(self) -> None:
        if not 0 <= self.exit_threshold <= self.threshold <= 1:
            raise ValueError("0 <= exit_threshold <= threshold <= 1 must hold")


def active_runs(probabilities: Iterable[float], *, window: Flicks, settings: SegmentSettings) -> Iterator[Span]:
    """Runs of windows that hold speech, by the two thresholds of `settings`, ascending.

    `probabilities` are of consecutive windows of `window` flicks each, the first of which starts at 0.
    """
    start: Flicks | None = None
    end: Flicks = 0
    for probability in probabilities:
        if start is None and probability >= settings.threshold:
            start = end
        elif start is not None and probability < settings.exit_threshold:
            yield Span(start, end)
            start = None
        end += window
    if start is not None:
        yield Span(start, end)


def speech_spans(runs: Iterable[Span], *, duration: Flicks, settings: SegmentSettings) -> list[Span]:
    """The spans of speech of a recording of `duration` flicks: disjoint, never touching, ascending.

    `runs` are those of `active_runs`; the last may reach past the end of the recording, as its last window does.
    Padding never leaves the recording, nor goes further than a third into a pause: what was a pause stays one.
    """
    inside = [Span(run.start, min(run.end, duration)) for run in runs if run.start < duration]
    joined = merge(inside, gap=max(flicks(settings.min_silence_s) - 1, 0))
    kept = [run for run in joined if run.duration >= flicks(settings.min_speech_s)]
    starts = [min(kept[0].start, flicks(settings.pad_s))] if kept else []
    pauses = [after.start - before.end for before, after in itertools.pairwise(kept)]
    pads = [min(flicks(settings.pad_s), pause // 3) for pause in pauses]
    ends = [min(duration - kept[-1].end, flicks(settings.pad_s))] if kept else []
    return [
        Span(run.start - lead, run.end + tail) for run, lead, tail in zip(kept, starts + pads, pads + ends, strict=True)
    ]
