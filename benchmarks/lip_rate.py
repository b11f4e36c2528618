"""How many frames a second get new lips, stage by stage, tracks and index included.

    python -m benchmarks.lip_rate FACE.mp4 SOUND [--lips rewrite]

Everything that `redub lipsync` does to the picture, from nothing, in one process: following the face, its meshes, the
library, the lips, the rendering. Frames a second are of the frames that got new lips. CPU seconds stand beside wall
seconds, because on a busy machine only they can be compared.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.store import Store
from manifests.time import Span
from tasks.journal import Journal
from tasks.pool import InProcessPool
from tasks.settings import lecture
from tasks.talking import TalkJob, make_talk

PICTURE = ("faces", "meshes", "library", "lips", "render")


class TimedPool:
    """A `Pool` that adds up what each stage takes in another."""

    def __init__(self, pool: InProcessPool) -> None:
        self._pool = pool
        self.wall_s: defaultdict[str, float] = defaultdict(float)
        self.cpu_s: defaultdict[str, float] = defaultdict(float)

    @property
    def journal(self) -> Any:
        """The other pool's."""
        return self._pool.journal

    def submit(
        self,
        stage: Any,
        work: Sequence[Any],
        spans: Sequence[Span],
        *,
        language: str | None = None,
        instead: Any = None,
    ) -> Any:
        """Do `work` now, and note the time."""
        wall, cpu = time.perf_counter(), time.process_time()
        done = self._pool.submit(stage, work, spans, language=language, instead=instead)
        self.wall_s[stage.name] += time.perf_counter() - wall
        self.cpu_s[stage.name] += time.process_time() - cpu
        return done


def main() -> None:
    """Measure, and print one row a stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("face", type=Path)
    parser.add_argument("sound", type=Path)
    parser.add_argument("--lips", default="rewrite")
    given = parser.parse_args()
    settings = dataclasses.replace(lecture(), lips=dataclasses.replace(lecture().lips, engine=given.lips))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        pool = TimedPool(InProcessPool(store, Journal()))
        job = TalkJob(face=given.face, audio=given.sound, out=Path("out.mp4"), settings=settings)
        made = make_talk(job, pool, store)
    wall, cpu = pool.wall_s, pool.cpu_s
    frames = made.lip_frames
    print(f"{frames} frames of {made.video.width}x{made.video.height}, {given.lips}")
    print("| stage | wall s | CPU s | frames/s |\n|---|---|---|---|")
    for name in PICTURE:
        print(f"| {name} | {wall[name]:.1f} | {cpu[name]:.1f} | {frames / max(wall[name], 1e-9):.0f} |")
    total, busy = sum(wall[name] for name in PICTURE), sum(cpu[name] for name in PICTURE)
    print(f"| all | {total:.1f} | {busy:.1f} | {frames / total:.1f} ({2 * frames / busy:.1f} on two free cores) |")


if __name__ == "__main__":
    main()
