"""The table of lip quality, from evaluations that `redub evaluate` has written.

python -m benchmarks.grid_words CLIPS words.tsv
redub evaluate CLIPS --lips rewrite --out ev/cross-rewrite --words words.tsv
redub evaluate CLIPS --lips rewrite --protocol reconstruction --out ev/reconstruction-rewrite
redub evaluate CLIPS --lips hold --protocol reconstruction --out ev/reconstruction-hold      # and wav2lip
python -m benchmarks.lip_quality ev/*                                  # prints one table a folder
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from manifests import tables
from manifests.evaluation import Score

SUBJECTS = ("result", "real", "unsynced", "rerun")


def table(scores: list[Score]) -> str:
    """Mean (least to most; clips) of every measure, a column a subject."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for score in scores:
        if score.value is not None:
            values[score.measure, score.subject].append(score.value)
    measures = sorted({measure for measure, _ in values})
    subjects = [each for each in SUBJECTS if any(subject == each for _, subject in values)]
    lines = [f"| measure | {' | '.join(subjects)} |", f"|---|{'---|' * len(subjects)}"]
    lines += [f"| {m} | {' | '.join(_cell(values.get((m, s), [])) for s in subjects)} |" for m in measures]
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    if not values:
        return ""
    mean = sum(values) / len(values)
    return f"{mean:.3f} ({min(values):.3f} to {max(values):.3f}; {len(values)})"


def main(folders: list[Path]) -> None:
    """Print the table of each folder, finished or not."""
    for folder in folders:
        whole = folder / "scores.parquet"
        files = [whole] if whole.is_file() else sorted(folder.glob("pairs/*/scores.parquet"))
        scores = [score for file in files for score in tables.read_table(Score, file)]
        print(f"\n### {folder.name}\n\n{table(scores)}")


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])
