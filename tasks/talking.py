"""Making a face speak: text or a recording, with an image or a video. The picture lasts as long as the speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.media.audio import require_sound
from infra.media.probe import inspect, probe
from infra.media.splice import plan_groups
from infra.media.still import breathing_video, fit_duration, is_image, read_image
from infra.store import Store, sha256_of
from manifests.errors import BadInput
from manifests.languages import language as known_language
from manifests.provenance import Statement
from manifests.records import Blob, Degradation, MeshTrack, SyncedChunk, Video
from manifests.time import Flicks, Span, flicks
from models.speech.contract import Voice
from tasks import (
    assemble,
    chunks,
    engines,
    faces,
    isolation,
    lips,
    looking,
    provenance,
    render,
    saying,
    shots,
    speaking,
)
from tasks.library import SpeakerLibrary
from tasks.pool import Pool
from tasks.settings import DubSettings, lecture
from tasks.speak import SpeakSettings
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkJob:
    """What is asked for: a `face` (video or image), and either an `audio` file or a `text` in `language`."""

    face: Path
    out: Path
    audio: Path | None = None
    text: str | None = None
    language: str | None = None
    voice: str | None = None
    settings: DubSettings = field(default_factory=lecture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What a job came to; `sidecar` is the signed statement that belongs beside the file."""

    video: Video
    files: assemble.DubFiles
    sidecar: Blob
    lip_frames: int
    degradations: tuple[Degradation, ...]


def check(job: TalkJob) -> None:
    """Everything that can be known to fail before any work: BadInput and MissingWeights, at once."""
    if job.out.suffix.lower() != ".mp4":
        raise BadInput("the result is an MP4 file;", where=str(job.out), remedy="give it a name that ends in .mp4")
    if job.out.is_dir():
        raise BadInput("this is a folder;", where=str(job.out), remedy="name the file to write in it")
    for given in (job.face, job.audio):
        if given is not None and given.exists() and job.out.exists() and given.samefile(job.out):
            raise BadInput("the result would replace its own source;", where=str(job.out), remedy="name another file")
    if is_image(job.face):
        read_image(job.face)
    else:
        inspect(job.face)
    if (job.text is None) == (job.audio is None):
        raise BadInput("one of a text and a recording is needed;", remedy="give --text or --audio")
    if job.audio is not None:
        require_sound(job.audio)
    else:
        _check_text(job)
    engines.require_lips(job.settings)
    provenance.require_signer()


def _check_text(job: TalkJob) -> None:
    if not (job.text or "").strip():
        raise BadInput("the text is empty;", where="--text", remedy="give it some words, or @FILE")
    if job.language is None:
        raise BadInput("the language of the text is needed;", remedy="give --lang")
    known_language(job.language)
    engines.speaking_weights(_voice(job, job.language))


def make_talk(job: TalkJob, pool: Pool, store: Store) -> Talk:
    """Make the face speak. BadInput where the face, the text or the recording cannot be worked with."""
    check(job)
    said = _say(job, pool)
    video, content = _picture(job.face, said.duration, pool, store)
    synced, libraries = _move_lips(job, video, said, pool)
    statement = _statement(job, content, said, synced)
    plan = plan_groups(Path(video.uri))
    rendered = render.submit_runs(video, plan, synced, libraries, job.settings.render, _tag(job), pool)
    work = assemble.AssembleWork(
        video=video,
        plan=plan,
        track=None,
        source_language=None,
        target_language=job.language,
        utterances=(),
        translations=said.translations,
        placements=said.placements,
        voice=said.voice,
        disclosures=provenance.disclosures(statement),
        rendered=tuple(each for each in rendered.values() if each is not None) if rendered else (),
        chapters=(),
        settings=job.settings.assemble,
        recording=said.recording,
        provenance=provenance.container_metadata(statement),
    )
    files = pool.submit(assemble.ASSEMBLE, [work], [video.span]).values()[0]
    signing = provenance.sign_work(files.video, job.out.name, statement)
    sidecar = pool.submit(provenance.SIGN, [signing], [video.span]).values()[0]
    degradations = (
        *isolation.degradations(pool.journal, _tag(job)),
        *_untouched(video, synced, job.settings.lips),
        *(each for chunk in synced for each in chunk.degradations),
        *files.degradations,
    )
    lip_frames = sum(chunk.frame_count for chunk in synced)
    return Talk(video=video, files=files, sidecar=sidecar, lip_frames=lip_frames, degradations=degradations)


def _statement(job: TalkJob, content: str, said: saying.Said, synced: Sequence[SyncedChunk]) -> Statement:
    """What is signed: its source is the face as it was given, whose SHA-256 is `content`."""
    lips_moved = any(each.mouths for each in synced)
    voices = () if job.language is None or said.recording is not None else (_voice(job, job.language),)
    return Statement(
        software=engines.software(),
        source_sha256=content,
        source_language=None,
        language=job.language,
        synthetic_speech=bool(voices),
        synthetic_lips=lips_moved,
        voices=tuple(each.id for each in voices),
        models=(*engines.voices_used(voices), *engines.lips_used(job.settings.lips, moved=lips_moved)),
        settings=provenance.settings_text(job.settings),
    )


def _tag(job: TalkJob) -> str:
    """The language by ISO 639; "und" (undetermined) for a recording."""
    return job.language or "und"


def _voice(job: TalkJob, language: str) -> Voice:
    return engines.voice_for(language, SpeakSettings(voice=job.voice))


def _say(job: TalkJob, pool: Pool) -> saying.Said:
    if job.text is not None and job.language is not None:
        voice = _voice(job, job.language)
        return saying.say_text(job.text, job.language, voice, job.settings.assemble, pool)
    audio = job.audio or Path()
    return saying.say_recording(assemble.Recording(content=sha256_of(audio), uri=str(audio)), pool)


def _picture(face: Path, duration: Flicks, pool: Pool, store: Store) -> tuple[Video, str]:
    """A picture that lasts for `duration`: the very video where it does so to within a frame, else one made from it.

    And the SHA-256 of `face`.
    """
    moving = not is_image(face)
    if moving:
        given = probe(face)
        if abs(given.span.duration - duration) <= flicks(1 / given.frame_rate):
            return given, given.id
    content = given.id if moving else sha256_of(face)
    work = PictureWork(content=content, uri=str(face), duration=duration, moving=moving)
    made = pool.submit(PREPARE, [work], [Span(0, duration)]).values()[0]
    return probe(store.path(made)), content


def _move_lips(
    job: TalkJob, video: Video, said: saying.Said, pool: Pool
) -> tuple[Sequence[SyncedChunk], tuple[SpeakerLibrary, ...]]:
    """The new mouths of the picture's faces, chunk by chunk, and the libraries that these are made of."""
    settings = job.settings
    if settings.lips.engine == "none":
        return (), ()
    found = pool.submit(shots.SHOTS, [shots.ShotWork(video=video, settings=settings.shots)], [video.span]).values()[0]
    planned = chunks.plan_chunks(video, found, said.speech, settings.chunks)
    spans = [chunk.span for chunk in planned]
    weights = engines.face_weights(settings.faces)
    looking_for = faces.work_for(video, planned, found, settings.faces, weights)
    following = pool.submit(faces.FACES, looking_for, spans, instead=isolation.nothing)
    cut = [saying.CutWork(voice=said.voice.audio, span=span, heard=chunks.within(said.speech, span)) for span in spans]
    heard = pool.submit(saying.CUT, cut, spans).values()
    tracks = faces.join_identities([t for each in following.values() for t in each], engines.same_person_cosine())
    spoken = speaking.largest(tracks, settings.lips.min_face_px)
    meshes: tuple[MeshTrack, ...] = ()
    libraries: tuple[SpeakerLibrary, ...] = ()
    if settings.lips.engine == "rewrite" and spoken:
        meshes = looking.find_meshes(video, planned, tracks, settings.lips, pool)
        libraries = looking.make_libraries(video, tracks, meshes, spoken, settings.lips, pool)
    faces_of = looking.by_chunk(planned, tracks, meshes, spoken)
    lip_weights = engines.lip_weights(settings.lips)
    work = [
        lips.LipWork(
            video=video,
            chunk=chunk,
            language=_tag(job),
            tracks=faces_of[chunk.id].tracks,
            speaking=faces_of[chunk.id].speaking,
            meshes=faces_of[chunk.id].meshes,
            libraries=looking.libraries_of(faces_of[chunk.id], libraries),
            original_speech=(chunk.span,),  # whatever the face did before, it now follows the new speech throughout
            speech=(speech,),
            settings=settings.lips,
            weights=lip_weights,
        )
        for chunk, speech in zip(planned, heard, strict=True)
    ]
    return pool.submit(lips.LIPS, work, spans, instead=lips.untouched).values(), libraries


def _untouched(video: Video, synced: Sequence[SyncedChunk], settings: lips.LipSettings) -> tuple[Degradation, ...]:
    """Where lip sync had nothing to say because it saw nobody."""
    if settings.engine == "none" or any(chunk.frame_count or chunk.degradations for chunk in synced):
        return ()
    reason = "no face was found in the picture: it passes untouched"
    return (Degradation(stage="faces", span=video.span, reason=reason),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureWork:
    """A face to be shown for `duration`; `content` is the SHA-256 of the image or video."""

    content: str
    uri: str = field(metadata={"key": False})
    duration: Flicks
    moving: bool


def prepare_picture(work: PictureWork, store: Store) -> Blob:
    """A picture of the wanted length: the image held, or the video cut off or played back and forth."""
    with store.scratch() as folder:
        file = folder / "picture.mp4"
        if work.moving:
            fit_duration(Path(work.uri), work.duration, file)
        else:
            breathing_video(Path(work.uri), work.duration, file)
        return store.put(file)


PREPARE: Stage[PictureWork, Blob] = Stage("prepare", 3, Blob, prepare_picture)
