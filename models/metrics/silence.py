"""How much a mouth moves while nothing is said, beside how much it moves while something is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.metrics.mouth import Floats, MouthShapes

LEAST_FRAMES = 5
"""Fewer frames of silence or of speech than this are no sample."""


def mouth_speed(shapes: MouthShapes, *, frame_rate: float) -> Floats:
    """The mean speed of the lips' points about their own middle at each frame, (F,), in eye distances a second.

    The head's motion is apart already; the lips' common one is mostly the detector's trembling, so it is left out, and
    points are smoothed over three frames (1, 2, 1). On real clips a resting mouth then measures 0.03 to 0.09 of a
    speaking one, half of what it does without.
    """
    lips = shapes.lips - shapes.lips.mean(axis=1, keepdims=True)
    padded = np.pad(lips, ((1, 1), (0, 0), (0, 0)), mode="edge")
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    step = (
        np.linalg.norm(np.gradient(smooth, axis=0), axis=2).mean(axis=1) if len(smooth) > 1 else np.zeros(len(smooth))
    )
    return np.asarray(step * frame_rate, np.float32)


def motion_in_silence(
    shapes: MouthShapes, silent: npt.NDArray[np.bool_], speaking: npt.NDArray[np.bool_], *, frame_rate: float
) -> float:
    """The mean speed of the mouth in silence over that in speech; 0 for a mouth that rests, 1 for one that never does.

    `silent` and `speaking` (F,) name the frames; those near a border of speech belong to neither. 0 for a mouth that
    never moves. ValueError where either has fewer than `LEAST_FRAMES` frames.
    """
    if min(np.count_nonzero(silent), np.count_nonzero(speaking)) < LEAST_FRAMES:
        raise ValueError(f"fewer than {LEAST_FRAMES} frames of silence or of speech")
    speed = mouth_speed(shapes, frame_rate=frame_rate)
    moving = float(speed[speaking].mean())
    return float(speed[silent].mean()) / moving if moving > 0 else 0.0
