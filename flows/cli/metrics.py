"""`redub metrics`: a page for Prometheus."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import choose_output

app = typer.Typer()


@app.command(
    epilog="""
Examples:
  redub metrics
  redub metrics --price 2.50
  redub metrics --port 0 --json

It adds up the records of this machine's runs (REDUB_STATE), so it may be started
again at any time; and it asks the Prefect server in PREFECT_API_URL what waits,
where one is named. Each worker's machine has an exporter of its own.
docs/operations.md lists the metrics.
"""
)
def metrics(
    price: Annotated[
        float | None,
        typer.Option(
            "--price", envvar="REDUB_PRICE", min=0, help="What an hour of this machine costs, in any currency."
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option("--host", envvar="REDUB_METRICS_HOST", help="Where to listen; whoever reaches it may read it."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", envvar="REDUB_METRICS_PORT", min=0, max=65535, help="0: any.")] = 8789,
    json: Json = False,
) -> None:
    """Serve what was dubbed, what waits and what it costs, for Prometheus."""
    from flows.metrics.exporter import Exporter, RedubCollector
    from flows.metrics.queue import PrefectQueue
    from flows.metrics.records import Records
    from flows.server import configured_api_url
    from flows.watch.receiver import Limits
    from flows.watch.serving import listener, server

    output = choose_output(as_json=json)
    url = configured_api_url(os.environ)
    queue = PrefectQueue(url, os.environ) if url else None
    exporter = Exporter(RedubCollector(Records(), queue, price))
    with listener(host, port) as socket:
        address = f"http://{host}:{socket.getsockname()[1]}/metrics"
        output.event("listening", url=address, server=url)
        output.say(f"metrics at {address}" + ("" if url else "; no PREFECT_API_URL is set: nothing is told of queues"))
        exporter.serve(server(exporter.application(), Limits()), socket)
