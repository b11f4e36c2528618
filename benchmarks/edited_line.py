"""How long one edited line takes, from command to prompt, beside a run in which nothing changed.

python -m benchmarks.edited_line lecture.mp4 OUT --row -1 --to fr

OUT holds a finished dub of the lecture, made with the same cache (REDUB_CACHE). The translation of the row is edited,
dubbed, and taken back. Wall time hangs on what else the machine does; CPU time, of the command and its server, less.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.csv_rows import read_rows, write_rows
from tasks.sheet import COLUMNS, REQUIRED

REDUB = Path(sys.executable).parent / "redub"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of `redub dub`: seconds from command to prompt and of CPU, and the stages that were done, with theirs."""

    wall_s: float
    cpu_s: float
    done: Mapping[str, float]


def timed(source: Path, out: Path, target: str) -> Run:
    """Dub with the real command. CalledProcessError where that fails."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(REDUB), "dub", str(source), "--to", target, "--out", str(out), "--json"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    done: dict[str, float] = {}
    for event in map(json.loads, told.splitlines()):
        if event["event"] == "performed" and not event["hit"]:
            done[event["stage"]] = round(done.get(event["stage"], 0.0) + event["seconds"], 2)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall_s, cpu_s, done)


def edit(sheet: Path, row: int, translation: str) -> str:
    """Write a row's translation as a spreadsheet would; what it was."""
    rows = [dict(each.cells) for each in read_rows(sheet, required=REQUIRED, optional=("check",))]
    before, rows[row]["translation"] = rows[row]["translation"], translation
    write_rows(sheet, COLUMNS, rows)
    return before


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path, help="where its dub lies")
    parser.add_argument("--to", default="fr")
    parser.add_argument("--row", type=int, default=-1, help="which row of the sheet is edited, from 0")
    given = parser.parse_args()
    sheet = given.out / f"{given.source.stem}.{given.to}.csv"
    timed(given.source, given.out, given.to)  # so that what follows is compared with a dub by this very version
    unchanged = timed(given.source, given.out, given.to)
    before = edit(sheet, given.row, "")
    words = before.split()
    edit(sheet, given.row, " ".join([*words[:-1], "aussi", words[-1]]))
    try:
        edited = timed(given.source, given.out, given.to)
    finally:
        edit(sheet, given.row, "")
    for name, run in (("nothing changed", unchanged), ("one line edited", edited)):
        print(f"{name}: {run.wall_s:.1f} s, {run.cpu_s:.1f} s of CPU; done: {dict(run.done)}")


if __name__ == "__main__":
    main()
