"""An archive from bucket to bucket, with fake models that take declared time: overhead, speed-up, memory, re-runs.

python -m benchmarks.scale overhead [--hours 10] [--lectures 12] [--workers 4] [--rate 0.1]
python -m benchmarks.scale speedup  [--hours 2] [--lectures 8 for four workers] [--rate 0.1]
python -m benchmarks.scale memory   [--short 1] [--long 6]

Real are: PostgreSQL, the Prefect server, process workers of a work pool, `dub-archive` and one run of `dub-lecture` a
lecture, SeaweedFS, the media and their way from the bucket and back, the store, reports and records. What a stage
computes is made up, and takes the time that is declared for it (`declared.py`). `scale.md` has the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.scale.lectures import make_lectures
from benchmarks.scale.ledger import Ledger, busy, idle_by_cause, occupied, overhead, read_ledger, steady
from benchmarks.scale.standing import BUCKET, DEPLOYMENT, Standing, ask, standing
from infra.objects.uri import ObjectUri

_RUN = """
import json, sys, time
from flows.archive import dub_archive
asked = json.loads(sys.argv[1])
since = time.time()
summary = dub_archive(**asked)
print(json.dumps({"since": since, "until": time.time(), "done": len(summary.done),
                  "failed": [row.reason for row in summary.failed], "seconds": summary.seconds}))
"""
_BELOW = "archive"


def main() -> None:
    """Measure what is asked for; print a line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=("overhead", "speedup", "memory"))
    parser.add_argument("--hours", type=float)
    parser.add_argument("--lectures", type=int)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--each", type=int, default=1, help="lectures that a worker has at one time")
    parser.add_argument("--rate", type=float, default=0.1, help="seconds of declared work a second of lecture")
    parser.add_argument("--short", type=float, default=1.0, help="hours")
    parser.add_argument("--long", type=float, default=6.0, help="hours")
    parser.add_argument("--folder", type=Path, help="where to keep everything meanwhile (and the lectures, after)")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="redub-scale-media-"))
    folder.mkdir(parents=True, exist_ok=True)
    with standing(options.folder) as up:
        if options.measure == "overhead":
            _overhead(up, folder, options)
        elif options.measure == "speedup":
            _speedup(up, folder, options)
        else:
            _memory(up, folder, options)
    if options.folder is None:
        shutil.rmtree(folder)


def _overhead(up: Standing, folder: Path, options: argparse.Namespace) -> None:
    hours, count = options.hours or 10.0, options.lectures or 12
    _fill(folder, _BELOW, count, 3600 * hours / count)
    ledger, told = _dubbed(up, _BELOW, options.workers, options.rate, options.each)
    _say("overhead", hours=hours, lectures=count, rate=options.rate, each=options.each, **told)
    _say("tasks", **_tasks(up, hours))
    _again(up, _BELOW, count)
    _ = ledger


def _speedup(up: Standing, folder: Path, options: argparse.Namespace) -> None:
    """As many lectures for each worker: the speed-up is declared work done in a second, against one worker's."""
    hours, count = options.hours or 2.0, options.lectures or 8
    alone = 0.0
    for workers in (1, 2, 4):
        below, lectures = f"by-{workers}", max(1, count * workers // 4)
        _fill(folder, below, lectures, 3600 * hours / count)
        shutil.rmtree(up.environment["REDUB_CACHE"], ignore_errors=True)
        _, told = _dubbed(up, below, workers, options.rate, options.each)
        speed = told["declared_s"] / told["wall_s"]
        alone = alone or speed
        _say("speedup", lectures=lectures, rate=options.rate, speedup=round(speed / alone, 2), **told)


def _memory(up: Standing, folder: Path, options: argparse.Namespace) -> None:
    for hours in (options.short, options.long):
        below = f"of-{hours:g}-h"
        _fill(folder, below, 1, 3600 * hours)
        ledger, told = _dubbed(up, below, 1, options.rate, 1)
        _say("memory", hours=hours, peaks_mb=sorted(ledger.peaks_mb.values()), wall_s=told["wall_s"])


def _fill(folder: Path, below: str, count: int, length_s: float) -> None:
    from infra import locations

    for number, file in enumerate(make_lectures(folder, count, length_s)):
        locations.publish(file, ObjectUri(BUCKET, f"{below}/course-{number // 4}/{file.name}"), replace=True)


def _dubbed(up: Standing, below: str, workers: int, rate: float, each: int) -> tuple[Ledger, dict[str, Any]]:
    """Have the archive dubbed by new workers; what they wrote down, and the figures."""
    folder = up.folder / "ledgers" / f"{below}-{time.time():.0f}"
    before = up.cpu_s()
    with up.workers(workers, folder, rate, each):
        asked = {"source": f"s3://{BUCKET}/{below}/", "to": ["fr"], "source_language": "en", "where": "workers"}
        asked |= {"manifest": f"s3://{BUCKET}/{below}.parquet", "out": f"s3://{BUCKET}/{below}-dubbed/"}
        # One more than there are places: the next lecture is in the queue before a worker asks for it.
        asked |= {"deployment": DEPLOYMENT, "at_once": workers * each + 2}
        ran = json.loads(up.run(["-c", _RUN, json.dumps(asked)]).stdout.splitlines()[-1])
    used = {name: round(now - before[name], 1) for name, now in up.cpu_s().items()}
    ledger = read_ledger(folder)
    wall_s = ran["until"] - ran["since"]
    window = steady(ledger.pieces, workers)
    idle = idle_by_cause(ledger.pieces, window)
    first = {process: min(p.began for p in ledger.pieces if p.process == process) for process in ledger.loaded}
    return ledger, {
        "workers": workers,
        "done": ran["done"],
        "failed": ran["failed"],
        "wall_s": round(wall_s, 1),
        "declared_s": round(sum(piece.declared_s for piece in ledger.pieces), 1),
        "overhead": round(overhead(ledger.pieces, workers, wall_s), 4),
        "before_first_piece_s": round(min(first.values()) - ran["since"], 1),
        "after_last_piece_s": round(ran["until"] - max(piece.ended for piece in ledger.pieces), 1),
        "steady_s": round(window[1] - window[0], 1),
        "busy": round(busy(ledger.pieces, workers, window), 4),
        "occupied": round(occupied(ledger.pieces, workers, window), 4),
        "loaded_to_first_piece_s": [round(first[each] - at, 1) for each, at in sorted(ledger.loaded.items())],
        "idle_s": {cause: round(gap, 1) for cause, gap in list(idle.items())[:14]},
        "peak_mb": max(ledger.peaks_mb.values()),
        "cpu_s": {**used, "a_lecture": [round(each, 1) for each in ledger.cpu_s.values()]},
    }


def _tasks(up: Standing, hours: float) -> dict[str, Any]:
    counted = ask(up, "/task_runs/count", {})
    by_stage: dict[str, int] = {}
    offset = 0
    while runs := ask(up, "/task_runs/filter", {"limit": 200, "offset": offset, "sort": "ID_DESC"}):
        for run in runs:
            by_stage[run["name"].split()[0]] = by_stage.get(run["name"].split()[0], 0) + 1
        offset += len(runs)
    return {"task_runs": counted, "an_hour": round(counted / hours, 1), "by_stage": by_stage}


def _again(up: Standing, below: str, count: int) -> None:
    """Run the finished archive again, through a proxy that counts."""
    from tests.fault_proxy import fault_proxy

    with fault_proxy(up.environment["AWS_ENDPOINT_URL_S3"]) as proxy:
        asked = {"manifest": f"s3://{BUCKET}/{below}.parquet", "where": "workers", "deployment": DEPLOYMENT}
        done = up.run(["-c", _RUN, json.dumps(asked)], AWS_ENDPOINT_URL_S3=proxy.endpoint)
        ran = json.loads(done.stdout.splitlines()[-1])
        media = [each for each in proxy.seen if each.path.split("?")[0].endswith(".mp4")]
        _say(
            "rerun",
            lectures=count,
            done=ran["done"],
            wall_s=round(ran["until"] - ran["since"], 2),
            ms_a_lecture=round(1000 * (ran["until"] - ran["since"]) / count, 1),
            archive_s=round(ran["seconds"], 3),
            media_gets=sum(each.method == "GET" for each in media),
            media_requests=len(media),
            requests=len(proxy.seen),
        )


def _say(measure: str, **figures: Any) -> None:
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"measure": measure, "load": load, "cores": os.cpu_count(), **figures}), flush=True)


if __name__ == "__main__":
    main()
