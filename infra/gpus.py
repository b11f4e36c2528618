"""The NVIDIA GPUs of this machine, as its driver's own program sees them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

_ASKED = ("index", "name", "utilization.gpu", "memory.used", "memory.total")
_PATIENCE_S = 5.0
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A device: `busy` is the share of the last second in which it computed, 0..1, None where the driver cannot say."""

    index: str
    name: str
    busy: float | None
    used_bytes: int | None
    total_bytes: int | None


def gpus(program: str = "nvidia-smi") -> tuple[Gpu, ...]:
    """All devices; none where there is no driver, or it does not answer within seconds."""
    if shutil.which(program) is None:
        return ()
    command = [program, f"--query-gpu={','.join(_ASKED)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = ([cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines())
    return tuple(_gpu(row) for row in rows if len(row) == len(_ASKED))


def _gpu(row: list[str]) -> Gpu:
    index, name, busy, used, total = row
    percent = _number(busy)
    return Gpu(
        index=index,
        name=name,
        busy=None if percent is None else percent / 100.0,
        used_bytes=_bytes(used),
        total_bytes=_bytes(total),
    )


def _bytes(mebibytes: str) -> int | None:
    number = _number(mebibytes)
    return None if number is None else int(number * _MEBIBYTE)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # such as [N/A], on a device that is cut in parts
        return None
