"""A process that holds the slot of its device: `python slot_holder.py LOG SECONDS TIMES`, beside others like it.

It writes a line when it gets the slot and one when it lets go, with the clock of the machine.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from flows.gpu import gpu_slot


def main(log: Path, held_s: float, times: int) -> None:
    with log.open("a", encoding="utf-8", buffering=1) as lines:
        for _ in range(times):
            with gpu_slot(time.time(), patience_s=240):
                lines.write(f"in {os.getpid()} {time.monotonic()}\n")
                time.sleep(held_s)
                lines.write(f"out {os.getpid()} {time.monotonic()}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
