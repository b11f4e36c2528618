"""How well a dub keeps to its source where it is hardest: dense speech, short pauses, an hour long.

    python -m benchmarks.dub_timing [--seed 4]

A lecturer says the sentences of `benchmarks.lecture_sentences`, 80 to 300 ms apart and every eighth time a breath
longer, at the pace of a brisk voice (what the duration model knows of Kokoro's af_heart, some 200 words a minute), each
sentence up to a tenth quicker or slower; in the last rows all of it a tenth quicker still. Marian's candidates into
French are timed as a dub times them: planned with predicted lengths, spoken (a prediction is off by the error that
`benchmarks.duration_fit` measured), planned again with the lengths as spoken. Beside it, on the same lines: a greedy
fit that stretches each clip to its own utterance and pushes what still does not fit.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from benchmarks.lecture_sentences import ENGLISH
from manifests.clock import HeldClock
from manifests.records import Hypothesis, Placement
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks, seconds
from models.speech.duration import prior
from models.speech.normalise import normalise
from models.speech.voices import find
from models.translation import engines as translation
from tasks.timing import (
    ChunkTiming,
    ChunkToTime,
    Line,
    Reading,
    TimedLine,
    TimingSettings,
    meaning_loss,
    on_the_dubs_clock,
    plan_timing,
)
from tasks.timing_measures import TimingMeasures, timing_measures

SETTINGS = TimingSettings()
FRAME: Flicks = FLICKS_PER_SECOND // 25
HOUR_S = 3600.0
CANDIDATES = 8
PREDICTION_ERROR = 0.06
"""Relative standard deviation of a predicted length."""
CHUNK_S = 45.0
LEAST_STRETCH, MOST_STRETCH = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class Sentence:
    """An English sentence: how long a voice takes for it, and its French candidates with theirs."""

    duration: Flicks
    readings: tuple[Reading, ...]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=4)
    seed = parser.parse_args().seed
    sentences = read_sentences()
    natural = sum(each.readings[0].duration for each in sentences) / sum(each.duration for each in sentences)
    print(f"The best French takes {natural:.2f} times as long as the English, each at its voice's own pace.\n")
    print("| lecture | fit | utterances | in 0.85..1.20 | overlap | unfilled | overruns | held | latest | drift |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    spent = []
    for pace, still_share in ((1.0, 0.0), (1.0, 0.33), (1.1, 0.0), (1.1, 0.33)):
        name = f"{pace:.1f} x pace, {still_share:.0%} of the picture still"
        chunks = worst_case(sentences, pace, still_share, seed)
        started = time.process_time()
        timings = planned(chunks, random.Random(seed))  # noqa: S311
        spent.append((time.process_time() - started) / len(chunks) / 2)
        _print(name, "planned", _measured(chunks, timings))
        _print(name, "greedy", _measured(chunks, greedy(chunks)))
    print(f"\nOne plan of one chunk takes {1000 * max(spent):.0f} ms of one core on average.")


def read_sentences() -> list[Sentence]:
    """The sentences, with the packaged Marian's candidates and predicted lengths (Kokoro's af_heart and ff_siwis)."""
    english, french = prior(find("en-kokoro-af-heart")), prior(find("fr-kokoro-ff-siwis"))
    found = translation.load("ctranslate2", "en", "fr").translate(ENGLISH, candidates=CANDIDATES)
    return [
        Sentence(english.predict(normalise(text, "en")), _readings(candidates, french.predict))
        for text, candidates in zip(ENGLISH, found, strict=True)
    ]


def _readings(candidates: Sequence[Hypothesis], predict: Callable[[str], Flicks]) -> tuple[Reading, ...]:
    return tuple(
        Reading(index, predict(normalise(each.text, "fr")), loss)
        for index, (each, loss) in enumerate(zip(candidates, meaning_loss(candidates), strict=True))
    )


def worst_case(sentences: Sequence[Sentence], pace: float, still_share: float, seed: int) -> list[ChunkToTime]:
    """An hour of it in chunks, which end at the longest pause after half their length; some of the picture is still."""
    draw = random.Random(seed)  # noqa: S311
    lines: list[Line] = []
    at = 0.5
    order: list[Sentence] = []
    while at < HOUR_S:
        if not order:
            order = draw.sample(sentences, len(sentences))
        sentence = order.pop()
        length = seconds(sentence.duration) / pace * draw.uniform(0.9, 1.1)
        span = Span.of_seconds(at, at + length)
        lines.append(Line(utterance_id=f"u{len(lines)}", span=span, earliest=0, readings=sentence.readings))
        at += length + (draw.uniform(0.6, 1.2) if len(lines) % 8 == 0 else draw.uniform(0.08, 0.3))
    end = flicks(at + 1)
    still = _still(end, still_share, draw)
    groups = _cut(lines)
    borders = [0, *((a[-1].span.end + b[0].span.start) // 2 for a, b in pairwise(groups)), end]
    untils = [*(group[0].span.start - flicks(SETTINGS.gap_s) for group in groups[1:]), end]
    return [
        ChunkToTime(
            span=Span(*border),
            lines=tuple(group),
            still=tuple(part for each in still if (part := each.intersection(Span(*border)))),
            frame=FRAME,
            until=until,
        )
        for border, group, until in zip(pairwise(borders), groups, untils, strict=True)
    ]


def _cut(lines: Sequence[Line]) -> list[list[Line]]:
    groups: list[list[Line]] = []
    rest = list(lines)
    while rest:
        start = rest[0].span.start
        fitting = [index for index in range(1, len(rest)) if seconds(rest[index].span.start - start) < CHUNK_S]
        late = [index for index in fitting if seconds(rest[index].span.start - start) > CHUNK_S / 2]
        if not late or len(fitting) == len(rest) - 1:
            at = len(rest)
        else:
            at = max(late, key=lambda index: rest[index].span.start - rest[index - 1].span.end)
        groups.append(rest[:at])
        rest = rest[at:]
    return groups


def _still(end: Flicks, share: float, draw: random.Random) -> list[Span]:
    """Slides of ten to thirty seconds between faces, `share` of the time."""
    still, at = [], 0.0
    while share and flicks(at) < end:
        length = draw.uniform(10, 30)
        still.append(Span.of_seconds(at, at + length))
        at += length / share
    return still


def planned(chunks: Sequence[ChunkToTime], draw: random.Random) -> list[ChunkTiming]:
    """Planned by predicted lengths, then again by the lengths that the chosen readings turned out to have."""
    timings: list[ChunkTiming] = []
    first = second = 0
    for chunk in chunks:
        guess = plan_timing(chunk, SETTINGS, first)
        first = guess.carry
        spoken = replace(
            chunk,
            lines=tuple(
                replace(line, readings=(_spoken(line.readings[timed.reading], draw),))
                for line, timed in zip(chunk.lines, guess.lines, strict=True)
            ),
        )
        timings.append(plan_timing(spoken, SETTINGS, second))
        second = timings[-1].carry
    return timings


def _spoken(reading: Reading, draw: random.Random) -> Reading:
    return replace(reading, duration=round(reading.duration * (1 + draw.gauss(0, PREDICTION_ERROR))))


def greedy(chunks: Sequence[ChunkToTime]) -> list[ChunkTiming]:
    """The best reading of each line in turn, stretched to its utterance between a half and twice; no look ahead."""
    timings, free = [], 0
    for chunk in chunks:
        lines = []
        for line in chunk.lines:
            start, natural = max(line.span.start, free), line.readings[0].duration
            wanted = max(line.span.end - start, 1)
            length = round(min(max(wanted, natural / MOST_STRETCH), natural / LEAST_STRETCH))
            lines.append(_stretched(line, Span(start, start + length), natural))
            free = start + length
        timings.append(ChunkTiming(lines=tuple(lines), holds=(), carry=0))
    return timings


def _stretched(line: Line, span: Span, natural: Flicks) -> TimedLine:
    return TimedLine(
        utterance_id=line.utterance_id,
        reading=0,
        span=span,
        rate=natural / span.duration,
        overrun=max(0, span.end - line.span.end),
        lead=0,
        slack=max(0, span.end - line.span.end),
        held=0,
    )


def _measured(chunks: Sequence[ChunkToTime], timings: Sequence[ChunkTiming]) -> TimingMeasures:
    placements = [
        Placement(
            clip_id=line.utterance_id,
            utterance_id=line.utterance_id,
            span=line.span,
            rate=line.rate,
            overrun=line.overrun,
        )
        for lines in on_the_dubs_clock(timings)
        for line in lines
    ]
    said = {line.utterance_id: line.span for chunk in chunks for line in chunk.lines}
    clock = HeldClock.of(hold for timing in timings for hold in timing.holds)
    return timing_measures(placements, said, said.values(), clock, frame=FRAME, settings=SETTINGS)


def _print(lecture: str, fit: str, found: TimingMeasures) -> None:
    print(
        f"| {lecture} | {fit} | {found.utterances} | {found.within:.1%} | {found.overlap:.1%} | {found.unfilled:.1%} "
        f"| {found.overruns} | {seconds(found.held):.1f} s | {seconds(found.latest):.2f} s | {found.drift_frames} |"
    )


if __name__ == "__main__":
    main()
