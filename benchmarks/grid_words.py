"""Word times of GRID clips, from their names and a recogniser: GRID's six words stand in a clip's name.

    python -m benchmarks.grid_words CLIPS words.tsv

GRID's grammar (Cooke et al. 2006): command, colour, preposition, letter, digit, adverb. The recogniser says when
words were spoken; where it heard six, they get the name's words, else those that begin alike are matched in order.
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.media.audio import read_waveform
from manifests.time import seconds
from models.asr import engines
from models.asr.contract import SAMPLE_RATE, HeardWord

_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS = dict(zip("z123456789", _NAMES, strict=True))
_GRAMMAR = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    _DIGITS,
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def sentence(clip: str) -> list[str]:
    """The six words that the name of a GRID clip stands for, as in `brbk7n` or `id2_vcd_swwp2s`."""
    return [words[sign] for words, sign in zip(_GRAMMAR, clip.rsplit("_", 1)[-1], strict=True)]


def aligned(spoken: list[str], heard: list[HeardWord]) -> list[tuple[str, HeardWord]]:
    """The spoken words with the times at which they were heard."""
    if len(heard) == len(spoken):
        return list(zip(spoken, heard, strict=True))
    found, at = [], 0
    for word in spoken:
        for index in range(at, len(heard)):
            if heard[index].text.strip().lower()[:1] == word[:1]:
                found.append((word, heard[index]))
                at = index + 1
                break
    return found


def main(folder: Path, out: Path) -> None:
    """Write the times of all clips of `folder` to `out`."""
    recogniser = engines.load("whisper")
    rows = ["clip\tstart_s\tend_s\tword"]
    for clip in sorted(each for each in folder.iterdir() if each.suffix in {".mp4", ".mpg"}):
        heard = recogniser.transcribe(read_waveform(clip, sample_rate=SAMPLE_RATE), "en")
        words = aligned(sentence(clip.stem), heard)
        print(clip.stem, " ".join(word for word, _ in words), "|", " ".join(each.text.strip() for each in heard))
        rows += [f"{clip.stem}\t{seconds(e.span.start):.3f}\t{seconds(e.span.end):.3f}\t{w}" for w, e in words]
    out.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
