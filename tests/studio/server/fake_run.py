"""Stands in for the hour of computing of a run: it tells events and hears orders as `studio.run` does.

What it does is the project's title: `quick` is done at once, `hang` works until it is ended and starts a process of its
own, `die` is killed, `fail` fails as bad input does, `review` waits for its reviewer, `steps` tells of its progress.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from studio import events
from studio.orders import CONTINUE
from studio.projects import read_project

RESULT = {
    "language": "fr",
    "files": [
        {"name": "a.fr.mp4", "place": "out/a.fr.mp4", "kind": "video", "language": "fr", "size_bytes": 3},
        {"name": "a.fr.vtt", "place": "out/a.fr.vtt", "kind": "subtitles", "language": "fr", "size_bytes": 3},
    ],
}


def finish(folder: Path) -> None:
    (folder / "out").mkdir(exist_ok=True)
    for name in ("a.fr.mp4", "a.fr.vtt"):
        (folder / "out" / name).write_bytes(b"dub")
    events.append(folder, "results", {"results": [RESULT], "worked_s": 1.0})


def main() -> None:
    folder = Path(sys.argv[1])
    project = read_project(folder)
    events.append(folder, "page", {"url": "http://127.0.0.1:4200/runs/1"})
    match project.title:
        case "hang":
            child = subprocess.Popen(["sleep", "600"])
            (folder / "pids").write_text(f"{os.getpid()} {child.pid}", encoding="utf-8")
            sys.stdin.read()
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fail":
            failed = {"error": "it is cut off", "remedy": "copy it again", "row": 3, "column": "start"}
            events.append(folder, "failed", failed)
        case "review" if not project.reviewed:
            events.append(folder, "paused", {"problem": ""})
            if sys.stdin.readline().strip() == CONTINUE:
                events.append(folder, "going-on", {})
                finish(folder)
            else:
                events.append(folder, "left", {})
        case "steps":
            for step in range(10):
                events.append(folder, "progress", {"fraction": step / 10, "stage": "listen", "label": "", "eta_s": 1.0})
                time.sleep(0.03)
            finish(folder)
        case _:
            finish(folder)


if __name__ == "__main__":
    main()
