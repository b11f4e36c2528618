"""The room of a recording: how long it rings, told from how speech dies away; and speech made to sound as if in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.acoustics.levels import Waveform

_STEP_S = 0.01
_FRAME_S = 0.03
_SHORTEST_FALL_DB = 18.0
_REBOUND_DB = 4.0
_ABOVE_FLOOR_DB = 8.0
_DRY_RT60_S = 0.3
_LONGEST_RT60_S = 3.0
_STEEP_TOP_DB = 8.0  # the first of a fall is the voice's own
_FEWEST_POINTS = 4
_FEWEST_FALLS = 5
_PERCENTILE = 25
_NEAR_S = 0.2
_DRY_DIRECT_DB = 14.0
_WETTEST_DB = 5.0  # where in doubt, words are to be understood
_EARLY_S = (0.004, 0.035)
_EARLY_COUNT = 6
_TAIL_FROM_S = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """`rt60_s` is the time in which sound falls by 60 dB, `direct_db` the direct sound's level above what rings.

    `falls` is how many free decays tell of it.
    """

    rt60_s: float
    direct_db: float
    falls: int


def estimate_room(waveform: Waveform, sample_rate: int) -> Room | None:
    """The room in which the speech of `waveform` was recorded; None for a dry one and where too little tells of it.

    Nothing in a room falls faster than the room lets it, so the steepest of the free falls are the room's. How strong
    the ringing is follows from how shallow the dips between syllables are.
    """
    levels = _levels(waveform, sample_rate)
    found = [time for first, end in _falls(levels) if (time := _fall_time(levels[first:end])) is not None]
    if len(found) < _FEWEST_FALLS:
        return None
    rt60 = float(np.percentile(found, _PERCENTILE))
    if not _DRY_RT60_S <= rt60 <= _LONGEST_RT60_S:
        return None
    direct = _direct_db(_dip_depth_db(levels), rt60)
    if direct >= _DRY_DIRECT_DB:
        return None
    return Room(rt60_s=round(rt60, 3), direct_db=round(max(direct, _WETTEST_DB), 1), falls=len(found))


def _dip_depth_db(levels: npt.NDArray[np.float64]) -> float:
    """How far it falls between syllables: from the loudest frames to the quietest fifth of those near loud ones."""
    top = float(np.percentile(levels, 95))
    near = np.convolve(levels > top - 12, np.ones(round(2 * _NEAR_S / _STEP_S) + 1), mode="same") > 0
    return top - float(np.percentile(levels[near], 20))


def _direct_db(dip_depth_db: float, rt60_s: float) -> float:
    # Fitted to Kokoro's speech in made rooms of 0.4 to 1.3 s and 0 to 12 dB, right to 3 dB there.
    return float(2.3 * (dip_depth_db - 17.0 + 2.9 * np.log2(rt60_s / 0.4)))


def _levels(waveform: Waveform, sample_rate: int) -> npt.NDArray[np.float64]:
    step, frame = round(_STEP_S * sample_rate), round(_FRAME_S * sample_rate)
    if len(waveform) < 2 * frame:
        return np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(np.square(waveform, dtype=np.float64))])
    starts = np.arange(0, len(waveform) - frame, step)
    return np.asarray(10 * np.log10(np.maximum(sums[starts + frame] - sums[starts], 0) / frame + 1e-12))


def _falls(levels: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """(first, end) of the stretches of `levels` that fall without a rebound, far enough, and above the floor."""
    if not len(levels):
        return []
    floor = float(np.percentile(levels, 5)) + _ABOVE_FLOOR_DB
    falls = []
    first = 0
    while first < len(levels) - 1:
        lowest = end = first
        while end + 1 < len(levels) and levels[end + 1] <= levels[lowest] + _REBOUND_DB and levels[end + 1] > floor:
            end += 1
            if levels[end] < levels[lowest]:
                lowest = end
            elif levels[end] > levels[first]:
                first = lowest = end
        if levels[first] - levels[lowest] >= _SHORTEST_FALL_DB:
            falls.append((first, lowest + 1))
        first = end + 1
    return falls


def _fall_time(levels: npt.NDArray[np.float64]) -> float | None:
    """The time in which one fall would come to 60 dB; None where it is too short to tell."""
    below = np.flatnonzero(levels <= levels[0] - _STEEP_TOP_DB)
    if not len(below) or len(levels) - below[0] < _FEWEST_POINTS:
        return None
    at = np.arange(below[0], len(levels))
    slope = float(np.polyfit(at * _STEP_S, levels[at], 1)[0])
    return -60 / slope if slope < 0 else None


def apply_room(waveform: Waveform, sample_rate: int, room: Room) -> Waveform:
    """What `room` answers to `waveform`, the direct sound left out; longer by the time that it rings."""
    from scipy.signal import oaconvolve

    if not len(waveform):
        return waveform
    return np.asarray(oaconvolve(waveform, _impulse(sample_rate, room)), dtype=np.float32)


def _impulse(sample_rate: int, room: Room) -> npt.NDArray[np.float32]:
    """Early reflections and a decaying tail, the same for the same room; its energy is what `direct_db` says."""
    random = np.random.default_rng(20_240_229)
    length = round(min(room.rt60_s, _LONGEST_RT60_S) * sample_rate)
    at = np.arange(length) / sample_rate
    tail = random.standard_normal(length) * 10 ** (-3 * at / room.rt60_s)
    tail *= np.clip(at / _TAIL_FROM_S, 0, 1)
    tail /= np.sqrt(np.sum(np.square(tail)))
    early = np.zeros(length)
    for delay in np.sort(random.uniform(*_EARLY_S, _EARLY_COUNT)):
        early[min(round(delay * sample_rate), length - 1)] += random.choice((-1, 1)) * 10 ** (-3 * delay / room.rt60_s)
    early /= np.sqrt(np.sum(np.square(early)))
    # Half of the answer's energy comes early, as in a room with a speaker near a wall or a desk.
    answer = np.sqrt(0.5) * (early + tail) * 10 ** (-room.direct_db / 20)
    return np.asarray(answer, dtype=np.float32)


def common_room(rooms: Sequence[Room | None]) -> Room | None:
    """The one room of a lecture whose chunks tell of `rooms`: None where most of them tell of none."""
    told = [room for room in rooms if room is not None]
    if 2 * len(told) <= len(rooms):
        return None
    return Room(
        rt60_s=round(float(np.median([room.rt60_s for room in told])), 2),
        direct_db=round(float(np.median([room.direct_db for room in told])), 1),
        falls=sum(room.falls for room in told),
    )
