"""Lines in another cutting: an utterance that a person split, neighbours that a person joined.

Pure functions over records. What the machine heard stays as it is; a split or joined line is an utterance of its own
beside it, whose id says what it is made of: `.../utterance00012.1` is a part, `.../utterance00012+00013` two joined.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from manifests.records import Edit, LectureSpeaker, Utterance, Word
from manifests.time import Span
from tasks.retiming import retimed

SPLIT, JOINED = "split", "joined"
"""Columns of edits that cut lines anew. SPLIT holds after how many of the heard words each cut is, as in "7" or "3 9";
JOINED, one at each of the neighbours, the id of the line that they become."""


def part_id(utterance_id: str, number: int) -> str:
    """The id of the part `number`, from 1, of an utterance."""
    return f"{utterance_id}.{number}"


def joined_id(utterance_ids: Sequence[str]) -> str:
    """The id of neighbours of one chunk that are one line."""
    return "+".join([utterance_ids[0], *(_digits(each) for each in utterance_ids[1:])])


def members(line_id: str) -> tuple[str, ...]:
    """The ids of the utterances, as heard, that a line is made of."""
    chunk, slash, line = line_id.rpartition("/")
    whole = line.partition(".")[0]
    first, *others = whole.split("+")
    kind = first.removesuffix(_digits(first))
    return (f"{chunk}{slash}{first}", *(f"{chunk}{slash}{kind}{each}" for each in others))


def cut_again(utterances: Sequence[Utterance], edits: Iterable[Edit]) -> tuple[Utterance, ...]:
    """`utterances` as `edits` split and join them, in their order; those untouched are the same records."""
    cuts = {edit.utterance_id: [int(each) for each in edit.value.split()] for edit in edits if edit.column == SPLIT}
    joined = {edit.utterance_id: edit.value for edit in edits if edit.column == JOINED}
    by_id = {each.id: each for each in utterances}
    lines: list[Utterance] = []
    for each in utterances:
        if each.id in cuts:
            lines.extend(_parts(each, cuts[each.id]))
        elif each.id not in joined:
            lines.append(each)
        elif each.id == members(joined[each.id])[0]:
            lines.append(_joined(joined[each.id], [by_id[name] for name in members(joined[each.id])]))
    return tuple(lines)


def speakers_of(speakers: Sequence[LectureSpeaker], lines: Sequence[Utterance]) -> tuple[LectureSpeaker, ...]:
    """`speakers` with the ids of `lines`: parts are said by who says the whole, joined lines by who says the first."""
    owner = {name: speaker.id for speaker in speakers for name in speaker.utterance_ids}
    given: dict[str, list[str]] = {speaker.id: [] for speaker in speakers}
    for line in lines:
        if (speaker_id := owner.get(members(line.id)[0])) is not None:
            given[speaker_id].append(line.id)
    return tuple(
        each
        if set(given[each.id]) == set(each.utterance_ids)
        else dataclasses.replace(each, utterance_ids=tuple(given[each.id]))
        for each in speakers
    )


def gains_of(gains: Mapping[str, float], lines: Iterable[Utterance]) -> dict[str, float]:
    """Gains in dB by the ids of `lines`: what their first utterance has."""
    return {line.id: gains[name] for line in lines if (name := members(line.id)[0]) in gains}


def _digits(utterance_id: str) -> str:
    return utterance_id[len(utterance_id.rstrip("0123456789")) :]


def _timed_words(utterance: Utterance) -> tuple[Word, ...]:
    """Its words, one for each that its text shows, so that a count of words means the same to everybody."""
    if [word.text for word in utterance.words] == utterance.text.split():
        return utterance.words
    return retimed(utterance.words, utterance.text, utterance.span)


def _parts(utterance: Utterance, cuts: Sequence[int]) -> list[Utterance]:
    words = _timed_words(utterance)
    borders = [0, *(min(cut, len(words)) for cut in cuts), len(words)]
    parts = []
    for number, (start, end) in enumerate(pairwise(borders), start=1):
        own = words[start:end]
        begin = own[0].span.start if own and number > 1 else utterance.span.start
        until = own[-1].span.end if own and number < len(borders) - 1 else utterance.span.end
        parts.append(
            dataclasses.replace(
                utterance,
                id=part_id(utterance.id, number),
                span=Span(begin, max(begin, until)),
                text=" ".join(word.text for word in own),
                words=own,
            )
        )
    return parts


def _joined(line_id: str, utterances: Sequence[Utterance]) -> Utterance:
    return dataclasses.replace(
        utterances[0],
        id=line_id,
        span=Span.hull(each.span for each in utterances),
        text=" ".join(each.text for each in utterances),
        words=tuple(word for each in utterances for word in _timed_words(each)),
    )
