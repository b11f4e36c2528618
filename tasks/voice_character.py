"""What a speaker's voice should be like: gender and age, from the face and the pitch of the voice together.

Pitch: men speak at about 120 Hz, women at about 210 Hz (Traunmueller and Eriksson 1995), children at about 265 Hz
(Peterson and Barney 1952). People of one kind spread by some three semitones about that, measured in semitones, as
nine in ten men within 85 to 155 Hz and women within 165 to 255 Hz come to (Fitch and Holbrook 1970, in Baken 2000).
Age is the face's to tell; pitch tells a child's voice at most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from manifests.records import Appearance, VoiceSample

_MAN_HZ, _WOMAN_HZ, _CHILD_HZ = 120.0, 210.0, 265.0
_SPREAD = 3.0
"""Semitones, one standard deviation between people of one kind."""
_WITHIN = 2.0
"""Semitones, one standard deviation of one speaker's median over a second that is voiced."""
_CHILDREN = 0.05
"""How many of those who speak in recordings of lectures are taken to be children, before they are heard."""
_WIDE = 1e-3
"""What every kind has at any pitch: recordings surprise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterSettings:
    """From which probability a gender is said, and at most which odds (their logarithm) face and pitch each give.

    A face that shows during less than `shown_share` of what is said counts for less: the voice may be another's.
    `child_under` and `senior_from` are the ages of the bands, within `age_margin` years of which nothing is said.
    """

    sure: float = 0.85
    most_face: float = 4.0
    most_pitch: float = 3.5
    shown_share: float = 0.3
    child_under: float = 13.0
    senior_from: float = 62.0
    age_margin: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """All that is known of a speaker: looks of the face's tracks, how much of the speech it shows, the voice."""

    looks: tuple[Appearance, ...]
    shown_share: float
    samples: tuple[VoiceSample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """What came of it; see `LectureSpeaker`."""

    gender: str
    age: str
    female: float
    evidence: str


def judge(glimpse: Glimpse, settings: CharacterSettings) -> Character:
    """Gender by the joint odds of face and pitch, age band by the face; "unsure" where they do not say enough."""
    pitch_hz, voiced_s = pitch_of(glimpse.samples)
    child = child_by_pitch(pitch_hz, voiced_s) if pitch_hz is not None else 0.0
    age_years = _weighted_median([(each.age_years, each.frame_count) for each in glimpse.looks])
    age = _age_band(age_years, child, settings)

    by_face = _face_odds(glimpse, settings)
    by_pitch = pitch_odds(pitch_hz, voiced_s, settings.most_pitch) if pitch_hz is not None else 0.0
    female = 1 / (1 + math.exp(-(by_face + by_pitch)))
    gender = "female" if female >= settings.sure else "male" if 1 - female >= settings.sure else "unsure"
    return Character(gender=gender, age=age, female=female, evidence=_evidence(glimpse, pitch_hz, voiced_s, age_years))


def pitch_of(samples: Iterable[VoiceSample]) -> tuple[float | None, float]:
    """The median pitch in Hz over utterances, each weighed by how long it is voiced (None: none), and that time."""
    known = [(each.pitch_hz, each.voiced_s) for each in samples if each.pitch_hz is not None and each.voiced_s > 0]
    return _weighted_median(known), sum(voiced for _, voiced in known)


def pitch_odds(pitch_hz: float, voiced_s: float, most: float) -> float:
    """The logarithm of the odds of a woman's against a man's voice at this pitch, within `most` either way.

    A voice as high as a child's says less: boys and girls speak at one pitch.
    """
    man, woman, child = _likelihoods(pitch_hz, voiced_s)
    either = _CHILDREN / (1 - _CHILDREN) * child
    return max(-most, min(most, math.log((woman + either) / (man + either))))


def child_by_pitch(pitch_hz: float, voiced_s: float) -> float:
    """The probability that this is a child's voice, by its pitch alone."""
    man, woman, child = _likelihoods(pitch_hz, voiced_s)
    return _CHILDREN * child / (_CHILDREN * child + (1 - _CHILDREN) / 2 * (man + woman))


def _likelihoods(pitch_hz: float, voiced_s: float) -> tuple[float, float, float]:
    """Of a man's, a woman's and a child's voice; lower than men's usual pitch it makes no difference how low."""
    spread = math.sqrt(_SPREAD**2 + _WITHIN**2 / max(voiced_s, 0.1))
    away = [12 * math.log2(max(pitch_hz, _MAN_HZ) / usual) / spread for usual in (_MAN_HZ, _WOMAN_HZ, _CHILD_HZ)]
    man, woman, child = (math.exp(-0.5 * each**2) + _WIDE for each in away)
    return man, woman, child


def _face_odds(glimpse: Glimpse, settings: CharacterSettings) -> float:
    """The logarithm of the odds that the face is a woman's; 0 where none shows."""
    frames = sum(each.frame_count for each in glimpse.looks)
    female = _weighted_median([(each.female, each.frame_count) for each in glimpse.looks])
    if female is None:
        return 0.0
    held = min(max(female, 1e-6), 1 - 1e-6)
    odds = max(-settings.most_face, min(settings.most_face, math.log(held / (1 - held))))
    return odds * frames / (frames + 1) * min(glimpse.shown_share / settings.shown_share, 1.0)


def _age_band(age_years: float | None, child: float, settings: CharacterSettings) -> str:
    if age_years is None:
        return "child" if child > 0.5 else "unsure"
    if min(abs(age_years - edge) for edge in (settings.child_under, settings.senior_from)) < settings.age_margin:
        return "unsure"
    return "child" if age_years < settings.child_under else "senior" if age_years >= settings.senior_from else "adult"


def _weighted_median(values: Sequence[tuple[float, float]]) -> float | None:
    """The value with half of the weight on either side, of (value, weight), between two values where neither is it.

    None where there is no weight.
    """
    ordered = sorted(each for each in values if each[1] > 0)
    if not ordered:
        return None
    weights = np.array([weight for _, weight in ordered], np.float64)
    places = np.cumsum(weights) - weights / 2
    return float(np.interp(weights.sum() / 2, places, [value for value, _ in ordered]))


def _evidence(glimpse: Glimpse, pitch_hz: float | None, voiced_s: float, age_years: float | None) -> str:
    said = []
    female = _weighted_median([(each.female, each.frame_count) for each in glimpse.looks])
    if female is not None:
        frames = sum(each.frame_count for each in glimpse.looks)
        kind, share = ("a woman's", female) if female >= 0.5 else ("a man's", 1 - female)
        said.append(f"{kind} face ({share:.2f} over {frames} frames, about {age_years:.0f} years old)")
        if glimpse.shown_share < 0.995:
            said.append(f"it shows during {glimpse.shown_share:.0%} of the speech")
    said.append(f"pitch {pitch_hz:.0f} Hz over {voiced_s:.1f} s" if pitch_hz is not None else "no pitch")
    return "; ".join(said) if female is not None else f"no face; {said[0]}"
