"""From a shape that anybody's mouth may take to this speaker's own mouth.

Shapes are predicted in deviations about a mean. A speaker's own mean and deviations, read from their frames, say how
far *this* mouth opens and how it rests; where the sound says that the lips are shut they are brought together, and
where nothing is heard the mouth goes to its rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.articulation.contract import Articulation
from models.articulation.shapes import REST_PERCENTILE, RINGS, MouthModel, openings

Floats = npt.NDArray[np.float32]

_CLOSED_PERCENTILE = 5
_DEVIATION_RANGE = (0.4, 1.5)
"""Bounds of a speaker's deviations over the training speaker's: few or still frames say little about a range."""
_FRAMES_OF_A_RANGE = 50.0
"""Frames after which a speaker's own deviations count as much as the training speaker's."""
_TOUCHING = 0.012
"""Distance between the inner lips, as landmarks see it, when they touch."""
_STILL_DEVIATION = 0.3
"""Deviation of the first coefficient (the jaw's) under which a mouth hardly moves."""
_CLOSURE_FROM, _CLOSURE_FULL = 0.35, 0.65
"""Probabilities of closure between which the lips are brought together."""


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerMouth:
    """How one person's mouth moves, in canonical coordinates.

    `mean` (M, 3), `deviation` (K,) of their shapes, `rest` (K,) the shape of the mouth when closed and quiet,
    `closed_gap` the distance between the inner lips when they touch, as the landmarks see it.
    """

    mean: Floats
    deviation: Floats
    rest: Floats
    closed_gap: float


def learn_speaker(model: MouthModel, mouths: Floats) -> SpeakerMouth:
    """The speaker of `mouths` (N, M, 3) canonical, N at least 1.

    A portrait, or a face that hardly moves its mouth, says nothing about a range: what it shows is taken for the mouth
    at rest, about which it moves as the training speaker's does.
    """
    gaps = openings(mouths)
    closed_gap = float(np.percentile(gaps, _CLOSED_PERCENTILE))
    mean = mouths.mean(axis=0)
    shapes = model.shapes(mouths, mean)
    if shapes[:, 0].std() < _STILL_DEVIATION:
        # A portrait may smile with its lips apart; at rest they touch.
        closed_gap = min(closed_gap, _TOUCHING)
        quiet = close_lips(np.median(mouths, axis=0)[None], np.array([closed_gap], np.float32))[0]
        quiet[:, :2] -= model.offsets(model.rest[None])[0]
        ones = np.ones(model.size, np.float32)
        return SpeakerMouth(mean=quiet, deviation=ones, rest=model.rest, closed_gap=closed_gap)
    own = np.clip(shapes.std(axis=0), *_DEVIATION_RANGE)
    share = len(mouths) / (len(mouths) + _FRAMES_OF_A_RANGE)
    resting = shapes[gaps <= np.percentile(gaps, REST_PERCENTILE)]
    return SpeakerMouth(
        mean=mean,
        deviation=np.asarray(share * own + (1 - share), np.float32),
        rest=np.median(resting, axis=0).astype(np.float32),
        closed_gap=closed_gap,
    )


def mouths_of(
    model: MouthModel,
    speaker: SpeakerMouth,
    articulation: Articulation,
    voiced: npt.NDArray[np.float32],
    manner: Floats,
) -> tuple[Floats, Floats]:
    """The mouths that the speaker is to show: shapes (T, K), and canonical points (T, M, 3).

    `voiced` (T,) 0..1 says how far the speaker is speaking at each moment: at 0 the mouth is at rest. `manner`
    (T, M, 3) is added to the points: what of the mouth at that moment no shape tells.
    """
    wanted = articulation.shapes * speaker.deviation
    shapes = np.asarray(speaker.rest + voiced[:, None] * (wanted - speaker.rest), np.float32)
    mouths = speaker.mean + manner
    mouths[:, :, :2] += model.offsets(shapes)
    closure = np.clip((articulation.closed - _CLOSURE_FROM) / (_CLOSURE_FULL - _CLOSURE_FROM), 0, 1)
    closure = np.maximum(closure, 1 - voiced)
    gaps = openings(mouths)
    target = np.where(closure > 0, gaps + closure * np.minimum(speaker.closed_gap - gaps, 0), gaps)
    closed = close_lips(mouths, np.maximum(target, min(speaker.closed_gap, float(gaps.max(initial=0.0)))))
    return np.asarray(model.shapes(closed, speaker.mean), np.float32), closed


def close_lips(mouths: Floats, gaps: Floats) -> Floats:
    """`mouths` (T, M, 3) with the distance of the inner lips brought to `gaps` (T,), both lips meeting half way.

    The rings further out move with the inner one, the less the further, so that the lips keep their thickness.
    """
    have = openings(mouths)
    change = (gaps - have) / 2
    moved = mouths.copy()
    for ring, follows in RINGS:
        upper, lower = ring[1:10], ring[:10:-1]
        # Points near the corners move less: the gap itself narrows there.
        arch = np.sin(np.pi * np.arange(1, 10) / 10).astype(np.float32)
        arch /= arch[2:7].mean()
        step = follows * change[:, None] * arch
        moved[:, upper, 1] -= step
        moved[:, lower, 1] += step
    return moved
