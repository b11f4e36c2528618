"""`redub train`: the networks that move lips, trained on your own speakers."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.output import Output, choose_output

if TYPE_CHECKING:
    from tasks.training import TrainingRecord

_LINE_S = 5.0

app = typer.Typer(
    help="Train the networks that move lips, on data made by `redub data prepare`.\n\n"
    "First an expert that hears whether lips and sound belong together, then with it a generator that draws them.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Data = Annotated[Path, typer.Argument(help="A folder made by `redub data prepare`.", metavar="DATA")]
Out = Annotated[Path, typer.Option("--out", help="The folder of the run: weights, curves, checkpoints.")]
Preset = Annotated[str, typer.Option("--preset", help="cpu (the default), paper or tiny.")]
LipsyncPreset = Annotated[str, typer.Option("--preset", help="cpu (the default), paper, wgan or tiny.")]
Minutes = Annotated[float | None, typer.Option("--minutes", min=0, help="Train so long; pauses do not count.")]
Steps = Annotated[int | None, typer.Option("--steps", min=0, help="Train so many steps; such a run can be repeated.")]
Width = Annotated[float | None, typer.Option("--width", help="Channels over the paper's: 1, 0.5, 0.25.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Of the first weights, the sampling and the changes.")]
Rate = Annotated[float | None, typer.Option("--learning-rate", help="The highest; it rises first and falls later.")]
Init = Annotated[Path | None, typer.Option("--init", help="Weights to start from, of the same width.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Threads of arithmetic; default: all cores.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object a line to standard output, for machines.")]

_RESUMING = """
The same command again goes on where it stopped, after Ctrl-C, a crash or
kill -9; a finished run is left alone. With more --steps or --minutes it goes
on further.

In the folder: best.safetensors and last.safetensors, the weights; curves.png
and history.jsonl; tensorboard/ for `tensorboard --logdir`; settings.json;
state/, the newest checkpoint.
"""


@app.command(
    epilog=f"""
Examples:
  redub train expert shards/ --out runs/expert --minutes 60
  redub train expert shards/ --out runs/try --preset tiny
  redub train expert shards/ --out runs/mine --steps 2000 --init E.safetensors

What is told: `told`, in-sync against shifted windows, 0.5 is chance;
`ranked`, how often the right sound scores above a shifted one; `found`, clips
whose offset is found within a frame. `_changed`: the same of faces changed as
in training, the nearest thing to strangers.
{_RESUMING}"""
)
def expert(
    data: Data,
    out: Out,
    preset: Preset = "cpu",
    minutes: Minutes = None,
    steps: Steps = None,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Clips in a batch; each gives several windows.")
    ] = None,
    width: Width = None,
    seed: Seed = None,
    learning_rate: Rate = None,
    init: Init = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Train the sync expert: do these lips and this sound belong together?"""
    from tasks.training import Options, expert_settings, train_expert

    options = Options(
        preset=preset,
        minutes=minutes,
        steps=steps,
        batch=batch,
        width=width,
        seed=seed,
        learning_rate=learning_rate,
        threads=threads,
    )
    output = choose_output(as_json=json)
    with _watching(output) as lines:
        record = train_expert(data, out, expert_settings(options), lines, start=init)
    _tell(record, output)


@app.command(
    epilog=f"""
Examples:
  redub train lipsync shards/ --out runs/lips --minutes 120
  redub train lipsync shards/ --out runs/wgan --preset wgan
  redub train lipsync shards/ --out runs/mine --expert E.safetensors
  redub train lipsync shards/ --out runs/more --init L.safetensors

Strips of held-out clips lie in samples/: reference, what the network is shown
of the face, what it draws, what is true.
{_RESUMING}"""
)
def lipsync(
    data: Data,
    out: Out,
    expert: Annotated[
        Path | None, typer.Option("--expert", help="The expert's weights; default: those that ship.")
    ] = None,
    preset: LipsyncPreset = "cpu",
    minutes: Minutes = None,
    steps: Steps = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Windows of five frames in a batch.")] = None,
    width: Width = None,
    seed: Seed = None,
    learning_rate: Rate = None,
    init: Init = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Train the generator, which draws the lower half of a face to fit a sound."""
    from tasks.training import Options, lipsync_settings, train_lipsync

    options = Options(
        preset=preset,
        minutes=minutes,
        steps=steps,
        batch=batch,
        width=width,
        seed=seed,
        learning_rate=learning_rate,
        threads=threads,
    )
    output = choose_output(as_json=json)
    with _watching(output) as lines:
        record = train_lipsync(data, out, lipsync_settings(options), lines, expert=expert, start=init)
    _tell(record, output)


@app.command(
    epilog=f"""
Examples:
  redub train adapt --lecture lecture.mp4 --out runs/prof
  redub train adapt --lecture lecture.mp4 --out runs/prof --steps 1000
  redub weights pull wav2lip --from runs/prof/run/best.safetensors

The third line makes redub dub with what came of it. The data made of the
lecture lies in data/, the run in run/.
{_RESUMING}"""
)
def adapt(
    lecture: Annotated[Path, typer.Option("--lecture", help="A recording in which the speakers' faces show.")],
    out: Annotated[Path, typer.Option("--out", help="The folder for data and run.")],
    expert: Annotated[
        Path | None, typer.Option("--expert", help="The expert's weights; default: those that ship.")
    ] = None,
    init: Annotated[
        Path | None, typer.Option("--init", help="The weights to specialise; default: those that redub dubs with.")
    ] = None,
    minutes: Minutes = None,
    steps: Steps = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Windows of five frames in a batch.")] = None,
    seed: Seed = None,
    learning_rate: Rate = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Specialise trained lip-sync weights on the speakers of one lecture."""
    from tasks import training

    options = training.Options(
        preset="adapt",
        minutes=minutes,
        steps=steps,
        batch=batch,
        seed=seed,
        learning_rate=learning_rate,
        threads=threads,
    )
    output = choose_output(as_json=json)
    with _watching(output) as lines:
        record = training.adapt(lecture, out, options, lines, _Tenths(output), expert=expert, start=init)
    _tell(record, output)


@app.command(
    epilog="""
Examples:
  redub train articulation clips/ --out runs/articulation
  redub train articulation clips/ --out runs/articulation --steps 2500 --seed 7

CLIPS is any folder of talking faces, a few seconds to a minute each. What was
seen and heard of each is kept in clips/ of the run, so that a second run only
teaches. The result is articulation.safetensors, of which redub's own lies in
models/checkpoints/.
"""
)
def articulation(
    clips: Annotated[Path, typer.Argument(help="A folder of videos of talking faces.", metavar="CLIPS")],
    out: Out,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps to teach.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the first weights and the sampling.")] = 0,
    data: Annotated[str, typer.Option("--data", help="What CLIPS is, for the weights' metadata.")] = "",
    json: Json = False,
) -> None:
    """Train the network that hears how a mouth moves: what `--lips rewrite` follows."""
    from models.articulation.training import ArticulationTraining
    from tasks.articulation_training import train_articulation

    output = choose_output(as_json=json)
    trained = train_articulation(
        clips,
        out,
        ArticulationTraining(steps=steps, seed=seed),
        {"data": data or clips.name, "seed": str(seed), "steps": str(steps)},
        _Tenths(output),
    )
    said = trained.validation
    others = ", ".join(f"{each:.2f}" for each in said.opening[1:])
    output.result(
        {
            "weights": str(trained.weights),
            "clips": trained.clips,
            "dropped": list(trained.dropped),
            "opening": list(said.opening),
            "recall": said.recall,
            "precision": said.precision,
        },
        f"[bold green]{escape(str(trained.weights))}[/]\n[dim]{trained.clips} clips; on those held out, correlation "
        f"of the opening {said.opening[0]:.2f} ({others} in other voices), closed "
        f"lips told {said.recall:.0%}, rightly {said.precision:.0%}[/]",
    )


class _Tenths:
    """Says how far a job of several parts is, ten times a part."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._told: set[tuple[str, int]] = set()

    def __call__(self, what: str, done: int, total: int) -> None:
        tenth = (what, 10 * done // max(total, 1))
        if tenth not in self._told:
            self._told.add(tenth)
            self._output.event("progress", what=what, done=done, total=total)
            self._output.say(f"[dim]{what}: {done} of {total}[/]")


class _Lines:
    """Says how a run goes, a line every few seconds, and ends it at the first Ctrl-C."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._said_s = self._began_s = time.monotonic()
        self._samples = self._since = 0
        self._end = False

    def began(self, *, step: int, samples: int) -> None:
        """The run begins, or goes on; from here on Ctrl-C ends it after a step."""
        signal.signal(signal.SIGINT, self._interrupted)
        self._samples = samples
        self._said_s = self._began_s = time.monotonic()
        self._output.event("began", step=step, samples_per_step=samples)
        if step:
            self._output.say(f"[dim]going on after step {step}[/]")

    def stepped(self, *, step: int, share: float, values: Mapping[str, float]) -> None:
        """A step is done; said where the last word was some seconds ago."""
        self._since += 1
        now_s = time.monotonic()
        if now_s - self._said_s < _LINE_S:
            return
        speed = self._since * self._samples / (now_s - self._said_s)
        self._said_s, self._since = now_s, 0
        said = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
        self._output.event("step", step=step, share=round(share, 4), samples_per_s=round(speed, 1), **values)
        self._output.say(f"[dim]{share:6.1%}  step {step}  {speed:.1f} windows/s[/]  {said}")

    def validated(self, *, step: int, values: Mapping[str, float], best: bool) -> None:
        """A validation is done."""
        said = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
        self._output.event("validated", step=step, best=best, **values)
        self._output.say(f"[bold]step {step} validated[/]  {said}{'  [green]best so far[/]' if best else ''}")

    def wants_end(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._end

    def _interrupted(self, signum: int, frame: FrameType | None) -> None:
        """The first time the run is ended after its step, the second time at once: the last checkpoint is whole."""
        if self._end:
            signal.default_int_handler(signum, frame)
        self._end = True
        self._output.say("[yellow]ending after this step; press Ctrl-C again to leave at once[/]")


@contextmanager
def _watching(output: Output) -> Iterator[_Lines]:
    before = signal.getsignal(signal.SIGINT)
    try:
        yield _Lines(output)
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(record: TrainingRecord, output: Output) -> None:
    if not record.finished:
        raise KeyboardInterrupt  # the command line says how to go on, and exits as an interrupted one does
    best = f"; best at step {record.best_step}" if record.best_step else ""
    output.result(
        {
            "folder": str(record.folder),
            "step": record.step,
            "best_step": record.best_step,
            "best": str(record.best) if record.best else None,
        },
        f"[bold green]{escape(str(record.best or record.folder))}[/]\n[dim]finished after {record.step} steps{best}[/]",
    )
