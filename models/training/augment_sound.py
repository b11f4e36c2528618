"""Changes to a mel window that leave its words as they are: another throat, microphone, room and noise.

All work on the log mel spectrogram of `models.wav2lip.mel` (80 bands, -4..4), where a step of one is 12.5 dB.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from models.training.config import SoundAugment
from models.wav2lip.mel import BANDS, FLOOR_DB, HIGHEST_HZ, LOWEST_HZ, RANGE

Floats = npt.NDArray[np.float32]

DB_PER_STEP = -FLOOR_DB / (2 * RANGE)
_NEPERS_PER_STEP = DB_PER_STEP * np.log(10) / 20
_KNOTS = 6
_KNOT_PLACES = np.linspace(-0.5, 0.5, _KNOTS)
_BANDS = np.linspace(-0.5, 0.5, BANDS, dtype=np.float32)


def change_sound(mel: Floats, random: np.random.Generator, settings: SoundAugment) -> Floats:
    """`mel` (80, n) in -4..4 as another throat, microphone or room would give it."""
    if settings.warp:
        mel = warp_frequency(mel, 1 + settings.warp * random.uniform(-1, 1))
    if random.random() < settings.reverb_chance:
        mel = _ring(mel, fall_db=random.uniform(3, 10), below_db=random.uniform(3, 15))
    gain_db = settings.level_db * random.uniform(-1, 1) + settings.tilt_db * random.uniform(-1, 1) * _BANDS
    if settings.equaliser_db:
        knots = settings.equaliser_db * random.standard_normal(_KNOTS)
        gain_db = gain_db + np.interp(_BANDS, _KNOT_PLACES, knots)
    mel = mel + (np.asarray(gain_db, np.float32) / np.float32(DB_PER_STEP)).reshape(-1, 1)
    if random.random() < settings.noise_chance:
        mel = _with_noise(mel, random, settings)
    if random.random() < settings.mask_chance:
        width = int(random.integers(1, settings.mask_bands + 1))
        first = int(random.integers(0, BANDS - width + 1))
        mel = mel.copy()
        mel[first : first + width] = mel.min()
    return np.clip(mel, -RANGE, RANGE).astype(np.float32)


def warp_frequency(mel: Floats, factor: float) -> Floats:
    """`mel` (80, n) as if all frequencies were `factor` times as high (VTLP: Jaitly and Hinton 2013).

    Factors above one sound like a shorter vocal tract. What would come from beyond either edge repeats the edge.
    """
    centres = _centres_hz()
    places = np.interp(centres / factor, centres, np.arange(BANDS))
    below = np.minimum(places.astype(np.int64), BANDS - 2)
    share = (places - below).astype(np.float32)[:, None]
    return np.asarray(mel[below] * (1 - share) + mel[below + 1] * share, np.float32)


def _ring(mel: Floats, *, fall_db: float, below_db: float) -> Floats:
    """Each sound dies away by `fall_db` a column, `below_db` under its own level, as in a hall."""
    fall, below = np.float32(fall_db / DB_PER_STEP), np.float32(below_db / DB_PER_STEP)
    ringing = mel.copy()
    tail = np.full(len(mel), -np.inf, np.float32)
    for column in range(mel.shape[1]):
        np.maximum(mel[:, column], tail - below, out=ringing[:, column])
        tail = np.maximum(mel[:, column], tail - fall)
    return ringing


def _with_noise(mel: Floats, random: np.random.Generator, settings: SoundAugment) -> Floats:
    """Steady noise of a random tilt, added as amplitudes."""
    least, most = settings.noise_below_db
    level = mel.max() - random.uniform(least, most) / DB_PER_STEP
    tilt = random.uniform(-1.5, 1.5) * _BANDS[:, None]
    noise = level + tilt + 0.25 * random.standard_normal(mel.shape, dtype=np.float32)
    return np.asarray(np.logaddexp(mel * _NEPERS_PER_STEP, noise * _NEPERS_PER_STEP) / _NEPERS_PER_STEP, np.float32)


@cache
def _centres_hz() -> npt.NDArray[np.float64]:
    """The centres of the bands: equal steps on Slaney's scale, linear to 1 kHz and logarithmic above."""
    from models.wav2lip.mel import SAMPLE_RATE, WINDOW, mel_filters

    filters = mel_filters()
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    centres = filters @ bins / filters.sum(axis=1)
    return np.asarray(np.clip(np.maximum.accumulate(centres), LOWEST_HZ, HIGHEST_HZ))
