"""A whole lecture, from a source to dubs in several languages: the stages, and the joins between their fan-outs.

Runs in any `Pool`: in this process, or as Prefect tasks. What all languages share (shots, speech, faces, words) is
done once. What needs the whole lecture (its language, who is who, where each clip goes, loudness) is a join.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.media.probe import inspect, probe
from infra.media.splice import GroupPlan, plan_groups
from manifests.errors import BadInput
from manifests.languages import language as known_language
from manifests.records import (
    Chunk,
    Degradation,
    FaceTrack,
    MeshTrack,
    Placement,
    Shot,
    SpeakingFace,
    SpeechClip,
    SyncedChunk,
    Translation,
    Utterance,
    Video,
)
from manifests.time import Span, seconds
from tasks import assemble, chunks, engines, faces, fit, lips, listen, looking, mix, render, speak, translate
from tasks import shots as shots_stage
from tasks.library import SpeakerLibrary
from tasks.pool import Pending, Pool
from tasks.settings import DubSettings

_SURE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DubJob:
    """What is asked for. `source_language` is an ISO 639-1 code, None to find it out; `audio_track` counts from 0."""

    source: Path
    targets: tuple[str, ...]
    source_language: str | None
    audio_track: int | None
    settings: DubSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What all languages share."""

    video: Video
    track: int
    shots: tuple[Shot, ...]
    chunks: tuple[Chunk, ...]
    language: str
    utterances: tuple[Utterance, ...]
    tracks: tuple[FaceTrack, ...]
    meshes: tuple[MeshTrack, ...]
    speaking: tuple[SpeakingFace, ...]
    libraries: tuple[SpeakerLibrary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dub:
    """The lecture in one language: the files, and every record that led to them."""

    language: str
    translations: tuple[Translation, ...]
    clips: tuple[SpeechClip, ...]
    placements: tuple[Placement, ...]
    synced: tuple[SyncedChunk, ...]
    files: assemble.DubFiles
    degradations: tuple[Degradation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DubbedLecture:
    """All that a job came to."""

    heard: Heard
    dubs: tuple[Dub, ...]


def check(job: DubJob) -> None:
    """Everything about a job that can be known to fail before any work: BadInput and MissingWeights, at once."""
    if not job.targets:
        raise BadInput("no language to dub into.", remedy="Name one or more with --to, as in --to fr.")
    for code in (*job.targets, job.source_language):
        if code is not None:
            known_language(code)
    for target in job.targets:
        if job.source_language == target:
            raise BadInput(f"the source is in {target!r} already.", where="--to", remedy="Name another language.")
        engines.speaking_weights(engines.voice_for(target, job.settings.speak))
        if job.source_language is None:
            engines.require_translation_into(job.settings.translate, target)
        else:
            engines.translation_weights(job.settings.translate, job.source_language, target)
    engines.listening_weights(job.settings.listen)
    engines.require_lips(job.settings)


def check_source(job: DubJob) -> None:
    """Whether the source can be dubbed as far as a look at it tells, without hashing it. BadInput where not."""
    _audio_track(inspect(job.source), job.audio_track)


def dub_lecture(job: DubJob, pool: Pool) -> DubbedLecture:
    """Dub `job.source` into every target language. BadInput where there is nothing to dub."""
    check(job)
    video = probe(job.source)
    track = _audio_track(video, job.audio_track)
    settings = job.settings

    shots_pending = pool.submit(
        shots_stage.SHOTS, [shots_stage.ShotWork(video=video, settings=settings.shots)], [video.span]
    )
    speech_pending = pool.submit(shots_stage.SPEECH, [shots_stage.SpeechWork(video=video, track=track)], [video.span])
    shots, speech = shots_pending.values()[0], speech_pending.values()[0]
    if not speech:
        raise BadInput(
            "no speech was found in it;", where=video.uri, remedy="is the right audio track chosen (--track)?"
        )
    planned = tuple(chunks.plan_chunks(video, shots, speech, settings.chunks))

    tracks_pending = _submit_faces(video, planned, shots, settings, pool)
    spoken = job.source_language or _identify(video, track, speech, pool)
    for target in job.targets:
        if spoken == target:
            raise BadInput(f"the source is in {target!r} already.", where=video.uri, remedy="Name another language.")
        engines.translation_weights(settings.translate, spoken, target)
    utterances = _listen(video, track, planned, shots, speech, spoken, settings, pool)
    if not any(utterances):
        raise BadInput("no words were understood in it;", where=video.uri, remedy="is --from the right language?")

    # Speech of every language first: it needs no faces, which may still be on their way.
    speeches = [_speak_in(target, spoken, utterances, planned, shots, video, settings, pool) for target in job.targets]
    tracks = tuple(
        faces.join_identities([t for each in tracks_pending.values() for t in each], engines.same_person_cosine())
        if tracks_pending
        else ()
    )
    seen = looking.look(video, track, planned, tracks, utterances, settings.lips, pool)
    heard = Heard(
        video=video,
        track=track,
        shots=shots,
        chunks=planned,
        language=spoken,
        utterances=tuple(each for group in utterances for each in group),
        tracks=tracks,
        meshes=seen.meshes,
        speaking=seen.speaking,
        libraries=seen.libraries,
    )
    plan = plan_groups(job.source)
    dubs = tuple(_finish(speech_in, heard, plan, settings, pool) for speech_in in speeches)
    return DubbedLecture(heard=heard, dubs=dubs)


def _audio_track(video: Video, wanted: int | None) -> int:
    if not video.audio_tracks:
        raise BadInput(
            "it has no sound, so there is nothing to dub;",
            where=video.uri,
            remedy="to make it speak, use `redub talk` or `redub lipsync`.",
        )
    if wanted is None:
        return 0
    if not 0 <= wanted < len(video.audio_tracks):
        listed = ", ".join(f"{each.index} ({each.language or 'untagged'})" for each in video.audio_tracks)
        raise BadInput(f"it has no audio track {wanted};", where=video.uri, remedy=f"its tracks: {listed}.")
    return wanted


def _submit_faces(
    video: Video, planned: Sequence[Chunk], shots: Sequence[Shot], settings: DubSettings, pool: Pool
) -> Pending[tuple[FaceTrack, ...]] | None:
    if settings.lips.engine == "none":
        return None
    work = faces.work_for(video, planned, shots, settings.faces, engines.face_weights(settings.faces))
    return pool.submit(faces.FACES, work, [chunk.span for chunk in planned])


def _identify(video: Video, track: int, speech: Sequence[Span], pool: Pool) -> str:
    work = listen.IdentifyWork(
        video=video,
        track=track,
        windows=listen.identification_windows(speech, video.span),
        weights=engines.identifier_weights(),
    )
    found = pool.submit(listen.IDENTIFY, [work], [video.span]).values()[0]
    if found.probability < _SURE:
        raise BadInput(
            f"its language is not clear ({found.code}, {found.probability:.0%});",
            where=video.uri,
            remedy="name it with --from.",
        )
    return found.code


def _listen(
    video: Video,
    track: int,
    planned: Sequence[Chunk],
    shots: Sequence[Shot],
    speech: Sequence[Span],
    language: str,
    settings: DubSettings,
    pool: Pool,
) -> Sequence[tuple[Utterance, ...]]:
    weights = engines.listening_weights(settings.listen)
    work = [
        listen.ListenWork(
            video=video,
            track=track,
            chunk=chunk,
            speech=chunks.within(speech, chunk.span),
            cuts=chunks.cuts_within(shots, chunk.span),
            language=language,
            settings=settings.listen,
            weights=weights,
        )
        for chunk in planned
    ]
    return pool.submit(listen.LISTEN, work, [chunk.span for chunk in planned]).values()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speech:
    """One language's speech, chunk by chunk."""

    language: str
    translations: Sequence[tuple[Translation, ...]]
    clips: Sequence[tuple[SpeechClip, ...]]
    placements: Sequence[tuple[Placement, ...]]
    mixed: Sequence[tuple[mix.ChunkSpeech, ...]]
    voice: mix.VoiceTrack


def _speak_in(
    target: str,
    source: str,
    utterances: Sequence[tuple[Utterance, ...]],
    planned: Sequence[Chunk],
    shots: Sequence[Shot],
    video: Video,
    settings: DubSettings,
    pool: Pool,
) -> _Speech:
    spans = [chunk.span for chunk in planned]
    translation_weights = engines.translation_weights(settings.translate, source, target)
    translations = pool.submit(
        translate.TRANSLATE,
        [
            translate.TranslateWork(
                utterances=said, source=source, target=target, settings=settings.translate, weights=translation_weights
            )
            for said in utterances
        ],
        spans,
        language=target,
    ).values()
    voice = engines.voice_for(target, settings.speak)
    weights = engines.speaking_weights(voice)
    clips = pool.submit(
        speak.SPEAK,
        [
            speak.SpeakWork(
                lines=tuple(speak.LineToSpeak(translation=each, voice=voice, weights=weights) for each in said)
            )
            for said in translations
        ],
        spans,
        language=target,
    ).values()
    placements = _place(clips, utterances, shots, video.span, settings.fit)
    mixed = pool.submit(
        mix.MIX,
        [mix.MixWork(clips=said, placements=where) for said, where in zip(clips, placements, strict=True)],
        spans,
        language=target,
    ).values()
    voice_track = pool.submit(
        mix.VOICE_TRACK,
        [
            mix.VoiceTrackWork(
                span=video.span,
                speech=tuple(each for part in mixed for each in part),
                target_lufs=settings.assemble.target_lufs,
                true_peak_dbtp=settings.assemble.true_peak_dbtp,
            )
        ],
        [video.span],
        language=target,
    ).values()[0]
    return _Speech(
        language=target,
        translations=translations,
        clips=clips,
        placements=placements,
        mixed=mixed,
        voice=voice_track,
    )


def _place(
    clips: Sequence[tuple[SpeechClip, ...]],
    utterances: Sequence[tuple[Utterance, ...]],
    shots: Sequence[Shot],
    within: Span,
    settings: fit.FitSettings,
) -> list[tuple[Placement, ...]]:
    """Place all clips on the lecture's clock; the placements come back chunk by chunk."""
    spans = {each.id: each.span for group in utterances for each in group}
    starts = [shot.span.start for shot in shots]
    ordered = [clip for group in clips for clip in group]
    placed = fit.place(
        [
            fit.ToPlace(
                clip_id=clip.id,
                utterance_id=clip.utterance_id,
                span=spans[clip.utterance_id],
                duration=clip.duration,
                # Speech never leads into the shot before: what it speaks of is not shown there.
                earliest=max((start for start in starts if start <= spans[clip.utterance_id].start), default=0),
            )
            for clip in ordered
        ],
        within,
        settings,
    )
    by_clip = {each.clip_id: each for each in placed}
    return [tuple(by_clip[clip.id] for clip in group) for group in clips]


def _finish(speech: _Speech, heard: Heard, plan: GroupPlan, settings: DubSettings, pool: Pool) -> Dub:
    """Lips, picture and file of one language."""
    faces_of = looking.by_chunk(heard.chunks, heard.tracks, heard.meshes, heard.speaking)
    said_in: dict[str, list[Span]] = defaultdict(list)
    for utterance in heard.utterances:
        said_in[utterance.chunk_id].extend(word.span for word in utterance.words)
    spoken = [each for part in speech.mixed for each in part]
    lip_weights = engines.lip_weights(settings.lips)
    synced = pool.submit(
        lips.LIPS,
        [
            lips.LipWork(
                video=heard.video,
                chunk=chunk,
                language=speech.language,
                tracks=faces_of[chunk.id].tracks,
                speaking=faces_of[chunk.id].speaking,
                meshes=faces_of[chunk.id].meshes,
                libraries=looking.libraries_of(faces_of[chunk.id], heard.libraries),
                original_speech=tuple(said_in[chunk.id]),
                speech=tuple(each for each in spoken if each.span.overlaps(chunk.span)),
                settings=settings.lips,
                weights=lip_weights,
            )
            for chunk in heard.chunks
        ],
        [chunk.span for chunk in heard.chunks],
        language=speech.language,
    ).values()
    picture = render.submit_runs(heard.video, plan, synced, heard.libraries, settings.render, speech.language, pool)
    degradations = tuple(each for chunk in synced for each in chunk.degradations)
    work = assemble.AssembleWork(
        video=heard.video,
        plan=plan,
        track=heard.track,
        source_language=heard.language,
        target_language=speech.language,
        utterances=heard.utterances,
        translations=tuple(each for group in speech.translations for each in group),
        placements=tuple(each for group in speech.placements for each in group),
        voice=speech.voice,
        disclosures=(
            assemble.SPEECH_DISCLOSURE,
            *((assemble.LIP_DISCLOSURE,) if any(chunk.mouths for chunk in synced) else ()),
        ),
        rendered=tuple(picture.values()) if picture else (),
        chapters=assemble.chapters(heard.shots, heard.tracks),
        settings=settings.assemble,
    )
    files = pool.submit(assemble.ASSEMBLE, [work], [heard.video.span], language=speech.language).values()[0]
    return Dub(
        language=speech.language,
        translations=work.translations,
        clips=tuple(each for group in speech.clips for each in group),
        placements=work.placements,
        synced=tuple(synced),
        files=files,
        degradations=(
            *_trials(heard.video, settings),
            *degradations,
            *_overruns(work.placements),
            *files.degradations,
        ),
    )


def _trials(video: Video, settings: DubSettings) -> list[Degradation]:
    if not engines.experimental(settings.translate):
        return []
    reason = f"translated by {settings.translate.engine}, an experiment: read it before anybody else does"
    return [Degradation(stage="translate", span=video.span, reason=reason)]


def _overruns(placements: Sequence[Placement]) -> list[Degradation]:
    return [
        Degradation(
            stage="fit",
            span=placed.span,
            reason=f"the speech is {seconds(placed.overrun):.2f} s longer than its place, at {placed.rate:.2f}x",
        )
        for placed in placements
        if placed.overrun > 0
    ]
