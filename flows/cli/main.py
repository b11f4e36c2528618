"""`redub`: the commands, their help, and what they exit with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from flows.cli import archive, data, dub, evaluate, interrupt, metrics, stack, train, watch
from flows.cli.options import Json, Lips, Voice
from flows.cli.output import choose_output
from manifests.errors import BadInput, RedubError

EXIT_CODES = """
Exit codes:
  0  done
  1  a fault in redub: please report it
  2  bad input or options
  3  weights are missing; the message names the command that brings them
  4  a service did not answer: try again
  5  the disk is full, or a folder cannot be written
  6  the dub is made, but did not pass the gate (--gate)
  7  some lectures of an archive failed, the others went on
  130  interrupted

Whatever it was, running the same command again goes on where it stopped.

Environment:
  REDUB_CACHE        finished work, in case it is asked for again
  REDUB_STATE        records of runs, and the history of the embedded server
  REDUB_WEIGHTS      trained weights; a folder, or s3://BUCKET/PREFIX
  REDUB_TASK_RUNNER  who works: threads, dask or ray, as in dask:4
  PREFECT_API_URL    a Prefect server to use in place of the embedded one
  REDUB_LOG          json: each line of a worker's log is a JSON object
"""

app = typer.Typer(
    name="redub",
    help="Dub recorded lectures into other languages, lips included.\n\n"
    "Start with: redub weights pull --for fr, then: redub dub lecture.mp4 --to fr",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
weights_app = typer.Typer(
    help="The trained weights of the models: what is here, and bringing what is not.", no_args_is_help=True
)
app.add_typer(dub.app)
app.add_typer(weights_app, name="weights")
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app)
app.add_typer(stack.app, name="stack")
app.add_typer(watch.app)
app.add_typer(metrics.app)
app.add_typer(archive.app, name="archive")

OutFile = Annotated[str, typer.Option("--out", help="The video to write (.mp4); a path or s3://BUCKET/KEY.")]
Face = Annotated[
    str, typer.Option("--face", help="A video or an image in which the face shows; a path or s3://BUCKET/KEY.")
]


@app.command(
    epilog="""
Examples:
  redub lipsync --face portrait.jpg --audio talk.wav --out talking.mp4
  redub lipsync --face speaker.mp4 --audio retake.m4a --out mended.mp4

The result lasts as long as the sound: a longer video is cut off, a shorter
one is played back and forth. Where no face is found, the picture passes untouched,
and redub says so.
"""
)
def lipsync(
    face: Face,
    audio: Annotated[
        str,
        typer.Option("--audio", help="What the face should say: any sound or video file; a path or s3://BUCKET/KEY."),
    ],
    out: OutFile,
    lips: Lips = None,
    json: Json = False,
) -> None:
    """Make the face in a video or an image speak a recording."""
    from flows.cli.work import run_talk

    run_talk(
        face=face,
        audio=audio,
        text=None,
        language=None,
        voice=None,
        lips=lips,
        out=out,
        output=choose_output(as_json=json),
    )


@app.command(
    epilog="""
Examples:
  redub talk --face me.jpg --lang fr --text 'Bonjour à tous.' --out moi.mp4
  redub talk --face me.mp4 --lang en --text @welcome.txt --out welcome.mp4

@FILE is a text file in UTF-8 (a path or s3://BUCKET/KEY). The result lasts as long as the speech: a longer
video is cut off, a shorter one is played back and forth.
"""
)
def talk(
    face: Face,
    out: OutFile,
    lang: Annotated[str, typer.Option("--lang", help="The language of the text, by ISO 639-1 code.")],
    text: Annotated[str, typer.Option("--text", help="What to say, or @FILE to read it from a text file.")],
    voice: Voice = None,
    lips: Lips = None,
    json: Json = False,
) -> None:
    """Make the face in a video or an image say a text."""
    from flows.cli.work import run_talk

    run_talk(
        face=face,
        audio=None,
        text=_text(text),
        language=lang.strip().lower(),
        voice=voice,
        lips=lips,
        out=out,
        output=choose_output(as_json=json),
    )


@app.command(
    epilog="""
Examples:
  redub show
  redub show lecture-fr-1
  redub show dubbed/lecture.redub

Times are in seconds. A piece is one chunk of the lecture in one stage; a cached
one was done in an earlier run.
"""
)
def show(
    run: Annotated[
        str | None,
        typer.Argument(help="A run's name or folder (a path or s3://...); default: the latest.", metavar="RUN"),
    ] = None,
    json: Json = False,
) -> None:
    """Show what a run did, stage by stage: time, cache hits, what was degraded and why."""
    from flows.cli.show import show_run

    show_run(run, choose_output(as_json=json))


@app.command(
    epilog="""
Examples:
  redub verify lecture.fr.mp4
  redub verify lecture.fr.mp4 --source lecture.mp4

Beside each dub lies a signed statement, NAME.c2pa (C2PA content credentials): what
it was made from and by, and that its speech and lips are synthetic. A dub or a
statement that was changed since ends with exit code 2. This machine signs with a
key of its own; to sign as an institution, name PEM files in REDUB_SIGNING_KEY and
REDUB_SIGNING_CERTIFICATES.
"""
)
def verify(
    file: Annotated[
        str,
        typer.Argument(help="The dub (a path or s3://BUCKET/KEY); its .c2pa file lies beside it.", metavar="FILE"),
    ],
    source: Annotated[
        str | None, typer.Option("--source", help="Also check that the dub was made from this file.")
    ] = None,
    json: Json = False,
) -> None:
    """Check that a dub is as redub signed it, and what it says of itself."""
    from flows.cli.verify import verify_dub

    verify_dub(file, source, choose_output(as_json=json))


@app.command(
    epilog="""
Each line says ok; note, where a dub works without it; or fault, where one from
English into French would fail (the exit code is then 3).
"""
)
def doctor(json: Json = False) -> None:
    """Check this machine: devices, engines, weights, voices, ffmpeg, the Prefect server."""
    from flows.cli.doctor import diagnose

    diagnose(choose_output(as_json=json))


@weights_app.command("list")
def weights_list(json: Json = False) -> None:
    """List the weights that redub knows, with their licences, and which of them are here."""
    from flows.cli.weights import list_weights

    list_weights(choose_output(as_json=json))


@weights_app.command(
    "pull",
    epilog="""
Examples:
  redub weights pull --for fr
  redub weights pull whisper-base kokoro
  redub weights pull wav2lip --from wav2lip.pth
""",
)
def weights_pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Weights by name; see `redub weights list`.", metavar="NAME")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--for", help="All that dubbing English into this language needs, as in fr.")
    ] = None,
    from_: Annotated[
        Path | None, typer.Option("--from", help="A file or folder you have already, taken for the one NAME.")
    ] = None,
    json: Json = False,
) -> None:
    """Bring weights to this machine, once; each file is checked against its SHA-256."""
    from flows.cli.weights import pull_weights

    pull_weights(tuple(names or ()), language, from_, choose_output(as_json=json))


def _text(given: str) -> str:
    if not given.startswith("@"):
        return given
    from flows.exchange import brought

    path = brought(given[1:]) or Path()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the text cannot be read ({error.__class__.__name__}).", where=given[1:]) from error


def _add_commands() -> None:
    """Commands of layers above this one, which its own package names: nothing here may import them."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        named = distribution("redub").entry_points.select(group="redub.commands")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return
    for each in named:
        app.add_typer(each.load())


def main() -> NoReturn:
    """Run the command line; a user's mistake ends in one clear line, never in a traceback."""
    _add_commands()
    as_json = "--json" in sys.argv
    # NumPy's matrices are small here: its threads would spin for each other where the pipeline's own want the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = app(standalone_mode=False) or 0
        if code == interrupt.EXIT_CODE:  # typer makes it of Ctrl-C
            raise KeyboardInterrupt
    except typer.Exit as stop:
        code = stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        choose_output(as_json=as_json).failed(interrupt.MESSAGE, "Interrupted", interrupt.EXIT_CODE)
        code = interrupt.EXIT_CODE
    except TyperException as mistake:
        if message := mistake.format_message():  # none where the help was shown instead
            choose_output(as_json=as_json).failed(f"{message.rstrip('.')}; see redub --help", "Usage", 2)
        code = 2
    except RedubError as error:
        choose_output(as_json=as_json).failed(str(error), type(error).__name__, error.exit_code)
        code = error.exit_code
    except Exception as fault:  # noqa: BLE001 (the last line of defence: what is left is redub's own fault)
        from flows.cli.fault import record_fault

        choose_output(as_json=as_json).failed(record_fault(fault), "Fault", 1)
        code = 1
    sys.stdout.flush()
    sys.exit(code)
