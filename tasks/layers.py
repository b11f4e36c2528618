"""Sounds laid over each other as a stream, and sound that goes on where the dub's clock holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infra.media.audio import Channels, Waveform
from manifests.clock import Hold
from manifests.time import Flicks, Span, sample_index

MIX_RATE = 48_000
"""What everything is mixed at, Hz."""
_BLOCK = 480_000
_LEAST_LOOP_S = 0.25
_LONGEST_LOOP_S = 2.0


@dataclass(frozen=True, slots=True)
class Layer:
    """Something that is heard from sample `start` on; `load` gives it, mono (n,) or (channels, n)."""

    start: int
    load: Callable[[], Waveform | Channels]


def laid(layers: Iterable[Layer], length: int, channels: int) -> Iterator[Channels]:
    """The sum of all `layers` in blocks of (channels, n), `length` samples in all, silence where there are none.

    A mono layer is heard in every channel. What would be heard before 0 or after the end is left out. Memory is that of
    the layers that sound at once.
    """
    at = 0
    pending = np.zeros((channels, 0), dtype=np.float32)
    for layer in sorted(layers, key=lambda each: each.start):
        first = min(max(layer.start, at), length)
        yield from _taken(pending, first - at)
        pending = pending[:, first - at :]
        at = first
        samples = np.atleast_2d(layer.load())[:, first - layer.start :][:, : length - first]
        if samples.shape[1] > pending.shape[1]:
            pending = np.pad(pending, ((0, 0), (0, samples.shape[1] - pending.shape[1])))
        else:
            pending = pending.copy()
        pending[:, : samples.shape[1]] += samples
    yield from _taken(pending, length - at)


def _taken(pending: Channels, count: int) -> Iterator[Channels]:
    """The first `count` samples of `pending`, silence behind it, in blocks."""
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        piece = pending[:, start : start + size]
        yield np.pad(piece, ((0, 0), (0, size - piece.shape[1])))


def held_positions(
    heard: Span, holds: Sequence[Hold], shift: Flicks, sample_rate: int
) -> tuple[int, npt.NDArray[np.int64]]:
    """Where the sound of `heard` is on a clock that holds.

    Gives its first sample there, and for each from that one on, which sample of `heard` it is. `shift` is how far the
    clock is behind already when `heard` begins, `holds` what is held within. While the clock holds, the sound runs back
    from that moment and forth to it again (up to 2 s, several times in a long hold): it goes on without a gap, a loop's
    seam or a new sound. Near the start of `heard` it runs forth and back.
    """
    origin = sample_index(heard.start, sample_rate)
    count = sample_index(heard.end, sample_rate) - origin
    pieces: list[npt.NDArray[np.int64]] = []
    at, gone = heard.start, shift
    for hold in (*holds, None):
        until = heard.end if hold is None else hold.at
        begin, end = sample_index(at + gone, sample_rate), sample_index(until + gone, sample_rate)
        pieces.append(sample_index(at, sample_rate) - origin + np.arange(end - begin))
        if hold is not None:
            waiting = sample_index(hold.at + gone + hold.duration, sample_rate) - end
            pieces.append(_to_and_fro(sample_index(hold.at, sample_rate) - origin, waiting, count, sample_rate))
            gone += hold.duration
        at = until
    first = sample_index(heard.start + shift, sample_rate)
    return first, np.clip(np.concatenate(pieces), 0, max(count - 1, 0))


def _to_and_fro(at: int, length: int, count: int, sample_rate: int) -> npt.NDArray[np.int64]:
    """`length` positions that go away from `at` and come back to it, within `count`."""
    back = at >= min(length // 2, round(_LEAST_LOOP_S * sample_rate)) or at >= count - at
    room = max(min(at if back else count - 1 - at, round(_LONGEST_LOOP_S * sample_rate)), 1)
    turns = max(-(-length // (2 * room)), 1)
    period = length / turns
    phase = np.arange(length) % period
    away = np.round(np.minimum(phase, period - phase)).astype(np.int64)
    positions: npt.NDArray[np.int64] = at - away if back else at + away
    return positions
