"""Lectures of any length, cheaply: real H.264 at 25 frames a second with real AAC, a few minutes of it over and over.

Each has a title of its own, so that no two have the same bytes and nothing of one is found in the cache by another.
"""

from __future__ import annotations

from pathlib import Path

from infra.media.binary import run_ffmpeg

_LOOP_S = 120
_PICTURE = "testsrc2=size=320x180:rate=25"
_SOUND = "anoisesrc=color=pink:sample_rate=16000:amplitude=0.05,aformat=channel_layouts=mono"


def make_lectures(folder: Path, count: int, length_s: float) -> list[Path]:
    """`count` files of `length_s` seconds in `folder`."""
    loop = folder / "loop.mp4"
    if not loop.exists():
        _make_loop(loop)
    made = []
    for number in range(count):
        made.append(folder / f"lecture-{number:02d}-{length_s:.0f}s.mp4")
        if not made[-1].exists():
            _repeat(loop, made[-1], length_s)
    return made


def _make_loop(out: Path) -> None:
    run_ffmpeg(
        [
            *("-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _SOUND, "-t", str(_LOOP_S)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "200k", "-g", "250"),
            *("-c:a", "aac", "-b:a", "32k", str(out)),
        ],
        where=out,
    )


def _repeat(loop: Path, out: Path, length_s: float) -> None:
    times = int(length_s // _LOOP_S)
    run_ffmpeg(
        [
            *("-stream_loop", str(times), "-i", str(loop), "-t", str(length_s), "-c", "copy"),
            *("-metadata", f"title={out.stem}", str(out)),
        ],
        where=out,
    )
