"""The script of a language: its lines with their candidates and voices, how long each takes, and the plan of it all.

Pure. What a candidate's length is comes from outside (`Durations`): a duration model's word at first, the true length
once it was spoken.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from manifests.records import Edit, SpeechClip, Translation, Utterance
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks, gaps
from models.speech import cloned, engines, voices
from models.speech.contract import AgeBand, Gender, Voice
from models.speech.duration import DurationModel, calibrated, prior
from tasks import mending, split_lines, timing
from tasks.drafting import Draft
from tasks.hearing import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptLine:
    """A line to be spoken: its candidates are the translation's hypotheses. `pinned`: where a person wants it.

    `reading` is which of the machine's candidates the translation's text is, once it was chosen.
    """

    utterance: Utterance
    translation: Translation
    voice: Voice
    pinned: Span | None = None
    reading: int = 0


Script: TypeAlias = Sequence[Sequence[ScriptLine]]
"""The lines of each chunk, in the chunks' order; those that say something."""

Durations: TypeAlias = Callable[[ScriptLine, str], Flicks]
"""How long a line's voice takes for a text, at its own rate; 0 where nothing in it can be said."""

Clips: TypeAlias = Sequence[tuple[SpeechClip, ...]]
"""What was spoken, chunk by chunk."""


def write_script(
    draft: Draft, utterances: Sequence[Utterance], translations: Sequence[Translation], edits: Sequence[Edit]
) -> Script:
    """The lines of each chunk with their voices, `edits` to speakers, voices and times among them."""
    speakers = mending.mended_speakers(split_lines.speakers_of(draft.heard.speakers, utterances), edits)
    speaker_of = {name: speaker.id for speaker in speakers for name in speaker.utterance_ids}
    voice_of = {each.speaker_id: each.voice_id for each in draft.castings}
    own_voices, pins = mending.pinned_voices(edits), mending.pinned_spans(edits)
    said = {each.id: each for each in utterances}
    lines: dict[str, list[ScriptLine]] = {chunk.id: [] for chunk in draft.heard.chunks}
    for translation in translations:
        utterance = said[translation.utterance_id]
        if translation.text.strip():
            voice = own_voices.get(utterance.id) or voice_of[speaker_of[utterance.id]]
            line = ScriptLine(
                utterance=utterance,
                translation=translation,
                voice=voice_called(voice, draft.language),
                pinned=pins.get(utterance.id),
            )
            lines[utterance.chunk_id].append(line)
    return tuple(tuple(group) for group in lines.values())


def voice_called(voice_id: str, language: str) -> Voice:
    """The voice of the table, or the one that imitates a speaker. BadInput for none."""
    if cloned.is_clone(voice_id):
        # Only the person's own recording says how it sounds: gender and age choose nothing here.
        return cloned.voice_of(cloned.speaker_of(voice_id), language, Gender.FEMALE, AgeBand.ADULT)
    return voices.find(voice_id)


def predicted(samples: Mapping[str, Sequence[tuple[str, Flicks]]]) -> Durations:
    """Predictions of one model a voice, calibrated by what that voice was heard to say (`heard_lengths`)."""
    models: dict[str, DurationModel] = {}
    told: dict[tuple[str, str], Flicks] = {}

    def duration(line: ScriptLine, text: str) -> Flicks:
        voice = line.voice
        if voice.id not in models:
            models[voice.id] = calibrated(prior(voice), samples.get(voice.id, ()))
        if (voice.id, text) not in told:
            told[voice.id, text] = models[voice.id].predict(engines.spoken(text, voice))
        return told[voice.id, text]

    return duration


def heard_lengths(clips: Clips, script: Script) -> dict[str, list[tuple[str, Flicks]]]:
    """What each voice was heard to say (as `engines.spoken` gives it), and how long it took, by the voice's id."""
    line_of = {line.utterance.id: line for group in script for line in group}
    heard: dict[str, list[tuple[str, Flicks]]] = {}
    for clip in (clip for group in clips for clip in group if clip.rate == 1):
        line = line_of[clip.utterance_id]
        said = engines.spoken(line.translation.text, line.voice)
        heard.setdefault(clip.voice, []).append((said, clip.duration))
    return heard


def known(clips: Clips, script: Script, otherwise: Durations) -> Durations:
    """The true lengths of what was spoken at its voice's rate, `otherwise` for the rest. `script` has the clips' texts.

    A line that was spoken and gave no clip lasts no time.
    """
    lengths = {(line.utterance.id, line.voice.id, line.translation.text): 0 for group in script for line in group}
    text_of = _texts(script)
    for clip in (clip for group in clips for clip in group):
        spoken = (clip.utterance_id, clip.voice, text_of[clip.utterance_id])
        if clip.rate == 1:
            lengths[spoken] = clip.duration
        else:
            lengths.pop(spoken, None)

    def duration(line: ScriptLine, text: str) -> Flicks:
        length = lengths.get((line.utterance.id, line.voice.id, text))
        return otherwise(line, text) if length is None else length

    return duration


def _texts(script: Script) -> dict[str, str]:
    return {line.utterance.id: line.translation.text for group in script for line in group}


def plan(
    script: Script, durations: Durations, heard: Heard, settings: timing.TimingSettings
) -> tuple[timing.ChunkTiming, ...]:
    """The plan of every chunk. A line whose candidates all last no time is left out."""
    starts = sorted(span.start for span in (*(each.span for each in heard.utterances), *heard.unheard))
    shots = sorted(shot.span.start for shot in heard.shots)
    gap = flicks(settings.gap_s)
    frame = round(FLICKS_PER_SECOND / heard.video.frame_rate)
    planned: list[timing.ChunkTiming] = []
    carry = 0
    for chunk, group in zip(heard.chunks, script, strict=True):
        last = max((each.utterance.span.start for each in group), default=chunk.span.end)
        following = bisect_right(starts, last)
        to_time = timing.ChunkToTime(
            span=chunk.span,
            lines=tuple(line for each in group if (line := _to_time(each, durations, shots)) is not None),
            still=_still(chunk.span, heard),
            frame=frame,
            until=starts[following] - gap if following < len(starts) else heard.video.span.end,
        )
        planned.append(timing.plan_timing(to_time, settings, carry))
        carry = planned[-1].carry
    return tuple(planned)


def _to_time(line: ScriptLine, durations: Durations, shots: Sequence[Flicks]) -> timing.Line | None:
    hypotheses = line.translation.hypotheses
    lengths = [durations(line, each.text) for each in hypotheses]
    losses = timing.meaning_loss(hypotheses)
    readings = tuple(
        timing.Reading(index, length, loss)
        for index, (length, loss) in enumerate(zip(lengths, losses, strict=True))
        if length > 0
    )
    if not readings:
        return None
    span = line.utterance.span
    shot = bisect_right(shots, span.start) - 1
    return timing.Line(
        utterance_id=line.utterance.id,
        span=span,
        # Speech never leads into the shot before: what it speaks of is not shown there.
        earliest=shots[shot] if shot >= 0 else 0,
        readings=readings,
        pinned=line.pinned,
    )


def _still(chunk: Span, heard: Heard) -> tuple[Span, ...]:
    """Where the picture may wait: nobody's face is in it. Nowhere, where faces were not looked for."""
    if not heard.faces_followed:
        return ()
    shown = [*(track.span for track in heard.tracks), *heard.unseen]
    return gaps([span for span in shown if span.overlaps(chunk)], chunk)


def without(script: Script, chunks: Collection[int]) -> Script:
    """The script with nothing to say in `chunks` (by their place)."""
    return tuple(() if place in chunks else group for place, group in enumerate(script))


def fixed(script: Script, timings: Sequence[timing.ChunkTiming]) -> Script:
    """The script with no candidate but the reading that the plan chose; lines without a plan say nothing."""
    chosen = {each.utterance_id: each.reading for planned in timings for each in planned.lines}
    return tuple(
        tuple(_read(line, chosen[line.utterance.id]) for line in group if line.utterance.id in chosen)
        for group in script
    )


def _read(line: ScriptLine, index: int) -> ScriptLine:
    reading = line.translation.hypotheses[index]
    translation = dataclasses.replace(line.translation, text=reading.text, hypotheses=(reading,))
    return dataclasses.replace(line, translation=translation, reading=index)
