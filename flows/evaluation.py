"""The flow that measures lip sync: a skin over `tasks.evaluate`, for runs that a schedule or a page starts."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.runtime import flow_run

from flows.mirrored_weights import bring_weights
from flows.progress import tag_run
from flows.worded import worded
from manifests.errors import BadInput


def run_name() -> str:
    """What the Prefect page calls this run."""
    parameters = flow_run.parameters
    return f"{parameters.get('lips') or 'rewrite'} on {Path(parameters['clips'][0]).name}"


@flow(name="evaluate-lips", flow_run_name=run_name, persist_result=False)
@worded
def evaluate_lips(
    clips: list[str],
    out: str,
    lips: str = "rewrite",
    protocol: str = "cross",
    limit: int | None = None,
    seed: int = 0,
    without: list[str] | None = None,
) -> list[str]:
    """Evaluate `lips` on `clips` (a folder, or SOURCE DUBBED files for "dubbed"); gives the files in `out`.

    `without` names slow measures to leave out. Finished pairs are not rendered again. BadInput, MissingWeights.
    """
    from tasks.evaluate import EvaluationJob, check, evaluate, evaluation_settings, renderers
    from tasks.evaluation_measures import OPTIONAL
    from tasks.evaluation_pairs import PROTOCOLS
    from tasks.evaluation_report import summary_rows

    tag_run("redub", "evaluate", lips)
    chosen = next((each for each in PROTOCOLS if each == protocol), None)
    if chosen is None:
        raise BadInput(f"unknown protocol {protocol!r}.", remedy=f"Protocols: {', '.join(PROTOCOLS)}.")
    if unknown := sorted(set(without or ()) - set(OPTIONAL)):
        raise BadInput(f"{unknown[0]!r} cannot be left out.", remedy=f"Of {', '.join(OPTIONAL)}.")
    engine = "as dubbed" if chosen == "dubbed" else lips
    settings = evaluation_settings("none" if chosen == "dubbed" else lips, chosen)
    job = EvaluationJob(
        inputs=tuple(Path(each).absolute() for each in clips),
        out=Path(out).absolute(),
        lips=engine,
        renderer_for=renderers(engine, settings),
        protocol=chosen,
        limit=limit,
        seed=seed,
        without=frozenset(without or ()),
        settings=settings,
    )
    bring_weights()
    check(job)
    made = evaluate(job)
    rows = [{"measure": name, "better": better, **cells} for name, better, cells in summary_rows(made.scores)]
    create_table_artifact(table=rows, key="lip-scores", description=f"{engine}, {protocol}, {made.pairs} pairs")
    return [str(path) for path in made.files]
