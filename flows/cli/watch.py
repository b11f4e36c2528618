"""`redub watch`: lectures that are uploaded start a dub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import choose_output
from manifests.errors import BadInput

app = typer.Typer()

_STORE = "What is watched"
_HTTP = "Who may tell of uploads"


@app.command(
    epilog="""
Examples:
  redub watch s3://lectures/incoming/
  redub watch lectures --ignore s3://lectures/dubbed/ --poll 300
  redub watch lectures --queue https://sqs.eu-west-1.amazonaws.com/12/new

For each content of each object it posts redub.lecture.uploaded once to the
Prefect server in PREFECT_API_URL; the deployment dub-on-upload waits for it.
What lies there when it first starts is left alone: see redub archive.
Notifications come to http://127.0.0.1:8787/notifications and show the secret
in REDUB_WATCH_SECRET; docs/watching.md says how, for each store.
"""
)
def watch(
    places: Annotated[
        list[str] | None,
        typer.Argument(help="s3://BUCKET/PREFIX or BUCKET; default: REDUB_BUCKET.", metavar="PLACE"),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", help="A place below which redub writes; may be given again.", rich_help_panel=_STORE),
    ] = None,
    suffixes: Annotated[
        str | None,
        typer.Option(
            "--suffixes", help="Of lectures, as in mp4,mkv; default: those of videos.", rich_help_panel=_STORE
        ),
    ] = None,
    poll: Annotated[
        float,
        typer.Option(
            "--poll",
            envvar="REDUB_WATCH_POLL",
            min=0,
            help="Look into the store every so many seconds; 0: never.",
            rich_help_panel=_STORE,
        ),
    ] = 60.0,
    queue: Annotated[
        str | None,
        typer.Option("--queue", envvar="REDUB_WATCH_QUEUE", help="A queue of SQS, by its URL.", rich_help_panel=_STORE),
    ] = None,
    existing: Annotated[
        bool,
        typer.Option(
            "--existing",
            envvar="REDUB_WATCH_EXISTING",
            help="Also dub what lies there when it is first started.",
            rich_help_panel=_STORE,
        ),
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            envvar="REDUB_WATCH_HOST",
            help="Where to listen; other than this machine only with a secret.",
            rich_help_panel=_HTTP,
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", envvar="REDUB_WATCH_PORT", min=0, max=65535, help="0: any.", rich_help_panel=_HTTP),
    ] = 8787,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            help="Where it keeps what it has seen; default: watch in the state folder.",
            rich_help_panel=_STORE,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Wait for lectures to be uploaded, and have them dubbed."""
    from flows.server import configured_api_url
    from flows.watch.scope import Scope, chosen_suffixes, place
    from flows.watch.watching import WatchPlan
    from flows.watch.watching import watch as receive
    from infra.places import state_folder

    output = choose_output(as_json=json)
    if not configured_api_url(os.environ):
        raise BadInput("no Prefect server is named;", where="PREFECT_API_URL", remedy="`redub stack up` starts one")
    named = places or [each for each in [os.environ.get("REDUB_BUCKET", "")] if each]
    plan = WatchPlan(
        scope=Scope(
            places=tuple(dict.fromkeys(map(place, named))),
            ignored=tuple(map(place, ignore or _words("REDUB_WATCH_IGNORE"))),
            suffixes=chosen_suffixes(suffixes),
        ),
        folder=state or state_folder() / "watch",
        secrets=_secrets(),
        host=host,
        port=port,
        poll_s=poll,
        queue=queue,
        existing=existing,
    )
    _log()
    receive(plan, output.say)


def _secrets() -> tuple[str, ...]:
    """Out of `REDUB_WATCH_SECRET`, or the file that `REDUB_WATCH_SECRET_FILE` names. BadInput where it is too short."""
    from flows.watch.callers import secrets_in

    text, file = os.environ.get("REDUB_WATCH_SECRET", ""), os.environ.get("REDUB_WATCH_SECRET_FILE", "")
    if file and not text:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            told = type(error).__name__
            raise BadInput(f"it cannot be read ({told});", where=file, remedy="see REDUB_WATCH_SECRET_FILE") from error
    return secrets_in(text)


def _words(variable: str) -> list[str]:
    return os.environ.get(variable, "").replace(",", " ").split()


def _log() -> None:
    """The receiver's own log, to standard error; a standing process has no other voice."""
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("flows.watch", "infra"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
