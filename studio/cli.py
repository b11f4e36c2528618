"""`redub studio`: the page for lecturers, and the tokens of those who may use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import choose_output

app = typer.Typer()
studio_app = typer.Typer(no_args_is_help=False, invoke_without_command=True)
app.add_typer(studio_app, name="studio")

_WHERE = "Where it listens"
_WHO = "Who may use it"
_HOW_MUCH = "How much it takes"


@studio_app.callback(
    invoke_without_command=True,
    epilog="""
Examples:
  redub studio
  redub studio --port 9000 --allow s3://lectures/incoming/
  redub studio token ada >> tokens.txt
  redub studio --host 0.0.0.0 --tokens tokens.txt --name studio.example.org

On this machine alone there is no login. Elsewhere it refuses to start without
--tokens or --behind-proxy, and belongs behind a proxy that speaks TLS:
docs/security.md.
""",
)
def studio(
    context: typer.Context,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at.", rich_help_panel=_WHERE)
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0: any that is free.", rich_help_panel=_WHERE)
    ] = 8790,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name", help="A name that browsers call it by, as in studio.example.org.", rich_help_panel=_WHERE
        ),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option("--tokens", help="Who may log in: the lines of `redub studio token`.", rich_help_panel=_WHO),
    ] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(
            "--behind-proxy",
            help="The environment variable with the secret that a proxy shows, which logs people in and names them.",
            metavar="VARIABLE",
            rich_help_panel=_WHO,
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", help="s3://BUCKET/PREFIX below which lectures may be named.", rich_help_panel=_WHO),
    ] = None,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=16, help="Dubs at work at once.", rich_help_panel=_HOW_MUCH)
    ] = 1,
    upload_gb: Annotated[
        float, typer.Option("--upload-gb", min=0.001, help="The largest upload.", rich_help_panel=_HOW_MUCH)
    ] = 8.0,
    owner_gb: Annotated[
        float, typer.Option("--owner-gb", min=0.001, help="All that one person keeps here.", rich_help_panel=_HOW_MUCH)
    ] = 50.0,
    hours: Annotated[
        float, typer.Option("--hours", min=0.01, help="The longest lecture.", rich_help_panel=_HOW_MUCH)
    ] = 6.0,
    days: Annotated[
        int,
        typer.Option("--days", min=1, help="Days after which an untouched project goes.", rich_help_panel=_HOW_MUCH),
    ] = 30,
    json: Json = False,
) -> None:
    """Serve a page on which lecturers upload, watch, mend and take home their dubs."""
    if context.invoked_subcommand is not None:
        return
    from studio.serving import serve
    from studio.settings import Limits, settings_of

    serve(
        settings_of(
            host=host,
            port=port,
            names=tuple(name or ()),
            tokens=tokens,
            proxy_variable=behind_proxy,
            allowed=tuple(allow or ()),
            at_once=at_once,
            limits=Limits(
                upload_bytes=int(upload_gb * 1e9),
                owner_bytes=int(owner_gb * 1e9),
                duration_s=hours * 3600,
                retention_days=days,
            ),
        ),
        output=choose_output(as_json=json),
    )


@studio_app.command()
def token(
    user: Annotated[str, typer.Argument(help="Whose it is, as in ada.", metavar="NAME")],
    json: Json = False,
) -> None:
    """Make a token: the line for the file of --tokens goes to standard output, the token itself is shown once."""
    from studio.tokens import new_token

    secret, line = new_token(user)
    output = choose_output(as_json=json)
    output.say(f"The token of {user}, shown this once: {secret}")
    output.result({"user": user, "token": secret, "line": line}, line)
