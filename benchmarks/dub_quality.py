"""The table of a dub's quality, from the reports that `redub dub` has written, or from dubs made now.

python -m benchmarks.dub_quality OUT/*.redub                         # folders with a report, or report files
python -m benchmarks.dub_quality lecture.mp4 talk.mp4 --to fr --out OUT    # dubs first, with the real command

One column a dub. "Stretched" is what a fit that only stretches would have come to: every spoken line, as this dub's
voice says it of itself, brought to the length of the source's. What no report can tell is measured elsewhere: gender of
voices by `benchmarks.speaker_gender`, terms by `benchmarks.glossary_terms`, an hour of the worst case by
`benchmarks.dub_timing`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from manifests.report import RATES, DubReport, read_report

REDUB = Path(sys.executable).parent / "redub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measure: what is to be reached, its figure in a report, and whether a figure reaches it."""

    measure: str
    wanted: str
    figure: Callable[[DubReport], float | None]
    reached: Callable[[float], bool]
    unit: str = ""


def stretched_within(report: DubReport) -> float | None:
    """The share of lines within the rates, were each stretched to the length of what it stands for."""
    lines = [line for line in report.lines if line.spoken and line.rate is not None and line.source_span.duration]
    if not lines:
        return None
    rates = [(line.rate or 0) * line.dub_span.duration / line.source_span.duration for line in lines]
    return sum(RATES[0] <= rate <= RATES[1] for rate in rates) / len(rates)


def loudness_off(report: DubReport) -> float | None:
    """By how many LU the loudness is off -16 LUFS."""
    loudness = report.totals.loudness_lufs
    return None if loudness is None else abs(loudness + 16)


ROWS = (
    Row(
        measure="utterances within a rate of 0.85 to 1.20",
        wanted=">= 98 %",
        figure=lambda r: r.totals.within_rate,
        reached=lambda x: x >= 0.98,
        unit="%",
    ),
    Row(measure="the same, stretched", wanted="", figure=stretched_within, reached=lambda _: True, unit="%"),
    Row(
        measure="overlap of dubbed speech with the source's",
        wanted=">= 85 %",
        figure=lambda r: r.totals.overlap,
        reached=lambda x: x >= 0.85,
        unit="%",
    ),
    Row(
        measure="unfilled speech time",
        wanted="<= 10 %",
        figure=lambda r: r.totals.unfilled,
        reached=lambda x: x <= 0.1,
        unit="%",
    ),
    Row(
        measure="drift at the end, frames",
        wanted="0",
        figure=lambda r: r.totals.drift_frames,
        reached=lambda x: x == 0,
    ),
    Row(
        measure="back-ASR character error, mean",
        wanted="<= 0.08",
        figure=lambda r: r.totals.mean_cer,
        reached=lambda x: x <= 0.08,
    ),
    Row(measure="the same, worst line", wanted="", figure=lambda r: r.totals.worst_cer, reached=lambda _: True),
    Row(
        measure="loudness off -16 LUFS, LU",
        wanted="<= 0.5",
        figure=loudness_off,
        reached=lambda x: x <= 0.5,
    ),
    Row(
        measure="true peak, dBTP",
        wanted="< -1",
        figure=lambda r: r.totals.true_peak_dbtp,
        reached=lambda x: x < -1,
    ),
    Row(measure="lips over the real ones", wanted="", figure=lambda r: r.totals.lip_ratio, reached=lambda _: True),
    Row(measure="picture held, s", wanted="", figure=lambda r: r.totals.held_s, reached=lambda _: True),
    Row(
        measure="lecture time left as it was",
        wanted="",
        figure=lambda r: r.totals.degraded,
        reached=lambda _: True,
        unit="%",
    ),
)


def table(reports: Sequence[DubReport]) -> str:
    """The table in Markdown; what falls short is marked."""
    names = [f"{each.title}, {each.source_language} to {each.language}" for each in reports]
    lines = [f"| measure | to reach | {' | '.join(names)} |", f"|---|---|{'---|' * len(names)}"]
    for row in ROWS:
        cells = [_cell(row, row.figure(report)) for report in reports]
        lines.append(f"| {row.measure} | {row.wanted} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: Row, figure: float | None) -> str:
    if figure is None:
        return "not measured"
    written = f"{figure:.1%}" if row.unit == "%" else f"{figure:.3g}"
    return written if row.reached(figure) else f"**{written}**"


def reports_in(place: Path) -> list[Path]:
    """The reports at `place`: the file itself, else every report below the folder."""
    return [place] if place.is_file() else sorted(place.rglob("report*.json"))


def dub(source: Path, targets: Sequence[str], out: Path) -> None:
    """Dub `source` with the real command. CalledProcessError where that fails."""
    wanted = [part for target in targets for part in ("--to", target)]
    subprocess.run([str(REDUB), "dub", str(source), *wanted, "--out", str(out)], check=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+", type=Path, help="folders or files of reports, or sources to dub")
    parser.add_argument("--to", action="append", default=[], help="languages to dub sources into")
    parser.add_argument("--out", type=Path, help="where dubs of sources go")
    given = parser.parse_args()
    found: list[Path] = []
    for place in given.places:
        if place.is_dir() or place.suffix == ".json":
            found.extend(reports_in(place))
            continue
        if not given.to or given.out is None:
            parser.error(f"to dub {place}, name --to and --out")
        dub(place, given.to, given.out)
        found.extend(reports_in(given.out / f"{place.stem}.redub"))
    if not found:
        parser.error("no report was found")
    print(table([read_report(file) for file in found]))


if __name__ == "__main__":
    main()
