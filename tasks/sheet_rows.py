"""What the sheet says of each line: where it is heard, who says what, and what deserves a look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from manifests.clock import HeldClock
from manifests.records import (
    Casting,
    Edit,
    LectureSpeaker,
    Placement,
    SheetRow,
    SourceLine,
    Translation,
    Utterance,
    Video,
)
from manifests.time import Span, flicks, seconds
from tasks.mending import mended_speakers, mended_utterances, pinned_spans, pinned_voices
from tasks.sheet import row_id
from tasks.sheet_cells import SILENCE, TIMES
from tasks.split_lines import cut_again, members, speakers_of

_UNSURE_WORD = 0.5
_UNSURE_SENTENCE = 0.75
_UNSURE_TRANSLATION = -0.5
_FAST, _SLOW = 1.2, 0.85
_OVERRUN = flicks(0.05)
_LONG, _SHORT = 2.5, 0.3
_DENSE_SCRIPTS = ("ja", "zh")
_UNHELD = HeldClock()


def sheet_rows(
    *,
    video: Video,
    language: str,
    utterances: Sequence[Utterance],
    translations: Sequence[Translation],
    speakers: Sequence[LectureSpeaker],
    castings: Sequence[Casting],
    placements: Sequence[Placement] = (),
    clock: HeldClock = _UNHELD,
    edits: Sequence[Edit] = (),
    earlier: Iterable[SheetRow] = (),
) -> tuple[SheetRow, ...]:
    """One row a line, in their order: an utterance, or what `edits` split and join.

    `utterances` and `speakers` are as the machine found them, `translations` as it made them (of lines that a person
    split, joined or mended, where one did; none of those before they are translated), `castings` its choice for
    `language`. `placements` are on the dub's clock, `clock`; a line without one stands where the source says it.
    `earlier` rows tell where a line that is pinned now would stand.
    """
    by_utterance = {each.utterance_id: each for each in translations}
    placed = {each.utterance_id: each for each in placements}
    lines = cut_again(utterances, edits)
    heard = {each.id: each for each in utterances}
    speakers = speakers_of(speakers, lines)
    machine_speaker = _speaker_of(speakers)
    speaker = _speaker_of(mended_speakers(speakers, edits))
    cast = {each.speaker_id: each.voice_id for each in castings if each.language == language}
    voices, pins, before = pinned_voices(edits), pinned_spans(edits), {each.utterance_id: each for each in earlier}
    cells: dict[str, dict[str, str]] = {}
    for edit in edits:
        cells.setdefault(edit.utterance_id, {})[edit.column] = edit.value
    rows = []
    for machine, mended in zip(lines, mended_utterances(lines, edits), strict=True):
        edited = cells.get(machine.id, {})
        placement, translation = placed.get(machine.id), by_utterance.get(machine.id)
        span = _on_source(placement, clock) if placement else machine.span
        text = _spoken(translation, placement) if translation else ""
        worry, check = _look(machine, translation, text, placement, language, edited)
        machine_voice = cast.get(speaker.get(machine.id, ""), "")
        own = before[machine.id].machine_span if TIMES in edited and machine.id in before else span
        rows.append(
            SheetRow(
                id=row_id(machine.id, language),
                utterance_id=machine.id,
                video_id=video.id,
                language=language,
                lecture=video.span,
                span=pins.get(machine.id, span),
                speaker=speaker.get(machine.id, ""),
                voice=voices.get(machine.id, machine_voice),
                source=mended.text,
                translation=edited.get("translation", text),
                check=check,
                note=edited.get("note", ""),
                worry=worry,
                machine_span=own,
                machine_speaker=machine_speaker.get(machine.id, ""),
                machine_voice=machine_voice,
                machine_source=machine.text,
                machine_translation=text,
                edited=tuple(sorted(edited)),
                made_of=_made_of(machine, heard),
            )
        )
    return tuple(rows)


def _made_of(line: Utterance, heard: Mapping[str, Utterance]) -> tuple[SourceLine, ...]:
    if line.id in heard:
        return ()
    parts = (heard[name] for name in members(line.id))
    return tuple(SourceLine(utterance_id=each.id, span=each.span, text=each.text) for each in parts)


def _speaker_of(speakers: Sequence[LectureSpeaker]) -> dict[str, str]:
    return {utterance_id: each.id for each in speakers for utterance_id in each.utterance_ids}


def _on_source(placement: Placement, clock: HeldClock) -> Span:
    return Span(clock.source_time(placement.span.start), clock.source_time(placement.span.end))


def _spoken(translation: Translation, placement: Placement | None) -> str:
    """The candidate that is spoken, else the one that would be."""
    if placement is not None and placement.reading < len(translation.hypotheses):
        return translation.hypotheses[placement.reading].text
    return translation.text


def _look(
    heard: Utterance,
    translation: Translation | None,
    text: str,
    placement: Placement | None,
    language: str,
    edited: Mapping[str, str],
) -> tuple[float, str]:
    """How much a line deserves a look, and why in words. What a person wrote is taken to be right."""
    reasons: list[tuple[float, str]] = []
    unsure = 0.0
    if edited.get("translation") == SILENCE:
        return 0.0, ""
    if "translation" not in edited:
        if "source" not in edited:
            unsure += _unsureness(heard)
            reasons += _heard_unsurely(heard)
        if translation is not None and translation.hypotheses:
            unsure += min(-translation.hypotheses[0].score, 3.0) / 2
        reasons += _translated_unsurely(heard.text, translation, text, language)
    if placement is not None:
        reasons += _ill_timed(placement)
    worry = unsure + sum(weight for weight, _ in reasons)
    return round(worry, 4), "; ".join(reason for _, reason in sorted(reasons, key=lambda each: -each[0]))


def _unsureness(heard: Utterance) -> float:
    if not heard.words:
        return 0.0
    return 1 - fmean(word.confidence for word in heard.words) / 2 - min(word.confidence for word in heard.words) / 2


def _heard_unsurely(heard: Utterance) -> list[tuple[float, str]]:
    if not heard.words:
        return []
    mean = fmean(word.confidence for word in heard.words)
    if mean < _UNSURE_SENTENCE:
        return [(2 * (1 - mean), f"heard unsurely ({mean:.0%})")]
    doubtful = [word for word in heard.words if word.confidence < _UNSURE_WORD]
    worst = min((word.confidence for word in doubtful), default=1.0)
    words = ", ".join(word.text.strip(".,;:!?") for word in doubtful[:3])
    return [(1 - worst, f"heard unsurely: {words}")] if doubtful else []


def _translated_unsurely(
    source: str, translation: Translation | None, text: str, language: str
) -> list[tuple[float, str]]:
    if translation is None:
        return [(0.5, "not translated yet")]
    if not text.strip():
        return [(2.0, "nothing is said")]
    reasons = [(1.0, warning) for warning in translation.warnings]
    score = translation.hypotheses[0].score if translation.hypotheses else 0.0
    if score < _UNSURE_TRANSLATION:
        reasons.append((min(_UNSURE_TRANSLATION - score, 2.0), "translated unsurely"))
    ratio = len(text) / max(len(source), 1)
    if len(source) >= 20 and ratio > _LONG:
        reasons.append((1.0, "much longer than what was said"))
    if len(source) >= 20 and ratio < (_SHORT / 3 if language in _DENSE_SCRIPTS else _SHORT):
        reasons.append((1.0, "much shorter than what was said"))
    return reasons


def _ill_timed(placement: Placement) -> list[tuple[float, str]]:
    reasons = []
    if placement.rate > _FAST + 1e-6:
        reasons.append((5 * (placement.rate - _FAST), f"fast: {placement.rate:.2f} x"))
    if placement.rate < _SLOW - 1e-6:
        reasons.append((5 * (_SLOW - placement.rate), f"slow: {placement.rate:.2f} x"))
    if placement.overrun > _OVERRUN:
        late = seconds(placement.overrun)
        reasons.append((1 + late, f"runs over by {late:.1f} s"))
    return reasons
