"""A contact sheet: pairs as rows, moments as columns, the source above and the result below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infra.media.frames import frame_at
from infra.media.pixels import Rgb
from infra.media.probe import probe
from infra.media.side_by_side import scaled_to, write_png
from tasks.evaluation_watch import FRAME, Watched

COLUMNS = 8
CELL_PX = 128
_LABEL_PX = 14
_GAP_PX = 6
_MARGIN = 0.1
"""How much of a face's height the crop leaves around it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SheetRow:
    """One pair: its name, and crops (C, S, S, 3) of the source and of the result at the same moments."""

    name: str
    source: Sequence[Rgb]
    result: Sequence[Rgb]


def sheet_row(name: str, face: Watched, result: Path) -> SheetRow:
    """The row of a pair: `COLUMNS` moments spread evenly over what both videos show."""
    until = min(len(face.seen), round(probe(result).span.duration / FRAME))
    shown = np.flatnonzero(face.seen[:until])
    picks = shown[np.linspace(0, len(shown) - 1, COLUMNS).round().astype(int)] if len(shown) else []
    rows: list[list[Rgb]] = [[], []]
    for index in picks:
        for row, video in zip(rows, (face.path, result), strict=True):
            _, frame = frame_at(video, int(index) * FRAME)
            row.append(_crop(frame, face.boxes[index]))
    return SheetRow(name=name, source=rows[0], result=rows[1])


def write_contact_sheet(rows: Sequence[SheetRow], out: Path) -> None:
    """Write `rows` as one PNG; nothing where there are none."""
    strips = [strip for row in rows if row.source for strip in _strips(row)]
    if strips:
        write_png(np.concatenate(strips), out)


def _strips(row: SheetRow) -> list[Rgb]:
    width = COLUMNS * CELL_PX
    padded = [np.concatenate(cells, axis=1) for cells in (row.source, row.result)]
    full = [np.pad(each, ((0, 0), (0, width - each.shape[1]), (0, 0))) for each in padded]
    return [_label(row.name, width), *full, np.full((_GAP_PX, width, 3), 255, np.uint8)]


def _label(text: str, width: int) -> Rgb:
    from PIL import Image, ImageDraw

    strip = Image.new("RGB", (width, _LABEL_PX), "white")
    ImageDraw.Draw(strip).text((2, 1), f"{text}   (source above, result below)", fill="black")
    return np.asarray(strip, np.uint8)


def _crop(frame: Rgb, box: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Rgb:
    """A square about the face, black beyond the picture."""
    x, y, width, height = (float(value) for value in box)
    half = round(max(width, height) * (0.5 + _MARGIN))
    left, top = round(x + width / 2) - half, round(y + height / 2) - half
    wide = np.pad(frame, ((2 * half, 2 * half), (2 * half, 2 * half), (0, 0)))
    cut = wide[top + 2 * half : top + 4 * half, left + 2 * half : left + 4 * half]
    return scaled_to(cut, CELL_PX, CELL_PX)
