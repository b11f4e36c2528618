"""`redub evaluate`: how good an engine's lips are, in numbers, pictures and clips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.output import Output, choose_output
from manifests.errors import BadInput

app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)

EXAMPLES = """
Examples:
  redub evaluate clips/ --lips rewrite --out scores/ --limit 10
  redub evaluate clips/ --protocol reconstruction --words words.tsv --out own/
  redub evaluate lecture.mp4 lecture.fr.mp4 --protocol dubbed --out dub-scores/

Protocols:
  cross           the face of one clip says the sound of another (the default)
  reconstruction  each face says its own sound again
  dubbed          SOURCE DUBBED [SOURCE DUBBED ...], files that exist already

Beside each score stand the real video's, and that of the untouched video with
the other sound; the first pair is rendered twice, which must give no difference.

It writes to --out:
  scores.md           the table, with what could not be measured and why
  scores.parquet      every number, one a row
  contact_sheet.png   the source above, the result below
  pairs/*/            result and side_by_side.mp4 (source, result, real video)
  run.json            settings, seed, revisions of all weights

Finished pairs are not rendered again: run the same command after an
interruption, or with a higher --limit.
"""


@app.command(epilog=EXAMPLES)
def evaluate(
    inputs: Annotated[
        list[Path],
        typer.Argument(help="A folder of talking clips; or SOURCE DUBBED files for dubbed.", metavar="CLIPS"),
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")],
    lips: Annotated[
        str,
        typer.Option("--lips", help="The engine to evaluate; hold (the closed mouth, held) and none are baselines."),
    ] = "rewrite",
    protocol: Annotated[str, typer.Option("--protocol", help="cross, reconstruction or dubbed.")] = "cross",
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many pairs; default: one a clip.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Which pairs are drawn; the same seed draws the same.")] = 0,
    words: Annotated[
        Path | None,
        typer.Option("--words", help="Word times (tab-separated: clip, start_s, end_s, word), to judge p, b and m by."),
    ] = None,
    expert: Annotated[
        Path | None, typer.Option("--expert", help="The sync expert to measure with; default: the one that ships.")
    ] = None,
    without: Annotated[
        str,
        typer.Option("--without", help="Slow measures to leave out, of fid, lpips, lse and expert, as in fid,lpips."),
    ] = "",
    crf: Annotated[
        int, typer.Option("--crf", help="Render at this quality; 0 is lossless, so lips alone are judged.")
    ] = 0,
    json: Annotated[
        bool, typer.Option("--json", help="Write one JSON object a line to standard output, for machines.")
    ] = False,
) -> None:
    """Measure lip sync: how well lips follow the sound, and how good the picture stays."""
    run_evaluation(
        inputs=tuple(inputs),
        out=out,
        lips=lips,
        protocol=protocol,
        limit=limit,
        seed=seed,
        words=words,
        expert=expert,
        without=frozenset(part.strip() for part in without.split(",") if part.strip()),
        crf=crf,
        output=choose_output(as_json=json),
    )


def run_evaluation(
    *,
    inputs: tuple[Path, ...],
    out: Path,
    lips: str,
    protocol: str,
    limit: int | None,
    seed: int,
    words: Path | None,
    expert: Path | None,
    without: frozenset[str],
    crf: int,
    output: Output,
) -> None:
    """Evaluate; what can be known to be wrong is said before anything is rendered."""
    from infra.memory import tame_heap
    from tasks.evaluate import EvaluationJob, check, evaluate, evaluation_settings, renderers
    from tasks.evaluation_measures import OPTIONAL
    from tasks.evaluation_pairs import PROTOCOLS

    chosen = next((each for each in PROTOCOLS if each == protocol), None)
    if chosen is None:
        raise BadInput(f"unknown protocol {protocol!r}.", remedy=f"Protocols: {', '.join(PROTOCOLS)}.")
    if unknown := sorted(without - set(OPTIONAL)):
        raise BadInput(f"{unknown[0]!r} cannot be left out.", where="--without", remedy=f"Of {', '.join(OPTIONAL)}.")
    if chosen == "dubbed":
        lips = "as dubbed"
    tame_heap()
    settings = evaluation_settings("none" if chosen == "dubbed" else lips, chosen, crf=crf)
    job = EvaluationJob(
        inputs=tuple(path.absolute() for path in inputs),
        out=out.absolute(),
        lips=lips,
        renderer_for=renderers(lips, settings),
        protocol=chosen,
        limit=limit,
        seed=seed,
        words=words,
        expert=expert,
        without=without,
        settings=settings,
    )
    pairs = check(job)
    output.say(f"[dim]{len(pairs)} pairs, {protocol}, {lips}[/]")
    with output.progress() as progress:
        made = evaluate(job, progress)
    _tell(made.scores, made.files, made.rendered, made.recalled, made.seconds, output)


def _tell(
    scores: tuple[object, ...], files: tuple[Path, ...], rendered: int, recalled: int, seconds: float, output: Output
) -> None:
    from rich.markup import escape

    from manifests.evaluation import Score
    from tasks.evaluation_report import summary_rows

    rows = summary_rows([score for score in scores if isinstance(score, Score)])
    lines = [f"{'measure':<20}{'better':<9}{'result':<34}real"]
    lines += [
        f"{name:<20}{better:<9}{cells.get('result') or cells.get('rerun', ''):<34}{cells.get('real', '')}"
        for name, better, cells in rows
    ]
    lines += ["", *(f"[bold green]{escape(str(path))}[/]" for path in files[:4])]
    lines.append(f"[dim]{seconds:.0f} s; {rendered} pairs done now, {recalled} recalled[/]")
    facts = {
        "seconds": round(seconds, 1),
        "pairs": rendered + recalled,
        "recalled": recalled,
        "files": [str(path) for path in files],
        "measures": {name: cells for name, _, cells in rows},
    }
    output.result(facts, "\n".join(lines))
