"""Finishing a language: lips, picture, file, what was measured of it, and the signed statement beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from infra.media.splice import GroupPlan
from manifests.provenance import ModelUsed, Statement
from manifests.records import Blob, Degradation, SyncedChunk
from manifests.report import DubReport
from manifests.time import Span, seconds
from tasks import assemble, engines, isolation, lips, looking, measuring, provenance, render, report
from tasks.hearing import Heard
from tasks.one_file import ASSEMBLE_MANY, DubbedSound, OneFileWork
from tasks.pool import Pool
from tasks.render import RenderedRun
from tasks.script import voice_called
from tasks.settings import DubSettings
from tasks.voicing import Voiced, clock_of, heard_in


@dataclass(frozen=True, slots=True)
class Extra:
    """A file that is delivered beside the dubs: `name` follows the lecture's and a full stop."""

    name: str
    blob: Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Dub:
    """The lecture in one language: its speech, the files, what was measured, and the statement that is signed.

    `extras` are what was asked for beside the dub: a copy whose picture shows the subtitles, bilingual subtitles.
    """

    voiced: Voiced
    synced: tuple[SyncedChunk, ...]
    files: assemble.DubFiles
    extras: tuple[Extra, ...]
    rendered: tuple[RenderedRun, ...]
    report: DubReport
    statement: Statement
    sidecar: Blob
    degradations: tuple[Degradation, ...]

    @property
    def language(self) -> str:
        """ISO 639-1."""
        return self.voiced.draft.language


def finish_language(voiced: Voiced, plan: GroupPlan, consents: Sequence[str], settings: DubSettings, pool: Pool) -> Dub:
    """Lips, picture and file of one language, measured and signed."""
    heard, language = voiced.draft.heard, voiced.draft.language
    hearing_back = measuring.hear_back(voiced, settings, pool)
    synced = _move_lips(voiced, settings, pool)
    rendered = _render(voiced, plan, synced, settings, pool)
    statement = _statement(voiced, synced, consents, settings)
    work = _assemble(voiced, plan, rendered, statement, settings)
    files = pool.submit(assemble.ASSEMBLE, [work], [heard.video.span], language=language).values()[0]
    burned = _burned(work, files, settings, pool) if settings.delivery.subtitles == "burned" else None
    extras = _signed(f"{language}.burned", burned.video, statement, heard, pool) if burned else ()
    degradations = (
        *isolation.degradations(pool.journal, language),
        *_trials(heard, settings),
        *(each for behind in heard.background for each in behind.degradations),
        *(each for chunk in synced for each in chunk.degradations),
        *_overruns(voiced),
        *files.degradations,
        *(burned.degradations if burned else ()),
    )
    _, sidecar = _signed(language, files.video, statement, heard, pool)
    facts = measuring.measure_dub(
        voiced, synced, rendered, files, hearing_back, degradations, statement, settings, pool
    )
    return Dub(
        voiced=voiced,
        synced=synced,
        files=files,
        extras=(*extras, *_bilingual(files, heard.language, language, settings)),
        rendered=rendered,
        report=report.write_up(facts),
        statement=statement,
        sidecar=sidecar.blob,
        degradations=degradations,
    )


def _move_lips(voiced: Voiced, settings: DubSettings, pool: Pool) -> tuple[SyncedChunk, ...]:
    heard = voiced.draft.heard
    faces_of = looking.by_chunk(heard.chunks, heard.tracks, heard.meshes, heard.speaking)
    said_in: dict[str, list[Span]] = defaultdict(list)
    for utterance in heard.utterances:
        said_in[utterance.chunk_id].extend(word.span for word in utterance.words)
    weights = engines.lip_weights(settings.lips)
    work = [
        lips.LipWork(
            video=heard.video,
            chunk=chunk,
            language=voiced.draft.language,
            tracks=faces_of[chunk.id].tracks,
            # A face that nobody dubs keeps its own lips.
            speaking=() if index in voiced.kept else faces_of[chunk.id].speaking,
            meshes=faces_of[chunk.id].meshes,
            libraries=looking.libraries_of(faces_of[chunk.id], heard.libraries),
            original_speech=tuple(said_in[chunk.id]),
            speech=heard_in(voiced, index),
            settings=settings.lips,
            weights=weights,
            clock=clock_of(voiced, index),
        )
        for index, chunk in enumerate(heard.chunks)
    ]
    spans = [chunk.span for chunk in heard.chunks]
    moving = pool.submit(lips.LIPS, work, spans, language=voiced.draft.language, instead=lips.untouched)
    return tuple(moving.values())


def _render(
    voiced: Voiced, plan: GroupPlan, synced: Sequence[SyncedChunk], settings: DubSettings, pool: Pool
) -> tuple[RenderedRun, ...]:
    heard = voiced.draft.heard
    picture = render.submit_runs(
        heard.video, plan, synced, heard.libraries, settings.render, voiced.draft.language, pool
    )
    return tuple(each for each in picture.values() if each is not None) if picture else ()


def _assemble(
    voiced: Voiced, plan: GroupPlan, rendered: tuple[RenderedRun, ...], statement: Statement, settings: DubSettings
) -> assemble.AssembleWork:
    heard, notice = voiced.draft.heard, voiced.notice
    subtitled: Literal["plain", "bilingual"] = "bilingual" if settings.delivery.subtitles == "bilingual" else "plain"
    return assemble.AssembleWork(
        video=heard.video,
        plan=plan,
        track=heard.track,
        source_language=heard.language,
        target_language=voiced.draft.language,
        utterances=voiced.utterances,
        translations=(*((notice.translation,) if notice else ()), *voiced.translations),
        placements=(*((notice.placement,) if notice else ()), *voiced.placements),
        voice=voiced.voice,
        disclosures=provenance.disclosures(statement),
        rendered=rendered,
        chapters=assemble.chapters(heard.shots, heard.tracks),
        settings=replace(settings.assemble, subtitles=subtitled),
        clock=voiced.clock,
        provenance=provenance.container_metadata(statement),
        terms=tuple(term.text for term in voiced.draft.glossary),
    )


def _burned(
    work: assemble.AssembleWork, files: assemble.DubFiles, settings: DubSettings, pool: Pool
) -> assemble.BurnedDub:
    burn = assemble.burn_work(work, files, settings.render.encoder)
    return pool.submit(assemble.BURN, [burn], [work.video.span], language=work.target_language).values()[0]


def _bilingual(files: assemble.DubFiles, source: str, target: str, settings: DubSettings) -> tuple[Extra, ...]:
    if settings.delivery.subtitles != "bilingual":
        return ()
    both = ((".srt", files.bilingual_srt), (".vtt", files.bilingual_vtt))
    return tuple(Extra(f"{target}-{source}{suffix}", blob) for suffix, blob in both if blob is not None)


def _signed(name: str, video: Blob, statement: Statement, heard: Heard, pool: Pool) -> tuple[Extra, Extra]:
    """A video and the signed statement beside it; what follows the lecture's name in theirs is `name`."""
    title = f"{heard.title}.{name}.mp4"
    work = provenance.sign_work(video, title, statement)
    sidecar = pool.submit(provenance.SIGN, [work], [heard.video.span], language=statement.language).values()[0]
    return Extra(f"{name}.mp4", video), Extra(f"{name}{provenance.SIDECAR_SUFFIX}", sidecar)


def join_languages(dubs: Sequence[Dub], plan: GroupPlan, pool: Pool) -> tuple[Extra, ...]:
    """All of `dubs` in one file, its picture and first sound those of the first, and the statement beside it."""
    first, heard = dubs[0], dubs[0].voiced.draft.heard
    statement = replace(
        first.statement,
        language=None,
        synthetic_speech=any(each.statement.synthetic_speech for each in dubs),
        voices=tuple(sorted({voice for each in dubs for voice in each.statement.voices})),
        models=tuple(dict.fromkeys(model for each in dubs for model in each.statement.models)),
    )
    work = OneFileWork(
        video=heard.video,
        plan=plan,
        track=heard.track,
        source_language=heard.language,
        utterances=heard.utterances,
        dubs=tuple(
            DubbedSound(
                language=each.language,
                translations=each.voiced.translations,
                placements=each.voiced.placements,
                voice=each.voiced.voice,
                clock=each.voiced.clock,
                terms=tuple(term.text for term in each.voiced.draft.glossary),
            )
            for each in dubs
        ),
        rendered=first.rendered,
        chapters=assemble.chapters(heard.shots, heard.tracks),
        disclosures=provenance.disclosures(statement),
        provenance=provenance.container_metadata(statement),
    )
    joined = pool.submit(ASSEMBLE_MANY, [work], [heard.video.span]).values()[0]
    return _signed("-".join(each.language for each in dubs), joined.video, statement, heard, pool)


def _statement(
    voiced: Voiced, synced: Sequence[SyncedChunk], consents: Sequence[str], settings: DubSettings
) -> Statement:
    heard = voiced.draft.heard
    lips_moved = any(chunk.mouths for chunk in synced)
    used = {clip.voice for group in voiced.clips for clip in group}
    return Statement(
        software=engines.software(),
        source_sha256=heard.video.id,
        source_language=heard.language,
        language=voiced.draft.language,
        synthetic_speech=bool(used),
        synthetic_lips=lips_moved,
        voices=tuple(sorted(used)),
        models=_models(voiced, sorted(used), settings, lips_moved=lips_moved),
        settings=provenance.settings_text(settings),
        consents=tuple(consents),
    )


def _models(voiced: Voiced, used: Sequence[str], settings: DubSettings, *, lips_moved: bool) -> tuple[ModelUsed, ...]:
    """The models whose work is seen or heard in the dub."""
    heard, language = voiced.draft.heard, voiced.draft.language
    return (
        ModelUsed(
            purpose="listening", name=settings.listen.engine, revision=engines.listening_weights(settings.listen)
        ),
        ModelUsed(
            purpose="translation",
            name=settings.translate.engine,
            revision=engines.translation_weights(settings.translate, heard.language, language),
        ),
        *engines.voices_used(voice_called(voice, language) for voice in used),
        *engines.lips_used(settings.lips, moved=lips_moved),
    )


def _trials(heard: Heard, settings: DubSettings) -> list[Degradation]:
    if not engines.experimental(settings.translate):
        return []
    reason = f"translated by {settings.translate.engine}, an experiment: read it before anybody else does"
    return [Degradation(stage="translate", span=heard.video.span, reason=reason)]


def _overruns(voiced: Voiced) -> list[Degradation]:
    clock = voiced.clock
    return [
        Degradation(
            stage="fit",
            span=Span(clock.source_time(placed.span.start), clock.source_time(placed.span.end)),
            reason=f"the speech is {seconds(placed.overrun):.2f} s longer than its place, at {placed.rate:.2f}x",
        )
        for placed in voiced.placements
        if placed.overrun > 0
    ]
