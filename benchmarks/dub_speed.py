"""How long a dub takes and how much memory, stage by stage; prints the tables of docs/benchmarks.md.

python -m benchmarks.dub_speed [SOURCE] [--loops 20]

Each figure is of the real command, `redub dub SOURCE --to fr`, in a process of its own: imports and the embedded
Prefect server included, weights present, cache cold. Lips are drawn by a generator of Wav2Lip's size; where no
trained weights are here, by an untrained one, which costs the same. `--loops` also dubs the source repeated so many
times, for memory. SOURCE is by default the team's shared lecture, else the sample that redub makes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.sample import make_sample
from infra.media.probe import probe
from manifests.records import Video

REDUB = Path(sys.executable).parent / "redub"
SHARED_LECTURE = Path(__file__).parents[2] / "shared" / "data" / "lecture" / "lecture_en.mp4"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command: wall-clock seconds, the largest process's peak memory, and what it said."""

    seconds: float
    peak_mb: float
    events: list[dict[str, Any]]

    def stages(self) -> dict[str, float]:
        """Seconds of work a stage."""
        spent: dict[str, float] = defaultdict(float)
        for event in self.events:
            if event["event"] == "performed":
                spent[event["stage"]] += event["seconds"]
        return spent

    def result(self) -> dict[str, Any]:
        """The last event."""
        return self.events[-1]


def main() -> None:
    """Run everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--loops", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = options.source or (SHARED_LECTURE if SHARED_LECTURE.exists() else _sample(folder))
        environment = {**os.environ, "REDUB_WEIGHTS": str(_weights_with_lips(folder))}
        environment |= {"REDUB_CACHE": str(folder / "cache"), "REDUB_STATE": str(folder / "state")}
        video = probe(source)
        cold = _dub(source, folder / "out", environment)
        again = _dub(source, folder / "out", environment)
        _report(video, cold, again)
        if options.loops:
            looped = folder / "looped.mp4"
            _loop(source, options.loops, looped)
            environment["REDUB_CACHE"] = str(folder / "cache-long")
            _report_long(options.loops, cold, _dub(looped, folder / "out-long", environment))


def _sample(folder: Path) -> Path:
    make_sample(folder / "sample.mp4")
    return folder / "sample.mp4"


def _weights_with_lips(folder: Path) -> Path:
    """The weights that are here, and an untrained generator where no trained one is."""
    from models import weights

    root = folder / "weights"
    root.mkdir()
    for each in weights.root().iterdir():
        if not each.name.startswith("."):
            (root / each.name).symlink_to(each.resolve())
    if not weights.present("wav2lip"):
        checkpoint = folder / "untrained.safetensors"
        subprocess.run([sys.executable, "-m", "benchmarks.untrained_checkpoint", str(checkpoint)], check=True)
        adopt = [str(REDUB), "weights", "pull", "wav2lip", "--from", str(checkpoint), "--json"]
        subprocess.run(adopt, check=True, env={**os.environ, "REDUB_WEIGHTS": str(root)}, stdout=subprocess.DEVNULL)
    return root


def _dub(source: Path, out: Path, environment: dict[str, str]) -> Run:
    command = [str(REDUB), "dub", str(source), "--to", "fr", "--out", str(out), "--json"]
    started = time.perf_counter()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    events = [json.loads(line) for line in child.stdout]
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        sys.exit(f"the dub failed: {events[-1] if events else status}")
    return Run(seconds, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2), events)


def _help_seconds() -> float:
    times = []
    for _ in range(7):
        started = time.perf_counter()
        subprocess.run([str(REDUB), "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return sorted(times)[len(times) // 2]


def _loop(source: Path, times: int, out: Path) -> None:
    import imageio_ffmpeg

    repeat = [
        "-stream_loop",
        str(times - 1),
        "-i",
        str(source),
        "-map",
        "0:v:0",
        "-map",
        "0:a:0",
        "-c",
        "copy",
        str(out),
    ]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *repeat], check=True)


def _report(video: Video, cold: Run, again: Run) -> None:
    length = video.span.duration_s
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}; source {length:.1f} s, "
          f"{video.width}x{video.height}, {video.frame_count} frames\n")  # fmt: skip
    print("| measure | figure |\n|---|---|")
    print(f"| dub, cold cache | {cold.seconds:.1f} s = {cold.seconds / length:.2f}x its length |")
    print(f"| the same again | {again.seconds:.1f} s, {again.result()['hits']} of {again.result()['pieces']} cached |")
    print(f"| `redub --help`, median of 7 | {_help_seconds():.2f} s |")
    print(f"| peak memory of the command | {cold.peak_mb:.0f} MB |")
    stages = cold.stages()
    print(f"| faces | {video.frame_count / stages['faces']:.0f} frames/s |")
    rendered = sum(
        event["seconds"] for event in cold.events if event["event"] == "performed" and event["stage"] == "lips"
    )
    frames = cold.result()["lip_frames"]["fr"]
    print(f"| lips | {frames / rendered:.1f} frames/s ({frames} frames) |\n" if rendered else "")
    total = sum(stages.values())
    print("| stage | seconds | share |\n|---|---|---|")
    for stage, seconds in stages.items():
        print(f"| {stage} | {seconds:.1f} | {seconds / total:.0%} |")
    print(f"| all of it, with imports, server and waiting | {cold.seconds:.1f} | |")


def _report_long(loops: int, short: Run, long: Run) -> None:
    print(f"\n| {loops} times as long | figure |\n|---|---|")
    print(f"| peak memory | {long.peak_mb:.0f} MB, {long.peak_mb - short.peak_mb:+.0f} MB |")
    print(f"| time | {long.seconds:.0f} s, {long.seconds / short.seconds:.1f}x |")


if __name__ == "__main__":
    main()
