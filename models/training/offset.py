"""By how many frames a clip's sound lags behind its lips.

The opening of the mouth is compared with a prediction of it from the sound at every lag: Pearson's r, both freed of
slow drift and of jitter. Of the lags that are hardly worse than the best the one nearest to none is the offset: in a
clip of seconds, r differs by chance. Its confidence is how far it stands above the median lag, as the confidence of
SyncNet (Chung and Zisserman, 2016) is the median distance less the least.

Measured on 63 clips of 3 s of one speaker with `loudness_opening`: 94 % come out within 1 frame of no offset with a
confidence above 0.15; with the sound of another clip 36 % do, and 74 % within 5. So in clips of seconds the loudness
finds gross faults alone. A trained predictor, or a minute of speech, tells much more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

OpeningPredictor = Callable[[Floats], Floats]
"""From a mel spectrogram (80, M) in -4..4, 80 columns a second, to the mouth's opening at 25/s: (floor(25 M / 80),).

Only its course counts, not its level or scale.
"""

FARTHEST = 15
"""The largest lag that is tried, in frames to either side."""

_FRAMES_PER_SECOND, _COLUMNS_PER_SECOND = 25, 80
_VOICE_HZ = (300.0, 4000.0)
_LOWEST_HZ, _HIGHEST_HZ = 1.6, 8.0
_SMOOTHING_COLUMNS = 13
_FULL_SCALE_DB, _SCALE = 100.0, 8.0  # of `models.wav2lip.mel`: 100 dB over -4..4
_DOUBT = 1.7
"""Two lags are told apart by a difference in r of this over the root of the number of frames: 0.2 in 3 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """`frames`: by how many frames of 1/25 s the sound comes late (negative: early). `correlation`: r there, -1..1.

    `confidence` is r there less the median r of all lags: 0 where no lag is better than another.
    """

    frames: int
    correlation: float
    confidence: float


def loudness_opening(mel: Floats) -> Floats:
    """An `OpeningPredictor` without training: the mouth opens as the root of the amplitude from 300 to 4000 Hz."""
    root = 10.0 ** ((mel[_voice_bands()].astype(np.float64) / _SCALE + 0.5) * (_FULL_SCALE_DB / 40))
    window = np.hanning(_SMOOTHING_COLUMNS + 2)[1:-1]
    padded = np.pad(root.mean(axis=0), _SMOOTHING_COLUMNS // 2, mode="edge")
    smoothed = np.convolve(padded, window / window.sum(), mode="valid")
    frames = len(smoothed) * _FRAMES_PER_SECOND // _COLUMNS_PER_SECOND
    at = np.arange(frames) * _COLUMNS_PER_SECOND / _FRAMES_PER_SECOND
    return np.interp(at, np.arange(len(smoothed)), smoothed).astype(np.float32)


def find_offset(opening: Floats, predicted: Floats, *, farthest: int = FARTHEST) -> Offset:
    """The lag at which `predicted` agrees best with the mouth's `opening` (F,), both at 25/s.

    `predicted` (F + 2 farthest,) begins `farthest` frames before the first of `opening`, so that every lag compares all
    frames. Where either does not move at all, the offset is 0 with confidence 0. ValueError for other lengths.
    """
    count = len(opening)
    if len(predicted) != count + 2 * farthest or count < 2:
        raise ValueError(f"{len(predicted)} predicted values do not surround {count} by {farthest}")
    seen = _band(opening)
    heard = _band(predicted)
    windows = np.lib.stride_tricks.sliding_window_view(heard, count)
    windows = windows - windows.mean(axis=1, keepdims=True)
    seen = seen - seen.mean()
    norms = np.linalg.norm(windows, axis=1) * np.linalg.norm(seen)
    correlations = np.where(norms > 1e-9, windows @ seen / np.maximum(norms, 1e-9), 0.0)
    lags = np.arange(-farthest, farthest + 1)
    good = np.flatnonzero(correlations >= correlations.max() - _DOUBT / np.sqrt(count))
    best = min(good.tolist(), key=lambda place: (abs(int(lags[place])), -float(correlations[place])))
    peak = float(correlations[best])
    return Offset(frames=int(lags[best]), correlation=peak, confidence=max(0.0, peak - float(np.median(correlations))))


def _band(values: Floats) -> npt.NDArray[np.float64]:
    """`values` at 25/s between 1.6 and 8 Hz; their ends are mirrored, so that no step arises there."""
    count = len(values)
    mirrored = np.concatenate([values, values[::-1]]).astype(np.float64)
    spectrum = np.fft.rfft(mirrored)
    hz = np.fft.rfftfreq(len(mirrored), 1 / _FRAMES_PER_SECOND)
    spectrum[(hz < _LOWEST_HZ) | (hz > _HIGHEST_HZ)] = 0
    return np.fft.irfft(spectrum, len(mirrored))[:count]


def _voice_bands() -> npt.NDArray[np.bool_]:
    """Which of the 80 mel bands have their centre within the voice."""
    from models.wav2lip.mel import SAMPLE_RATE, WINDOW, mel_filters

    bins_hz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    centres_hz = bins_hz[mel_filters().argmax(axis=1)]
    return np.asarray((centres_hz >= _VOICE_HZ[0]) & (centres_hz <= _VOICE_HZ[1]))
