"""Loudness by EBU R 128 / ITU-R BS.1770-4: measured, and brought to a target under a true-peak ceiling."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from infra.files import published
from infra.media.binary import run_ffmpeg
from infra.media.streams import media_url, open_media

_NEAR_LU = 0.1  # closer than this to the target needs no further pass
_PASSES = 5
_OVERSAMPLED_HZ = 192_000  # BS.1770-4 annex 2 measures true peak at 4 x 48 kHz; so the limiter works there
_ABSOLUTE_GATE_LUFS = -70.0  # what the meter shows where nothing passed its gate
_INTEGRATED = re.compile(r"I:\s+(-?[\d.]+) LUFS")
_PEAK = re.compile(r"Peak:\s+(-?[\d.]+|-inf) dBFS")
_HEADROOM_DB = 0.2  # what resampling back may add to a peak


@dataclass(frozen=True, slots=True)
class Loudness:
    """`integrated_lufs` and `true_peak_dbtp`; both None for silence (and for less than the 0.4 s that gating needs)."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None


def measure(path: Path) -> Loudness:
    """The loudness of the first audio track of `path`, to 0.1 LU, read as a stream. BadInput where it has none."""
    log = run_ffmpeg(
        ["-i", media_url(path), "-map", "0:a:0", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"],
        where=path,
    )
    summary = log[log.rindex("Integrated loudness:") :]
    integrated = float(_INTEGRATED.findall(summary)[0])
    peak = float(_PEAK.findall(summary)[0])
    return Loudness(integrated, peak) if integrated > _ABSOLUTE_GATE_LUFS else Loudness(None, None)


def normalise(in_wav: Path, out_wav: Path, *, target_lufs: float = -16.0, true_peak_dbtp: float = -1.0) -> Loudness:
    """Write `in_wav` to `out_wav` (16-bit WAV, same rate and channels) at `target_lufs`; returns what was reached.

    A plain gain where the true peak stays under `true_peak_dbtp`; else a gain into a look-ahead limiter at four times
    the rate, repeated until both hold. Silence is copied unchanged, and so is None in both. Deterministic.
    """
    loudness = measure(in_wav)
    with published(out_wav) as draft:
        if loudness.integrated_lufs is None or loudness.true_peak_dbtp is None:
            shutil.copyfile(in_wav, draft)
            return loudness
        gain_db = target_lufs - loudness.integrated_lufs
        linear = loudness.true_peak_dbtp + gain_db <= true_peak_dbtp - _NEAR_LU
        ceiling_db = true_peak_dbtp - _HEADROOM_DB
        reached = loudness
        for _ in range(_PASSES):
            _render(in_wav, draft, gain_db, None if linear else ceiling_db)
            reached = measure(draft)
            if reached.integrated_lufs is None or reached.true_peak_dbtp is None:
                break
            short_db = target_lufs - reached.integrated_lufs
            over_db = reached.true_peak_dbtp - true_peak_dbtp
            if abs(short_db) <= _NEAR_LU and over_db <= 0:
                break
            gain_db += short_db
            ceiling_db -= max(over_db, 0.0)
            linear = linear and over_db <= 0
        return reached


def _render(source: Path, target: Path, gain_db: float, ceiling_db: float | None) -> None:
    with open_media(source) as container:
        sample_rate = container.streams.audio[0].codec_context.sample_rate
    chain = f"volume={gain_db:.4f}dB:precision=double"
    if ceiling_db is not None:
        limit = 10 ** (ceiling_db / 20)
        chain = (
            f"aresample={_OVERSAMPLED_HZ},{chain},alimiter=limit={limit:.6f}:attack=5:release=50:level=disabled"
            f":latency=1,aresample={sample_rate}"
        )
    run_ffmpeg(
        ["-i", media_url(source), "-map", "0:a:0", "-map_metadata", "-1", "-af", chain, "-c:a", "pcm_s16le",
         "-ar", str(sample_rate), "-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", "wav", media_url(target)],
        where=target,
    )  # fmt: skip
