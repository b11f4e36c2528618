"""The mel spectrogram that Wav2Lip hears: 80 bands from 55 to 7600 Hz, 80 columns a second, scaled to -4..4.

Parameters of Prajwal et al.'s release (2020), which are those of Tacotron 2 implementations at 16 kHz. The filters are
those of Slaney's Auditory Toolbox (1998): area-normalised triangles on a scale linear to 1 kHz, logarithmic above.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from manifests.time import FLICKS_PER_SECOND

SAMPLE_RATE = 16_000
HOP = 200
WINDOW = 800
BANDS = 80
LOWEST_HZ, HIGHEST_HZ = 55.0, 7600.0
PREEMPHASIS = 0.97
REFERENCE_DB, FLOOR_DB = 20.0, -100.0
RANGE = 4.0

COLUMNS = 16
"""Columns of a window: 0.2 s, five frames at 25 frames/s."""
COLUMNS_PER_SECOND = SAMPLE_RATE // HOP

_BLOCK_COLUMNS = 4096
"""Columns transformed at once (51 s of sound, about 26 MB), so memory does not grow with the sound."""


def mel_spectrogram(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """`waveform` (mono, `SAMPLE_RATE` Hz, -1..1) as (80, 1 + samples // 200) float32 in -4..4.

    Column c is centred on sample 200 c; the sound is taken to be silent before and after. An empty waveform gives one
    column of silence.
    """
    filters = mel_filters()
    hann = np.hanning(WINDOW + 1)[:-1]
    columns = 1 + len(waveform) // HOP
    padded = np.zeros(len(waveform) + WINDOW, np.float64)
    body = padded[WINDOW // 2 : WINDOW // 2 + len(waveform)]
    body[:] = waveform
    body[1:] -= PREEMPHASIS * waveform[:-1].astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:columns]
    floor = 10.0 ** (FLOOR_DB / 20)
    mel = np.empty((BANDS, columns), np.float32)
    for start in range(0, columns, _BLOCK_COLUMNS):
        magnitude = np.abs(np.fft.rfft(frames[start : start + _BLOCK_COLUMNS] * hann))
        level_db = 20 * np.log10(np.maximum(floor, filters @ magnitude.T)) - REFERENCE_DB
        scaled = 2 * RANGE * (level_db - FLOOR_DB) / -FLOOR_DB - RANGE
        mel[:, start : start + _BLOCK_COLUMNS] = np.clip(scaled, -RANGE, RANGE)
    return mel


def mel_windows(mel: npt.NDArray[np.float32], times: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """The (N, 80, 16) windows that belong to frames shown at `times` (N,), in flicks after the waveform's start.

    A window starts at column floor(80 s): the 0.2 s from the frame on, as the generator was trained. Where it would
    pass either end it is moved inside, as the original does; a `mel` of fewer than 16 columns repeats its last.
    """
    if mel.shape[1] < COLUMNS:
        mel = np.pad(mel, ((0, 0), (0, COLUMNS - mel.shape[1])), mode="edge")
    starts = np.asarray(times, np.int64) * COLUMNS_PER_SECOND // FLICKS_PER_SECOND
    starts = np.clip(starts, 0, mel.shape[1] - COLUMNS)
    windows = np.lib.stride_tricks.sliding_window_view(mel, COLUMNS, axis=1)
    return np.ascontiguousarray(windows[:, starts].transpose(1, 0, 2))


@cache
def mel_filters() -> npt.NDArray[np.float64]:
    """The (80, 401) weights from magnitudes of a spectrum to mel bands; the rows integrate to one over Hz."""
    edges_hz = _hz(np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2))
    bins_hz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    triangles = np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre))
    return np.asarray(np.maximum(0, triangles) * 2 / (high - low))


_LINEAR_HZ_PER_MEL = 200 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27


def _mel(hz: float) -> float:
    return hz / _LINEAR_HZ_PER_MEL if hz < _BREAK_HZ else float(_BREAK_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP)


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    logarithmic = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ_PER_MEL, logarithmic)
