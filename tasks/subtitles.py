"""Subtitles from utterances: lines that fit the picture, broken at phrases, in cues that can be read in their time.

One dynamic programme cuts all pieces of text into cues: it weighs where phrases break, how fast a cue must be read, how
short it shows, and what pauses it spans. Then each cue starts with its speech and may last into the silence after it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise

from infra.subtitles import Cue
from manifests.languages import LANGUAGES
from manifests.records import Word
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks, seconds
from tasks.phrases import SENTENCE, Piece, break_costs, columns, ends_clause, ends_sentence, joined, pieces
from tasks.phrases import right_to_left_line as _right_to_left

LINE_CHARACTERS = 42
LINES = 2
CHARACTERS_PER_SECOND = 17
SHORTEST: Flicks = flicks(Fraction(5, 6))
GAP_FRAMES = 2

_LONGEST: Flicks = flicks(7)
_LATEST: Flicks = flicks(Fraction(1, 2))  # by how much a cue may start late to leave the one before its shortest time
_FLOOR: Flicks = flicks(Fraction(1, 5))  # less than this is seen as a flicker
_APART: Flicks = flicks(2)  # a pause that no cue spans
_LONG_PAUSE_S = 0.6
_COMMA, _FULL_STOP = 3, 6  # pauses of a voice, in characters

_RIGHT_TO_LEFT = frozenset(each.code for each in LANGUAGES if each.right_to_left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Text and when it is heard; `words` where each one's time is known, and then they are the text."""

    span: Span
    text: str = ""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How subtitles are cut: the language of the text (ISO 639-1), phrases that stay whole, the length of a frame.

    `end` is the end of the picture: no cue passes it.
    """

    language: str | None = None
    terms: tuple[str, ...] = ()
    frame: Flicks = FLICKS_PER_SECOND // 25
    end: Flicks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtitles:
    """Cues in order, and how many of them are faster to read than `CHARACTERS_PER_SECOND`: the speech is that dense."""

    cues: tuple[Cue, ...]
    fast: int


def subtitles(spoken: Sequence[Spoken], manner: Manner) -> Subtitles:
    """Cues for what is said, in the order given: each word once, on at most `LINES` lines of `LINE_CHARACTERS` columns.

    Cues never overlap and are `GAP_FRAMES` apart. A word too long for a line stands on one of its own.
    """
    said = [_said(each) for each in spoken]
    text = [piece for each in said for piece in each]
    # The start of an utterance is as good a place to break as the end of a sentence.
    starts = list(accumulate((len(each) for each in said), initial=0))[:-1]
    costs = break_costs([each.piece for each in text], manner.language, manner.terms)
    for start in starts:
        if start < len(costs):
            costs[start] = SENTENCE
    planner = _Planner(text, costs, manner)
    return _timed([planner.draft(*cut) for cut in planner.cuts()], manner)


@dataclass(frozen=True, slots=True)
class _Said:
    """A piece of text and when it is heard."""

    piece: Piece
    span: Span


@dataclass(frozen=True, slots=True)
class _Draft:
    """A cue before its end is known; `width` columns have to be read."""

    start: Flicks
    said_end: Flicks
    width: int
    lines: tuple[str, ...]


def _said(spoken: Spoken) -> list[_Said]:
    if not spoken.words:
        return _shared(pieces(spoken.text), spoken.span)
    made: list[_Said] = []
    for word in spoken.words:
        made += _shared(pieces(word.text), word.span)
    return made


def _shared(parts: Sequence[Piece], span: Span) -> list[_Said]:
    """`parts` with their share of the time, by the characters and by the pauses that a voice makes after them."""
    shares = [columns(part.space + part.text) + _pause_after(part.text) for part in parts]
    if shares:
        shares[-1] -= _pause_after(parts[-1].text)
    total = max(sum(shares), 1)
    borders = [span.start + span.duration * before // total for before in accumulate(shares, initial=0)]
    return [_Said(part, Span(start, end)) for part, (start, end) in zip(parts, pairwise(borders), strict=True)]


def _pause_after(word: str) -> int:
    return _FULL_STOP if ends_sentence(word) else _COMMA if ends_clause(word) else 0


class _Planner:
    """Cuts pieces of text into cues at the least cost."""

    def __init__(self, text: Sequence[_Said], costs: Sequence[float], manner: Manner) -> None:
        self._text, self._costs, self._language = text, costs, manner.language
        self._gap = GAP_FRAMES * manner.frame
        # Columns before each piece, its own space left out and left in.
        self._before = [0, *accumulate(columns(each.piece.space + each.piece.text) for each in text)]
        self._spaces = [columns(each.piece.space) for each in text]
        starts = [each.span.start for each in text]
        ends = list(accumulate((each.span.end for each in text), max))
        self._starts, self._ends = starts, ends
        pauses = [0.0, *(seconds(start - end) for start, end in zip(starts[1:], ends, strict=False))]
        inner = [
            (8.0 if cost == SENTENCE else 0.0)
            + (math.inf if pause > seconds(_APART) else max(pause - _LONG_PAUSE_S, 0.0) * 20)
            for cost, pause in zip(costs, pauses, strict=True)
        ] if text else []  # fmt: skip
        self._walls = [at for at, cost in enumerate(inner) if math.isinf(cost)]
        self._inner = [0.0, *accumulate(0.0 if math.isinf(cost) else cost for cost in inner)]
        following = [*starts, manner.end if manner.end is not None else (ends[-1] + 10 * SHORTEST if text else 0)]
        self._limits = [start - self._gap for start in following[:-1]] + following[-1:]

    @property
    def width(self) -> int:
        """Columns of the whole text."""
        return self._before[-1]

    def cuts(self, most: int = LINES * LINE_CHARACTERS) -> list[tuple[int, int]]:
        """First piece and the one after the last of each cue, at the least cost; `most` columns at most in a cue."""
        count = len(self._text)
        best, came = [0.0, *(math.inf for _ in range(count))], [0] * (count + 1)
        for end in range(1, count + 1):
            for start in range(end - 1, -1, -1):
                if end - start > 1 and (self._width(start, end) > most or self._wall_in(start, end)):
                    break
                cost = best[start] + self._line_cost(start, end) + self._cost(start, end)
                if cost < best[end]:
                    best[end], came[end] = cost, start
        borders, at = [count], count
        while at:
            at = came[at]
            borders.append(at)
        return list(pairwise(reversed(borders)))

    def _width(self, start: int, end: int) -> int:
        return self._before[end] - self._before[start] - self._spaces[start]

    def _wall_in(self, start: int, end: int) -> bool:
        """Whether a pause that no cue spans lies behind piece `start` and before `end`."""
        at = bisect_left(self._walls, start + 1)
        return at < len(self._walls) and self._walls[at] < end

    def _line_cost(self, start: int, end: int) -> float:
        return 0.0 if self._on_one_line(start, end) else self._line_break(start, end)[0]

    def _on_one_line(self, start: int, end: int) -> bool:
        return end - start <= 1 or self._width(start, end) <= LINE_CHARACTERS

    def _line_break(self, start: int, end: int) -> tuple[float, int]:
        """The best place for a second line, and its cost: infinite where two lines do not hold the text."""
        best, place = math.inf, start + 1
        for at in range(start + 1, end):
            first = self._width(start, at)
            if first > LINE_CHARACTERS:
                break
            second = self._width(at, end)
            if second > LINE_CHARACTERS:
                continue
            cost = self._costs[at] * 0.6 + abs(first - second) * 0.12
            if cost < best:
                best, place = cost, at
        return best, place

    def _cost(self, start: int, end: int) -> float:
        """What a cue of pieces `start` to before `end` costs, its lines apart."""
        width = self._width(start, end)
        began, said_end = self._starts[start], self._ends[end - 1]
        wanted = max(flicks(Fraction(width, CHARACTERS_PER_SECOND)), SHORTEST)
        visible = min(max(said_end - began, wanted), max(self._limits[end] - began, _FLOOR))
        cost = 5.0 + (self._costs[end] if end < len(self._text) else 0.0)
        cost += self._inner[end] - self._inner[start + 1]
        cost += max(0.0, width / seconds(visible) - CHARACTERS_PER_SECOND) * 1.5
        if visible < SHORTEST:
            cost += 60 * (1 - visible / SHORTEST)
        if said_end - began > _LONGEST:
            cost += 10 * seconds(said_end - began - _LONGEST)
        return cost

    def draft(self, start: int, end: int) -> _Draft:
        """Pieces `start` to before `end` as one cue."""
        return _Draft(self._starts[start], self._ends[end - 1], self._width(start, end), self._lines(start, end))

    def _lines(self, start: int, end: int) -> tuple[str, ...]:
        parts = [each.piece for each in self._text[start:end]]
        at = len(parts) if self._on_one_line(start, end) else self._line_break(start, end)[1] - start
        return tuple(_laid_out(joined(line), self._language) for line in (parts[:at], parts[at:]) if line)

    def deal(self, shares: Sequence[float]) -> tuple[list[tuple[int, int]], float]:
        """All pieces in as many runs as there are `shares` (each run's end, of 1), and by how much they do not fit.

        Runs end near their shares, where phrases break; one may be empty.
        """
        count, total = len(self._text), max(self._before[-1], 1)
        misfits = {
            (start, end): self._misfit(start, end) for start in range(count) for end in range(start + 1, count + 1)
        }
        best: list[tuple[float, float, tuple[tuple[int, int], ...]]] = [
            (0.0, 0.0, ()) if at == 0 else (math.inf, 0.0, ()) for at in range(count + 1)
        ]
        for share in shares:
            fresh = []
            for end in range(count + 1):
                off = abs(self._before[end] / total - share) * min(total, 80) * 0.5
                ending = off + (self._costs[end] if 0 < end < count else 0.0)
                options = [(best[end][0] + _EMPTY, best[end][1], (*best[end][2], (end, end)))]
                options += [
                    (
                        best[start][0] + ending + 100 * misfits[start, end],
                        best[start][1] + misfits[start, end],
                        (*best[start][2], (start, end)),
                    )
                    for start in range(end)
                ]
                fresh.append(min(options))
            best = fresh
        return list(best[count][2]), best[count][1]

    def _misfit(self, start: int, end: int) -> float:
        """By how many columns a run is too long for the lines of a cue; one piece always fits."""
        if not math.isinf(self._line_cost(start, end)):
            return 0.0
        return max(float(self._width(start, end) - LINES * LINE_CHARACTERS), 1.0)

    def ends_of(self, cuts: Sequence[tuple[int, int]]) -> list[float]:
        """Where runs end, as shares of all columns."""
        return [self._before[end] / max(self._before[-1], 1) for _, end in cuts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What is said in `span`, and what it says in the source's language."""

    span: Span
    text: str
    original: str


def bilingual(pairs: Sequence[Pair], manner: Manner, original: str | None) -> Subtitles:
    """Cues that show the dub's text and under it the source's (in the language `original`), each within the limits.

    An utterance is cut so that both texts fit at the same places; its cues last long enough to read the longer of the
    two. Where one language needs more cues than the other has words, some show only one.
    """
    drafts: list[_Draft] = []
    for pair, following in zip(pairs, [*pairs[1:], None], strict=False):
        end = manner.end if following is None else following.span.start
        drafts += _paired(pair, replace(manner, end=end), original)
    return _timed(drafts, manner)


_EMPTY = 30.0
_ROOMS = (84, 63, 42, 28, 14, 1)  # columns to try for the text that leads, until the other fits beside it


def _paired(pair: Pair, manner: Manner, original: str | None) -> list[_Draft]:
    upper, lower = (
        _Planner(
            _shared(parts, pair.span), break_costs(parts, language, manner.terms), replace(manner, language=language)
        )
        for parts, language in ((pieces(pair.text), manner.language), (pieces(pair.original), original))
    )
    leader, other = (upper, lower) if upper.width >= lower.width else (lower, upper)
    for room in _ROOMS:
        cuts = leader.cuts(room)
        dealt, misfit = other.deal(leader.ends_of(cuts))
        if not misfit:
            break
    drafts = []
    for mine, theirs in zip(cuts, dealt, strict=True):
        draft = leader.draft(*mine)
        beside = other.draft(*theirs) if theirs[0] < theirs[1] else None
        if beside is not None:
            lines = (draft.lines, beside.lines) if leader is upper else (beside.lines, draft.lines)
            draft = replace(draft, lines=lines[0] + lines[1], width=max(draft.width, beside.width))
        drafts.append(draft)
    return drafts


def _timed(drafts: Sequence[_Draft], manner: Manner) -> Subtitles:
    """Cues with their ends: as long as they are heard, longer where they need to be read, never into the next."""
    gap = GAP_FRAMES * manner.frame
    starts: list[Flicks] = []
    for draft in drafts:
        start = draft.start
        if starts:
            start = max(start, min(starts[-1] + SHORTEST + gap, draft.start + _LATEST), starts[-1] + _FLOOR + gap)
        starts.append(start)
    cues, fast = [], 0
    for draft, start, following in zip(drafts, starts, [*starts[1:], None], strict=False):
        wanted = start + max(SHORTEST, flicks(Fraction(draft.width, CHARACTERS_PER_SECOND)))
        end = max(draft.said_end, wanted)
        if following is not None:
            end = min(end, following - gap)
        elif manner.end is not None:
            end = max(min(end, manner.end), start + manner.frame)
        fast += draft.width * FLICKS_PER_SECOND > CHARACTERS_PER_SECOND * (end - start) + FLICKS_PER_SECOND // 20
        cues.append(Cue(span=Span(start, end), lines=draft.lines))
    return Subtitles(cues=tuple(cues), fast=fast)


def _laid_out(line: str, language: str | None) -> str:
    return _right_to_left(line) if language in _RIGHT_TO_LEFT else line
