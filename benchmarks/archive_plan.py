"""How long it takes to plan an archive, how much memory, and what running a finished one costs.

python -m benchmarks.archive_plan [--lectures 10000] [--finished 300]

A real S3 server (SeaweedFS) on loopback, on the same machine, holds as many small but real MP4 files. Planning lists
them and looks at each one's header, in two range reads; every measured command is a process of its own. Then a second
plan of the same; and `finished` lectures whose dubs (of one byte) and outcomes are there, run again: nothing is to be
dubbed, so no media may be read.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import secrets
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np

from infra.object_server import Keys, ensure_bucket, prepared
from infra.objects.uri import ObjectUri
from infra.objects.writing import upload_bytes
from infra.processes import Supervisor, free_port
from tasks.archive_plan import wanted_below

BUCKET = "lectures"
_APART = 96 << 10
MEASURED = ("plan", "plan-again", "rerun")


def main() -> None:
    """Fill a bucket, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lectures", type=int, default=10_000)
    parser.add_argument("--finished", type=int, default=300)
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        _measured(options.measure)
        return
    with tempfile.TemporaryDirectory() as name:
        keys = Keys(access_key=f"redub{secrets.token_hex(8)}", secret_key=secrets.token_urlsafe(30))
        store = prepared(Path(name), port=free_port(), keys=keys)
        supervisor = Supervisor(Path(name) / "logs", print)
        plain = {each: value for each, value in os.environ.items() if not each.startswith("AWS_")}
        supervisor.start(store.service(plain))
        try:
            os.environ.update(store.environment())
            ensure_bucket(BUCKET)
            _fill("many", options.lectures)
            _fill("finished", options.finished)
            _finish("finished", options.finished)
            for measure in MEASURED:
                subprocess.run([sys.executable, "-m", "benchmarks.archive_plan", "--measure", measure], check=True)
        finally:
            supervisor.stop()


def small_video() -> bytes:
    """A minute of H.264 at one frame a second; its index is at the end, as most encoders leave it, and not near."""
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        grey = np.full((64, 64, 3), 128, dtype=np.uint8)
        for _ in range(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey)))
        container.mux(stream.encode())
    content = held.getvalue()
    index = content.index(b"moov") - 4
    return content[:index] + struct.pack(">I4s", _APART, b"free").ljust(_APART, b"\0") + content[index:]


def _fill(prefix: str, count: int) -> None:
    content = small_video()
    since = time.monotonic()
    _at_once(lambda number: upload_bytes(content, ObjectUri(BUCKET, _key(prefix, number))), count)
    print(f"{count} lectures of {len(content)} bytes in the bucket ({time.monotonic() - since:.0f} s)")


def _finish(prefix: str, count: int) -> None:
    """What a run of the archive leaves: a video a language, an outcome, and the manifest."""
    from infra import locations
    from tasks.archive_desk import Desk, record_dub
    from tasks.archive_plan import planned

    wanted = wanted_below(f"s3://{BUCKET}/{prefix}", ("fr",), out=None)
    rows = planned([], wanted, lambda _: None)

    def finish(number: int) -> None:
        row = rows[number]
        source = locations.location(row.source)
        version = locations.version_of(source)
        assert isinstance(source, ObjectUri)
        assert version is not None
        upload_bytes(b"d", ObjectUri(BUCKET, f"{source.key.removesuffix('.mp4')}.fr.mp4"))
        record_dub(version, wanted, locations.location(row.out), ("fr",), 60.0)

    _at_once(finish, count)
    Desk(ObjectUri(BUCKET, f"{prefix}/archive.parquet")).write(planned(rows, wanted, lambda _: None))


def _key(prefix: str, number: int) -> str:
    return f"{prefix}/course-{number // 25:04d}/lecture-{number % 25:02d}.mp4"


def _at_once(work: Callable[[int], object], count: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(work, range(count)):
            pass


def _measured(measure: str) -> None:
    from infra import locations
    from tasks import archive_plan
    from tasks.archive_desk import Desk
    from tasks.archive_lease import leased

    since, used = time.monotonic(), time.process_time()
    looks = 0
    look = archive_plan.length_s

    def counted(*of: object) -> float:
        nonlocal looks
        looks += 1
        return look(*of)  # type: ignore[arg-type]

    archive_plan.length_s = counted  # type: ignore[assignment]
    prefix = "finished" if measure == "rerun" else "many"
    place = locations.location(f"s3://{BUCKET}/{prefix}/archive.parquet")
    with leased(place, measure) as lease:
        desk = Desk(place)
        known = desk.read() if desk.exists() else []
        if measure == "rerun":
            from tasks.archive_run import run_archive

            rows = archive_plan.looked_at_again(known, lambda _: None)
            run_archive(rows, desk, lease, _Nobody())
        else:
            wanted = wanted_below(f"s3://{BUCKET}/many", ("fr", "es"), out=None)
            rows = archive_plan.planned(known, wanted, lambda _: None)
            desk.write(rows)
    seconds = time.monotonic() - since
    states: dict[str, int] = {}
    for row in rows:
        states[row.state] = states.get(row.state, 0) + 1
    told = {
        "measure": measure,
        "lectures": len(rows),
        "states": states,
        "headers read": looks,
        "seconds": round(seconds, 1),
        "ms a lecture": round(1000 * seconds / max(1, len(rows)), 2),
        "cpu s": round(time.process_time() - used, 1),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }
    print(json.dumps(told))


class _Nobody:
    """A runner that may not be asked for anything: all is done."""

    at_once = 1
    outlives = False

    def start(self, row: object) -> None:
        raise AssertionError(row)

    def adopt(self, rows: object) -> set[str]:
        raise AssertionError(rows)

    def ended(self) -> list[object]:
        raise AssertionError


if __name__ == "__main__":
    main()
