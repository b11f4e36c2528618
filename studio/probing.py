"""Asking what a file is, of a process that may die of it: `probe_process`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from studio.answers import Refused
from studio.settings import Limits

Wanted = Literal["lecture", "picture", "sound"]

LIMIT_S = 180.0
_MOST_ANSWER_BYTES = 1 << 16
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")
_BOMB = Refused(422, "it takes too much memory or time to look at", "make it smaller, or convert it to MP4 first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a project is made from: the `name` people know it by, the `file` below the project, and its facts.

    `duration_s` in seconds (None for an image), `width` and `height` in pixels as seen, `fps` frames a second;
    `language` is what its sound is tagged with, `sound` whether it has any.
    """

    name: str
    file: str
    kind: Literal["video", "image", "audio"]
    size_bytes: int
    media_type: str
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    language: str | None = None
    sound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What `probe_process` found."""

    kind: Literal["video", "image", "audio"]
    duration_s: float | None
    width: int | None
    height: int | None
    fps: float | None
    language: str | None
    sound: bool


async def probed(path: Path, wanted: Wanted, limits: Limits, *, limit_s: float = LIMIT_S) -> Facts:
    """The facts of `path`, looked at in a process with limits and without this one's secrets. Refused where unfit."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "studio.probe_process", str(path), wanted),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _KEPT if name in os.environ} | {"OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit_s):
            said, _ = await process.communicate(json.dumps(asdict(limits)).encode())
    except TimeoutError:
        raise _BOMB from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0 or len(said) > _MOST_ANSWER_BYTES:
        raise _BOMB
    answer = json.loads(said)
    if "error" in answer:
        raise Refused(422, answer["error"], answer["remedy"])
    return Facts(**answer)
