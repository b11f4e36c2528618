"""Reports of dubs that nobody made."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

from manifests.clock import HeldClock, Hold
from manifests.provenance import ModelUsed
from manifests.records import (
    Blob,
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
from manifests.report import DubReport
from manifests.time import Span, flicks
from tasks.heard_back import HeardLine
from tasks.journal import Entry
from tasks.levels import Levels
from tasks.lip_scores import LipScore
from tasks.report import ReportFacts, write_up

BLOB = Blob("0" * 64, ".wav", 1)


def utterance(
    number: int, start_s: float, end_s: float, text: str = "He was not an ill disposed young man."
) -> Utterance:
    return Utterance(
        id=f"v/chunk00000/utterance{number:05d}",
        chunk_id="v/chunk00000",
        span=Span.of_seconds(start_s, end_s),
        text=text,
        words=(),
        language="en",
    )


def placement(said: Utterance, start_s: float, end_s: float, *, rate: float = 1.0, held_s: float = 0.0) -> Placement:
    return Placement(
        clip_id=f"{said.id}/clip",
        utterance_id=said.id,
        span=Span.of_seconds(start_s, end_s),
        rate=rate,
        overrun=0,
        held=flicks(held_s),
    )


def facts(
    utterances: Sequence[Utterance],
    placements: Sequence[Placement],
    *,
    texts: Sequence[str] = (),
    errors: Sequence[float | None] = (),
    holds: Sequence[Hold] = (),
    duration_s: float = 60,
    language: str = "fr",
) -> ReportFacts:
    """Facts of a lecture with these utterances and placements; what is not given is unremarkable."""
    placed = {each.utterance_id for each in placements}
    said = [each for each in utterances if each.id in placed]
    texts = texts or [f"Ce n'était pas un jeune homme mal disposé, ligne {each.id[-2:]}." for each in utterances]
    errors = errors or [0.02] * len(said)
    clock = HeldClock.of(holds)
    span = Span.of_seconds(0, duration_s)
    return ReportFacts(
        title="lecture",
        video=Video(
            id="a" * 64,
            uri="lecture.mp4",
            span=span,
            container="mp4",
            codec="h264",
            pixel_format="yuv420p",
            width=640,
            height=360,
            rotation_deg=0,
            frame_rate=Fraction(25),
            variable_frame_rate=False,
            frame_count=round(25 * duration_s),
            audio_tracks=(),
        ),
        source_language="en",
        language=language,
        utterances=tuple(utterances),
        translations=tuple(
            Translation(id=f"{each.id}/{language}", utterance_id=each.id, language=language, text=text, hypotheses=())
            for each, text in zip(utterances, texts, strict=True)
        ),
        clips=tuple(
            SpeechClip(
                id=f"{each.id}/clip",
                translation_id=f"{each.id}/{language}",
                utterance_id=each.id,
                voice="fr-kokoro-ff-siwis",
                audio=BLOB,
                sample_rate=24_000,
                duration=each.span.duration,
            )
            for each in said
        ),
        placements=tuple(placements),
        clock=clock,
        source_speech=tuple(each.span for each in utterances),
        shots=(
            Shot(id="s0", video_id="a", index=0, span=Span.of_seconds(0, duration_s / 2)),
            Shot(id="s1", video_id="a", index=1, span=Span.of_seconds(duration_s / 2, duration_s)),
        ),
        speakers=(
            LectureSpeaker(
                id="speaker1",
                utterance_ids=tuple(each.id for each in utterances),
                identity=None,
                gender="female",
                age="adult",
                female=0.98,
                evidence="pitch 210 Hz",
                embedding=(1.0,),
            ),
        ),
        castings=(Casting(speaker_id="speaker1", language=language, voice_id="fr-kokoro-ff-siwis", why="chosen"),),
        synced=(
            SyncedChunk(
                id="c",
                chunk_id="v/chunk00000",
                language=language,
                mouths=None,
                changed=(Span.of_seconds(2, 8),),
                frame_count=150,
            ),
        ),
        heard_back=tuple(
            HeardLine(utterance_id=each.id, text="Ce n'était pas un jeune homme", cer=error)
            for each, error in zip(said, errors, strict=True)
        ),
        real_lips=tuple(LipScore(utterance_id=each.id, agreement=0.5, frames=40) for each in said[:1]),
        dubbed_lips=tuple(LipScore(utterance_id=each.id, agreement=0.8, frames=40) for each in said[:1]),
        levels=Levels(
            picture=clock.dub_span(span), loudness_lufs=-16.0, true_peak_dbtp=-1.2, lines=(-16.0,) * len(placements)
        ),
        degradations=(
            Degradation(
                stage="lips", span=Span.of_seconds(9, 10), reason="the face is turned away: it passes untouched"
            ),
        ),
        copied_frames=1000,
        rendered_frames=200,
        settings='{"fit": {"fastest": 1.2}}',
        models=(ModelUsed(purpose="translation", name="opus-mt-en-fr", revision="cc1de10b"),),
        entries=(
            Entry(stage="listen", language=None, span=span, key="k", hit=True, seconds=0.1),
            Entry(stage="speak", language=language, span=span, key="k", hit=False, seconds=4.0),
            Entry(stage="speak", language="de", span=span, key="k", hit=False, seconds=9.0),
        ),
        disclosures=("The voice is synthetic.",),
    )


def plain_report(**changes: object) -> DubReport:
    """Two lines, one hold, nothing wrong."""
    first, second = utterance(0, 2, 6), utterance(1, 10, 14)
    report = write_up(
        facts(
            [first, second],
            [placement(first, 2, 6), placement(second, 11, 15, held_s=1)],
            holds=[Hold(flicks(8), flicks(1))],
        )
    )
    return dataclasses.replace(report, **changes)  # type: ignore[arg-type]


def long_report(hours: float, line_s: float = 7.0) -> DubReport:
    """A lecture that somebody speaks through for hours."""
    count = int(hours * 3600 / line_s)
    said = [utterance(index, index * line_s, index * line_s + line_s - 0.5) for index in range(count)]
    placed = [
        placement(each, each.span.start_s, each.span.end_s, rate=0.8 + index % 6 / 10)
        for index, each in enumerate(said)
    ]
    texts = [
        f"Ce n'était pas un jeune homme mal disposé, à moins d'être froid, ligne {index}." for index in range(count)
    ]
    return write_up(
        facts(said, placed, texts=texts, errors=[index % 30 / 100 for index in range(count)], duration_s=hours * 3600)
    )
