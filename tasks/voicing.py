"""The speech of one language: spoken in rounds (`speaking_rounds`), mixed, and laid over what is heard behind it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from manifests.clock import HeldClock
from manifests.errors import StageFailed
from manifests.records import Edit, LectureSpeaker, Placement, SpeechClip, Translation, Utterance
from manifests.time import Span
from models.acoustics.room import common_room
from models.speech.contract import Voice
from tasks import hearing, isolation, mending, mix, script, speak, speaking_rounds, split_lines, timing
from tasks.drafting import Draft
from tasks.hearing import Heard
from tasks.notice import Notice, give_notice
from tasks.pool import Pool
from tasks.settings import DubSettings
from tasks.speaking_rounds import Lost, whole


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
        except Lost as lost:
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
    cast = speaking_rounds.cast_of(draft, imitated)
    durations = speaking_rounds.first_round(draft, cast, kept, settings, pool)
    said = speaking_rounds.plan_lines(draft, edits, durations, cast, kept, settings, pool)
    chosen, timings, translations = said.lines, said.timings, said.translations
    clips = speaking_rounds.speak_lines(chosen, said.rates, draft, cast, pool)

    on_chunks = _placements(chosen, timings, clips)
    mixed = _mix(heard, said.utterances, clips, on_chunks, language, pool)
    notice = give_notice(settings.delivery.notice, heard.video, language, _usual_voice(chosen), pool)
    before = notice.hold.duration if notice else 0
    clock = HeldClock.of([*([notice.hold] if notice else []), *(hold for planned in timings for hold in planned.holds)])
    shifts = tuple(accumulate((planned.held for planned in timings), initial=before))[:-1]
    text_of = {line.utterance.id: line.translation.text for group in chosen for line in group}
    return Voiced(
        draft=draft,
        utterances=said.utterances,
        speakers=mending.mended_speakers(split_lines.speakers_of(heard.speakers, said.utterances), edits),
        proposed=said.proposed,
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


def _usual_voice(lines: script.Script) -> Voice:
    """The voice that says most lines, the first of those that say as many."""
    counted = Counter(line.voice for group in lines for line in group)
    return counted.most_common(1)[0][0]


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
    return whole(pool.submit(mix.MIX, work, spans, language=language, instead=isolation.nothing))


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
