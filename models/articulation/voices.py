"""The same words in other voices, so that what is learned from one speaker's sound holds for others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.articulation.features import SAMPLE_RATE

Waveform = npt.NDArray[np.float32]


def in_other_voices(waveform: Waveform, seed: int) -> tuple[Waveform, Waveform, Waveform]:
    """`waveform` as it is, higher by 3 to 7 semitones, and lower by 1 to 4 in noise of -80 to -44 dB.

    The time of every sound stays. Formants move with the pitch, as they do between a man, a woman and a child.
    """
    import librosa

    draw = np.random.default_rng(seed)
    higher = librosa.effects.pitch_shift(waveform, sr=SAMPLE_RATE, n_steps=float(draw.uniform(3, 7)))
    lower = librosa.effects.pitch_shift(waveform, sr=SAMPLE_RATE, n_steps=-float(draw.uniform(1, 4)))
    noise = draw.normal(0, 10 ** draw.uniform(-4, -2.2), len(lower))
    return waveform, higher.astype(np.float32), (lower + noise).astype(np.float32)
