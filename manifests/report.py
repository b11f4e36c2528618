"""The report of a dub: what was measured of every line and of the whole, as `report.json` and as Parquet rows.

`report.json` holds one `DubReport`, field by field. A span is written `{"start": .., "end": ..}` in flicks
(`manifests.time`, exact) with `start_s` and `end_s` beside them to read; all other times are seconds and end in `_s`.
What could not be measured is null, never 0. Readers ignore fields that they do not know; `schema` changes only where a
field changes its meaning.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from manifests.clock import Hold
from manifests.errors import BadInput
from manifests.provenance import ModelUsed
from manifests.records import Degradation
from manifests.time import FLICKS_PER_SECOND, Span

SCHEMA = "redub.report/1"

RATES = (0.85, 1.20)
"""Rates of speech at which a voice still sounds unhurried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """One utterance: what was said, what is said instead, and how well.

    `source_span` is on the source's clock, `dub_span` on the dub's, empty where nothing is spoken. `heard_back` is what
    a recogniser understood of the dub and `back_asr_cer` the share of characters by which that differs from
    `translation`. `overlap` is the share of the dubbed speech that falls on the source's speech, `unfilled_s` the time
    of this utterance in which the dub is silent, `length_ratio` the dub's length over the source's. `sync` is how far
    the mouth that is shown follows the dub, -1..1, `real_sync` how far the speaker's own followed their own voice;
    None where no speaking face shows. `held_s` is how long the picture waits. `warnings` are for a person to read.
    """

    id: str
    speaker: str | None
    voice: str | None
    source_span: Span
    dub_span: Span
    source_text: str
    translation: str
    heard_back: str | None
    back_asr_cer: float | None
    rate: float | None
    reading: int
    overlap: float | None
    unfilled_s: float
    length_ratio: float | None
    sync: float | None
    real_sync: float | None
    loudness_lufs: float | None
    held_s: float
    overrun_s: float
    warnings: tuple[str, ...] = ()

    @property
    def spoken(self) -> bool:
        """Whether anything is said."""
        return self.dub_span.duration > 0

    @property
    def within_rate(self) -> bool:
        """Whether it is spoken at a rate of `RATES`."""
        return self.rate is not None and RATES[0] <= round(self.rate, 6) <= RATES[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerReport:
    """A person of the lecture and the voice that speaks for them; `evidence` says why this gender and age."""

    id: str
    gender: str
    age: str
    voice: str
    why: str
    evidence: str
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The whole dub in figures; shares are 0..1.

    `within_rate` is the share of spoken lines at a rate of `RATES`. `overlap` = |dub and source| / |dub| and `unfilled`
    = |source without dub| / |source|, in speech time; while the picture waits the source is silent. `drift_frames` is
    by how many frames picture or speech of the dub end off their clock. `lip_ratio` is mean sync over the mean of the
    real video's own, over the `lip_lines` lines that have both. `degraded` is the share of the lecture's time in which
    some stage kept the original, `failed` that in which it did so because work failed.
    """

    lines: int
    spoken: int
    within_rate: float | None
    fastest: float | None
    slowest: float | None
    mean_cer: float | None
    worst_cer: float | None
    overlap: float | None
    unfilled: float | None
    mean_length_ratio: float | None
    overrun_s: float
    drift_frames: int
    held_s: float
    lip_lines: int
    mean_sync: float | None
    mean_real_sync: float | None
    lip_ratio: float | None
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    degraded: float
    copied_frames: int
    rendered_frames: int
    lip_frames: int
    failed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """How long a stage took in this run: `seconds` of work over all its pieces, `hits` of them from the cache."""

    stage: str
    pieces: int
    hits: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A measure beyond its threshold; `lines` are ids, worst first.

    `figure` is None where it could not be measured. `unit` is "share" for 0..1, else as written.
    """

    measure: str
    figure: float | None
    threshold: float
    at_least: bool
    unit: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What the gate said; `preset` names the thresholds."""

    preset: str
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class DubReport:
    """Everything that the report of one dub says.

    `span`, `shots`, `source_speech` and `holds` are on the source's clock, `changed` (new lips) too; `degradations` as
    their stages gave them. `settings` is canonical JSON. `notes` say how far the measures reach.
    """

    title: str
    video_id: str
    source_language: str
    language: str
    span: Span
    frame_rate: Fraction
    totals: Totals
    lines: tuple[LineReport, ...]
    speakers: tuple[SpeakerReport, ...]
    shots: tuple[Span, ...]
    source_speech: tuple[Span, ...]
    changed: tuple[Span, ...]
    holds: tuple[Hold, ...]
    degradations: tuple[Degradation, ...]
    settings: str
    models: tuple[ModelUsed, ...]
    stages: tuple[StageTime, ...]
    disclosures: tuple[str, ...]
    notes: tuple[str, ...]
    gate: GateResult | None = None
    schema: str = SCHEMA


def to_json(report: DubReport) -> str:
    """`report` as JSON text; equal reports give equal text."""
    return json.dumps(_plain(report), indent=1, ensure_ascii=False) + "\n"


def from_json(text: str | bytes, where: str = "report.json") -> DubReport:
    """The report in `text`. BadInput that names `where` for anything else, or for a report of another schema."""
    try:
        report = _adapter().validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        what = f"it is no report of a dub ({place + ': ' if place else ''}{first['msg']});"
        raise BadInput(what, where=where, remedy="run the dub again") from error
    if report.schema != SCHEMA:
        raise BadInput(f"it has the schema {report.schema!r}, not {SCHEMA!r};", where=where, remedy="run the dub again")
    return report


def read_report(file: Path) -> DubReport:
    """The report in `file`. BadInput where it is not there or is no report."""
    try:
        text = file.read_bytes()
    except OSError as error:
        what = f"no report can be read from it ({error.strerror});"
        raise BadInput(what, where=str(file), remedy="name a folder that a dub was written to") from error
    return from_json(text, str(file))


@cache
def _adapter() -> TypeAdapter[DubReport]:
    return TypeAdapter(DubReport)


def _plain(value: Any) -> Any:
    if isinstance(value, Span):
        return {"start": value.start, "end": value.end, "start_s": value.start_s, "end_s": value.end_s}
    if isinstance(value, Hold):
        second = FLICKS_PER_SECOND
        return {"at": value.at, "duration": value.duration, "at_s": value.at / second, "for_s": value.duration / second}
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
