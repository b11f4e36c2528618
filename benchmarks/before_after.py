"""A still of a dub beside its source: frames, subtitles, and the waveforms of both sound tracks.

python -m benchmarks.before_after SOURCE OUT_FOLDER LANGUAGE_FROM LANGUAGE_TO SECONDS PICTURE.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pysubs2
from PIL import Image, ImageDraw, ImageFont

from infra.media.audio import read_waveform
from infra.media.frames import frame_at
from manifests.time import flicks

WIDTH = 640
CAPTION_HEIGHT, WAVE_HEIGHT = 84, 90
INK, PAPER, ACCENT = (30, 34, 40), (250, 249, 245), (32, 78, 121)


def compose(source: Path, out_folder: Path, from_: str, to: str, moment_s: float) -> Image.Image:
    """The picture: the source on the left, the dub on the right."""
    dub = out_folder / f"{source.stem}.{to}.mp4"
    sides = [
        _side(source, out_folder / f"{source.stem}.{from_}.srt", f"source ({from_})", moment_s),
        _side(dub, out_folder / f"{source.stem}.{to}.srt", f"dub ({to})", moment_s),
    ]
    whole = Image.new("RGB", (2 * WIDTH + 16, sides[0].height), PAPER)
    whole.paste(sides[0], (0, 0))
    whole.paste(sides[1], (WIDTH + 16, 0))
    return whole


def _side(video: Path, subtitles: Path, title: str, moment_s: float) -> Image.Image:
    frame = Image.fromarray(frame_at(video, flicks(moment_s), width=WIDTH)[1])
    side = Image.new("RGB", (WIDTH, frame.height + CAPTION_HEIGHT + WAVE_HEIGHT), PAPER)
    side.paste(frame, (0, 0))
    draw = ImageDraw.Draw(side)
    shown = [line.plaintext for line in pysubs2.load(str(subtitles)) if line.start <= moment_s * 1000 < line.end]
    draw.text((12, frame.height + 6), title, font=ImageFont.load_default(14), fill=ACCENT)
    draw.text((12, frame.height + 26), "\n".join(shown), font=ImageFont.load_default(20), fill=INK)
    waveform = read_waveform(video, sample_rate=16_000)
    _draw_wave(draw, waveform, frame.height + CAPTION_HEIGHT, moment_s / (len(waveform) / 16_000))
    return side


def _draw_wave(draw: ImageDraw.ImageDraw, waveform: npt.NDArray[np.float32], top: int, at: float) -> None:
    peaks = [float(np.abs(part).max(initial=0)) for part in np.array_split(waveform, WIDTH)]
    loudest = max([*peaks, 1e-6])
    middle = top + WAVE_HEIGHT // 2
    for x, peak in enumerate(peaks):
        half = peak / loudest * (WAVE_HEIGHT // 2 - 6)
        draw.line((x, middle - half, x, middle + half), fill=ACCENT)
    draw.line((at * WIDTH, top, at * WIDTH, top + WAVE_HEIGHT), fill=(200, 60, 40), width=2)


if __name__ == "__main__":
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    given = sys.argv
    compose(Path(given[1]), Path(given[2]), given[3], given[4], float(given[5])).save(given[6], optimize=True)
