"""Looking closely at the faces: their meshes, which of them speak, and each speaker's library of mouths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from manifests.records import Chunk, FaceTrack, MeshTrack, SpeakingFace, Utterance, Video
from tasks import engines, isolation, library, meshes, speaking
from tasks.library import SpeakerLibrary
from tasks.lips import LipSettings
from tasks.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a close look at a lecture's faces came to."""

    meshes: tuple[MeshTrack, ...] = ()
    speaking: tuple[SpeakingFace, ...] = ()
    libraries: tuple[SpeakerLibrary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFaces:
    """The faces of one chunk."""

    tracks: tuple[FaceTrack, ...]
    meshes: tuple[MeshTrack, ...]
    speaking: tuple[SpeakingFace, ...]


def look(
    video: Video,
    track: int,
    chunks: Sequence[Chunk],
    tracks: Sequence[FaceTrack],
    utterances: Sequence[Sequence[Utterance]],
    settings: LipSettings,
    pool: Pool,
) -> Seen:
    """Meshes and speakers, chunk by chunk (`utterances` likewise), then one library a person, over the lecture."""
    if settings.engine == "none" or not tracks:
        return Seen()
    found = find_meshes(video, chunks, tracks, settings, pool)
    faces = by_chunk(chunks, tracks, found, ())
    weights = engines.articulation_weights()
    work = [
        speaking.SpeakingWork(
            video=video,
            track=track,
            chunk=chunk,
            faces=faces[chunk.id].tracks,
            meshes=faces[chunk.id].meshes,
            speech=tuple(word.span for utterance in said for word in utterance.words),
            settings=settings.speaking,
            weights=weights,
        )
        for chunk, said in zip(chunks, utterances, strict=True)
    ]
    pending = pool.submit(speaking.SPEAKING, work, [chunk.span for chunk in chunks], instead=isolation.nothing)
    spoken = tuple(each for group in pending.values() for each in group)
    return Seen(meshes=found, speaking=spoken, libraries=make_libraries(video, tracks, found, spoken, settings, pool))


def find_meshes(
    video: Video, chunks: Sequence[Chunk], tracks: Sequence[FaceTrack], settings: LipSettings, pool: Pool
) -> tuple[MeshTrack, ...]:
    """The meshes of every face that is large enough."""
    weights = engines.mesh_weights()
    work = [
        meshes.MeshWork(
            video=video,
            chunk=chunk,
            tracks=meshes.large_enough([t for t in tracks if t.chunk_id == chunk.id], settings.min_face_px),
            weights=weights,
        )
        for chunk in chunks
    ]
    pending = pool.submit(meshes.MESHES, work, [chunk.span for chunk in chunks], instead=isolation.nothing)
    return tuple(each for group in pending.values() for each in group)


def make_libraries(
    video: Video,
    tracks: Sequence[FaceTrack],
    found: Sequence[MeshTrack],
    spoken: Sequence[SpeakingFace],
    settings: LipSettings,
    pool: Pool,
) -> tuple[SpeakerLibrary, ...]:
    """A library for everybody who speaks somewhere, made of all frames that show them, speaking or not."""
    if settings.engine != "rewrite" or not spoken:
        return ()
    person_of = {track.id: track.identity or track.id for track in tracks}
    speakers = {person_of[each.track_id] for each in spoken}
    seen = [mesh for mesh in found if person_of[mesh.track_id] in speakers]
    work = library.work_for(video, tracks, seen, settings.library, engines.articulation_weights())
    pending = pool.submit(library.LIBRARY, work, [video.span] * len(work))
    return tuple(each for group in pending.values() for each in group)


def by_chunk(
    chunks: Sequence[Chunk],
    tracks: Sequence[FaceTrack],
    found: Sequence[MeshTrack],
    spoken: Sequence[SpeakingFace],
) -> Mapping[str, ChunkFaces]:
    """The faces of each chunk, by its id."""
    chunk_of = {track.id: track.chunk_id for track in tracks}
    return {
        chunk.id: ChunkFaces(
            tracks=tuple(each for each in tracks if each.chunk_id == chunk.id),
            meshes=tuple(each for each in found if each.chunk_id == chunk.id),
            speaking=tuple(each for each in spoken if chunk_of[each.track_id] == chunk.id),
        )
        for chunk in chunks
    }


def libraries_of(faces: ChunkFaces, libraries: Sequence[SpeakerLibrary]) -> tuple[SpeakerLibrary, ...]:
    """All libraries where somebody speaks in a chunk, so that their numbers agree between chunks; none elsewhere."""
    return tuple(libraries) if faces.speaking else ()
