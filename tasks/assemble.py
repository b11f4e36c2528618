"""Assembling: picture, voice, subtitles and chapters of one language in one file, and the subtitles beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.media.mux import AudioOut, Chapter, SubtitleOut, mux
from infra.media.splice import GroupPlan, assemble_picture
from infra.store import Store
from infra.subtitles import Cue, write_subtitles
from manifests.languages import language
from manifests.records import Blob, Degradation, FaceTrack, Placement, Shot, Translation, Utterance, Video
from manifests.time import Span, flicks
from tasks.mix import VoiceTrack
from tasks.render import RenderedRun
from tasks.stage import Stage
from tasks.subtitles import Spoken, cues_of_text, cues_of_words

_SHORTEST_CHAPTER_S = 3.0
SPEECH_DISCLOSURE = "The speech in this file is synthetic."
LIP_DISCLOSURE = "Lip movements of the speaker are synthetic."


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembleSettings:
    """Loudness of the dubbed track by EBU R 128, and its true peak."""

    target_lufs: float = -16.0
    true_peak_dbtp: float = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterMark:
    """A stretch of the lecture with a title."""

    span: Span
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Audio track `track` of a file of the user's; `content` is the file's SHA-256."""

    content: str
    uri: str = field(metadata={"key": False})
    track: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembleWork:
    """Everything that goes into one language's file. `track` is the original's, None where none is kept.

    Where `recording` is given, that is what is heard, with all its channels, and `voice` only what was worked on.
    """

    video: Video
    plan: GroupPlan = field(metadata={"key": False})  # follows from the video
    track: int | None
    source_language: str | None
    target_language: str | None
    utterances: tuple[Utterance, ...]
    translations: tuple[Translation, ...]
    placements: tuple[Placement, ...]
    voice: VoiceTrack
    disclosures: tuple[str, ...]
    rendered: tuple[RenderedRun, ...]
    chapters: tuple[ChapterMark, ...]
    settings: AssembleSettings
    recording: Recording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DubFiles:
    """What one language comes to: the video, subtitles in both languages, and how the picture was made."""

    video: Blob
    source_srt: Blob
    source_vtt: Blob
    target_srt: Blob
    target_vtt: Blob
    copied_frames: int
    rendered_frames: int
    loudness_lufs: float | None
    degradations: tuple[Degradation, ...] = ()


def assemble(work: AssembleWork, store: Store) -> DubFiles:
    """Put one language's file together. Every frame that no new mouth needs is the source's, packet for packet."""
    source = Path(work.video.uri)
    heard, spoken = source_cues(work.utterances), target_cues(work.translations, work.placements)
    with store.scratch() as folder:
        picture = _picture(work, source, folder, store)
        files = {
            name: folder / name for name in ("source.srt", "source.vtt", "target.srt", "target.vtt", "lecture.mp4")
        }
        write_subtitles(heard, files["source.srt"])
        write_subtitles(heard, files["source.vtt"])
        write_subtitles(spoken, files["target.srt"])
        write_subtitles(spoken, files["target.vtt"])
        mux(
            picture=picture,
            audio=_tracks(work, source, store),
            subtitles=_subtitles(work, files),
            chapters=[Chapter(span=mark.span, title=mark.title) for mark in work.chapters],
            metadata={"comment": " ".join(work.disclosures)},
            out=files["lecture.mp4"],
        )
        rendered = sum(run.frame_count for run in work.rendered)
        return DubFiles(
            video=store.put(files["lecture.mp4"]),
            source_srt=store.put(files["source.srt"]),
            source_vtt=store.put(files["source.vtt"]),
            target_srt=store.put(files["target.srt"]),
            target_vtt=store.put(files["target.vtt"]),
            copied_frames=work.video.frame_count - rendered,
            rendered_frames=rendered,
            loudness_lufs=work.voice.loudness_lufs,
            degradations=_degradations(work),
        )


def _picture(work: AssembleWork, source: Path, folder: Path, store: Store) -> Path:
    for each in work.rendered:
        if each.run is None:
            return store.path(each.picture)
    picture = folder / "picture.mp4"
    runs = {each.run: store.path(each.picture) for each in work.rendered if each.run is not None}
    assemble_picture(source, work.plan, runs, picture)
    return picture


def _tracks(work: AssembleWork, source: Path, store: Store) -> list[AudioOut]:
    if work.recording is not None:
        given = work.recording
        return [AudioOut(source=Path(given.uri), track=given.track, language=work.target_language, default=True)]
    tracks = [
        AudioOut(
            source=store.path(work.voice.audio),
            language=work.target_language,
            title=f"{language(work.target_language).own} (synthetic speech)" if work.target_language else "",
            default=True,
        )
    ]
    if work.track is not None and work.source_language is not None:
        original = language(work.source_language)
        tracks.append(
            AudioOut(source=source, track=work.track, language=original.code, title=f"{original.own} (original)")
        )
    return tracks


def _subtitles(work: AssembleWork, files: dict[str, Path]) -> list[SubtitleOut]:
    by_language = {work.target_language: files["target.srt"], work.source_language: files["source.srt"]}
    return [
        SubtitleOut(srt=srt, language=code, title=language(code).own)
        for code, srt in by_language.items()
        if code is not None and srt.stat().st_size
    ]


def _degradations(work: AssembleWork) -> tuple[Degradation, ...]:
    if work.plan.obstacle is None:
        return ()
    reason = f"the whole picture was encoded again: {work.plan.obstacle}"
    return (Degradation(stage="render", span=work.video.span, reason=reason),)


def source_cues(utterances: Sequence[Utterance]) -> list[Cue]:
    """Subtitles of what was said, on the words' own times."""
    return [cue for utterance in utterances for cue in cues_of_words(utterance.words)]


def target_cues(translations: Sequence[Translation], placements: Sequence[Placement]) -> list[Cue]:
    """Subtitles of what is said instead, where it is heard."""
    places = {placed.utterance_id: placed.span for placed in placements}
    return [
        cue
        for translation in translations
        if translation.utterance_id in places and translation.text.strip()
        for cue in cues_of_text(Spoken(span=places[translation.utterance_id], text=translation.text))
    ]


def chapters(shots: Sequence[Shot], tracks: Sequence[FaceTrack]) -> tuple[ChapterMark, ...]:
    """A chapter for each shot of a slide: one without a face for most of its time. Others belong to the one before."""
    if not shots:
        return ()
    starts = [shots[0].span.start]
    for shot in shots[1:]:
        faced = sum(part.duration for track in tracks if (part := track.span.intersection(shot.span)) is not None)
        long_enough = shot.span.duration >= flicks(_SHORTEST_CHAPTER_S)
        if long_enough and faced * 2 < shot.span.duration:
            starts.append(shot.span.start)
    ends = [*starts[1:], shots[-1].span.end]
    return tuple(
        ChapterMark(span=Span(start, end), title=f"Slide {number}")
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
    )


ASSEMBLE: Stage[AssembleWork, DubFiles] = Stage("assemble", 1, DubFiles, assemble)
