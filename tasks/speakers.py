"""Who speaks in a lecture: utterances told apart by voice and by face, and what each speaker's voice should be like.

A join over the whole lecture, over a few numbers an utterance. Utterances with voice enough for a reliable print are
grouped first; short ones are then given to the group that they fit. Nothing of this reads the sound or the picture.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Self

import numpy as np
import numpy.typing as npt

from manifests.records import Appearance, FaceTrack, LectureSpeaker, SpeakingFace, Utterance, VoiceSample
from manifests.time import Span, seconds
from tasks.voice_character import Character, CharacterSettings, Glimpse, judge

Floats = npt.NDArray[np.float64]

_NEVER = -np.inf
_NEXT_TO_S = 20.0
_AT_ONCE = 1000
"""So many utterances, some hour and a half of speech, are compared each with each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerSettings:
    """When two utterances are taken to be of one speaker.

    `same_voice` is the mean cosine of their voice prints from which two groups are one (`SpeakerEncoder`). A face that
    both show adds `same_face` to it; two faces take off `other_face`, less of it the nearer their cosine comes to
    `one_face`; every semitone by which their pitches are farther apart than `pitch_range` takes off `per_semitone`.
    Only prints of at least `reliable_s` seconds of voice found a group. A group of less than `brief_s` seconds must
    be apart by `brief_margin` more, so that one odd sentence does not become a person. A face speaks an utterance
    if it shows during `shown_share` of it.
    """

    same_voice: float = 0.72
    same_face: float = 0.2
    other_face: float = 0.2
    one_face: float = 0.363
    per_semitone: float = 0.02
    pitch_range: float = 4.0
    reliable_s: float = 1.6
    brief_s: float = 4.0
    brief_margin: float = 0.03
    shown_share: float = 0.5
    character: CharacterSettings = field(default_factory=CharacterSettings)


@dataclass(frozen=True, slots=True)
class _Heard:
    """One utterance as the grouping sees it; `face` is the identity of the face that speaks it."""

    utterance: Utterance
    sample: VoiceSample | None
    face: str | None

    @property
    def speech_s(self) -> float:
        return self.sample.speech_s if self.sample is not None else 0.0

    @property
    def has_print(self) -> bool:
        return self.sample is not None and bool(self.sample.embedding)


def tell_apart(
    utterances: Sequence[Utterance],
    samples: Iterable[VoiceSample],
    tracks: Sequence[FaceTrack],
    speaking: Iterable[SpeakingFace],
    appearances: Iterable[Appearance],
    settings: SpeakerSettings,
) -> tuple[LectureSpeaker, ...]:
    """The speakers in the order in which they are first heard; each utterance is one speaker's. None where none speaks.

    `samples` may lack utterances, and `tracks`, `speaking` and `appearances` may be empty: what is not known is not
    used. The outcome does not depend on the order of any argument.
    """
    ordered = sorted(utterances, key=lambda each: (each.span, each.id))
    sample_of = {each.utterance_id: each for each in samples}
    faces = speaking_faces(ordered, tracks, speaking, settings.shown_share)
    heard = [_Heard(each, sample_of.get(each.id), faces.get(each.id)) for each in ordered]
    groups = _grouped(heard, _face_prints(tracks), settings)
    groups.sort(key=lambda group: heard[min(group)].utterance.span)
    identities = _identities([[heard[index] for index in group] for group in groups])
    looks = _looks(tracks, appearances)
    return tuple(
        _speaker(f"speaker{number}", [heard[index] for index in sorted(group)], identity, looks, settings.character)
        for number, (group, identity) in enumerate(zip(groups, identities, strict=True), 1)
    )


def speaking_faces(
    utterances: Iterable[Utterance],
    tracks: Iterable[FaceTrack],
    speaking: Iterable[SpeakingFace],
    shown_share: float,
) -> dict[str, str]:
    """Utterance id -> identity of the face that speaks during at least `shown_share` of its words; none: left out."""
    identity_of = {track.id: track.identity or track.id for track in tracks}
    spans = [(span, identity_of[each.track_id]) for each in speaking for span in each.spans]
    found: dict[str, str] = {}
    for utterance in utterances:
        words = [word.span for word in utterance.words] or [utterance.span]
        shown: dict[str, int] = defaultdict(int)
        for span, identity in spans:
            if span.overlaps(utterance.span):
                shared = [span.intersection(word) for word in words]
                shown[identity] += sum(each.duration for each in shared if each is not None)
        if shown:
            identity = max(sorted(shown), key=lambda each: shown[each])
            if shown[identity] >= max(shown_share * sum(word.duration for word in words), 1):
                found[utterance.id] = identity
    return found


def speaking_time(speakers: Iterable[LectureSpeaker], utterances: Iterable[Utterance]) -> dict[str, float]:
    """Speaker id -> seconds of all their utterances."""
    lasting = {each.id: each.span.duration_s for each in utterances}
    return {each.id: sum(lasting.get(name, 0.0) for name in each.utterance_ids) for each in speakers}


def _grouped(heard: Sequence[_Heard], face_prints: Mapping[str, Floats], settings: SpeakerSettings) -> list[list[int]]:
    """The utterances of each speaker, as indices into `heard`; every index in exactly one group."""
    founding = [index for index, each in enumerate(heard) if each.has_print and each.speech_s >= settings.reliable_s]
    if not founding:  # nothing but short words: better an unsure print than none
        founding = [index for index, each in enumerate(heard) if each.has_print]
    likeness = _Likeness.of([heard[index] for index in founding], face_prints, settings)
    weights = np.array([heard[index].speech_s for index in founding])
    linked = _linked(likeness, weights, settings.same_voice)
    linked = _without_brief(linked, likeness, weights, settings)
    groups = [[founding[row] for row in group] for group in linked]
    held = set(founding)
    profiles = [_Profile.of([heard[row] for row in group]) for group in groups]
    for index, each in enumerate(heard):
        if index in held:
            continue
        chosen = _chosen(each, profiles, settings)
        if chosen is None:
            groups.append([index])
            profiles.append(_Profile.of([each]))
        else:
            groups[chosen].append(index)
            profiles[chosen].heard_last = each.utterance.span
    return groups


@dataclass(frozen=True, slots=True, eq=False)
class _Likeness:
    """How much utterances sound and look like one person: told of any two sets of them, never kept of all pairs.

    A row an utterance: `prints` (N, D), `faces` (N,) which row of `pairs` its face has, `pitch` (N,) in semitones.
    """

    prints: Floats
    faces: npt.NDArray[np.int64]
    pairs: Floats
    pitch: Floats
    settings: SpeakerSettings

    @classmethod
    def of(cls, heard: Sequence[_Heard], face_prints: Mapping[str, Floats], settings: SpeakerSettings) -> Self:
        """Of utterances that all have a print."""
        people = sorted({each.face for each in heard if each.face is not None})
        place = [len(people) if each.face is None else people.index(each.face) for each in heard]
        return cls(
            prints=np.array([each.sample.embedding for each in heard if each.sample is not None], np.float64),
            faces=np.array(place, np.int64),
            pairs=_by_face(people, face_prints, settings),
            pitch=np.array([_semitones(each.sample) for each in heard], np.float64),
            settings=settings,
        )

    def between(self, one: Sequence[int], other: Sequence[int]) -> Floats:
        """(len(one), len(other)) how alike the rows `one` and `other` are."""
        left = self.prints[one]
        affinity = left @ (left if other is one else self.prints[other]).T
        affinity += self.pairs[self.faces[one][:, None], self.faces[other][None]]
        apart = np.abs(self.pitch[one][:, None] - self.pitch[other][None]) - self.settings.pitch_range
        affinity -= np.where(np.isfinite(apart), self.settings.per_semitone * np.clip(apart, 0, None), 0.0)
        return np.asarray(affinity)


def _linked(likeness: _Likeness, weights: Floats, least: float) -> list[list[int]]:
    """Groups of rows that are one person's.

    A long lecture is grouped part by part, then its parts' groups among themselves by their mean affinity: all pairs of
    six hours' utterances would take half a gigabyte.
    """
    rows = list(range(len(weights)))
    parts = [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]
    groups = [
        [part[row] for row in group]
        for part in parts
        for group in link(likeness.between(part, part), weights[part], least)
    ]
    if len(parts) <= 1:
        return groups
    # Of each group the weights of its rows, a row a group: means over all pairs are then products of matrices.
    shares = np.zeros((len(groups), len(rows)))
    for number, group in enumerate(groups):
        shares[number, group] = weights[group] / weights[group].sum()
    affinity = np.zeros((len(groups), len(groups)))
    for one, other in product(parts, parts):
        affinity += shares[:, one] @ likeness.between(one, other) @ shares[:, other].T
    joined = link(affinity, np.array([weights[group].sum() for group in groups]), least)
    return [sorted(row for group in own for row in groups[group]) for own in joined]


def _by_face(people: Sequence[str], face_prints: Mapping[str, Floats], settings: SpeakerSettings) -> Floats:
    """(P + 1, P + 1) what the faces of two utterances add to their affinity; the last one stands for no face."""
    pairs = np.zeros((len(people) + 1, len(people) + 1))
    for one, other in np.ndindex(len(people), len(people)):
        if one != other and not (face_prints[people[one]].any() and face_prints[people[other]].any()):
            continue  # a face that could not be embedded may be anybody's
        alike = float(np.dot(face_prints[people[one]], face_prints[people[other]])) / settings.one_face
        pairs[one, other] = settings.same_face if one == other else -settings.other_face * min(max(1 - alike, 0), 1)
    return pairs


def _semitones(sample: VoiceSample | None) -> float:
    """The pitch on a scale of semitones, NaN where it is not known."""
    return 12 * math.log2(sample.pitch_hz) if sample is not None and sample.pitch_hz else math.nan


def link(affinity: Floats, weights: Floats, least: float) -> list[list[int]]:
    """Groups of rows by average linkage: the two groups with the highest mean affinity are joined, down to `least`.

    `affinity` (N, N) is symmetric; the mean of two groups weighs each row by its `weights` (N,), positive.
    """
    count = len(affinity)
    if count == 0:
        return []
    held, total = affinity.astype(np.float64, copy=True), weights.astype(np.float64, copy=True)
    np.fill_diagonal(held, _NEVER)
    groups = [[row] for row in range(count)]
    nearest = held.argmax(axis=1)
    rows = np.arange(count)
    for _ in range(count - 1):
        one = int(held[rows, nearest].argmax())
        other = int(nearest[one])
        if held[one, other] < least:
            break
        joined = (total[one] * held[one] + total[other] * held[other]) / (total[one] + total[other])
        total[one] += total[other]
        groups[one] += groups[other]
        groups[other] = []
        held[one], held[:, one] = joined, joined
        held[other], held[:, other] = _NEVER, _NEVER
        held[one, one] = _NEVER
        stale = (nearest == one) | (nearest == other)
        stale[[one, other]] = True
        nearer = held[:, one] > held[rows, nearest]
        nearest[nearer & ~stale] = one
        nearest[stale] = held[stale].argmax(axis=1)
    return [sorted(group) for group in groups if group]


def _without_brief(
    groups: Sequence[list[int]], likeness: _Likeness, weights: Floats, settings: SpeakerSettings
) -> list[list[int]]:
    """The same groups, those that last a few seconds and are hardly apart from another one given to it."""
    kept = sorted((list(group) for group in groups), key=lambda group: (-weights[group].sum(), group))
    for group in kept[::-1]:
        others = [each for each in kept if each is not group]
        if not others or weights[group].sum() >= settings.brief_s:
            continue
        near = [_mean_affinity(group, each, likeness, weights) for each in others]
        if max(near) >= settings.same_voice - settings.brief_margin:
            others[int(np.argmax(near))].extend(group)
            kept = others
    return [sorted(group) for group in kept]


def _mean_affinity(one: Sequence[int], other: Sequence[int], likeness: _Likeness, weights: Floats) -> float:
    """The mean over all pairs of two groups' rows, a part of them at a time."""
    total = 0.0
    for start in range(0, len(other), _AT_ONCE):
        part = other[start : start + _AT_ONCE]
        total += float(weights[one] @ likeness.between(one, part) @ weights[part])
    return total / float(weights[one].sum() * weights[other].sum())


@dataclass(slots=True)
class _Profile:
    """What short utterances are held against: a group's face, voice print and pitch (semitones), and when it speaks."""

    face: str | None
    mean_print: Floats
    pitch: float
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    heard_last: Span | None = None
    """The short utterance that was given to it last; they come in the order of time."""

    @classmethod
    def of(cls, group: Sequence[_Heard]) -> Self:
        """Of utterances that make a group."""
        return cls(
            face=_face_of(group),
            mean_print=_mean_print(group),
            pitch=_pitch_of(group),
            starts=np.array([each.utterance.span.start for each in group], np.int64),
            ends=np.array([each.utterance.span.end for each in group], np.int64),
        )

    def apart_s(self, span: Span) -> float:
        """Seconds between `span` and what of the group is nearest, 0 where they touch."""
        apart = int(np.maximum(self.starts - span.end, span.start - self.ends).min())
        if self.heard_last is not None:
            apart = min(apart, span.start - self.heard_last.end)
        return max(seconds(apart), 0.0)


def _chosen(each: _Heard, profiles: Sequence[_Profile], settings: SpeakerSettings) -> int | None:
    """The group that a short utterance fits by face, voice, pitch and nearness in time; None for a new one.

    A new one is made for a face that no group has: somebody who says a word or two, seen. It is not made without.
    """
    if not profiles or (each.face is not None and all(each.face != profile.face for profile in profiles)):
        return None
    return int(np.argmax([_fit(each, profile, settings) for profile in profiles]))


def _fit(each: _Heard, profile: _Profile, settings: SpeakerSettings) -> float:
    by_face = 0.0 if each.face is None or profile.face is None else 1.0 if each.face == profile.face else -1.0
    by_time = -min(profile.apart_s(each.utterance.span), _NEXT_TO_S) / _NEXT_TO_S
    by_voice = 0.0
    if each.sample is not None and each.has_print and len(profile.mean_print):
        alike = float(np.dot(each.sample.embedding, profile.mean_print))
        by_voice = 2 * alike * min(each.speech_s / settings.reliable_s, 1.0)
    apart = abs(_semitones(each.sample) - profile.pitch) - settings.pitch_range
    by_pitch = -0.1 * max(apart, 0.0) if math.isfinite(apart) else 0.0
    return by_face + by_time + by_voice + by_pitch


def _pitch_of(group: Sequence[_Heard]) -> float:
    """The median pitch of a group in semitones, NaN where none of it is voiced."""
    known = [_semitones(each.sample) for each in group]
    known = [each for each in known if math.isfinite(each)]
    return float(np.median(known)) if known else math.nan


def _mean_print(group: Sequence[_Heard]) -> Floats:
    """The mean voice print of a group, of unit length, each weighed by its speech; empty where none has one."""
    held = [each.sample for each in group if each.sample is not None and each.sample.embedding]
    if not held:
        return np.zeros(0)
    weights = np.array([sample.speech_s for sample in held])
    mean = np.average([sample.embedding for sample in held], axis=0, weights=np.maximum(weights, 1e-6))
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9))


def _face_of(group: Sequence[_Heard]) -> str | None:
    """The identity whose face speaks most of a group."""
    spoken = _spoken_by_face(group)
    return max(sorted(spoken), key=lambda face: spoken[face]) if spoken else None


def _spoken_by_face(group: Iterable[_Heard]) -> dict[str, int]:
    spoken: dict[str, int] = defaultdict(int)
    for each in group:
        if each.face is not None:
            spoken[each.face] += each.utterance.span.duration
    return spoken


def _identities(groups: Sequence[Sequence[_Heard]]) -> list[str | None]:
    """The face of each group, no face twice: where voices contradict a face, it is that of whom it speaks most with."""
    spoken = [_spoken_by_face(group) for group in groups]
    claims = sorted((-said, number, face) for number, faces in enumerate(spoken) for face, said in faces.items())
    given: list[str | None] = [None] * len(groups)
    taken: set[str] = set()
    for _, number, face in claims:
        if given[number] is None and face not in taken:
            given[number] = face
            taken.add(face)
    return given


def _face_prints(tracks: Iterable[FaceTrack]) -> dict[str, Floats]:
    """Identity -> its mean face, of unit length, long tracks counting for more."""
    sums: dict[str, Floats] = {}
    for track in sorted(tracks, key=lambda each: each.id):
        name = track.identity or track.id
        sums[name] = sums.get(name, np.zeros(1)) + track.span.duration_s * np.array(track.embedding)
    return {name: np.asarray(each / max(float(np.linalg.norm(each)), 1e-9)) for name, each in sums.items()}


def _looks(tracks: Iterable[FaceTrack], appearances: Iterable[Appearance]) -> Mapping[str, tuple[Appearance, ...]]:
    """Identity -> how each of its tracks looks."""
    identity_of = {track.id: track.identity or track.id for track in tracks}
    looks: dict[str, tuple[Appearance, ...]] = defaultdict(tuple)
    for each in sorted(appearances, key=lambda one: one.track_id):
        if each.track_id in identity_of:
            looks[identity_of[each.track_id]] += (each,)
    return looks


def _speaker(
    name: str,
    group: Sequence[_Heard],
    identity: str | None,
    looks: Mapping[str, tuple[Appearance, ...]],
    settings: CharacterSettings,
) -> LectureSpeaker:
    whole = sum(each.utterance.span.duration for each in group)
    shown = sum(each.utterance.span.duration for each in group if each.face == identity) if identity else 0
    glimpse = Glimpse(
        looks=looks.get(identity, ()) if identity else (),
        shown_share=shown / whole if whole else 0.0,
        samples=tuple(each.sample for each in group if each.sample is not None),
    )
    character: Character = judge(glimpse, settings)
    return LectureSpeaker(
        id=name,
        utterance_ids=tuple(each.utterance.id for each in group),
        identity=identity,
        gender=character.gender,
        age=character.age,
        female=character.female,
        evidence=character.evidence,
        embedding=tuple(float(value) for value in _mean_print(group)),
    )
