"""How long a voice takes for a text, told without speaking it. Pure and deterministic.

A linear model over what is counted in the phonemes: sounds, stresses, words and the pauses that punctuation asks for.
`prior` knows Kokoro's languages from measurements; `calibrated` moves it towards what a voice was heard to do in this
very job, the more the more it has heard. `benchmarks/duration_fit.py` finds the constants and measures the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from manifests.time import Flicks, flicks, seconds
from models.speech.contract import Voice
from models.speech.kokoro import accent_of
from models.speech.phonemes import CLAUSE_END, SENTENCE_END, phonemize

FEATURES = ("edges", "vowels", "consonants", "stresses", "words", "clauses", "sentences")
"""What is counted: the edges of the text (always 1), its sounds, and the pauses inside it, none at its end."""

_VOWELS = frozenset("aeiouyæøœɐɑɒɔəɘɚɛɜɞɤɨɪɯɵɶʉʊʌʏAIOQWYᵊᵻ")
_MODIFIERS = frozenset("ːˑ̃ʲʰˌˈ'’“”\"()- ")
_STRESSES = frozenset("ˈˌ")

SHORTEST: Flicks = flicks(0.2)
"""Nothing that is said is shorter."""

_PACE_SPREAD, _WEIGHT_SPREAD, _NOISE = 0.2, 0.15, 0.06
"""How far a voice's pace, one of its weights beside it, and a single clip lie off the prior, as shares (1 sigma)."""

_PRIORS: dict[str, tuple[float, ...]] = {
    "fr": (0.1648, 0.0553, 0.0849, 0.0230, 0.0227, 0.0808, 0.3421),
    "en": (0.0000, 0.0959, 0.0531, 0.0120, 0.0207, 0.1597, 0.3408),
    "de": (0.3496, 0.0621, 0.0590, 0.0180, 0.0200, 0.0448, 0.2607),
    "es": (0.2735, 0.0549, 0.0606, 0.0156, 0.0184, 0.0476, 0.2357),
}
"""Seconds for each of `FEATURES` by language, from 30 to 36 spoken texts each: ff_siwis, af_heart, if_sara, ef_dora."""

_PACES: dict[str, float] = {
    "fr-kokoro-im-nicola": 0.990,
    "fr-kokoro-if-sara": 0.857,
    "fr-kokoro-ef-dora": 0.915,
    "fr-kokoro-pm-alex": 0.941,
    "en-kokoro-am-michael": 1.103,
    "en-kokoro-bf-emma": 0.975,
    "de-kokoro-pm-alex": 1.053,
    "es-kokoro-em-alex": 1.032,
}
"""How much longer a voice takes than the one its language was measured with: the median over 8 sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationModel:
    """Predicts for one voice. `accent` is espeak-ng's name, `weights` the seconds that each of `FEATURES` takes."""

    accent: str
    weights: tuple[float, ...]

    def predict(self, text: str) -> Flicks:
        """How long `text` (from `engines.spoken`) lasts at the voice's own rate; 0 where there is nothing to say."""
        counted = features(text, self.accent)
        if not counted.any():
            return 0
        return max(flicks(float(counted @ np.array(self.weights))), SHORTEST)


def prior(voice: Voice) -> DurationModel:
    """What is known of `voice` before it is heard: measured for Kokoro, else Kokoro's mean over the languages."""
    weights = _PRIORS.get(voice.language, _mean(list(_PRIORS.values())))
    pace = _PACES.get(voice.id, 1.0)
    return DurationModel(accent=accent_of(voice), weights=tuple(weight * pace for weight in weights))


def features(text: str, accent: str) -> npt.NDArray[np.float64]:
    """The counts of `FEATURES` in `text` (from `engines.spoken`), float64 (7,); all 0 where there is nothing to say."""
    return counts(phonemize(text, accent))


def counts(phonemes: str) -> npt.NDArray[np.float64]:
    """The counts of `FEATURES` in `phonemes` (Kokoro's alphabet)."""
    said = phonemes.strip()
    sounds = [letter for letter in said if letter.isalpha() and letter not in _MODIFIERS]
    if not sounds:
        return np.zeros(len(FEATURES))
    vowels = sum(letter in _VOWELS for letter in sounds)
    inside = said.rstrip(f"{SENTENCE_END}{CLAUSE_END}”\"') ")
    return np.array(
        [
            1,
            vowels,
            len(sounds) - vowels,
            sum(letter in _STRESSES for letter in said),
            sum(any(letter.isalpha() for letter in word) for word in said.split()),
            _runs(inside, CLAUSE_END),
            _runs(inside, SENTENCE_END),
        ],
        dtype=np.float64,
    )


def calibrated(model: DurationModel, samples: Iterable[tuple[str, Flicks]]) -> DurationModel:
    """`model` moved towards `samples` of its voice: texts as spoken, and how long they lasted at its own rate.

    Ridge regression on relative errors: a pace common to all weights may move far, each weight beside it less. The
    order of the samples does not matter; without samples the model stays as it is.
    """
    heard = sorted({(text, length) for text, length in samples if length > 0})
    rows, lengths = [], []
    for text, length in heard:
        counted = features(text, model.accent)
        if counted.any():
            rows.append(counted)
            lengths.append(seconds(length))
    if not rows:
        return model
    return replace(model, weights=_ridge(np.array(model.weights), np.array(rows), np.array(lengths)))


def _ridge(
    start: npt.NDArray[np.float64], rows: npt.NDArray[np.float64], lengths: npt.NDArray[np.float64]
) -> tuple[float, ...]:
    parts = rows * start
    # Unknowns: the common pace, then each weight's own change, both as shares of the weights that they start from.
    design = np.column_stack([parts.sum(axis=1), parts]) / lengths[:, None] / _NOISE
    missing = (lengths - parts.sum(axis=1)) / lengths / _NOISE
    precision = np.diag([_PACE_SPREAD**-2, *([_WEIGHT_SPREAD**-2] * len(start))])
    change = np.linalg.solve(design.T @ design + precision, design.T @ missing)
    return tuple(float(each) for each in start * (1 + change[0] + change[1:]))


def _runs(text: str, marks: str) -> int:
    """How many runs of `marks` are in `text`: a dash after a comma pauses once."""
    return len(re.findall(rf"[{re.escape(marks)}][{re.escape(marks)}\s]*", text))


def _mean(priors: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(float(each) for each in np.mean(np.array(priors), axis=0))
