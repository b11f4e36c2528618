"""A talk of two people out of GRID clips, to dub and measure.

python -m benchmarks.grid_talk SHARED_DATA OUT.mp4

Clips of one man (s1) and of other speakers take turns, with their own sound, at 25 frames/s; nobody is trained on here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.media.binary import run_ffmpeg

_TURNS = 8
_SIZE = (640, 480)


def main() -> None:
    """Join the clips."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    one = sorted((data / "grid" / "s1").glob("*.mp4"))[:: 1000 // _TURNS][: _TURNS // 2]
    other = sorted((data / "grid" / "others").glob("*.mpg"))[:1] * (_TURNS // 2)
    clips = [clip for pair in zip(one, other, strict=True) for clip in pair]
    width, height = _SIZE
    inputs = [argument for clip in clips for argument in ("-i", str(clip))]
    scaled = "".join(
        f"[{index}:v]fps=25,scale={width}:{height}:force_original_aspect_ratio=decrease,"
        f"pad={width}:{height}:-1:-1,setsar=1,format=yuv420p[v{index}];[{index}:a]aresample=48000,aformat=channel_layouts=mono[a{index}];"
        for index in range(len(clips))
    )
    joined = "".join(f"[v{index}][a{index}]" for index in range(len(clips)))
    graph = f"{scaled}{joined}concat=n={len(clips)}:v=1:a=1[v][a]"
    run_ffmpeg(
        [*inputs, "-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-crf", "16", "-g", "50",
         "-c:a", "aac", "-b:a", "128k", str(out)],
        where=out,
    )  # fmt: skip


if __name__ == "__main__":
    main()
