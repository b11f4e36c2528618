"""`redub stack`: everything that a standing redub needs, on this machine; and what a standing server is told once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from manifests.errors import RedubError

app = typer.Typer(
    help="A standing redub on this machine: database, S3 store, Prefect server, workers, receiver, metrics.\n\n"
    "No containers, no root; everything listens on 127.0.0.1 alone.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

To = Annotated[
    str | None,
    typer.Option("--to", help="Languages of uploads and archives, as in fr,es; default: those of prefect.yaml (fr)."),
]
Folder = Annotated[Path | None, typer.Option("--folder", help="Where everything is kept; default: the state folder.")]


@app.command()
def up(
    folder: Folder = None,
    server_port: Annotated[int | None, typer.Option("--server-port", help="Of the Prefect server (4200).")] = None,
    database_port: Annotated[int | None, typer.Option("--database-port", help="Of PostgreSQL (5432).")] = None,
    objects_port: Annotated[int | None, typer.Option("--objects-port", help="Of the S3 store (8333).")] = None,
    receiver_port: Annotated[int | None, typer.Option("--receiver-port", help="Of the receiver (8787).")] = None,
    metrics_port: Annotated[int | None, typer.Option("--metrics-port", help="Of the exporter (8789).")] = None,
    bucket: Annotated[str, typer.Option("--bucket", help="The bucket that lectures are copied into.")] = "lectures",
    to: To = None,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Lectures at once on this machine's CPU.")] = 1,
    gpus: Annotated[int, typer.Option("--gpus", min=0, help="Start a worker for each of so many GPUs.")] = 0,
) -> None:
    """Bring everything up and keep it standing until Ctrl-C; what was kept is there again the next time.

    A port that is not given is the last time's, or a free one where that is taken.
    """
    from flows import stack

    where = folder.absolute() if folder else stack.default_folder()
    plan = stack.StackPlan(
        folder=where,
        ports=stack.last_ports(where),
        bucket=bucket,
        languages=_codes(to),
        runs_at_once=runs,
        gpus=gpus,
    )
    given = {
        "server": server_port,
        "database": database_port,
        "objects": objects_port,
        "receiver": receiver_port,
        "metrics": metrics_port,
    }
    stack.run_stack(stack.with_ports(plan, **given), _say)


@app.command()
def down(folder: Folder = None) -> None:
    """End the stack that another terminal brought up. What it kept stays."""
    from flows import stack

    where = folder.absolute() if folder else stack.default_folder()
    _say("ended" if stack.end_stack(where) else f"no stack stands in {where}")


@app.command(name="set-up")
def set_up(
    gpu: Annotated[
        list[str] | None, typer.Option("--gpu", help="A name for each GPU of the workers, for its slot; repeat it.")
    ] = None,
    bucket: Annotated[
        str | None,
        typer.Option(
            "--bucket", help="Lectures lie in this bucket, which is made where it is missing; default: REDUB_BUCKET."
        ),
    ] = None,
    to: To = None,
    retries: Annotated[
        int, typer.Option("--retries", min=0, help="How often a run that crashed is started again.")
    ] = 3,
    project: Annotated[
        Path | None, typer.Option("--project", help="The folder that holds prefect.yaml; default: redub's own.")
    ] = None,
) -> None:
    """Tell the server in PREFECT_API_URL of pools, GPU slots, deployments and automations. May be said again."""
    import os

    from flows import stack
    from flows.setup import set_up as tell_server
    from infra import object_server

    if bucket:
        object_server.ensure_bucket(bucket)
    named = bucket or os.environ.get("REDUB_BUCKET")  # which the operator made, and redub may not
    tell_server(project or stack.PROJECT, gpu or (), bucket=named, languages=_codes(to), retries=retries)
    _say("pools, slots, deployments and automations are as they should be")


@app.command()
def secrets(
    folder: Annotated[Path, typer.Argument(help="A folder for them; only its owner may enter it.", metavar="FOLDER")],
) -> None:
    """Make the passwords and keys that infra/deploy/compose.yaml reads. Those that are there stay."""
    from flows import stack

    for file in stack.write_container_secrets(folder):
        _say(str(file))


def _codes(to: str | None) -> tuple[str, ...]:
    """The languages of `fr,es`. BadInput for one that redub does not know, before anything is brought up."""
    from manifests.languages import language

    return tuple(dict.fromkeys(language(each.strip().lower()).code for each in (to or "").split(",") if each.strip()))


def _say(line: str) -> None:
    typer.echo(line)


if __name__ == "__main__":
    import sys

    try:
        app()
    except RedubError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
