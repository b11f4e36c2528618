"""Measuring a finished dub: heard back, its lips looked at beside the real ones, its levels taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from manifests.provenance import Statement
from manifests.records import Degradation, SyncedChunk
from manifests.time import Span
from tasks import assemble, engines, heard_back, isolation, levels, lip_scores, looking, provenance, report
from tasks.pool import Pending, Pool
from tasks.render import RenderedRun
from tasks.settings import DubSettings
from tasks.split_lines import members
from tasks.voicing import Voiced, clock_of, heard_in


def measure_dub(
    voiced: Voiced,
    synced: tuple[SyncedChunk, ...],
    rendered: tuple[RenderedRun, ...],
    files: assemble.DubFiles,
    hearing_back: Pending[tuple[heard_back.HeardLine, ...]],
    degradations: tuple[Degradation, ...],
    statement: Statement,
    settings: DubSettings,
    pool: Pool,
) -> report.ReportFacts:
    """Look at the dub's lips beside the real ones, measure its levels, and gather what was heard back."""
    heard, language = voiced.draft.heard, voiced.draft.language
    work = levels.LevelsWork(file=files.video, lines=tuple(each.span for each in voiced.placements))
    levels_pending = pool.submit(levels.LEVELS, [work], [heard.video.span], language=language)
    real, dubbed = _score_lips(voiced, synced, rendered, settings, pool)
    understood = tuple(each for group in hearing_back.values() for each in group)
    level = levels_pending.values()[0]
    notes = list(isolation.unmeasured(pool.journal, language))
    if voiced.placements and not understood:
        notes.append(f"{settings.listen.engine} does not know {language}: nothing was heard back.")
    return report.ReportFacts(
        title=heard.title,
        video=heard.video,
        source_language=heard.language,
        language=language,
        utterances=voiced.utterances,
        translations=voiced.translations,
        clips=tuple(each for group in voiced.clips for each in group),
        placements=voiced.placements,
        clock=voiced.clock,
        source_speech=tuple(word.span for utterance in heard.utterances for word in utterance.words),
        shots=heard.shots,
        speakers=voiced.speakers,
        castings=voiced.draft.castings,
        synced=synced,
        heard_back=understood,
        real_lips=_of_lines(real, voiced),
        dubbed_lips=dubbed,
        levels=level,
        degradations=degradations,
        copied_frames=files.copied_frames,
        rendered_frames=files.rendered_frames,
        settings=statement.settings,
        models=statement.models,
        entries=(),  # a report tells what a dub is, not how long that took: the same dub, the same report
        disclosures=provenance.disclosures(statement),
        notes=tuple(notes),
    )


def hear_back(voiced: Voiced, settings: DubSettings, pool: Pool) -> Pending[tuple[heard_back.HeardLine, ...]]:
    """Have the speech of every chunk heard back. It needs no picture, so it can go on while lips are moved."""
    heard, language = voiced.draft.heard, voiced.draft.language
    text_of = {each.utterance_id: each.text for each in voiced.translations}
    weights = engines.listening_weights(settings.listen)
    work, spans = [], []
    for chunk, timed, mixed in zip(heard.chunks, voiced.timings, voiced.mixed, strict=True):
        for speech in mixed:
            lines = tuple(
                heard_back.LineToHear(utterance_id=each.utterance_id, span=each.span, text=text_of[each.utterance_id])
                for each in timed.lines
            )
            work.append(
                heard_back.HeardBackWork(
                    speech=speech, lines=lines, language=language, engine=settings.listen.engine, weights=weights
                )
            )
            spans.append(chunk.span)
    return pool.submit(heard_back.HEARD_BACK, work, spans, language=language, instead=isolation.nothing)


def _of_lines(scores: Sequence[lip_scores.LipScore], voiced: Voiced) -> tuple[lip_scores.LipScore, ...]:
    """Scores of the real mouths by the dub's lines: one that was split or joined has what its first utterance has."""
    scored = {each.utterance_id: each for each in scores}
    return tuple(
        dataclasses.replace(scored[name], utterance_id=line.id)
        for line in voiced.utterances
        if (name := members(line.id)[0]) in scored
    )


def _score_lips(
    voiced: Voiced,
    synced: Sequence[SyncedChunk],
    rendered: tuple[RenderedRun, ...],
    settings: DubSettings,
    pool: Pool,
) -> tuple[tuple[lip_scores.LipScore, ...], tuple[lip_scores.LipScore, ...]]:
    """How well the real mouths follow their own sound, and the dubbed ones the dub, where a speaking face shows."""
    heard, language = voiced.draft.heard, voiced.draft.language
    if not heard.speaking or not any(chunk.mouths for chunk in synced):
        return (), ()
    faces_of = looking.by_chunk(heard.chunks, heard.tracks, heard.meshes, heard.speaking)
    weights = engines.articulation_weights(), engines.mesh_weights()
    seen = [index for index, chunk in enumerate(heard.chunks) if faces_of[chunk.id].speaking]
    spans = [heard.chunks[index].span for index in seen]
    real = [
        lip_scores.RealLipsWork(
            video=heard.video,
            track=heard.track,
            chunk=(chunk := heard.chunks[index]),
            speaking=faces_of[chunk.id].speaking,
            meshes=faces_of[chunk.id].meshes,
            lines=tuple(
                lip_scores.LineToScore(utterance_id=each.id, span=each.span)
                for each in heard.utterances
                if each.chunk_id == chunk.id
            ),
            settings=settings.lip_scores,
            weights=weights[0],
        )
        for index in seen
    ]
    dubbed = [
        lip_scores.DubbedLipsWork(
            video=heard.video,
            chunk=(chunk := heard.chunks[index]),
            tracks=faces_of[chunk.id].tracks,
            speaking=faces_of[chunk.id].speaking,
            meshes=faces_of[chunk.id].meshes,
            changed=synced[index].changed,
            rendered=_showing(rendered, chunk.span),
            speech=heard_in(voiced, index),
            clock=clock_of(voiced, index),
            lines=tuple(
                lip_scores.LineToScore(utterance_id=each.utterance_id, span=each.span)
                for each in voiced.timings[index].lines
            ),
            settings=settings.lip_scores,
            weights=weights,
        )
        for index in seen
    ]
    real_pending = pool.submit(lip_scores.REAL_LIPS, real, spans, instead=isolation.nothing)
    dubbed_pending = pool.submit(lip_scores.DUBBED_LIPS, dubbed, spans, language=language, instead=isolation.nothing)
    return (
        tuple(each for group in real_pending.values() for each in group),
        tuple(each for group in dubbed_pending.values() for each in group),
    )


def _showing(rendered: Sequence[RenderedRun], span: Span) -> tuple[RenderedRun, ...]:
    return tuple(each for each in rendered if each.run is None or each.run.span.overlaps(span))
