"""A recording on the dub's clock: frames shown for longer, and the room's own tone where the sound has to wait.

Times are cut and counted from exact sums of holds, so a tick or a sample is rounded once and nothing drifts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from infra.files import published
from infra.media.audio import Channels
from infra.media.groups import decode_times
from infra.media.streams import Clock, audio_stream, clock_of, decode_packets, media_url, open_media
from manifests.clock import HeldClock
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks, flicks, sample_index

Ticks = npt.NDArray[np.int64]

_REMEMBERED_S = 4.0  # the stretch before a hold in which a quiet moment is looked for
_TONE_S = 0.4
_FADE_S = 0.01
_HOP_S = 0.05
_JITTER: Flicks = flicks(Fraction(1, 100))  # a smaller step in timestamps is their rounding
_SILENT_PIECE_S = 10
_AAC_RATES = frozenset({8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000})
_USUAL_RATE = 48_000
_AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
_AAC_BITS_PER_CHANNEL = 96_000


@dataclass(frozen=True, slots=True)
class PacketTime:
    """When a packet is shown and decoded, and the duration its container is told, in ticks since the clock's origin."""

    pts: int
    dts: int
    duration: int


@dataclass(frozen=True, slots=True, eq=False)
class PacketTimes:
    """The times of packets, by their timestamps: `times[pts]`. A row a packet, by rising `shown` (N,) int64."""

    shown: Ticks
    pts: Ticks
    dts: Ticks
    duration: Ticks

    def __getitem__(self, pts: int) -> PacketTime:
        """The times of the packet whose timestamp is `pts`. KeyError where there is none."""
        row = int(np.searchsorted(self.shown, pts))
        if row == len(self.shown) or self.shown[row] != pts:
            raise KeyError(pts)
        return PacketTime(int(self.pts[row]), int(self.dts[row]), int(self.duration[row]))


def packet_times(order: Iterable[int], clock: Clock, holds: HeldClock) -> PacketTimes:
    """The times of packets on the dub's clock, by their timestamps; `order` holds those in stream order.

    A hold makes the frame before it last longer. The first frame stays where it is: what should wait before it shows
    waits with it on show. ValueError for equal timestamps.
    """
    in_stream = np.fromiter(order, np.int64)
    shown = np.sort(in_stream)
    starts = _held_starts(shown, clock, holds)
    decoded = decode_times(in_stream)
    step = int(shown[-1] - shown[-2]) if len(shown) > 1 else 1
    end = int(shown[-1]) + step + _ticks(holds.held, clock)
    place = np.searchsorted(shown, in_stream)
    # Decoding times are presentation times of earlier frames, but for some before the first.
    behind = np.searchsorted(shown, decoded)
    dts = np.empty_like(shown)
    dts[place] = np.where(decoded < shown[0], decoded, starts[behind]) + clock.since_origin(0)
    times = PacketTimes(shown, starts + clock.since_origin(0), dts, np.diff(starts, append=end))
    if in_stream[-1] != shown[-1]:
        last_frame_held = end - int(starts[-1]) > step
        first, last = times[int(in_stream[0])], times[int(in_stream[-1])]
        fitted = _last_decoded(first, last, clock.since_origin(end), held=last_frame_held)
        times.duration[place[-1]] = fitted.duration
    return times


def _last_decoded(first: PacketTime, last: PacketTime, end: int, *, held: bool) -> PacketTime:
    """The packet that comes last, with the duration from which MP4 tells how long the picture is.

    Decoding times and durations add up to the picture's length. Where its last frame is `held`, which reordering may
    have put before, copying the file must find the end in this packet.
    """
    fitting = end - first.pts + first.dts - last.dts
    return replace(last, duration=end - last.pts if held else max(1, min(fitting, end - last.pts)))


def _held_starts(shown: Ticks, clock: Clock, holds: HeldClock) -> Ticks:
    """When each frame of `shown` starts, in the same ticks."""
    starts, delay = shown.copy(), 0
    # What is not held: the first frame, and all up to time 0.
    free = max(1, bisect_right(shown, 0, key=lambda pts: clock.time(int(pts))))
    for hold in holds.holds:
        before, delay = _ticks(delay, clock), delay + hold.duration
        held = max(free, bisect_left(shown, hold.at, key=lambda pts: clock.time(int(pts))))
        starts[held:] += _ticks(delay, clock) - before
    return starts


def _ticks(duration: Flicks, clock: Clock) -> int:
    return round(Fraction(duration, FLICKS_PER_SECOND) / clock.time_base)


def held_audio(path: Path, track: int, holds: HeldClock, out: Path) -> None:
    """Write audio track `track` of `path` to `out` (M4A, AAC) on the dub's clock, with all its channels.

    In a hold the room is heard: the quietest moment of the seconds before it, back and forth. Memory does not grow with
    the track. BadInput where there is no such track or it cannot be decoded; NoSpace where `out` cannot be written.
    """
    with open_media(path) as container, published(out) as draft:
        stream = audio_stream(container, path, track)
        rate = stream.codec_context.sample_rate
        rate = rate if rate in _AAC_RATES else _USUAL_RATE
        layout = _AAC_LAYOUTS.get(stream.codec_context.channels, "stereo")
        blocks = held_blocks(_decoded(container, stream, rate, layout, path), rate, holds)
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        with av.open(media_url(draft), "w", format="mp4", container_options=options) as target:
            made = target.add_stream("aac", rate=rate, layout=layout)
            made.bit_rate = _AAC_BITS_PER_CHANNEL * _channels(layout)
            made.codec_context.flags |= av.codec.context.Flags.bitexact.value
            count = 0
            for block in blocks:
                frame = AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = rate, count, Fraction(1, rate)
                target.mux(made.encode(frame))
                count += block.shape[1]
            target.mux(made.encode(None))


def held_blocks(blocks: Iterable[Channels], sample_rate: int, holds: HeldClock) -> Iterator[Channels]:
    """`blocks` (channels, samples) of one track from time 0, with the tone of the room put in where `holds` wait.

    Every sample comes out once, in order; in between, exactly the samples that the sum of the holds so far is long.
    """
    pieces = iter(blocks)
    pending: Channels | None = None
    past = _Past(sample_rate)
    at, held = 0, 0
    fade = round(_FADE_S * sample_rate)
    for hold in holds.holds:
        border = sample_index(hold.at, sample_rate)
        while pending is None or at + pending.shape[1] < border + fade:
            if pending is not None:
                ready = min(max(border - at, 0), pending.shape[1])
                yield from past.passed(pending[:, :ready])
                pending, at = pending[:, ready:], at + ready
            fresh = next(pieces, None)
            if fresh is None:
                break
            pending = fresh if pending is None else np.concatenate([pending, fresh], axis=1)
        if pending is None or at + pending.shape[1] < border:
            break  # the track ends before it
        yield from past.passed(pending[:, : border - at])
        pending, at = pending[:, border - at :], border
        before, held = held, held + hold.duration
        yield past.tone(pending[:, :fade], sample_index(held, sample_rate) - sample_index(before, sample_rate))
    if pending is not None and pending.shape[1]:
        yield pending
    yield from pieces


class _Past:
    """The last seconds that were heard, and what the room sounds like in them."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._heard: deque[Channels] = deque()
        self._length = 0

    def passed(self, piece: Channels) -> Iterator[Channels]:
        """Keep the end of `piece`, and hand it on."""
        if piece.shape[1]:
            self._heard.append(piece)
            self._length += piece.shape[1]
            while self._length - self._heard[0].shape[1] >= _REMEMBERED_S * self._rate:
                self._length -= self._heard.popleft().shape[1]
            yield piece

    def tone(self, following: Channels, length: int) -> Channels:
        """`length` samples of the room, faded from the sound that would go on and into what leads up to it."""
        nothing = np.zeros((len(following), 0), np.float32)
        before = np.concatenate([nothing, *self._heard], axis=1)[:, -round(_REMEMBERED_S * self._rate) :]
        window = self._quietest(before)
        if window.shape[1] < 2:
            tone = np.zeros((len(following), length), np.float32)
        else:
            # Back and forth, so that its ends meet.
            there_and_back = np.concatenate([window, window[:, ::-1]], axis=1)
            tone = np.tile(there_and_back, -(-length // there_and_back.shape[1]))[:, :length].copy()
        fade_in = min(following.shape[1], length // 2)
        fade_out = min(round(_FADE_S * self._rate), before.shape[1], length // 2)
        if fade_in:
            down, up = _equal_power(fade_in)
            tone[:, :fade_in] = following[:, :fade_in] * down + tone[:, :fade_in] * up
        if fade_out:
            down, up = _equal_power(fade_out)
            tone[:, -fade_out:] = tone[:, -fade_out:] * down + before[:, -fade_out:] * up
        return tone

    def _quietest(self, heard: Channels) -> Channels:
        width, hop = round(_TONE_S * self._rate), max(1, round(_HOP_S * self._rate))
        if heard.shape[1] <= width:
            return heard
        energy = np.concatenate([[0.0], np.cumsum(np.square(heard, dtype=np.float64).sum(axis=0))])
        starts = np.arange(0, heard.shape[1] - width + 1, hop)
        start = int(starts[np.argmin(energy[starts + width] - energy[starts])])
        return heard[:, start : start + width]


def _equal_power(count: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], ...]:
    angles = (np.arange(count) + 0.5) / count * np.pi / 2
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _channels(layout: str) -> int:
    return next(count for count, name in _AAC_LAYOUTS.items() if name == layout)


def _decoded(container: InputContainer, stream: AudioStream, rate: int, layout: str, path: Path) -> Iterator[Channels]:
    """The track from time 0 in pieces without a gap: led by silence where it starts late, cut where it starts early."""
    clock = clock_of(stream)
    channels = _channels(layout)
    at = 0
    resampler: AudioResampler | None = None
    expected: Flicks = 0
    start = made = 0

    def placed(piece: Channels) -> Iterator[Channels]:
        nonlocal at, made
        first, made = start + made, made + piece.shape[1]
        while piece.shape[1] and at < first:
            silent = min(first - at, _SILENT_PIECE_S * rate)
            yield np.zeros((channels, silent), np.float32)
            at += silent
        fresh = piece[:, max(at - first, 0) :]
        if fresh.shape[1]:
            yield fresh
            at += fresh.shape[1]

    try:
        for frame in decode_packets(container, stream):
            base = Fraction(frame.time_base or clock.time_base)
            time = expected if frame.pts is None else Clock(clock.origin, base).time(frame.pts)
            if resampler is None or abs(time - expected) > _JITTER:
                if resampler is not None:
                    yield from placed(_pulled(resampler, None, channels))
                resampler = AudioResampler(format="fltp", layout=layout, rate=rate)
                start, made, expected = sample_index(time, rate), 0, time
            expected += flicks(Fraction(frame.samples, frame.sample_rate))
            frame.pts = None
            yield from placed(_pulled(resampler, frame, channels))
        if resampler is not None:
            yield from placed(_pulled(resampler, None, channels))
    except av.error.FFmpegError as error:
        what = f"an audio track cannot be decoded ({error.strerror});"
        raise BadInput(what, where=str(path), remedy="check that it plays") from error


def _pulled(resampler: AudioResampler, frame: AudioFrame | None, channels: int) -> Channels:
    pieces = [np.asarray(each.to_ndarray(), dtype=np.float32) for each in resampler.resample(frame)]
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((channels, 0), np.float32)
