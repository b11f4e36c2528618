"""Mending: what a person changed in a sheet, laid over what the machine found; and what that costs to do again.

Pure functions over records. What the machine finds never depends on an edit, so an edit that is taken back meets the
work of before in the cache.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from manifests.errors import BadInput
from manifests.records import Chunk, Edit, Hypothesis, LectureSpeaker, Translation, Utterance
from manifests.time import Span
from tasks.retiming import retimed
from tasks.sheet_cells import SILENCE
from tasks.split_lines import JOINED, SPLIT, cut_again, members

WORDED = frozenset({"source", "translation", "speaker", "voice", SPLIT, JOINED})
"""Edits that change what a line sounds like."""

_SPOKEN = WORDED | {"times"}
_SAID_ELSEWHERE = (
    "run with the settings of before, take the edits of that line back, or move the sheet away to start from a new one."
)


def require_current(
    edits: Iterable[Edit], utterances: Sequence[Utterance], speakers: Iterable[LectureSpeaker], where: str
) -> None:
    """Whether `edits`, made in the sheet `where`, are about these utterances and speakers.

    BadInput where they are of another recording, or where another sentence is heard there by now.
    """
    heard = {each.id: each.text for each in utterances}
    known = {each.id for each in speakers}
    edits = tuple(edits)
    shapes = [edit for edit in edits if edit.column in (SPLIT, JOINED)]
    _require_heard(shapes, heard, known, where)
    lines = {each.id: each.text for each in cut_again(utterances, shapes)}
    _require_heard([edit for edit in edits if edit.column not in (SPLIT, JOINED)], lines, known, where)


def _require_heard(edits: Iterable[Edit], heard: Mapping[str, str], known: Collection[str], where: str) -> None:
    recordings = {_recording(each) for each in heard}
    for edit in edits:
        if _recording(edit.utterance_id) not in recordings:
            what = "its edits are of another recording, or of this one before it was changed;"
            raise BadInput(what, where=where, remedy="move the sheet away to start from a new one.")
        if edit.utterance_id not in heard:
            what = f"the line {edit.heard!r} was edited, and nothing is heard there now;"
            raise BadInput(what, where=where, remedy=_SAID_ELSEWHERE)
        if heard[edit.utterance_id] != edit.heard:
            what = f"the line {edit.heard!r} was edited, and {heard[edit.utterance_id]!r} is heard there now;"
            raise BadInput(what, where=where, remedy=_SAID_ELSEWHERE)
        if edit.column == "speaker" and edit.value not in known:
            what = f"{edit.heard!r} was given to {edit.value}, and there is no such speaker now;"
            raise BadInput(what, where=where, remedy=f"there are: {', '.join(sorted(known))}.")


def mended_utterances(utterances: Sequence[Utterance], edits: Iterable[Edit]) -> tuple[Utterance, ...]:
    """`utterances`, as `cut_again` gives them, with the source texts that a person wrote.

    Their words keep their times as far as they stayed.
    """
    texts = _values(edits, "source")
    return tuple(
        dataclasses.replace(each, text=texts[each.id], words=retimed(each.words, texts[each.id], each.span))
        if each.id in texts
        else each
        for each in utterances
    )


def mended_translations(translations: Sequence[Translation], edits: Iterable[Edit]) -> tuple[Translation, ...]:
    """`translations` with those that a person wrote: one reading, taken as it is. A lone `-` says nothing."""
    texts = _values(edits, "translation")
    return tuple(
        _mended(each, texts[each.utterance_id]) if each.utterance_id in texts else each for each in translations
    )


def mended_speakers(speakers: Sequence[LectureSpeaker], edits: Iterable[Edit]) -> tuple[LectureSpeaker, ...]:
    """`speakers` with the utterances that a person gave to another of them. Nobody goes, even without a line left."""
    moved = _values(edits, "speaker")
    if not moved:
        return tuple(speakers)
    given: dict[str, set[str]] = {each.id: set() for each in speakers}
    for speaker in speakers:
        for utterance_id in speaker.utterance_ids:
            given[moved.get(utterance_id, speaker.id)].add(utterance_id)
    # Ids sort by chunk and place, which is the order in which they are heard.
    return tuple(
        each
        if given[each.id] == set(each.utterance_ids)
        else dataclasses.replace(each, utterance_ids=tuple(sorted(given[each.id])))
        for each in speakers
    )


def pinned_voices(edits: Iterable[Edit]) -> dict[str, str]:
    """The voice ids that a person gave to utterances, by utterance id."""
    return _values(edits, "voice")


def pinned_spans(edits: Iterable[Edit]) -> dict[str, Span]:
    """Where a person wants lines heard, on the source's clock, by utterance id."""
    return {edit.utterance_id: edit.span for edit in edits if edit.span is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """What a change of edits touches, by id, in the lecture's order.

    `lines` are the utterances of which a cell changed; `spoken` those that must be spoken or placed again; `translated`
    the chunks that are translated again, `rendered` those whose sound, and so picture, changes.
    """

    lines: tuple[str, ...]
    spoken: tuple[str, ...]
    translated: tuple[str, ...]
    rendered: tuple[str, ...]


def affected(
    before: Collection[Edit],
    now: Collection[Edit],
    utterances: Sequence[Utterance],
    chunks: Sequence[Chunk],
    heard: Mapping[str, Span] | None = None,
) -> Affected:
    """What is done again when the edits `before` become those of `now`.

    `heard` is where lines are dubbed so far, on the source's clock, by utterance id: a chunk into which a line runs
    hears it too.
    """
    changed: dict[str, set[str]] = {}
    for edit in set(before) ^ set(now):
        changed.setdefault(edit.utterance_id, set()).add(edit.column)
    recut = {name for name, columns in changed.items() if columns & {SPLIT, JOINED}}
    columns = {
        line.id: changed.get(line.id, set()) | ({SPLIT} if recut & set(members(line.id)) else set())
        for line in cut_again(utterances, now)
    }
    lines = [line for line in cut_again(utterances, now) if columns[line.id]]
    spoken = [line for line in lines if columns[line.id] & _SPOKEN]
    translated = {line.chunk_id for line in lines if columns[line.id] & {"source", SPLIT}}
    pins = pinned_spans([*before, *now])
    rendered = {each.chunk_id for each in spoken}
    for each in spoken:
        places = [pins.get(each.id), *((heard or {}).get(name) for name in (each.id, *members(each.id)))]
        rendered |= {chunk.id for chunk in chunks for span in places if span is not None and chunk.span.overlaps(span)}
    return Affected(
        lines=tuple(each.id for each in lines),
        spoken=tuple(each.id for each in spoken),
        translated=tuple(chunk.id for chunk in chunks if chunk.id in translated),
        rendered=tuple(chunk.id for chunk in chunks if chunk.id in rendered),
    )


def told(change: Affected) -> str:
    """`change` as a person reads it, as in "2 lines changed: 2 clips spoken again, 1 chunk rendered"."""
    if not change.lines:
        return "no line changed"
    clips = f"{_count(len(change.spoken), 'clip')} spoken again, {_count(len(change.rendered), 'chunk')} rendered"
    return f"{_count(len(change.lines), 'line')} changed: {clips if change.spoken else 'nothing to do again'}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _recording(utterance_id: str) -> str:
    return utterance_id.partition("/")[0]


def _values(edits: Iterable[Edit], column: str) -> dict[str, str]:
    return {edit.utterance_id: edit.value for edit in edits if edit.column == column}


def _mended(translation: Translation, text: str) -> Translation:
    said = "" if text == SILENCE else text
    hypotheses = (Hypothesis(text=said, score=0.0),) if said else ()
    return dataclasses.replace(translation, text=said, hypotheses=hypotheses, warnings=())
