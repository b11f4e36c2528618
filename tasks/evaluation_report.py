"""The written outcome of an evaluation: a page in Markdown, and what it was made with as JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import mean

from infra.files import published
from manifests.evaluation import Score
from manifests.keys import canonical
from tasks.evaluation_measures import BY_NAME, MEASURES
from tasks.evaluation_pairs import Pair
from tasks.settings import DubSettings

_LOSSLESS = {0: " (lossless)"}
_SUBJECTS = ("result", "real", "unsynced", "rerun")
_ABOUT_SUBJECTS = {
    "reconstruction": (
        "result: the face with its own sound; real: the video as it was filmed; "
        "unsynced: that video with the sound of another clip."
    ),
    "cross": (
        "result: the face of one clip with the sound of another; real: the video in which that sound was filmed; "
        "unsynced: the untouched face with that sound."
    ),
    "dubbed": (
        "result: the dubbed file; real: the source with its own sound; unsynced: the source with the dubbed sound."
    ),
}
_PER_PAIR = (
    "inner_opening_r",
    "outer_opening_r",
    "width_r",
    "closures",
    "motion_in_silence",
    "expert_confidence",
    "ssim",
    "lpips",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What an evaluation was made with."""

    protocol: str
    lips: str
    seed: int
    limit: int | None
    inputs: tuple[str, ...]
    pairs: tuple[Pair, ...]
    settings: DubSettings
    without: tuple[str, ...]
    revisions: Mapping[str, str]
    seconds: float
    recalled: int


def write_run(target: Path, facts: RunFacts) -> None:
    """Write settings, seed and the revisions of all weights."""
    content = {
        "redub": version("redub"),
        "protocol": facts.protocol,
        "lips": facts.lips,
        "seed": facts.seed,
        "limit": facts.limit,
        "inputs": facts.inputs,
        "without": facts.without,
        "weights": dict(facts.revisions),
        "settings": canonical(facts.settings),
        "pairs": [
            {
                "name": pair.name,
                "face": pair.face.name,
                "audio": pair.audio.name,
                "truth": pair.truth.name if pair.truth else None,
                "other": pair.other.name,
            }
            for pair in facts.pairs
        ],
        "seconds": facts.seconds,
        "recalled": facts.recalled,
    }
    with published(target) as draft:
        draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_page(target: Path, scores: Sequence[Score], facts: RunFacts) -> None:
    """Write the tables: every measure over all pairs, what could not be measured and why, and pair by pair."""
    lines = [
        f"# Evaluation: {facts.lips}, {facts.protocol}",
        "",
        f"{len(facts.pairs)} pairs from {', '.join(facts.inputs)}, seed {facts.seed}.",
        f"Means over pairs, lowest and highest in brackets. {_ABOUT_SUBJECTS[facts.protocol]}",
        "",
        *_summary(scores),
        *_absent(scores),
        *_by_pair(scores),
        "",
        "## Made with",
        "",
        *(f"- {name} {revision}" for name, revision in facts.revisions.items()),
        f"- renders with crf {facts.settings.render.encoder.crf}{_LOSSLESS.get(facts.settings.render.encoder.crf, '')}",
    ]
    with published(target) as draft:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")


def summary_rows(scores: Sequence[Score]) -> list[tuple[str, str, dict[str, str]]]:
    """(measure, which way is better, subject -> mean and range) for each measure that has a value."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for score in scores:
        if score.value is not None:
            values[score.measure, score.subject].append(score.value)
    rows: list[tuple[str, str, dict[str, str]]] = []
    for measure in MEASURES:
        cells = {subject: _cell(found) for subject in _SUBJECTS if (found := values.get((measure.name, subject)))}
        if cells:
            rows.append((measure.name, measure.better, cells))
    return rows


def _summary(scores: Sequence[Score]) -> list[str]:
    lines = ["| measure | better | result | real | unsynced | what it is |", "|---|---|---|---|---|---|"]
    for name, better, cells in summary_rows(scores):
        result = cells.get("result") or cells.get("rerun", "")
        about = BY_NAME[name].about + (f" ({BY_NAME[name].unit})" if BY_NAME[name].unit else "")
        lines.append(
            f"| {name} | {better} | {result} | {cells.get('real', '')} | {cells.get('unsynced', '')} | {about} |"
        )
    return lines


def _cell(values: Sequence[float]) -> str:
    if len(values) == 1:
        return _number(values[0])
    return f"{_number(mean(values))} ({_number(min(values))} to {_number(max(values))}; n {len(values)})"


def _number(value: float) -> str:
    if value == 0 or float(value).is_integer():
        return f"{value:.0f}"
    if abs(value) < 0.0005:
        return f"{value:.1e}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _absent(scores: Sequence[Score]) -> list[str]:
    """Measures without a value, with the reason; one line for all that share it."""
    measures: dict[str, dict[str, None]] = defaultdict(dict)
    places: dict[str, dict[str, None]] = defaultdict(dict)
    for score in scores:
        if score.value is None:
            measures[score.reason][score.measure] = None
            places[score.reason][f"{score.subject} of {score.pair or 'the set'}"] = None
    if not measures:
        return []
    lines = ["", "## Not measured", "", "| measure | where | why |", "|---|---|---|"]
    for reason, names in measures.items():
        named = next(iter(places[reason])) if len(places[reason]) == 1 else f"{len(places[reason])} times"
        lines.append(f"| {', '.join(names)} | {_plain(named)} | {_plain(reason)} |")
    return lines


def _by_pair(scores: Sequence[Score]) -> list[str]:
    table: dict[str, dict[str, float]] = defaultdict(dict)
    for score in scores:
        if score.pair is not None and score.subject == "result" and score.value is not None:
            table[score.pair][score.measure] = score.value
    shown = [name for name in _PER_PAIR if any(name in row for row in table.values())]
    if not shown:
        return []
    lines = ["", "## Pair by pair (result)", "", f"| pair | {' | '.join(shown)} |", "|---" * (len(shown) + 1) + "|"]
    for pair, row in table.items():
        cells = [_number(row[name]) if name in row else "" for name in shown]
        lines.append(f"| {_plain(pair)} | {' | '.join(cells)} |")
    return lines


def _plain(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
