"""Rulers for finished files, each by other means than the code that it measures: ffmpeg's own hashes and meters."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.uint8]
_PARAMETER_SETS = frozenset({7, 8})  # H.264 NAL unit types: SPS and PPS (ITU-T H.264, table 7-1)


@dataclass(frozen=True, slots=True)
class HashedFrame:
    """A decoded frame: when it is shown (seconds) and the MD5 of its samples."""

    time: Fraction
    md5: str


def ffmpeg(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)


@cache
def decoded_frames(path: Path) -> tuple[HashedFrame, ...]:
    """Every frame of the picture as ffmpeg decodes it; any error of the decoder fails the test."""
    done = ffmpeg("-v", "error", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-")
    assert not done.stderr, done.stderr
    lines = done.stdout.splitlines()
    base = next(Fraction(line.split(":")[1].strip()) for line in lines if line.startswith("#tb 0"))
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if not line.startswith("#")]
    return tuple(HashedFrame(int(row[2]) * base, row[5]) for row in rows)


def groups(path: Path) -> list[list[int]]:
    """The frames (counted in the order shown) of each group of pictures, for a picture of closed groups."""
    with av.open(str(path)) as container:
        packets = [(p.pts, p.is_keyframe) for p in container.demux(video=0) if p.pts is not None]
    keys = sorted(pts for pts, is_key in packets if is_key)
    shown = sorted(pts for pts, _ in packets)
    ends = [*keys[1:], shown[-1] + 1]
    return [
        [index for index, pts in enumerate(shown) if start <= pts < end] for start, end in zip(keys, ends, strict=True)
    ]


def slices(path: Path) -> list[tuple[bytes, ...]]:
    """The NAL units of each picture packet of an H.264 MP4, in stream order, without parameter sets."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    return [tuple(unit for unit in _units(packet) if unit[0] & 31 not in _PARAMETER_SETS) for packet in packets]


def _units(packet: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(packet):
        length = int.from_bytes(packet[at : at + 4], "big")  # x264 and ffmpeg both write lengths of four bytes
        yield packet[at + 4 : at + 4 + length]
        at += 4 + length


@dataclass(frozen=True, slots=True)
class Loudness:
    integrated_lufs: float
    true_peak_dbtp: float


def loudness(path: Path) -> Loudness:
    """The loudness of the first audio stream, by ffmpeg's `loudnorm` (the code under test reads `ebur128`)."""
    done = ffmpeg("-i", str(path), "-map", "0:a:0", "-af", "loudnorm=print_format=json", "-f", "null", "-")
    text = done.stderr[done.stderr.index("{", done.stderr.index("Parsed_loudnorm")) :]
    measured = json.loads(text[: text.index("}") + 1])
    return Loudness(float(measured["input_i"]), float(measured["input_tp"]))


def pictures(path: Path) -> Iterator[tuple[Samples, Samples]]:
    """The frames as coded: luma (H, W) and both chroma planes (2, H / 2, W / 2)."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            planes = frame.to_ndarray(format="yuv420p").astype(np.uint8, copy=False)
            height, width = frame.height, frame.width
            yield planes[:height], planes[height:].reshape(2, height // 2, width // 2)


@dataclass(frozen=True, slots=True)
class Psnr:
    """Peak signal-to-noise ratio in dB inside and outside a rectangle; infinite for equal samples."""

    inside_db: float
    outside_db: float


def psnr(one: Samples, other: Samples, rectangle: tuple[int, int, int, int]) -> Psnr:
    """Of the last two axes, against `rectangle` x0, y0, x1, y1 (half-open; it may be empty)."""
    x0, y0, x1, y1 = rectangle
    difference = one.astype(np.int32) - other
    within = difference[..., y0:y1, x0:x1]
    inside, whole = float(np.vdot(within, within)), float(np.vdot(difference, difference))
    return Psnr(_psnr_db(inside, within.size), _psnr_db(whole - inside, difference.size - within.size))


def _psnr_db(squares: float, count: int) -> float:
    return 10 * math.log10(255**2 * count / squares) if squares else math.inf


def duration_s(path: Path) -> float:
    with av.open(str(path)) as container:
        assert container.duration is not None
        return container.duration / av.time_base


def picture_duration_s(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        return float(stream.duration * stream.time_base)


def waveform(path: Path, sample_rate: int, track: int = 0) -> npt.NDArray[np.float32]:
    """Audio stream `track` as mono samples in -1..1."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-i", str(path), "-map", f"0:a:{track}",
               "-ac", "1", "-ar", str(sample_rate), "-f", "f32le", "-"]  # fmt: skip
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
