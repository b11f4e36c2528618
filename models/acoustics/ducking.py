"""Ducking: the background steps back while somebody speaks, and comes forward again."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

ATTACK_S, RELEASE_S = 0.15, 0.5
_UNDER_VOICE_DB = 18.0
_DEEPEST_DB = 12.0


def ducking_depth_db(background_db: float, voice_db: float) -> float:
    """By how much (0 to 12 dB) a background of this level steps back, to lie 18 dB under the voice where it can."""
    return min(max(background_db - (voice_db - _UNDER_VOICE_DB), 0.0), _DEEPEST_DB)


def ducking_gain(
    length: int, sample_rate: int, speech: Iterable[tuple[int, int]], depth_db: float
) -> npt.NDArray[np.float32]:
    """A gain for each of `length` samples: -`depth_db` inside `speech`, 0 dB far from it, smooth between.

    `speech` are (first, end) samples in any order, which may lie outside. The gain is down when speech starts, having
    gone down within 0.15 s before it, and comes up within 0.5 s after; in a pause too short for that it goes part of
    the way. It is local: what it is at a sample depends on speech within 0.5 s of it alone.
    """
    attack, release = round(ATTACK_S * sample_rate), round(RELEASE_S * sample_rate)
    down = np.zeros(length, dtype=np.float32)
    for first, end in speech:
        left, right = max(first - attack, 0), min(end + release, length)
        if left >= right:
            continue
        at = np.arange(left, right)
        share = np.clip(np.minimum((at - (first - attack)) / attack, (end + release - at) / release), 0.0, 1.0)
        eased = (0.5 - 0.5 * np.cos(np.pi * share)).astype(np.float32)
        np.maximum(down[left:right], eased, out=down[left:right])
    return np.asarray(10 ** (-depth_db / 20 * down), dtype=np.float32)
