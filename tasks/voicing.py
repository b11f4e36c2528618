"""The speech of one language: the readings that fit, spoken, mixed and laid over what is heard behind them.

Three rounds of speaking, each of which finds what the one before has spoken. First the readings that the duration model
expects to fit: their true lengths calibrate it, voice by voice. Then the readings that the calibrated plan prefers, a
person's edits among them. Last, each at the rate of the plan, where its synthesizer can. The first round never knows of
edits, so an edit does not move the model, and with it the readings of other lines; and an edited line waits for the
last round, so that it is spoken once.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

from manifests.clock import HeldClock
from manifests.errors import StageFailed
from manifests.records import Edit, LectureSpeaker, Placement, SpeechClip, Translation, Utterance
from manifests.time import Span
from models.acoustics.room import common_room
from models.speech.contract import Pronunciation, Voice
from tasks import engines, glossary, hearing, isolation, mending, mix, script, speak, split_lines, timing, translate
from tasks.drafting import Draft, translate_groups
from tasks.hearing import Heard
from tasks.notice import Notice, give_notice
from tasks.pool import Pending, Pool
from tasks.settings import DubSettings

Out = TypeVar("Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Voiced:
    """A language's speech. Groups follow the lecture's chunks; those in `kept` were not spoken, and stay as they are.

    `utterances` are as a person split, joined and mended them, and said by `speakers`. `proposed` are the machine's
    translations of them; `translations` hold the text that is spoken. `timings`, `clips` and `mixed` are on the chunks'
    own clocks, `placements` on the dub's, which `clock` makes of the source's.
    """

    draft: Draft
    utterances: tuple[Utterance, ...]
    speakers: tuple[LectureSpeaker, ...]
    proposed: tuple[Translation, ...]
    translations: tuple[Translation, ...]
    clips: tuple[tuple[SpeechClip, ...], ...]
    timings: tuple[timing.ChunkTiming, ...]
    placements: tuple[Placement, ...]
    clock: HeldClock
    mixed: tuple[tuple[mix.ChunkSpeech, ...], ...]
    voice: mix.VoiceTrack
    notice: Notice | None
    kept: frozenset[int] = frozenset()


class _Lost(Exception):
    """Speech that could not be made; `chunks` are the places of those that it belongs to."""

    def __init__(self, chunks: Collection[int]) -> None:
        self.chunks = frozenset(chunks)


def clock_of(voiced: Voiced, index: int) -> HeldClock:
    """The clock of a chunk: the source's, with the holds of this chunk alone."""
    return HeldClock.of(voiced.timings[index].holds)


def heard_in(voiced: Voiced, index: int) -> tuple[mix.ChunkSpeech, ...]:
    """All dubbed speech that is heard in a chunk, its neighbours' too where it reaches over, on the chunk's clock."""
    span = voiced.draft.heard.chunks[index].span
    own = Span(span.start, span.end + voiced.timings[index].held)
    near = []
    for other in range(max(index - 1, 0), min(index + 2, len(voiced.mixed))):
        # Before a chunk lie the holds of the one before it, behind it its own.
        by = -voiced.timings[other].held if other < index else voiced.timings[index].held if other > index else 0
        near += [_shifted(speech, by) for speech in voiced.mixed[other]]
    return tuple(speech for speech in near if speech.span.overlaps(own))


def _shifted(speech: mix.ChunkSpeech, by: int) -> mix.ChunkSpeech:
    if by == 0:
        return speech
    return dataclasses.replace(speech, span=speech.span.shift(by), heard=tuple(span.shift(by) for span in speech.heard))


@dataclass(frozen=True, slots=True)
class _Cast:
    """What speaks beside the table's voices, and how terms are said."""

    imitated: Mapping[str, speak.ClonedVoice]
    pronunciations: tuple[Pronunciation, ...]


def voice_language(
    draft: Draft,
    edits: Sequence[Edit],
    imitated: Mapping[str, speak.ClonedVoice],
    settings: DubSettings,
    pool: Pool,
) -> Voiced:
    """Speak the draft as a person left it. `imitated` is what cloned voices, by id, are made from.

    A chunk of which a part cannot be spoken is spoken by nobody: its own sound and picture stay.
    """
    kept: frozenset[int] = frozenset()
    while True:
        try:
            voiced = _voiced(draft, edits, imitated, kept, settings, pool)
            if kept and not any(voiced.clips):
                raise StageFailed(f"no chunk could be spoken in {draft.language}, so there is no dub: {_why(pool)}")
            return voiced
        except _Lost as lost:
            # All is planned anew as if these chunks had nothing to say; what was spoken of the others is found again.
            kept |= lost.chunks


def _voiced(
    draft: Draft,
    edits: Sequence[Edit],
    imitated: Mapping[str, speak.ClonedVoice],
    kept: frozenset[int],
    settings: DubSettings,
    pool: Pool,
) -> Voiced:
    heard, language = draft.heard, draft.language
    cast = _Cast(imitated, glossary.pronunciations(draft.glossary, language))
    unedited = script.without(script.write_script(draft, heard.utterances, draft.translations, ()), kept)
    expected = script.predicted({})
    trial = script.fixed(unedited, script.plan(unedited, expected, heard, settings.timing))
    spoken = _speak(trial, {}, draft, cast, pool)
    expected = script.predicted(script.heard_lengths(spoken, trial))
    durations = script.known(spoken, trial, expected)

    cut = split_lines.cut_again(heard.utterances, edits)
    utterances = mending.mended_utterances(cut, edits)
    proposed = _translated(draft, utterances, edits, settings, pool)
    translations = mending.mended_translations(proposed, edits)
    if untold := _untold(draft, utterances, translations, edits, pool) - kept:
        raise _Lost(untold)
    lines = script.without(script.write_script(draft, utterances, translations, edits), kept)
    chosen = script.fixed(lines, script.plan(lines, durations, heard, settings.timing))
    spoken = _speak(_unedited(chosen, edits), {}, draft, cast, pool)
    timings = script.plan(chosen, script.known(spoken, _unedited(chosen, edits), durations), heard, settings.timing)
    rates = {each.utterance_id: each.rate for planned in timings for each in planned.lines}
    clips = _speak(chosen, rates, draft, cast, pool)

    on_chunks = _placements(chosen, timings, clips)
    mixed = _mix(heard, cut, clips, on_chunks, language, pool)
    notice = give_notice(settings.delivery.notice, heard.video, language, _usual_voice(chosen), pool)
    before = notice.hold.duration if notice else 0
    clock = HeldClock.of([*([notice.hold] if notice else []), *(hold for planned in timings for hold in planned.holds)])
    shifts = tuple(accumulate((planned.held for planned in timings), initial=before))[:-1]
    text_of = {line.utterance.id: line.translation.text for group in chosen for line in group}
    return Voiced(
        draft=draft,
        utterances=utterances,
        speakers=mending.mended_speakers(split_lines.speakers_of(heard.speakers, cut), edits),
        proposed=proposed,
        translations=tuple(dataclasses.replace(each, text=text_of.get(each.utterance_id, "")) for each in translations),
        clips=tuple(clips),
        timings=timings,
        placements=tuple(
            dataclasses.replace(placed, span=placed.span.shift(shift))
            for group, shift in zip(on_chunks, shifts, strict=True)
            for placed in group
        ),
        clock=clock,
        mixed=tuple(mixed),
        voice=_lay(heard, mixed, shifts, notice, clock, kept, language, settings, pool),
        notice=notice,
        kept=kept,
    )


def _why(pool: Pool) -> str:
    """The first failure of the run, in words."""
    return next((each.failure for each in pool.journal.entries if each.failure), "nothing is left of them")


def _untold(
    draft: Draft,
    utterances: Sequence[Utterance],
    translations: Sequence[Translation],
    edits: Sequence[Edit],
    pool: Pool,
) -> frozenset[int]:
    """The chunks whose translation failed, but for those in which a person wrote all that is missing."""
    written = {edit.utterance_id for edit in edits if edit.column == "translation"}
    missing = {each.utterance_id for each in translations if not each.hypotheses} - written
    translating = (translate.TRANSLATE.name, draft.language)
    failed = {each.span for each in pool.journal.entries if each.failure and (each.stage, each.language) == translating}
    heard = draft.heard
    chunk_of = {each.id: each.chunk_id for each in utterances}
    lost = {chunk_of[name] for name in missing}
    return frozenset(place for place, chunk in enumerate(heard.chunks) if chunk.id in lost and chunk.span in failed)


def _usual_voice(lines: script.Script) -> Voice:
    """The voice that says most lines, the first of those that say as many."""
    counted = Counter(line.voice for group in lines for line in group)
    return counted.most_common(1)[0][0]


def _unedited(lines: script.Script, edits: Sequence[Edit]) -> script.Script:
    """The lines that no edit gives other words or another voice.

    A line that was edited is planned by what the calibrated model expects, and so spoken once, at the plan's rate.
    """
    edited = {edit.utterance_id for edit in edits if edit.column in mending.WORDED}
    return tuple(tuple(line for line in group if line.utterance.id not in edited) for group in lines)


def _translated(
    draft: Draft, utterances: Sequence[Utterance], edits: Sequence[Edit], settings: DubSettings, pool: Pool
) -> tuple[Translation, ...]:
    """The draft's translations, made anew where a person mended what was heard; each such line by itself.

    A line that was split or joined has none of the machine's while a person's own stands for it.
    """
    before = {each.id: each.text for each in draft.heard.utterances}
    written = {edit.utterance_id for edit in edits if edit.column == "translation"}
    changed = [each for each in utterances if each.text != before.get(each.id)]
    told = {each.id: translate.unsaid(each, draft.language) for each in changed if each.id not in before}
    groups = [(each,) for each in changed if each.id in before or each.id not in written]
    if groups:
        again = translate_groups(draft.heard, groups, draft.language, draft.glossary, settings, pool)
        told |= {each.utterance_id: each for group in again for each in group}
    drafted = {each.utterance_id: each for each in draft.translations}
    return tuple(told.get(each.id) or drafted[each.id] for each in utterances)


def _speak(
    lines: script.Script,
    rates: dict[str, float],
    draft: Draft,
    cast: _Cast,
    pool: Pool,
) -> script.Clips:
    """One clip a line: at the voice's own rate, or near the one of `rates` (by utterance) where the engine can."""
    work = [
        speak.SpeakWork(
            lines=tuple(
                speak.LineToSpeak(
                    translation=line.translation,
                    voice=line.voice,
                    weights=engines.speaking_weights(line.voice),
                    rate=timing.rate_to_speak(rates.get(line.utterance.id, 1.0)),
                    clone=cast.imitated.get(line.voice.id),
                )
                for line in group
            ),
            pronunciations=cast.pronunciations,
        )
        for group in lines
    ]
    spans = [chunk.span for chunk in draft.heard.chunks]
    spoken = pool.submit(speak.SPEAK, work, spans, language=draft.language, instead=isolation.nothing)
    return _whole(spoken)


def _whole(pending: Pending[Out]) -> Sequence[Out]:
    """What the chunks came to. _Lost where one of them came to nothing."""
    values = pending.values()
    if failures := pending.failures():
        raise _Lost(failures)
    return values


def _placements(
    lines: script.Script, timings: Sequence[timing.ChunkTiming], clips: script.Clips
) -> list[tuple[Placement, ...]]:
    """Where each clip is heard on its chunk's clock, in the clips' order."""
    reading_of = {line.utterance.id: line.reading for group in lines for line in group}
    timed = {each.utterance_id: each for planned in timings for each in planned.lines}
    return [
        tuple(
            Placement(
                clip_id=clip.id,
                utterance_id=clip.utterance_id,
                span=timed[clip.utterance_id].span,
                rate=timed[clip.utterance_id].rate,
                overrun=timed[clip.utterance_id].overrun,
                reading=reading_of[clip.utterance_id],
                lead=timed[clip.utterance_id].lead,
                slack=timed[clip.utterance_id].slack,
                held=timed[clip.utterance_id].held,
            )
            for clip in group
        )
        for group in clips
    ]


def _mix(
    heard: Heard,
    lines: Sequence[Utterance],
    clips: script.Clips,
    placements: Sequence[tuple[Placement, ...]],
    language: str,
    pool: Pool,
) -> Sequence[tuple[mix.ChunkSpeech, ...]]:
    gains = split_lines.gains_of(_gains(heard), lines)
    room = common_room([each.room for each in heard.background if each.speech_lufs is not None])
    work = [
        mix.MixWork(
            clips=said,
            placements=placed,
            gains_db=tuple(gains.get(each.utterance_id, 0.0) for each in said),
            room=room,
        )
        for said, placed in zip(clips, placements, strict=True)
    ]
    spans = [chunk.span for chunk in heard.chunks]
    return _whole(pool.submit(mix.MIX, work, spans, language=language, instead=isolation.nothing))


def _gains(heard: Heard) -> dict[str, float]:
    """How much louder each utterance was than its speaker's others, in dB, by utterance."""
    speaker_of = {name: speaker.id for speaker in heard.speakers for name in speaker.utterance_ids}
    gains = mix.contour_db(
        [each.loudness_dbfs for each in heard.samples], [speaker_of[each.utterance_id] for each in heard.samples]
    )
    return {each.utterance_id: gain for each, gain in zip(heard.samples, gains, strict=True)}


def _lay(
    heard: Heard,
    mixed: Sequence[tuple[mix.ChunkSpeech, ...]],
    shifts: Sequence[int],
    notice: Notice | None,
    clock: HeldClock,
    kept: frozenset[int],
    language: str,
    settings: DubSettings,
    pool: Pool,
) -> mix.VoiceTrack:
    """All of it over the whole lecture, on the dub's clock."""
    told = notice.speech if notice else ()
    work = mix.VoiceTrackWork(
        span=clock.dub_span(heard.video.span),
        speech=(*told, *(each for part in mixed for each in part)),
        shifts=(*(0 for _ in told), *(shift for part, shift in zip(mixed, shifts, strict=True) for _ in part)),
        background=hearing.with_own_sound(heard, kept, settings, language, pool),
        clock=clock,
        target_lufs=settings.assemble.target_lufs,
        true_peak_dbtp=settings.assemble.true_peak_dbtp,
    )
    return pool.submit(mix.VOICE_TRACK, [work], [heard.video.span], language=language).values()[0]
