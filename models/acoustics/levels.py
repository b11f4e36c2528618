"""How loud speech is, and how loud what is heard beside it.

Loudness is that of ITU-R BS.1770-4 (K-weighted, gated), of one channel, in LUFS. Levels of backgrounds are plain root
mean squares in dBFS, because quiet noise never passes a gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from manifests.time import Span, flicks, gaps
from models.metrics.loudness import integrated_lufs

Waveform: TypeAlias = npt.NDArray[np.float32]
"""(n,) float32, mono, within -1 to 1."""

SILENCE_DBFS = -120.0
"""What digital silence is called."""
_GUARD = flicks(0.25)  # a detector hears an onset this late, and a room still rings
_SHORTEST_PAUSE = flicks(0.2)
_FRAME_S = 0.02
_FLOOR_PERCENTILE = 20
_DIP_PERCENTILE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundLevel:
    """What is heard beside speech, in dBFS. Fields about pauses are None where there are none, as `speech` may be.

    `floor` is the steady part of the pauses, `loudest_pause` the level of the loudest one (its median, so that a breath
    does not count), `dips` how quiet it gets between syllables, `pause_s` how much pause was judged by.
    """

    speech: float | None
    floor: float | None
    loudest_pause: float | None
    dips: float | None
    pause_s: float


def level_dbfs(samples: npt.NDArray[np.float32]) -> float:
    """The root mean square of any array, in dB of full scale; `SILENCE_DBFS` at the least."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    return _db(power)


def frame_levels(waveform: Waveform, sample_rate: int) -> npt.NDArray[np.float64]:
    """The level of each whole frame of 20 ms, dBFS."""
    size = max(round(_FRAME_S * sample_rate), 1)
    whole = waveform[: len(waveform) - len(waveform) % size].reshape(-1, size)
    power = np.square(whole, dtype=np.float64).mean(axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENCE_DBFS / 10))))


def pauses(speech: Sequence[Span], within: Span) -> tuple[Span, ...]:
    """The stretches of `within` where surely nobody speaks, none shorter than 0.2 s."""
    free = gaps((span.widen(_GUARD) for span in speech), within)
    return tuple(span for span in free if span.duration >= _SHORTEST_PAUSE)


def background_level(waveform: Waveform, sample_rate: int, speech: Sequence[Span]) -> BackgroundLevel:
    """What is heard beside the speech in `speech` (spans on the clock on which sample 0 is time 0)."""
    whole = Span.of_seconds(0, len(waveform) / sample_rate)
    quiet = [_part(waveform, sample_rate, span) for span in pauses(speech, whole)]
    spoken = [_part(waveform, sample_rate, span) for span in speech if span.overlaps(whole)]
    quiet_levels = [frame_levels(part, sample_rate) for part in quiet]
    spoken_levels = [frame_levels(part, sample_rate) for part in spoken]
    said = np.concatenate([np.zeros(0, np.float32), *spoken])
    return BackgroundLevel(
        speech=level_dbfs(said) if len(said) else None,
        floor=_percentile(quiet_levels, _FLOOR_PERCENTILE),
        loudest_pause=max((float(np.median(each)) for each in quiet_levels if len(each)), default=None),
        dips=_percentile(spoken_levels, _DIP_PERCENTILE),
        pause_s=sum(map(len, quiet)) / sample_rate,
    )


def speech_level(waveform: Waveform, sample_rate: int) -> float | None:
    """The loudness of the speech in `waveform`, LUFS: pauses do not count. None where all is quieter than -70.

    Less than 0.4 s is taken as one block.
    """
    return integrated_lufs(waveform, sample_rate)


def _part(waveform: Waveform, sample_rate: int, span: Span) -> Waveform:
    first, end = span.samples(sample_rate)
    return waveform[max(first, 0) : end]


def _percentile(levels: Sequence[npt.NDArray[np.float64]], percentile: int) -> float | None:
    joined = np.concatenate([np.zeros(0), *levels])
    return float(np.percentile(joined, percentile)) if len(joined) else None


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, 10 ** (SILENCE_DBFS / 10))))
