"""Which windows a batch holds: a pure function of the seed, the step and the row.

Nothing is drawn from a generator that lives on, so a run that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

WINDOW_FRAMES = 5
"""Frames that are judged, and drawn, at once."""

END_FRAMES = 2
"""Frames left out at either end of a clip: its sound may end a little early, its first frame late."""

LEAST_SHIFT = 3
"""Frames by which a sound must be off to count as shifted: nobody can tell one or two apart for sure."""


class Stream(IntEnum):
    """Independent sequences of random numbers of one run."""

    CLIPS = 0
    WINDOWS = 1
    PICTURES = 2
    SOUNDS = 3
    VALIDATION = 4
    PENALTY = 5


def generator(seed: int, stream: Stream, step: int, row: int = 0) -> np.random.Generator:
    """Random numbers that belong to (seed, stream, step, row) alone."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, int(stream), step, row))))


@dataclass(frozen=True, slots=True)
class ExpertRow:
    """Windows of one clip: the first frame of each face window, and of each mel window.

    The first `len(faces)` sounds are those of the faces, in the same order.
    """

    clip: int
    faces: tuple[int, ...]
    sounds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GeneratorRow:
    """The first frame of the window to draw, and of the window shown as reference, of one clip."""

    clip: int
    target: int
    reference: int


def least_frames(*, reference_gap: int = 0) -> int:
    """Frames that a clip must have to be sampled from."""
    return 2 * END_FRAMES + WINDOW_FRAMES + 2 * reference_gap + LEAST_SHIFT


def clips_of(seed: int, step: int, *, clip_count: int, rows: int) -> list[int]:
    """The clips of the batch at `step`: every clip comes once an epoch, in an order drawn anew for each."""
    chosen = []
    for place in range(step * rows, (step + 1) * rows):
        epoch, position = divmod(place, clip_count)
        chosen.append(int(_order(seed, epoch, clip_count)[position]))
    return chosen


def expert_rows(
    frame_counts: Sequence[int], *, clips: int, windows: int, extra_sounds: int, seed: int, step: int
) -> list[ExpertRow]:
    """The windows of the batch at `step`, for clips of `frame_counts` frames each (`least_frames()` or more)."""
    rows = []
    for row, clip in enumerate(clips_of(seed, step, clip_count=len(frame_counts), rows=clips)):
        random = generator(seed, Stream.WINDOWS, step, row)
        starts = _starts(frame_counts[clip])
        drawn = random.permutation(starts)[: windows + extra_sounds]
        if len(drawn) < windows + extra_sounds:
            drawn = random.choice(starts, windows + extra_sounds)
        sounds = tuple(int(first) for first in drawn)
        rows.append(ExpertRow(clip, sounds[:windows], sounds))
    return rows


def generator_rows(
    frame_counts: Sequence[int], *, windows: int, reference_gap: int, seed: int, step: int
) -> list[GeneratorRow]:
    """The windows of the batch at `step`, for clips of `frame_counts` frames (`least_frames(reference_gap=...)`)."""
    return [
        generator_row(clip, frame_counts[clip], reference_gap, generator(seed, Stream.WINDOWS, step, row))
        for row, clip in enumerate(clips_of(seed, step, clip_count=len(frame_counts), rows=windows))
    ]


def generator_row(clip: int, frame_count: int, reference_gap: int, random: np.random.Generator) -> GeneratorRow:
    """A window of a clip and a reference at least `reference_gap` frames away from it."""
    starts = _starts(frame_count)
    target = int(random.choice(starts))
    away = starts[np.abs(starts - target) >= reference_gap]
    return GeneratorRow(clip, target, int(random.choice(away)))


def _starts(frame_count: int) -> npt.NDArray[np.int64]:
    starts = np.arange(END_FRAMES, frame_count - WINDOW_FRAMES - END_FRAMES + 1)
    if not len(starts):
        raise ValueError(f"a clip of {frame_count} frames holds no window")
    return starts


def _order(seed: int, epoch: int, clip_count: int) -> npt.NDArray[np.int64]:
    return generator(seed, Stream.CLIPS, epoch).permutation(clip_count)


IN_SYNC, SHIFTED, OTHER, IGNORED = 1, -1, -2, 0


def pair_kinds(
    face_clips: npt.NDArray[np.int64],
    face_starts: npt.NDArray[np.int64],
    sound_clips: npt.NDArray[np.int64],
    sound_starts: npt.NDArray[np.int64],
) -> npt.NDArray[np.int8]:
    """How each face window stands to each mel window, (B, M), from their clips (B,), (M,) and first frames (B,), (M,).

    `IN_SYNC`; `SHIFTED`, of one clip but `LEAST_SHIFT` frames apart or more; `OTHER` clips; `IGNORED`, too near.
    """
    shift = np.abs(face_starts[:, None] - sound_starts[None])
    kinds = np.where(shift == 0, IN_SYNC, np.where(shift >= LEAST_SHIFT, SHIFTED, IGNORED))
    return np.where(face_clips[:, None] == sound_clips[None], kinds, OTHER).astype(np.int8)
