"""`redub archive`: a folder or bucket of lectures, planned, dubbed and watched."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import Json
from flows.cli.output import Output, choose_output
from manifests.errors import BadInput

if TYPE_CHECKING:
    from manifests.archive import ArchivedLecture
    from tasks.archive import Tally, Wanted
    from tasks.archive_run import Summary

SOME_FAILED = 7
"""The exit code of a run in which lectures failed, and the others went on."""

app = typer.Typer(
    help="Dub a whole folder or bucket of lectures, and go on where it stopped.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

_MOST_ROWS = 20
_ORDER = ("done", "running", "failed", "waiting", "unreadable", "gone")
_COLOURS = {"done": "green", "running": "cyan", "failed": "red", "unreadable": "yellow"}

Manifest = Annotated[
    str, typer.Argument(help="The archive's manifest: a file, or s3://BUCKET/KEY.", metavar="MANIFEST")
]
Tries = Annotated[int, typer.Option("--tries", min=1, help="How often a lecture that fails is tried, over all runs.")]


@app.command(
    epilog="""
Examples:
  redub archive plan s3://lectures/physics --to fr,es
  redub archive plan lectures/ --to fr --out dubbed/ --priority 'exam*=5'

Lists the lectures, looks at their headers (no lecture is downloaded), finds
what was made already, and writes it all to a Parquet file. Run it again for
lectures that were added or replaced: finished work is kept, and is found even
where the file is lost.
"""
)
def plan(
    source: Annotated[str, typer.Argument(help="A folder, or s3://BUCKET/PREFIX.", metavar="SOURCE")],
    to: Annotated[str, typer.Option("--to", help="Languages, by ISO 639-1 code, as in fr or fr,es.")],
    from_: Annotated[str, typer.Option("--from", help="The language spoken, or auto to find out.")] = "auto",
    out: Annotated[
        str | None, typer.Option("--out", help="Where outputs go: a folder or prefix; default: beside each lecture.")
    ] = None,
    manifest: Annotated[
        str | None, typer.Option("--manifest", help="The file to write; default: archive.parquet, with the outputs.")
    ] = None,
    preset: Annotated[str, typer.Option("--preset", help="lecture (the default) or draft.")] = "lecture",
    glossary: Annotated[str | None, typer.Option("--glossary", help="A CSV of terms for all of them.")] = None,
    priority: Annotated[
        list[str] | None,
        typer.Option("--priority", help="PATTERN=NUMBER for names below SOURCE; higher comes first; repeat it."),
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Publish no dub that misses the preset's thresholds.")] = False,
    json: Json = False,
) -> None:
    """Find the lectures of an archive, and write down what is to be dubbed."""
    from tasks.archive_plan import wanted_below

    asked = wanted_below(
        source,
        tuple(part.strip().lower() for part in to.split(",") if part.strip()),
        out=out,
        preset=preset,
        source_language=None if from_ == "auto" else from_.strip().lower(),
        glossary=glossary,
        gate=gate,
        priorities=tuple(_priority(each) for each in priority or ()),
    )
    output = choose_output(as_json=json)
    place, rows = _plan(asked, manifest, output)
    _show(rows, place, output, tries=3, full=False, holder="")


@app.command(
    epilog="""
Examples:
  redub archive run s3://lectures/physics/archive.parquet
  redub archive run dubbed/archive.parquet --hours 20 --where here
  redub archive run dubbed/archive.parquet --money 500 --price 3.20

Does only what is missing or changed: run it again as often as you like.
One that fails is recorded, and the others go on; the exit code is then 7. An
hour of budget is an hour of one lecture in one language, begun or done.
"""
)
def run(
    manifest: Manifest,
    hours: Annotated[float | None, typer.Option("--hours", help="Hours of lecture that this run may dub.")] = None,
    money: Annotated[float | None, typer.Option("--money", help="Money that this run may cost; with --price.")] = None,
    price: Annotated[float | None, typer.Option("--price", help="What one hour in one language costs.")] = None,
    at_once: Annotated[int, typer.Option("--at-once", help="Lectures at one time, on workers.")] = 4,
    tries: Tries = 3,
    where: Annotated[
        str,
        typer.Option("--where", help="workers (runs of --deployment), here (one by one), or auto: workers if any."),
    ] = "auto",
    deployment: Annotated[
        str, typer.Option("--deployment", help="What runs on the workers.")
    ] = "dub-lecture/dub-lecture",
    json: Json = False,
) -> None:
    """Dub what is missing or changed, lecture by lecture, within a budget."""
    from tasks.archive import Budget

    Budget(hours=hours, money=money, price_per_hour=price)
    output = choose_output(as_json=json)
    order = {"manifest": manifest, "hours": hours, "money": money, "price": price, "at_once": at_once}
    summary = _run({**order, "tries": tries, "where": where, "deployment": deployment}, output)
    _tell(summary, tries, output)
    if summary.failed or summary.halted:
        raise typer.Exit(SOME_FAILED)


@app.command(
    epilog="""
Examples:
  redub archive status dubbed/archive.parquet
  redub archive status s3://lectures/physics/archive.parquet --all
"""
)
def status(
    manifest: Manifest,
    every: Annotated[bool, typer.Option("--all", help="Every lecture, also those that are done or wait.")] = False,
    tries: Tries = 3,
    json: Json = False,
) -> None:
    """Show how far an archive is: done, running, failed and why, waiting, cost so far."""
    from infra import locations
    from tasks.archive_desk import Desk
    from tasks.archive_lease import holder_of

    place = locations.location(manifest)
    rows, holding = Desk(place).read(), holder_of(place)
    holder = "" if holding is None else f"{holding.holder}, since {holding.since}"
    _show(rows, manifest, choose_output(as_json=json), tries=tries, full=every, holder=holder)


def _plan(wanted: Wanted, manifest: str | None, output: Output) -> tuple[str, list[ArchivedLecture]]:
    from rich.markup import escape

    from infra import locations
    from tasks.archive_desk import Desk
    from tasks.archive_lease import holder_name, leased
    from tasks.archive_plan import default_manifest, planned

    place = locations.location(manifest or default_manifest(wanted))
    with leased(place, holder_name()):
        desk = Desk(place)
        rows = planned(desk.read() if desk.exists() else [], wanted, lambda line: output.say(escape(line)))
        desk.write(rows)
    return str(place), rows


def _run(parameters: dict[str, Any], output: Output) -> Summary:
    """The flow, on the configured Prefect server or an embedded one; a missing manifest is told before one starts."""
    from flows.cli import interrupt
    from flows.server import prefect_server
    from infra import locations
    from infra.memory import tame_heap
    from tasks.archive_desk import Desk

    Desk(locations.location(parameters["manifest"])).read()
    tame_heap()
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    with prefect_server() as starting:
        import_module("flows.archive")  # takes seconds, so it overlaps with the server's start
        server = starting.ready()
        output.event("server", page=server.page_url, api=server.api_url, embedded=server.embedded)
        output.say(f"[dim]Prefect page: {server.page_url}{' (while this runs)' if server.embedded else ''}[/]")
        from flows.archive import dub_archive, telling

        def last_words() -> None:
            output.failed(interrupt.MESSAGE, "Interrupted", interrupt.EXIT_CODE)

        with interrupt.leaving_soon(last_words), telling(output.say):
            # An embedded server has no workers, and nobody would start any for it.
            where = "here" if server.embedded and parameters["where"] == "auto" else parameters["where"]
            summary: Summary = dub_archive(**{**parameters, "where": where})
            return summary


def _priority(given: str) -> tuple[str, int]:
    pattern, sign, number = given.rpartition("=")
    try:
        if not sign or not pattern:
            raise ValueError
        return pattern, int(number)
    except ValueError as error:
        raise BadInput("this is no priority;", where=f"--priority {given}", remedy="write PATTERN=NUMBER") from error


def _show(rows: list[ArchivedLecture], manifest: str, output: Output, *, tries: int, full: bool, holder: str) -> None:
    from rich.markup import escape

    from tasks.archive import tally

    counted = tally(rows, tries)
    lines = [f"[bold]{escape(manifest)}[/]", *(_count(state, counted) for state in _ORDER if counted.states[state])]
    lines.append(f"[dim]{counted.done_hours:.1f} h dubbed, {counted.left_hours:.1f} h left{_cost(counted)}[/]")
    if holder:
        lines.append(f"[cyan]worked on by[/] {escape(holder)}")
    lines += _listed(rows, full=full)
    output.result(
        {
            "manifest": manifest,
            "states": counted.states,
            "given_up": counted.given_up,
            "done_hours": counted.done_hours,
            "left_hours": counted.left_hours,
            "spent_hours": counted.spent_hours,
            "spent_money": counted.spent_money,
            "holder": holder,
            "lectures": [_facts(row) for row in rows if full or row.state not in ("done", "waiting")],
        },
        "\n".join(lines),
    )


def _count(state: str, counted: Tally) -> str:
    colour = _COLOURS.get(state, "default")
    up = f", {counted.given_up} of them given up" if state == "failed" and counted.given_up else ""
    return f"[{colour}]{state:<10}[/] {counted.states[state]:>6}{up}"


def _cost(counted: Tally) -> str:
    money = f" for {counted.spent_money:.2f}" if counted.spent_money else ""
    return f"; {counted.spent_hours:.1f} h begun so far{money}"


def _listed(rows: list[ArchivedLecture], *, full: bool) -> list[str]:
    from rich.markup import escape

    from flows.cli.layout import hung

    lines: list[str] = []
    for state in _ORDER:
        of_state = [row for row in rows if row.state == state]
        if not of_state or (not full and state in ("done", "waiting")):
            continue
        lines += ["", f"[{_COLOURS.get(state, 'default')}]{state}[/]"]
        for row in of_state if full else of_state[:_MOST_ROWS]:
            length = "" if row.duration_s is None else f"  {row.duration_s / 60:.0f} min"
            lines.append(f"  {escape(row.source)}{length}  {'+'.join(row.made) or '-'} of {'+'.join(row.languages)}")
            if row.reason:
                lines.append("    " + hung(row.reason, 4))
        if not full and len(of_state) > _MOST_ROWS:
            lines.append(f"  and {len(of_state) - _MOST_ROWS} more (--all)")
    return lines


def _facts(row: ArchivedLecture) -> dict[str, Any]:
    names = ("source", "state", "reason", "languages", "made", "duration_s", "priority", "attempts", "started", "ended")
    return {name: getattr(row, name) for name in names}


def _tried(row: ArchivedLecture, tries: int) -> str:
    return f"try {row.attempts} of {tries}" if row.attempts else "no fault of its own: it does not count as a try"


def _tell(summary: Summary, tries: int, output: Output) -> None:
    from rich.markup import escape

    from flows.cli.layout import hung

    lines = [f"[green]{len(summary.done)} done[/], {len(summary.failed)} failed; {summary.hours:.2f} h"]
    if summary.money:
        lines[0] += f" for {summary.money:.2f}"
    for row in summary.failed:
        lines.append(f"  [red]failed[/] {escape(row.source)} ({_tried(row, tries)})")
        lines.append("    " + hung(row.reason, 4))
    if summary.over_budget:
        lines.append(f"{summary.over_budget} wait: what is left of the budget is too little")
    if summary.halted:
        lines.append("[red]stopped:[/] " + hung(summary.halted, 9))
    output.result(
        {
            "done": summary.done,
            "failed": [_facts(row) for row in summary.failed],
            "over_budget": summary.over_budget,
            "hours": summary.hours,
            "money": summary.money,
            "seconds": summary.seconds,
            "halted": summary.halted,
        },
        "\n".join(lines),
    )
