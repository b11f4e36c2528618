"""The rounds in which the lines of a language are spoken: which reading of each, how fast, and what a person changed.

Each round finds what the one before has spoken. First the readings that the duration model expects to fit: their true
lengths calibrate it, voice by voice. Then the readings that the calibrated plan prefers, a person's edits among them.
Last, each at the rate of the plan, where its synthesizer can. The first round never knows of edits, so an edit does not
move the model, and with it the readings of other lines; and an edited line waits for the last round, so that it is
spoken once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from manifests.records import Edit, Translation, Utterance
from models.speech.contract import Pronunciation
from tasks import engines, glossary, isolation, mending, script, speak, split_lines, timing, translate
from tasks.drafting import Draft, translate_groups
from tasks.pool import Pending, Pool
from tasks.settings import DubSettings

Out = TypeVar("Out")


class Lost(Exception):
    """Speech that could not be made; `chunks` are the places of those that it belongs to."""

    def __init__(self, chunks: Collection[int]) -> None:
        self.chunks = frozenset(chunks)


@dataclass(frozen=True, slots=True)
class Cast:
    """What speaks beside the table's voices, and how terms are said."""

    imitated: Mapping[str, speak.ClonedVoice]
    pronunciations: tuple[Pronunciation, ...]


def cast_of(draft: Draft, imitated: Mapping[str, speak.ClonedVoice]) -> Cast:
    """The cast of a draft, with what cloned voices, by id, are made from."""
    return Cast(imitated, glossary.pronunciations(draft.glossary, draft.language))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLines:
    """The lines as they are to be spoken: each with the one reading that was chosen, its place and its rate.

    `utterances` are as a person split, joined and mended them; `proposed` the machine's translations of them,
    `translations` those with a person's own among them. `rates` are by utterance, above 1 for faster.
    """

    utterances: tuple[Utterance, ...]
    proposed: tuple[Translation, ...]
    translations: tuple[Translation, ...]
    lines: script.Script
    timings: tuple[timing.ChunkTiming, ...]
    rates: Mapping[str, float]


def first_round(draft: Draft, cast: Cast, kept: Collection[int], settings: DubSettings, pool: Pool) -> script.Durations:
    """How long lines take, as the voices of this dub were heard to speak, whatever a person changed. Lost."""
    heard = draft.heard
    unedited = script.without(script.write_script(draft, heard.utterances, draft.translations, ()), kept)
    expected = script.predicted({})
    trial = script.fixed(unedited, script.plan(unedited, expected, heard, settings.timing))
    spoken = speak_lines(trial, {}, draft, cast, pool)
    expected = script.predicted(script.heard_lengths(spoken, trial))
    return script.known(spoken, trial, expected)


def plan_lines(
    draft: Draft,
    edits: Sequence[Edit],
    durations: script.Durations,
    cast: Cast,
    kept: frozenset[int],
    settings: DubSettings,
    pool: Pool,
) -> PlannedLines:
    """The second round, and the plan that the third speaks by. Lost where a chunk came to nothing."""
    heard = draft.heard
    utterances = mending.mended_utterances(split_lines.cut_again(heard.utterances, edits), edits)
    proposed = _translated(draft, utterances, edits, settings, pool)
    translations = mending.mended_translations(proposed, edits)
    if untold := _untold(draft, utterances, translations, edits, pool) - kept:
        raise Lost(untold)
    lines = script.without(script.write_script(draft, utterances, translations, edits), kept)
    chosen = script.fixed(lines, script.plan(lines, durations, heard, settings.timing))
    unedited = _unedited(chosen, edits, draft)
    spoken = speak_lines(unedited, {}, draft, cast, pool)
    timings = script.plan(chosen, script.known(spoken, unedited, durations), heard, settings.timing)
    return PlannedLines(
        utterances=utterances,
        proposed=proposed,
        translations=translations,
        lines=chosen,
        timings=timings,
        rates={each.utterance_id: each.rate for planned in timings for each in planned.lines},
    )


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


def _unedited(lines: script.Script, edits: Sequence[Edit], draft: Draft) -> script.Script:
    """The lines that no edit gives other words or another voice.

    A line that was edited is planned by what the calibrated model expects, and so spoken once, at the plan's rate.
    """
    heard = {each.id for each in draft.heard.utterances}
    edited = {edit.utterance_id for edit in edits if edit.column in mending.WORDED}
    untouched = heard - edited
    return tuple(tuple(line for line in group if line.utterance.id in untouched) for group in lines)


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


def speak_lines(
    lines: script.Script,
    rates: Mapping[str, float],
    draft: Draft,
    cast: Cast,
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
    return whole(spoken)


def whole(pending: Pending[Out]) -> Sequence[Out]:
    """What the chunks came to. Lost where one of them came to nothing."""
    values = pending.values()
    if failures := pending.failures():
        raise Lost(failures)
    return values
