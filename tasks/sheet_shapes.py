"""How the rows of a sheet cut the lecture into lines: which rows are whole utterances, parts of one, or several joined.

A row's id says it: `bdfk-0003-002` is an utterance, `bdfk-0003-002.1` its first part, `bdfk-0003-002+003` two joined
(`bdfk-0003-002+bdfk-0003-003` is understood too). A row with an id that no run has written yet is given a row of the
machine's own to be compared with, as far as one can be told before the next run.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

from infra.csv_rows import Row
from manifests.records import Edit, SheetRow, SourceLine
from manifests.time import Span
from tasks.sheet_cells import on_one_line
from tasks.split_lines import JOINED, SPLIT, joined_id, part_id

MOST_PARTS = 9

_SHAPE = re.compile(
    r"(?P<tag>[a-z]{4})-(?P<chunk>\d{4,})-(?P<first>\d{3,})(?:\.(?P<part>\d)|(?P<others>(?:\+\d{3,})+))?"
)

Problem = Callable[[Row, str, str, str], None]
"""Keeps a problem of a row: its column, what is wrong, what to do."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A row with what it is compared with: as it was `written`, the newest first.

    Where no run has written it, `copied` are times that it may have from the rows that it was made from, which say
    nothing, and `within` is where a part of an utterance may be put.
    """

    row: Row
    written: tuple[SheetRow, ...]
    copied: tuple[Span, ...] = ()
    within: Span | None = None


def plain_id(name: str) -> str:
    """A row's id as redub writes it."""
    first, *others = name.replace(" ", "").split("+")
    return "+".join([first, *(other.removeprefix(f"{_chunk(first)}-") for other in others)])


def made_of(row: SheetRow) -> tuple[SourceLine, ...]:
    """The utterances that a row is, or is made of."""
    own = SourceLine(utterance_id=row.utterance_id, span=row.machine_span, text=row.machine_source)
    return row.made_of or (own,)


def shape_edits(rows: Iterable[SheetRow]) -> list[Edit]:
    """The edits by which `rows` are split and joined."""
    edits: list[Edit] = []
    parts: dict[str, list[SheetRow]] = defaultdict(list)
    for row in rows:
        if len(row.made_of) == 1:
            parts[row.made_of[0].utterance_id].append(row)
        if len(row.made_of) > 1:
            edits.extend(_shaped(row, each, JOINED, row.utterance_id) for each in row.made_of)
    for group in parts.values():
        ordered = sorted(group, key=lambda row: row.utterance_id)
        counts = list(accumulate(len(row.machine_source.split()) for row in ordered))
        edits.append(_shaped(ordered[0], ordered[0].made_of[0], SPLIT, " ".join(map(str, counts[:-1]))))
    return edits


def _shaped(row: SheetRow, line: SourceLine, column: str, value: str) -> Edit:
    return Edit(
        utterance_id=line.utterance_id, language=row.language, column=column, value=value, heard=line.text, span=None
    )


class Shapes:
    """The cutting that the rows of a CSV make of the lines that a run has `known`, by row id."""

    def __init__(self, known: Mapping[str, SheetRow], problem: Problem) -> None:
        self._known, self._problem = known, problem
        self._lines: dict[str, SourceLine] = {}
        self._holder: dict[str, SheetRow] = {}
        for name, row in known.items():
            for whole, line in zip(_wholes(name), made_of(row), strict=False):
                self._lines[whole] = line
                self._holder.setdefault(whole, row)
        self._taken: dict[str, Row] = {}

    def stand(self, rows: Sequence[Row]) -> list[Standing]:
        """What each of `rows` that can be told is compared with; problems of the others are kept."""
        seen: dict[str, Row] = {}
        for row in rows:
            name = plain_id(row["id"])
            if name in seen:
                what = f"{name!r} stands in row {seen[name].number} already;"
                self._problem(row, "id", what, "give each utterance one row.")
            else:
                seen[name] = row
        parts: dict[str, dict[int, Row]] = defaultdict(dict)
        standing: list[Standing] = []
        for name, row in seen.items():
            match = _SHAPE.fullmatch(name)
            if match is None or not set(_wholes(name)) <= self._lines.keys():
                if name in self._known and match is None:
                    standing.append(Standing(row, (self._known[name],)))
                else:
                    self._refuse_unknown(row, name)
            elif match["part"]:
                parts[_wholes(name)[0]][int(match["part"])] = row
            elif self._take(row, _wholes(name)) and (each := self._whole(row, name)) is not None:
                standing.append(each)
        for whole, group in parts.items():
            standing += self._parts(whole, group)
        return standing

    def missing(self) -> list[str]:
        """The ids of utterances that no row stands for."""
        return [whole for whole in self._lines if whole not in self._taken]

    def _refuse_unknown(self, row: Row, name: str) -> None:
        tag = next(iter(self._known)).partition("-")[0] if self._known else name.partition("-")[0]
        if name.partition("-")[0] != tag:
            what = f"{name!r} is of the sheet of another lecture or language;"
            remedy = "bring back the sheet of this one, or move the sheet away to start from a new one."
            self._problem(row, "id", what, remedy)
            return
        if "+" in name and set(name.split("+")) <= self._lines.keys():
            self._refuse_far(row, name)
            return
        remedy = "leave the ids as the run wrote them; to split a line add .1 and .2 to its id, to join two write +."
        self._problem(row, "id", f"there is no utterance {name!r};", remedy)

    def _refuse_far(self, row: Row, name: str) -> None:
        what = f"the lines of {name!r} do not follow each other in one chunk;"
        self._problem(row, "id", what, "join lines that are neighbours, whose ids have the same second number.")

    def _take(self, row: Row, wholes: Sequence[str]) -> bool:
        for whole in wholes:
            if whole in self._taken:
                what = f"{whole!r} stands in row {self._taken[whole].number} already ({self._taken[whole]['id']});"
                self._problem(row, "id", what, "give each utterance one row: whole, in parts, or joined.")
                return False
        self._taken.update(dict.fromkeys(wholes, row))
        return True

    def _whole(self, row: Row, name: str) -> Standing | None:
        """A line as it was heard, or several that are joined."""
        if name in self._known:
            return Standing(row, (self._known[name],))
        wholes = _wholes(name)
        order = list(self._lines)
        places = [order.index(whole) for whole in wholes]
        if places != list(range(places[0], places[0] + len(places))) or len({_chunk(whole) for whole in wholes}) > 1:
            self._refuse_far(row, name)
            return None
        lines = [self._lines[whole] for whole in wholes]
        utterance_id = lines[0].utterance_id if len(lines) == 1 else joined_id([each.utterance_id for each in lines])
        made = self._made(wholes[0], name, utterance_id, " ".join(each.text for each in lines), lines)
        written = [each.span for each in self._known.values() if set(_wholes(each.id)) & set(wholes)]
        return Standing(row, (made,), copied=(*written, Span.hull(written)))

    def _parts(self, whole: str, group: Mapping[int, Row]) -> list[Standing]:
        """The parts of one line, in their order."""
        rows = [group[number] for number in sorted(group)]
        if not self._take(rows[0], (whole,)):
            return []
        if sorted(group) != list(range(1, len(group) + 1)) or len(group) < 2:
            lacking = next(number for number in range(1, MOST_PARTS + 2) if number not in group)
            what = f"part {lacking} of {whole!r} is missing;"
            remedy = (
                f"number the parts from 1, at least two ({whole}.1, {whole}.2), or write {whole} for the whole line."
            )
            self._problem(rows[-1], "id", what, remedy)
            return []
        names = [f"{whole}.{number}" for number in sorted(group)]
        before = {name for name in self._known if name.startswith(f"{whole}.")}
        if before == set(names):
            return [Standing(row, (self._known[name],)) for row, name in zip(rows, names, strict=True)]
        line = self._lines[whole]
        texts = _cut_like(line.text, [on_one_line(row["source"]) for row in rows])
        if texts is None:
            what = f"it does not say which words of {line.text!r} are of this part;"
            self._problem(rows[-1], "source", what, "give each part the words that it stands for.")
            return []
        written = [each.span for each in self._known.values() if whole in _wholes(each.id)]
        within = Span.hull([*written, line.span])
        return [
            Standing(
                row,
                (self._made(whole, name, part_id(line.utterance_id, number), text, [line]),),
                copied=(*written, Span.hull(written)),
                within=within,
            )
            for number, (row, name, text) in enumerate(zip(rows, names, texts, strict=True), start=1)
        ]

    def _made(self, whole: str, name: str, utterance_id: str, text: str, lines: Sequence[SourceLine]) -> SheetRow:
        """What the machine would have written, as far as it is known: the translation is not."""
        holder = self._holder[whole]
        span = Span.hull(each.span for each in lines)
        plain = len(lines) == 1 and utterance_id == lines[0].utterance_id
        return dataclasses.replace(
            holder,
            id=name,
            utterance_id=utterance_id,
            span=span,
            speaker=holder.machine_speaker,
            voice=holder.machine_voice,
            source=text,
            translation="",
            check="",
            note="",
            machine_span=span,
            machine_source=text,
            machine_translation="",
            edited=(),
            made_of=() if plain else tuple(lines),
        )


def _wholes(name: str) -> tuple[str, ...]:
    """The ids of the whole lines that a row's id names."""
    whole = name.partition(".")[0]
    first, *others = whole.split("+")
    chunk = first.rpartition("-")[0]
    return (first, *(f"{chunk}-{other}" for other in others))


def _chunk(whole: str) -> str:
    return whole.rpartition("-")[0]


def _cut_like(text: str, given: Sequence[str]) -> list[str] | None:
    """`text` in as many pieces as `given`, each with the words that a piece of `given` has, mended as these may be.

    One piece may be empty: it has what the others leave. None where a piece would have no word.
    """
    words = text.split()
    pieces = [each.split() for each in given]
    if sum(not piece for piece in pieces) > 1:
        return None
    written = [word for piece in pieces for word in piece]
    matcher = SequenceMatcher(None, words, written, autojunk=False)
    ends = list(accumulate(len(piece) for piece in pieces))
    empty = next((place for place, piece in enumerate(pieces) if not piece), None)
    cuts = []
    for place, end in enumerate(ends[:-1]):
        # Before an empty piece the words end where the last of them was found, behind it where the next one is.
        cuts.append(_behind(matcher, end, len(words)) if empty is None or place < empty else _before(matcher, end))
    borders = [0, *cuts, len(words)]
    if any(end <= start for start, end in pairwise(borders)):
        return None
    return [" ".join(words[start:end]) for start, end in pairwise(borders)]


def _behind(matcher: SequenceMatcher[str], end: int, last: int) -> int:
    """How many of the words are used up by the first `end` that were written."""
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if new_from < end <= new_to:
            if kind == "equal":
                return old_from + end - new_from
            share = (end - new_from) / max(new_to - new_from, 1)
            return min(old_from + round((old_to - old_from) * share), last)
    return last


def _before(matcher: SequenceMatcher[str], end: int) -> int:
    """Which of the words is the one that was written after the first `end`."""
    for kind, old_from, _, new_from, new_to in matcher.get_opcodes():
        if new_from <= end < new_to:
            return old_from + (end - new_from if kind == "equal" else 0)
    return 0
