"""One file, many languages: one picture, the sound of every dub and the original's, subtitles in each.

There is one picture, so there is one clock: where dubs hold it for different times, it is held for the longest, and the
others' sound waits with it. Lips can follow one language alone, the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from infra.media.mux import AudioOut, SubtitleOut, mux
from infra.media.retime import held_audio
from infra.media.splice import GroupPlan
from infra.store import Store
from infra.subtitles import Cue, write_subtitles
from manifests.clock import HeldClock, Hold
from manifests.languages import language
from manifests.records import Blob, Degradation, Placement, Translation, Utterance, Video
from manifests.time import Flicks
from tasks.assemble import (
    ChapterMark,
    dubbed_title,
    encoded_whole,
    heard_subtitles,
    held_chapters,
    held_picture,
    manner,
    metadata,
    original_sound,
    said_instead,
)
from tasks.mix import VoiceTrack
from tasks.render import RenderedRun
from tasks.stage import Stage
from tasks.subtitles import subtitles


@dataclass(frozen=True, slots=True, kw_only=True)
class DubbedSound:
    """What is heard in one language, on a clock of its own; `terms` as in `tasks.assemble`."""

    language: str
    translations: tuple[Translation, ...]
    placements: tuple[Placement, ...]
    voice: VoiceTrack
    clock: HeldClock
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFileWork:
    """A lecture and its dubs, the first one's picture (`rendered`) and sound being what a player starts with."""

    video: Video
    plan: GroupPlan = field(metadata={"key": False})  # follows from the video
    track: int | None
    source_language: str
    utterances: tuple[Utterance, ...]
    dubs: tuple[DubbedSound, ...]
    rendered: tuple[RenderedRun, ...]
    chapters: tuple[ChapterMark, ...]
    disclosures: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...] = ()
    suffix: Literal[".mp4", ".mkv"] = ".mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFile:
    """The file with all languages, the clock that it keeps, and what a viewer should know of its picture."""

    video: Blob
    clock: HeldClock
    degradations: tuple[Degradation, ...] = ()


def shared_clock(clocks: Sequence[HeldClock]) -> HeldClock:
    """The clock that holds the picture wherever one of `clocks` does, for as long as the one that holds it longest."""
    longest: dict[Flicks, Flicks] = {}
    for clock in clocks:
        for hold in clock.holds:
            longest[hold.at] = max(longest.get(hold.at, 0), hold.duration)
    return HeldClock.of(Hold(at, longest[at]) for at in longest)


def waiting(own: HeldClock, shared: HeldClock, placements: Sequence[Placement]) -> HeldClock:
    """The clock that takes a dub from its `own` clock to the `shared` one: it waits where the picture is held longer.

    Where it speaks at that moment, it waits when it has done.
    """
    mine = {hold.at: hold.duration for hold in own.holds}
    return HeldClock.of(
        Hold(_silent_from(own.dub_time(hold.at), placements), hold.duration - mine.get(hold.at, 0))
        for hold in shared.holds
        if hold.duration > mine.get(hold.at, 0)
    )


def _silent_from(time: Flicks, placements: Sequence[Placement]) -> Flicks:
    for placed in sorted(placements, key=lambda each: each.span):
        if placed.span.start < time < placed.span.end:
            time = placed.span.end
    return time


def assemble_many(work: OneFileWork, store: Store) -> OneFile:
    """Put all languages in one file. ValueError where there is no dub, or two in one language."""
    codes = [dub.language for dub in work.dubs]
    if not codes or len(set(codes)) < len(codes):
        raise ValueError(f"one dub of each language, at least one, not {codes}")
    clock = shared_clock([dub.clock for dub in work.dubs])
    with store.scratch() as folder:
        sounds, texts = [], []
        for number, dub in enumerate(work.dubs):
            held = waiting(dub.clock, clock, dub.placements)
            sounds.append(_sound(dub, held, folder, store, first=number == 0))
            texts.append((dub.language, _cues(dub, held, work.video, clock)))
        if work.track is not None:
            source = Path(work.video.uri)
            sounds.append(original_sound(source, work.track, clock, work.source_language, folder))
        if work.source_language not in codes:
            heard = heard_subtitles(work.utterances, clock, manner(work.video, clock, work.source_language))
            texts.append((work.source_language, heard.cues))
        made = folder / f"lecture{work.suffix}"
        mux(
            picture=held_picture(Path(work.video.uri), work.plan, work.rendered, clock, folder, store),
            audio=sounds,
            subtitles=list(_soft(texts, folder)),
            chapters=held_chapters(work.chapters, clock),
            metadata=metadata(work.disclosures, work.provenance),
            out=made,
        )
        return OneFile(
            video=store.put(made), clock=clock, degradations=(*encoded_whole(work.plan, work.video), *_lips(work))
        )


def _sound(dub: DubbedSound, held: HeldClock, folder: Path, store: Store, *, first: bool) -> AudioOut:
    voice = store.path(dub.voice.audio)
    if held.holds:
        voice = folder / f"{dub.language}.m4a"
        held_audio(store.path(dub.voice.audio), 0, held, voice)
    return AudioOut(source=voice, language=dub.language, title=dubbed_title(dub.language), default=first)


def _cues(dub: DubbedSound, held: HeldClock, video: Video, clock: HeldClock) -> tuple[Cue, ...]:
    spoken = [replace(each, span=held.dub_span(each.span)) for each in said_instead(dub.translations, dub.placements)]
    return subtitles(spoken, manner(video, clock, dub.language, dub.terms)).cues


def _soft(texts: Sequence[tuple[str, Sequence[Cue]]], folder: Path) -> Iterator[SubtitleOut]:
    for code, cues in texts:
        if cues:
            srt = folder / f"{code}.srt"
            write_subtitles(cues, srt)
            yield SubtitleOut(srt=srt, language=code, title=language(code).own)


def _lips(work: OneFileWork) -> tuple[Degradation, ...]:
    """That the lips follow one language, where they do and there are others."""
    first, *others = (language(dub.language).name for dub in work.dubs)
    if not work.rendered or not others:
        return ()
    reason = f"one picture for all languages: the lips follow {first}, whatever is heard"
    return (Degradation(stage="assemble", span=work.video.span, reason=reason),)


ASSEMBLE_MANY: Stage[OneFileWork, OneFile] = Stage("assemble_many", 1, OneFile, assemble_many)
