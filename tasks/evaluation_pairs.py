"""What is evaluated: pairs of a face and a sound, chosen the same way for the same seed."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from manifests.errors import BadInput
from manifests.records import Word
from manifests.time import Span
from tasks.layouts import SourceClip, find_clips

Protocol: TypeAlias = Literal["reconstruction", "cross", "dubbed"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

_SILENCE = frozenset({"", "sil", "sp", "spn", "<eps>"})
"""How word lists write a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One thing to evaluate.

    `face` is the video whose lips are redrawn and `audio` the sound they are to follow. `truth` is the real video of
    that sound, None where there is none. `other` is a sound that the face is not to follow: what "unsynced" hears where
    the face is given its own sound back. `dubbed` is the result where it exists already.
    """

    name: str
    face: Path
    audio: Path
    truth: Path | None
    other: Path
    dubbed: Path | None = None


def choose_pairs(inputs: Sequence[Path], protocol: Protocol, *, limit: int | None, seed: int) -> list[Pair]:
    """The pairs of `protocol` among `inputs`: one folder of clips, or for "dubbed" SOURCE DUBBED, twice or more.

    Face and sound come from different speakers where the clips tell speakers apart, else from different clips; each
    clip gives its face once and its sound once, as far as that goes. BadInput where there are too few clips.
    """
    if limit is not None and limit < 1:
        raise BadInput(f"{limit} pairs are none;", where="--limit", remedy="give 1 or more")
    if protocol == "dubbed":
        return _dubbed(inputs)[:limit]
    if len(inputs) != 1:
        raise BadInput(f"{protocol} takes one folder of clips, not {len(inputs)};", remedy="give one folder")
    clips = [clip for clip in find_clips(inputs[0])[1] if clip.sound is None and clip.picture.is_file()]
    if len(clips) < 2:
        raise BadInput("two clips or more are needed;", where=str(inputs[0]), remedy="give a folder of videos")
    partners = _partners(clips, random.Random(seed))  # noqa: S311 (chosen evenly, not secretly)
    return [_pair(clip, partner, protocol) for clip, partner in partners[:limit]]


def _dubbed(inputs: Sequence[Path]) -> list[Pair]:
    if not inputs or len(inputs) % 2:
        raise BadInput("dubbed takes files in twos;", remedy="give SOURCE DUBBED, as often as you like")
    for each in inputs:
        if not each.is_file():
            raise BadInput("there is no such file;", where=str(each), remedy="check the name")
    return [
        Pair(name=f"{index:03d}-{dubbed.stem}", face=source, audio=dubbed, truth=None, other=dubbed, dubbed=dubbed)
        for index, (source, dubbed) in enumerate(zip(inputs[::2], inputs[1::2], strict=True))
    ]


def _pair(clip: SourceClip, partner: SourceClip, protocol: Protocol) -> Pair:
    face, name = clip.picture, clip.name.replace("/", "-")
    if protocol == "reconstruction":
        return Pair(name=name, face=face, audio=face, truth=face, other=partner.picture)
    sound = partner.picture
    return Pair(name=f"{name}--{partner.name.replace('/', '-')}", face=face, audio=sound, truth=sound, other=sound)


def _partners(clips: Sequence[SourceClip], draw: random.Random) -> list[tuple[SourceClip, SourceClip]]:
    """Every clip once, in drawn order, each with the next one round the circle that another person speaks."""
    speakers = _speakers(clips)
    order = sorted(clips, key=lambda clip: clip.name)
    draw.shuffle(order)
    several = len(set(speakers.values())) > 1
    used: dict[str, int] = defaultdict(int)
    pairs = []
    for index, clip in enumerate(order):
        others = [*order[index + 1 :], *order[:index]]
        if several:
            others = [other for other in others if speakers[other.name] != speakers[clip.name]]
        partner = min(others, key=lambda other: used[other.name])  # the first of those least used
        used[partner.name] += 1
        pairs.append((clip, partner))
    return pairs


def _speakers(clips: Sequence[SourceClip]) -> Mapping[str, str]:
    """Who speaks in each clip; where the layout knows of one alone, what stands before the first "_" or "-" tells."""
    known = {clip.name: clip.speaker for clip in clips}
    if len(set(known.values())) > 1:
        return known
    return {clip.name: clip.picture.stem.replace("-", "_").partition("_")[0] for clip in clips}


def read_words(table: Path) -> dict[str, tuple[Word, ...]]:
    """Clip's file name without suffix -> its words with their times, pauses left out.

    `table` is tab-separated with the columns clip, start_s, end_s and word. BadInput where it is not.
    """
    words: dict[str, list[Word]] = defaultdict(list)
    try:
        with table.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                heard = words[row["clip"]]
                if row["word"].lower() not in _SILENCE:
                    span = Span.of_seconds(float(row["start_s"]), float(row["end_s"]))
                    heard.append(Word(text=row["word"], span=span, confidence=1.0))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"it cannot be read ({type(error).__name__});", where=str(table)) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            f"it is no list of words ({error});",
            where=str(table),
            remedy="give tab-separated columns clip, start_s, end_s, word, with that first line",
        ) from error
    return {clip: tuple(sorted(heard, key=lambda word: word.span)) for clip, heard in words.items()}
