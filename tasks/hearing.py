"""What all languages share: shots, speech, chunks, faces, words, speakers and what is heard behind them. Done once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from manifests.errors import BadInput
from manifests.records import (
    Appearance,
    Chunk,
    FaceTrack,
    LectureSpeaker,
    MeshTrack,
    Shot,
    SpeakingFace,
    Utterance,
    Video,
    VoiceSample,
)
from manifests.time import Span, merge
from tasks import appearances, background, chunks, engines, faces, isolation, listen, looking, speakers, voice_samples
from tasks import shots as shots_stage
from tasks.background import ChunkBackground
from tasks.library import SpeakerLibrary
from tasks.pool import Pending, Pool
from tasks.settings import DubSettings

_SURE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A lecture as heard and seen, and what it is called.

    `track` is the audio stream, `language` (ISO 639-1) is spoken in it.
    `faces_followed`: whether faces were looked for, so that where there are no `tracks` there is no face, but in the
    chunks `unseen`, where looking failed. In the chunks `unheard` listening failed: there may be words in them.
    """

    video: Video
    title: str
    track: int
    shots: tuple[Shot, ...]
    chunks: tuple[Chunk, ...]
    language: str
    utterances: tuple[Utterance, ...]
    tracks: tuple[FaceTrack, ...]
    meshes: tuple[MeshTrack, ...]
    speaking: tuple[SpeakingFace, ...]
    libraries: tuple[SpeakerLibrary, ...]
    samples: tuple[VoiceSample, ...]
    appearances: tuple[Appearance, ...]
    speakers: tuple[LectureSpeaker, ...]
    background: tuple[ChunkBackground, ...]
    faces_followed: bool
    unseen: tuple[Span, ...] = ()
    unheard: tuple[Span, ...] = ()

    def utterances_by_chunk(self) -> tuple[tuple[Utterance, ...], ...]:
        """The utterances of each chunk, in the chunks' order."""
        return tuple(tuple(said for said in self.utterances if said.chunk_id == chunk.id) for chunk in self.chunks)


def hear_lecture(
    video: Video,
    track: int,
    title: str,
    language: str | None,
    targets: Sequence[str],
    settings: DubSettings,
    pool: Pool,
) -> Heard:
    """Watch and hear the lecture. `language` None: found out. BadInput where nothing can be dubbed into `targets`."""
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
    spans = [chunk.span for chunk in planned]

    tracks_pending = _submit_faces(video, planned, shots, settings, pool)
    spoken = language or _identify(video, track, speech, pool)
    for target in targets:
        if spoken == target:
            raise BadInput(f"the source is in {target!r} already.", where=video.uri, remedy="Name another language.")
        engines.translation_weights(settings.translate, spoken, target)
    listening = _listen(video, track, planned, shots, speech, spoken, settings, pool)
    utterances, unheard = listening.values(), listening.failures()
    if not any(utterances):
        raise BadInput("no words were understood in it;", where=video.uri, remedy="is --from the right language?")
    samples_pending = pool.submit(
        voice_samples.VOICE_SAMPLES,
        [
            voice_samples.VoiceSampleWork(
                video=video, track=track, chunk=chunk, utterances=said, weights=engines.voiceprint_weights()
            )
            for chunk, said in zip(planned, utterances, strict=True)
        ],
        spans,
        instead=isolation.nothing,
    )
    # Words that the detector of voices missed are voice too: none of it may stay in the background.
    voiced = merge([*speech, *(word.span for group in utterances for said in group for word in said.words)])
    background_pending = pool.submit(
        background.BACKGROUND,
        [
            background.BackgroundWork(
                video=video,
                track=track,
                chunk=chunk,
                # A chunk that nobody understood keeps its voice.
                speech=() if index in unheard else chunks.within(voiced, chunk.span),
                settings=settings.background,
                weights=engines.separation_weights(),
            )
            for index, chunk in enumerate(planned)
        ],
        spans,
        instead=background.silence,
    )
    tracks = tuple(
        faces.join_identities([t for each in tracks_pending.values() for t in each], engines.same_person_cosine())
        if tracks_pending
        else ()
    )
    seen = looking.look(video, track, planned, tracks, utterances, settings.lips, pool)
    looks = _appearances(video, planned, tracks, pool)
    everything = tuple(each for group in utterances for each in group)
    samples = tuple(each for group in samples_pending.values() for each in group)
    told_apart = speakers.tell_apart(
        everything,
        samples,
        tracks,
        seen.speaking,
        looks,
        settings.speakers,
    )
    return Heard(
        video=video,
        title=title,
        track=track,
        shots=shots,
        chunks=planned,
        language=spoken,
        utterances=everything,
        tracks=tracks,
        meshes=seen.meshes,
        speaking=seen.speaking,
        libraries=seen.libraries,
        samples=samples,
        appearances=looks,
        speakers=told_apart,
        background=tuple(background_pending.values()),
        faces_followed=settings.lips.engine != "none",
        unseen=tuple(spans[index] for index in (tracks_pending.failures() if tracks_pending else ())),
        unheard=tuple(spans[index] for index in unheard),
    )


def with_own_sound(
    heard: Heard, kept: Collection[int], settings: DubSettings, language: str, pool: Pool
) -> tuple[ChunkBackground, ...]:
    """The lecture's background, in which the chunks `kept` (by their place) have all their sound, voice included."""
    places = sorted(kept)
    work = [
        background.BackgroundWork(
            video=heard.video,
            track=heard.track,
            chunk=heard.chunks[place],
            speech=(),
            settings=settings.background,
            weights=engines.separation_weights(),
        )
        for place in places
    ]
    spans = [each.chunk.span for each in work]
    sounds = pool.submit(background.BACKGROUND, work, spans, language=language).values() if work else ()
    own = dict(zip(places, sounds, strict=True))
    return tuple(own.get(place, each) for place, each in enumerate(heard.background))


def audio_track(video: Video, wanted: int | None) -> int:
    """The audio stream to dub: `wanted`, else the first. BadInput where there is none such."""
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
    return pool.submit(faces.FACES, work, [chunk.span for chunk in planned], instead=isolation.nothing)


def _appearances(
    video: Video, planned: Sequence[Chunk], tracks: Sequence[FaceTrack], pool: Pool
) -> tuple[Appearance, ...]:
    if not tracks:
        return ()
    work = [
        appearances.AppearanceWork(
            video=video,
            chunk=chunk,
            tracks=tuple(each for each in tracks if each.chunk_id == chunk.id),
            weights=engines.appearance_weights(),
        )
        for chunk in planned
    ]
    spans = [chunk.span for chunk in planned]
    found = pool.submit(appearances.APPEARANCES, work, spans, instead=isolation.nothing).values()
    return tuple(each for group in found for each in group)


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
) -> Pending[tuple[Utterance, ...]]:
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
    return pool.submit(listen.LISTEN, work, [chunk.span for chunk in planned], instead=isolation.nothing)
