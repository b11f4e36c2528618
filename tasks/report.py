"""The report of a dub: records of many stages brought together line by line. Pure; nothing is measured here.

Shares of time are those of `tasks.timing_measures`, on the dub's clock: while the picture waits, the source is silent.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from manifests.clock import HeldClock
from manifests.provenance import ModelUsed
from manifests.records import (
    Casting,
    Degradation,
    LectureSpeaker,
    Placement,
    Shot,
    SpeechClip,
    SyncedChunk,
    Translation,
    Utterance,
    Video,
)
from manifests.report import RATES, DubReport, LineReport, SpeakerReport, StageTime, Totals
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, gaps, merge, seconds
from tasks.doubts import measured
from tasks.heard_back import HeardLine
from tasks.journal import Entry
from tasks.levels import Levels
from tasks.lip_scores import LipScore
from tasks.timing import TimingSettings
from tasks.timing_measures import timing_measures

HEARD_NOTE = (
    "What is heard back is what a recogniser understands of the dubbed voice: its own mistakes, most of them in names, "
    "count as the voice's."
)
LIP_NOTE = (
    "Lips are compared with what the articulation network hears, in the first seconds of each line. The same network "
    "moves the lips, so a dub may follow it better than a real mouth does: a ratio above 1 is no better than real."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """Everything that the report of one dub is made from.

    `placements` are on the dub's clock, which `clock` makes of the source's; `source_speech` is where somebody speaks
    in the source. `levels` has one figure a placement, in their order; None where nothing was measured. `settings` is
    canonical JSON, `notes` say how far the measures reach, beside what is
    always said of them.
    """

    title: str
    video: Video
    source_language: str
    language: str
    utterances: tuple[Utterance, ...]
    translations: tuple[Translation, ...]
    clips: tuple[SpeechClip, ...]
    placements: tuple[Placement, ...]
    clock: HeldClock
    source_speech: tuple[Span, ...]
    shots: tuple[Shot, ...]
    speakers: tuple[LectureSpeaker, ...]
    castings: tuple[Casting, ...]
    synced: tuple[SyncedChunk, ...]
    heard_back: tuple[HeardLine, ...]
    real_lips: tuple[LipScore, ...]
    dubbed_lips: tuple[LipScore, ...]
    levels: Levels | None
    degradations: tuple[Degradation, ...]
    copied_frames: int
    rendered_frames: int
    settings: str
    models: tuple[ModelUsed, ...]
    entries: tuple[Entry, ...]
    disclosures: tuple[str, ...]
    notes: tuple[str, ...] = ()


def write_up(facts: ReportFacts) -> DubReport:
    """The report, not yet judged by a gate; lines in the order in which they are said."""
    lines = _lines(facts)
    return DubReport(
        title=facts.title,
        video_id=facts.video.id,
        source_language=facts.source_language,
        language=facts.language,
        span=facts.video.span,
        frame_rate=facts.video.frame_rate,
        totals=_totals(facts, lines),
        lines=lines,
        speakers=_speakers(facts),
        shots=tuple(shot.span for shot in facts.shots),
        source_speech=merge(facts.source_speech),
        changed=merge(span for chunk in facts.synced for span in chunk.changed),
        holds=facts.clock.holds,
        degradations=facts.degradations,
        settings=facts.settings,
        models=facts.models,
        stages=stage_times(facts.entries, facts.language),
        disclosures=facts.disclosures,
        notes=(
            *facts.notes,
            *((HEARD_NOTE,) if facts.heard_back else ()),
            *((LIP_NOTE,) if facts.dubbed_lips else ()),
        ),
    )


def common(left: Iterable[Span], right: Iterable[Span]) -> Flicks:
    """For how long any of `left` and any of `right` hold together."""
    ours, theirs = merge(left), merge(right)
    total, at = 0, 0
    for span in ours:
        while at < len(theirs) and theirs[at].end <= span.start:
            at += 1
        following = at
        while following < len(theirs) and theirs[following].start < span.end:
            shared = span.intersection(theirs[following])
            total += shared.duration if shared else 0
            following += 1
    return total


def length(spans: Iterable[Span]) -> Flicks:
    """For how long any of `spans` holds."""
    return sum(span.duration for span in merge(spans))


def stage_times(entries: Sequence[Entry], language: str) -> tuple[StageTime, ...]:
    """How long each stage took, those of `language` and those that all languages share, in the order of the run."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.language in (None, language):
            found[entry.stage].append(entry)
    return tuple(
        StageTime(
            stage=stage,
            pieces=len(pieces),
            hits=sum(piece.hit for piece in pieces),
            seconds=round(sum(piece.seconds for piece in pieces), 3),
        )
        for stage, pieces in found.items()
    )


def concern(line: LineReport) -> tuple[float, ...]:
    """How much a line wants a look, for sorting: more warnings first, then what is misheard, then what is misplaced."""
    return (
        float(len(line.warnings)),
        line.back_asr_cer or 0.0,
        0.0 if line.overlap is None else 1 - line.overlap,
        line.unfilled_s,
    )


def _lines(facts: ReportFacts) -> tuple[LineReport, ...]:
    placed = {each.utterance_id: each for each in facts.placements}
    levels = facts.levels.lines if facts.levels else (None,) * len(facts.placements)
    level_of = {each.utterance_id: level for each, level in zip(facts.placements, levels, strict=True)}
    whole = facts.levels.loudness_lufs if facts.levels else None
    translated = {each.utterance_id: each for each in facts.translations}
    clip_of = {each.utterance_id: each for each in facts.clips}
    heard = {each.utterance_id: each for each in facts.heard_back}
    real = {each.utterance_id: each.agreement for each in facts.real_lips}
    dubbed = {each.utterance_id: each.agreement for each in facts.dubbed_lips}
    speaker_of = {name: speaker.id for speaker in facts.speakers for name in speaker.utterance_ids}
    source = _moving(merge(facts.source_speech), facts.clock)
    dub = merge(each.span for each in facts.placements)
    lines = []
    for utterance in sorted(facts.utterances, key=lambda each: each.span):
        name = utterance.id
        place, clip = placed.get(name), clip_of.get(name)
        shown = facts.clock.dub_span(utterance.span)
        own = [part for each in _near(source, shown) if (part := each.intersection(shown)) is not None]
        span = place.span if place else Span(shown.start, shown.start)
        line = LineReport(
            id=name,
            speaker=speaker_of.get(name),
            voice=clip.voice if clip else None,
            source_span=utterance.span,
            dub_span=span,
            source_text=utterance.text,
            translation=translated[name].text if name in translated else "",
            heard_back=heard[name].text if name in heard else None,
            back_asr_cer=heard[name].cer if name in heard else None,
            rate=place.rate if place else None,
            reading=place.reading if place else 0,
            overlap=_share(common([span], _near(source, span)), span.duration),
            unfilled_s=seconds(length(own) - common(own, _near(dub, shown))),
            length_ratio=_share(span.duration, utterance.span.duration) if place else None,
            sync=dubbed.get(name),
            real_sync=real.get(name),
            loudness_lufs=level_of.get(name),
            held_s=seconds(place.held) if place else 0.0,
            overrun_s=seconds(place.overrun) if place else 0.0,
        )
        lost = translated[name].warnings if name in translated else ()
        doubted = (doubt.text for doubt in measured(line, whole))
        lines.append(dataclasses.replace(line, warnings=(*lost, *doubted)))
    return tuple(lines)


def _totals(facts: ReportFacts, lines: Sequence[LineReport]) -> Totals:
    spoken = [line for line in lines if line.spoken]
    rates = [line.rate for line in spoken if line.rate is not None]
    errors = [line.back_asr_cer for line in spoken if line.back_asr_cer is not None]
    ratios = [line.length_ratio for line in spoken if line.length_ratio is not None]
    both = [(line.sync, line.real_sync) for line in spoken if line.sync is not None and line.real_sync is not None]
    sync, real = _mean([each for each, _ in both]), _mean([each for _, each in both])
    timing = timing_measures(
        facts.placements,
        {each.id: each.span for each in facts.utterances},
        facts.source_speech,
        facts.clock,
        frame=round(FLICKS_PER_SECOND / facts.video.frame_rate),
        settings=TimingSettings(slowest=RATES[0], fastest=RATES[1]),
    )
    whole = facts.video.span
    kept = [part for each in facts.degradations if (part := each.span.intersection(whole)) is not None]
    failed = [part for each in facts.degradations if each.failed and (part := each.span.intersection(whole))]
    levels = facts.levels
    return Totals(
        lines=len(lines),
        spoken=len(spoken),
        within_rate=timing.within if spoken else None,
        fastest=max(rates, default=None),
        slowest=min(rates, default=None),
        mean_cer=_mean(errors),
        worst_cer=max(errors, default=None),
        overlap=timing.overlap if spoken else None,
        unfilled=timing.unfilled if facts.source_speech else None,
        mean_length_ratio=_mean(ratios),
        overrun_s=max((line.overrun_s for line in spoken), default=0.0),
        drift_frames=max(abs(_picture_drift(facts)), timing.drift_frames),
        held_s=seconds(facts.clock.held),
        lip_lines=len(both),
        mean_sync=sync,
        mean_real_sync=real,
        lip_ratio=None if sync is None or not real or real <= 0 else sync / real,
        loudness_lufs=levels.loudness_lufs if levels else None,
        true_peak_dbtp=levels.true_peak_dbtp if levels else None,
        degraded=_share(length(kept), facts.video.span.duration) or 0.0,
        failed=_share(length(failed), facts.video.span.duration) or 0.0,
        copied_frames=facts.copied_frames,
        rendered_frames=facts.rendered_frames,
        lip_frames=sum(chunk.frame_count for chunk in facts.synced),
    )


def _picture_drift(facts: ReportFacts) -> int:
    """By how many frames the picture of the dub ends later than its clock says, negative for sooner."""
    if facts.levels is None:
        return 0
    late = facts.levels.picture.end - facts.clock.dub_span(facts.video.span).end
    return round(late * facts.video.frame_rate / FLICKS_PER_SECOND)


def _speakers(facts: ReportFacts) -> tuple[SpeakerReport, ...]:
    cast: Mapping[str, Casting] = {each.speaker_id: each for each in facts.castings if each.language == facts.language}
    return tuple(
        SpeakerReport(
            id=speaker.id,
            gender=speaker.gender,
            age=speaker.age,
            voice=cast[speaker.id].voice_id if speaker.id in cast else "",
            why=cast[speaker.id].why if speaker.id in cast else "",
            evidence=speaker.evidence,
            lines=len(speaker.utterance_ids),
        )
        for speaker in facts.speakers
    )


def _moving(speech: Sequence[Span], clock: HeldClock) -> tuple[Span, ...]:
    """Where the source's `speech` is shown, on the dub's clock, less what of it the picture waits in."""
    held = clock.held_spans()
    shown = (clock.dub_span(span) for span in speech if span.duration)
    return merge(part for span in shown for part in gaps(_near(held, span), span))


def _near(spans: Sequence[Span], span: Span) -> Sequence[Span]:
    """Those of `spans` (sorted, disjoint) that overlap `span`."""
    first = bisect_right(spans, span.start, key=lambda each: each.end)
    end = bisect_left(spans, span.end, key=lambda each: each.start)
    return spans[first:end]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
