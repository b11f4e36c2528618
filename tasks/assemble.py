"""Assembling: picture, voice, subtitles and chapters of one language in one file, and the subtitles beside it.

All that goes into the file is put on the dub's clock, which may hold the source's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from infra.media.burn import burn_subtitles
from infra.media.mux import AudioOut, Chapter, SubtitleOut, mux
from infra.media.retime import held_audio
from infra.media.splice import GroupPlan, assemble_picture, hold_picture
from infra.media.splice import RenderSettings as EncoderSettings
from infra.store import Store
from infra.subtitles import Cue, write_subtitles
from manifests.clock import HeldClock
from manifests.languages import language
from manifests.records import Blob, Degradation, FaceTrack, Placement, Shot, Translation, Utterance, Video
from manifests.time import Span, flicks
from tasks.mix import VoiceTrack
from tasks.render import RenderedRun
from tasks.stage import Stage
from tasks.subtitles import Manner, Pair, Spoken, Subtitles, bilingual, subtitles

_SHORTEST_CHAPTER_S = 3.0
SPEECH_DISCLOSURE = "The speech in this file is synthetic."
LIP_DISCLOSURE = "Lip movements of the speaker are synthetic."


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembleSettings:
    """Loudness of the dubbed track by EBU R 128, and its true peak; subtitles of the dub, or with the source's."""

    target_lufs: float = -16.0
    true_peak_dbtp: float = -1.0
    subtitles: Literal["plain", "bilingual"] = "plain"


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

    `placements` and `voice` are on the dub's clock, `utterances` and `chapters` on the source's, which `clock` holds.
    `provenance` becomes metadata of the file, by name; `terms` are phrases of the target language that no subtitle
    parts. Where `recording` is given, that is what is heard, with all its channels, and `voice` only what was worked
    on.
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
    clock: HeldClock = field(default_factory=HeldClock)
    provenance: tuple[tuple[str, str], ...] = ()
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DubFiles:
    """What one language comes to: the video, subtitles in both languages, and how the picture was made.

    The source's subtitles lie on the source's clock, to be shown beside the source; those inside the video, the
    target's and the bilingual ones on the dub's. `fast_cues` of the target's are faster to read than they should be.
    """

    video: Blob
    source_srt: Blob
    source_vtt: Blob
    target_srt: Blob
    target_vtt: Blob
    copied_frames: int
    rendered_frames: int
    loudness_lufs: float | None
    degradations: tuple[Degradation, ...] = ()
    bilingual_srt: Blob | None = None
    bilingual_vtt: Blob | None = None
    fast_cues: int = 0


def assemble(work: AssembleWork, store: Store) -> DubFiles:
    """Put one language's file together. Every frame that no new mouth needs is the source's, packet for packet."""
    spoken = dub_subtitles(work)
    texts = {"source": _heard(work, HeldClock()), "target": spoken.cues}
    if _has_two_languages(work):
        texts["bilingual"] = bilingual_subtitles(work).cues
    with store.scratch() as folder:
        inside = {"source": folder / "held.srt", "target": folder / "target.srt"}
        write_subtitles(_heard(work, work.clock), inside["source"])
        beside = {}
        for name, cues in texts.items():
            for suffix in ("srt", "vtt"):
                write_subtitles(cues, folder / f"{name}.{suffix}")
                beside[name, suffix] = store.put(folder / f"{name}.{suffix}")
        write_subtitles(shown_subtitles(work).cues, inside["target"])
        made = folder / "lecture.mp4"
        mux(
            picture=_picture(work, folder, store),
            audio=_tracks(work, folder, store),
            subtitles=_soft(work, inside),
            chapters=held_chapters(work.chapters, work.clock),
            metadata=metadata(work.disclosures, work.provenance),
            out=made,
        )
        rendered = sum(run.frame_count for run in work.rendered)
        return DubFiles(
            video=store.put(made),
            source_srt=beside["source", "srt"],
            source_vtt=beside["source", "vtt"],
            target_srt=beside["target", "srt"],
            target_vtt=beside["target", "vtt"],
            bilingual_srt=beside.get(("bilingual", "srt")),
            bilingual_vtt=beside.get(("bilingual", "vtt")),
            copied_frames=work.video.frame_count - rendered,
            rendered_frames=rendered,
            loudness_lufs=work.voice.loudness_lufs,
            fast_cues=spoken.fast,
            degradations=encoded_whole(work.plan, work.video),
        )


def _picture(work: AssembleWork, folder: Path, store: Store) -> Path:
    return held_picture(Path(work.video.uri), work.plan, work.rendered, work.clock, folder, store)


def held_picture(
    source: Path, plan: GroupPlan, rendered: Sequence[RenderedRun], clock: HeldClock, folder: Path, store: Store
) -> Path:
    """The picture with its rendered runs on the dub's clock: a file in `folder`, or in the store as it is."""
    picture = folder / "picture.mp4"
    for each in rendered:
        if each.run is None:
            if not clock.holds:
                return store.path(each.picture)
            hold_picture(store.path(each.picture), clock, picture)
            return picture
    runs = {each.run: store.path(each.picture) for each in rendered if each.run is not None}
    assemble_picture(source, plan, runs, picture, clock)
    return picture


def original_sound(source: Path, track: int, clock: HeldClock, code: str, folder: Path) -> AudioOut:
    """The original's sound as a track of the dub: its very packets, or encoded again where the picture is held."""
    known = language(code)
    title = f"{known.own} (original)"
    if not clock.holds:
        return AudioOut(source=source, track=track, language=known.code, title=title)
    held = folder / "original.m4a"
    held_audio(source, track, clock, held)
    return AudioOut(source=held, language=known.code, title=title)


def dubbed_title(code: str | None) -> str:
    """What a player calls the sound of a dub."""
    return f"{language(code).own} (synthetic speech)" if code else ""


def _tracks(work: AssembleWork, folder: Path, store: Store) -> list[AudioOut]:
    if work.recording is not None:
        given = work.recording
        return [AudioOut(source=Path(given.uri), track=given.track, language=work.target_language, default=True)]
    tracks = [
        AudioOut(
            source=store.path(work.voice.audio),
            language=work.target_language,
            title=dubbed_title(work.target_language),
            default=True,
        )
    ]
    if work.track is not None and work.source_language is not None:
        source = Path(work.video.uri)
        tracks.append(original_sound(source, work.track, work.clock, work.source_language, folder))
    return tracks


def _soft(work: AssembleWork, files: dict[str, Path]) -> list[SubtitleOut]:
    by_language = {work.target_language: files["target"], work.source_language: files["source"]}
    return [
        SubtitleOut(srt=srt, language=code, title=language(code).own)
        for code, srt in by_language.items()
        if code is not None and srt.stat().st_size
    ]


def held_chapters(marks: Sequence[ChapterMark], clock: HeldClock) -> list[Chapter]:
    """Chapters of the source on the dub's clock. A picture that waits belongs to the chapter that it shows."""
    return [
        Chapter(
            span=Span(clock.dub_time(mark.span.start) if mark.span.start > 0 else 0, clock.dub_time(mark.span.end)),
            title=mark.title,
        )
        for mark in marks
    ]


def metadata(disclosures: Sequence[str], provenance: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What the container says about itself. ValueError where provenance would replace the disclosures."""
    found = dict(provenance)
    if "comment" in found:
        raise ValueError("`comment` holds the disclosures")
    return {"comment": " ".join(disclosures), **found}


def _heard(work: AssembleWork, clock: HeldClock) -> tuple[Cue, ...]:
    return heard_subtitles(work.utterances, clock, manner(work.video, clock, work.source_language)).cues


def encoded_whole(plan: GroupPlan, video: Video) -> tuple[Degradation, ...]:
    """That the whole picture was encoded again, where it was."""
    if plan.obstacle is None:
        return ()
    reason = f"the whole picture was encoded again: {plan.obstacle}"
    return (Degradation(stage="render", span=video.span, reason=reason),)


def manner(video: Video, clock: HeldClock, code: str | None, terms: tuple[str, ...] = ()) -> Manner:
    """How subtitles in the language `code` are cut for `video` on the dub's clock."""
    frame = flicks(1 / video.frame_rate)
    return Manner(language=code, terms=terms, frame=frame, end=video.span.end + clock.held)


def heard_subtitles(utterances: Sequence[Utterance], clock: HeldClock, how: Manner) -> Subtitles:
    """Subtitles of what was said, on the words' own times, which `clock` holds."""
    spoken = [
        Spoken(
            span=clock.dub_span(utterance.span),
            words=tuple(replace(word, span=clock.dub_span(word.span)) for word in utterance.words),
        )
        for utterance in sorted(utterances, key=lambda each: each.span)
        if utterance.words
    ]
    return subtitles(spoken, how)


def dub_subtitles(work: AssembleWork) -> Subtitles:
    """Subtitles of what is said instead, where it is heard."""
    how = manner(work.video, work.clock, work.target_language, work.terms)
    return subtitles(said_instead(work.translations, work.placements), how)


def said_instead(translations: Sequence[Translation], placements: Sequence[Placement]) -> list[Spoken]:
    """The translations that are heard, in the order in which they are."""
    places = {placed.utterance_id: placed.span for placed in placements}
    spoken = [
        Spoken(span=places[translation.utterance_id], text=translation.text)
        for translation in translations
        if translation.utterance_id in places and translation.text.strip()
    ]
    return sorted(spoken, key=lambda each: each.span)


def shown_subtitles(work: AssembleWork) -> Subtitles:
    """The subtitles that go into the file in the dub's language: by the settings, with the source's below."""
    both = work.settings.subtitles == "bilingual" and _has_two_languages(work)
    return bilingual_subtitles(work) if both else dub_subtitles(work)


def _has_two_languages(work: AssembleWork) -> bool:
    return work.source_language not in (None, work.target_language)


def bilingual_subtitles(work: AssembleWork) -> Subtitles:
    """The dub's text and under it the source's, where the dub is heard."""
    places = {placed.utterance_id: placed.span for placed in work.placements}
    texts = {translation.utterance_id: translation.text for translation in work.translations}
    pairs = [
        Pair(span=places[utterance.id], text=texts[utterance.id], original=utterance.text)
        for utterance in work.utterances
        if utterance.id in places and texts.get(utterance.id, "").strip()
    ]
    how = manner(work.video, work.clock, work.target_language, work.terms)
    return bilingual(sorted(pairs, key=lambda each: each.span), how, work.source_language)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnWork:
    """A finished dub of `video` and the cues to burn into its picture, on the dub's clock."""

    dub: Blob
    video: Video
    cues: tuple[Cue, ...]
    encoder: EncoderSettings = field(default_factory=EncoderSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnedDub:
    """A dub whose picture shows its subtitles in any player. Its whole picture was encoded again, as is told."""

    video: Blob
    degradations: tuple[Degradation, ...]


def burn_work(work: AssembleWork, files: DubFiles, encoder: EncoderSettings) -> BurnWork:
    """To burn the subtitles of a dub, `files`, that `assemble` made of `work`."""
    return BurnWork(dub=files.video, video=work.video, cues=shown_subtitles(work).cues, encoder=encoder)


def burn(work: BurnWork, store: Store) -> BurnedDub:
    """Burn the subtitles. BadInput where no font has their letters."""
    with store.scratch() as folder:
        out = folder / "burned.mp4"
        burn_subtitles(store.path(work.dub), work.cues, out, frame_rate=work.video.frame_rate, settings=work.encoder)
        reason = "the whole picture was encoded again, to burn the subtitles in"
        told = Degradation(stage="burn", span=work.video.span, reason=reason)
        return BurnedDub(video=store.put(out), degradations=(told,))


ASSEMBLE: Stage[AssembleWork, DubFiles] = Stage("assemble", 2, DubFiles, assemble)
BURN: Stage[BurnWork, BurnedDub] = Stage("burn", 2, BurnedDub, burn)
