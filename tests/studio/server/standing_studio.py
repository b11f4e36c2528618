"""A studio in a process of its own, for tests that end it or weigh it: python standing_studio.py FOLDER [RUN].

It says its address, and serves until it is told to end. RUN is a program that stands in for `studio.run`.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from studio_client import settings, standing


def main() -> None:
    command = None
    if len(sys.argv) > 2:
        command = lambda folder, _: [sys.executable, sys.argv[2], str(folder)]  # noqa: E731
    with standing(settings(Path(sys.argv[1])), command) as found:
        print(found.url, flush=True)  # noqa: T201
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        stop.wait()


if __name__ == "__main__":
    main()
