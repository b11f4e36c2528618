"""Sound as float32 arrays on the picture's clock, mono unless several channels are asked for, and as WAV files.

Sample 0 of a whole track is heard with the first frame of the picture: a track that starts later is led by silence,
one that starts earlier loses what comes before. Gaps in a track's timestamps become silence, so that nothing drifts.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.filter import Graph
from numpy.typing import NDArray

from infra.files import no_space_told, published
from infra.media.streams import Clock, audio_stream, clock_of, decode_packets, open_media
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks, sample_index, samples_duration

Waveform: TypeAlias = NDArray[np.float32]
"""(samples,) float32, mono, within -1 to 1."""

Channels: TypeAlias = NDArray[np.float32]
"""(channels, samples) float32, within -1 to 1."""

_LAYOUTS = {1: "mono", 2: "stereo"}
_SEEK_LEAD: Flicks = FLICKS_PER_SECOND  # decoders need some packets before their output is right
_JITTER: Flicks = flicks(Fraction(1, 100))  # a smaller step in timestamps is their rounding
_BLOCK_S = 10
_MIN_RATE, _MAX_RATE = 0.5, 2.0
_FULL_SCALE = 32_767


def require_sound(path: Path, track: int = 0) -> None:
    """Whether `path` has an audio track `track`; BadInput where not, nothing is decoded."""
    with open_media(path) as container:
        audio_stream(container, path, track)


def read_waveform(path: Path, *, sample_rate: int, track: int = 0, span: Span | None = None) -> Waveform:
    """Audio track `track` within `span`, mixed down to mono at `sample_rate` Hz.

    Exactly as many samples as `span` holds (`Span.samples`), silence where the track has none. Without a span: from
    time 0 to the track's end. BadInput where there is no such track or it cannot be decoded.
    """
    samples: Waveform = read_channels(path, sample_rate=sample_rate, channels=1, track=track, span=span)[0]
    return samples


def read_channels(path: Path, *, sample_rate: int, channels: int, track: int = 0, span: Span | None = None) -> Channels:
    """As `read_waveform`, mixed to one or two `channels`: (channels, samples). A mono track is heard on both sides."""
    pieces = list(_blocks(path, sample_rate, track, span or Span(0, 0), open_ended=span is None, channels=channels))
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((channels, 0), dtype=np.float32)


def stream_waveform(path: Path, *, sample_rate: int, track: int, block: int) -> Iterator[Waveform]:
    """A whole track from time 0, mono at `sample_rate` Hz, in blocks of `block` samples (the last may be shorter).

    Memory does not grow with the length of the track.
    """
    held: list[Waveform] = []
    size = 0
    for piece in _blocks(path, sample_rate, track, Span(0, 0), open_ended=True):
        held.append(piece[0])
        size += piece.shape[1]
        if size >= block:
            joined = np.concatenate(held)
            whole = size - size % block
            for start in range(0, whole, block):
                yield joined[start : start + block]
            held, size = [joined[whole:]], size - whole
    if size:
        yield np.concatenate(held)


def _blocks(
    path: Path, sample_rate: int, track: int, span: Span, *, open_ended: bool, channels: int = 1
) -> Iterator[Channels]:
    """The wanted samples in pieces, in order and without a gap."""
    first, end = span.samples(sample_rate)
    at = first
    with open_media(path) as container:
        stream = audio_stream(container, path, track)
        clock = clock_of(stream)
        if span.start > 0:
            container.seek(clock.ticks(max(span.start - _SEEK_LEAD, 0)), stream=stream, backward=True)
        for start, samples in _resampled(container, track, clock, sample_rate, path, _LAYOUTS[channels]):
            if not open_ended and start >= end:
                break
            if start > at:  # the track starts late, or pauses
                gap = start if open_ended else min(start, end)
                yield from _silence(gap - at, sample_rate, channels)
                at = gap
            fresh = samples[:, max(at - start, 0) : None if open_ended else end - start]
            if fresh.shape[1]:
                yield fresh
                at += fresh.shape[1]
    if not open_ended and at < end:
        yield from _silence(end - at, sample_rate, channels)


def _silence(count: int, sample_rate: int, channels: int) -> Iterator[Channels]:
    while count > 0:
        piece = min(count, _BLOCK_S * sample_rate)
        yield np.zeros((channels, piece), dtype=np.float32)
        count -= piece


def _resampled(
    container: InputContainer, track: int, clock: Clock, sample_rate: int, path: Path, layout: str
) -> Iterator[tuple[int, Channels]]:
    """Pieces with the index of their first sample; a jump in timestamps starts a new piece."""
    resampler: AudioResampler | None = None
    frames_clock: Clock | None = None
    start = made = 0
    expected: Flicks = 0
    try:
        for frame in decode_packets(container, container.streams.audio[track]):
            if frames_clock is None and frame.time_base:
                frames_clock = Clock(clock.origin, Fraction(frame.time_base))  # the same for all that a decoder gives
            time = expected if frame.pts is None else (frames_clock or clock).time(frame.pts)
            if resampler is None or abs(time - expected) > _JITTER:
                if resampler is not None:
                    yield start + made, _pulled(resampler, None)
                resampler = AudioResampler(format="fltp", layout=layout, rate=sample_rate)
                start, made, expected = sample_index(time, sample_rate), 0, time
            frame.pts = None  # times are kept here; the resampler only counts
            piece = _pulled(resampler, frame)
            yield start + made, piece
            made += piece.shape[1]
            expected += samples_duration(frame.samples, frame.sample_rate)
        if resampler is not None:
            yield start + made, _pulled(resampler, None)
    except av.error.FFmpegError as error:
        what = f"audio track {track} cannot be decoded ({error.strerror});"
        raise BadInput(what, where=str(path), remedy="check that it plays") from error


def _pulled(resampler: AudioResampler, frame: AudioFrame | None) -> Channels:
    """What a resampler to planar floats gives for `frame`, or at the end of all frames (None)."""
    pieces = [np.asarray(each.to_ndarray(), dtype=np.float32) for each in resampler.resample(frame)]
    if len(pieces) == 1:
        return pieces[0]
    channels = len(resampler.layout.channels)
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((channels, 0), dtype=np.float32)


def resample(samples: Waveform, sample_rate: int, new_rate: int) -> Waveform:
    """`samples` at `new_rate` Hz, their length rounded to the nearest sample; the very array where rates agree."""
    if sample_rate == new_rate or not len(samples):
        return samples
    resampler = AudioResampler(format="fltp", layout="mono", rate=new_rate)
    made = np.concatenate([_pulled(resampler, _frame(samples, sample_rate)), _pulled(resampler, None)], axis=1)[0]
    return _of_length(made, round(Fraction(len(samples) * new_rate, sample_rate)))


def stretch(samples: Waveform, sample_rate: int, rate: float) -> Waveform:
    """`samples` spoken `rate` times as fast (0.5 to 2) at the same pitch; exactly round(len / rate) samples.

    WSOLA as FFmpeg's `atempo` does it. ValueError for a rate out of range.
    """
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise ValueError(f"a rate of {rate} is not within {_MIN_RATE} to {_MAX_RATE}")
    wanted = round(len(samples) / Fraction(rate))
    if rate == 1 or not len(samples):
        return samples.copy()
    graph = Graph()
    nodes = (
        graph.add_abuffer(sample_rate=sample_rate, format="flt", layout="mono", time_base=Fraction(1, sample_rate)),
        graph.add("atempo", f"{rate:.9f}"),
        graph.add("aformat", "sample_fmts=flt"),
        graph.add("abuffersink"),
    )
    graph.link_nodes(*nodes).configure()
    # Half a second of silence behind it, so that the last window of speech comes out whole.
    graph.push(_frame(np.concatenate([samples, np.zeros(sample_rate // 2, dtype=np.float32)]), sample_rate))
    graph.push(None)
    pieces: list[Waveform] = []
    while True:
        try:
            pulled = graph.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            break
        pieces.append(np.asarray(pulled.to_ndarray(), dtype=np.float32).reshape(-1))
    return _of_length(np.concatenate(pieces), wanted)


def _frame(samples: Waveform, sample_rate: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32)[None, :], format="flt", layout="mono")
    frame.sample_rate = sample_rate
    frame.pts, frame.time_base = 0, Fraction(1, sample_rate)
    return frame


def _of_length(samples: Waveform, length: int) -> Waveform:
    return np.pad(samples[:length], (0, max(length - len(samples), 0)))


def write_wav(path: Path, samples: Waveform | Channels, sample_rate: int) -> None:
    """Write float32 within -1 to 1, (n,) or (channels, n), as 16-bit PCM; what is louder is clipped.

    The same input gives the same bytes. NoSpace where `path` cannot be written.
    """
    write_wav_stream(path, [samples], sample_rate, channels=1 if samples.ndim == 1 else len(samples))


def write_wav_stream(path: Path, blocks: Iterable[Waveform | Channels], sample_rate: int, *, channels: int = 1) -> None:
    """As `write_wav`, from blocks one after the other, so that memory does not grow with their sum."""
    with published(path) as draft, no_space_told(path), wave.open(str(draft), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        for block in blocks:
            laid = np.atleast_2d(block).T  # frame by frame, as a WAV wants its channels
            file.writeframes(np.round(np.clip(laid, -1.0, 1.0) * _FULL_SCALE).astype("<i2").tobytes())


def wav_duration(path: Path) -> Flicks:
    """How long a PCM WAV lasts, by its header. BadInput for another file."""
    with _open_wav(path) as file:
        return samples_duration(file.getnframes(), file.getframerate())


def read_wav(path: Path) -> tuple[Waveform, int]:
    """The samples of a 16-bit PCM WAV, several channels averaged, and its sampling rate. BadInput for another file."""
    samples, sample_rate = read_wav_channels(path)
    return samples.mean(axis=0, dtype=np.float32), sample_rate


def read_wav_channels(path: Path) -> tuple[Channels, int]:
    """As `read_wav`, every channel by itself: (channels, samples)."""
    with _open_wav(path) as file:
        if file.getsampwidth() != 2:
            raise BadInput(f"it has {8 * file.getsampwidth()}-bit samples, not 16;", where=str(path))
        raw = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        samples = raw.reshape(-1, file.getnchannels()).T.astype(np.float32) / np.float32(_FULL_SCALE)
        return np.ascontiguousarray(samples), file.getframerate()


@contextmanager
def _open_wav(path: Path) -> Iterator[wave.Wave_read]:
    try:
        with wave.open(str(path), "rb") as file:
            yield file
    except (wave.Error, EOFError) as error:
        raise BadInput(f"it is no PCM WAV ({error});", where=str(path)) from error
    except FileNotFoundError as error:
        raise BadInput("there is no such file;", where=str(path), remedy="check the name") from error
