"""A course: lectures whose people keep their voices, remembered in one table, `course.parquet`, beside the outputs.

One row for who spoke in which lecture with which voice in which language. Who a person is follows from the rows: their
mean voice print and face. Rows of a lecture replace those that it left before, so running it again changes nothing.
How lectures that run at one time share the table is `tasks.course_table`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from infra.locations import Location
from manifests.records import Casting, CourseVoice, FaceTrack, LectureSpeaker
from tasks.casting import CHOSEN, COURSE, PINNED
from tasks.course_table import change_course

Floats = npt.NDArray[np.float64]
Decide = Callable[[str, Mapping[str, str]], tuple[Casting, ...]]
"""Castings of a language, given the voices (speaker id -> voice id) that its people have in the course."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseSettings:
    """From which cosines somebody is taken to be a person of the course.

    Their voice alone from `same_voice`; from `near_voice` where the face agrees (`same_face`). Where both faces are
    known and are below `other_face`, it is somebody else, however alike they sound; a face alone is enough only where
    one of the two has no voice print. Two sure and different genders are two people.

    Measured on GRID: mean prints of six clips of one man 0.94 and more, against another's clip 0.73 and less; faces of
    one person 0.90 and more, of two 0.34 and less. All of one room: other rooms bring prints of one person apart.
    """

    same_voice: float = 0.82
    near_voice: float = 0.65
    same_face: float = 0.45
    other_face: float = 0.25


@dataclass(frozen=True, slots=True)
class _Person:
    """What the course knows of a person: unit vectors, empty where there is none."""

    voice: Floats
    face: Floats
    genders: frozenset[str]


def face_prints(speakers: Iterable[LectureSpeaker], tracks: Iterable[FaceTrack]) -> dict[str, tuple[float, ...]]:
    """Speaker id -> mean face identity over the tracks that show them, of unit length; left out where none does."""
    sums: dict[str, Floats] = {}
    for track in sorted(tracks, key=lambda each: each.id):
        if track.identity is not None and any(track.embedding):
            weighed = track.span.duration_s * np.array(track.embedding)
            sums[track.identity] = sums[track.identity] + weighed if track.identity in sums else weighed
    found = {each.id: _unit(sums[each.identity]) for each in speakers if each.identity in sums and each.identity}
    return {name: tuple(float(value) for value in face) for name, face in found.items()}


def cast_in_course(
    place: Location,
    video_id: str,
    speakers: Sequence[LectureSpeaker],
    faces: Mapping[str, tuple[float, ...]],
    languages: Sequence[str],
    decide: Decide,
    settings: CourseSettings,
) -> tuple[Casting, ...]:
    """Cast a lecture into `languages` with the voices that its people have in the course at `place`; enter it there.

    Whoever comes first founds a person; a lecture that runs beside this one waits and then knows of it. `decide` makes
    the castings of one language, and may be asked again. What it raises leaves the table as it was. BadInput for a
    damaged table, NoSpace where it cannot be written, Unavailable where others overwrite it again and again.
    """
    castings: tuple[Casting, ...] = ()

    def change(rows: tuple[CourseVoice, ...]) -> tuple[CourseVoice, ...]:
        nonlocal castings
        people = recognise(video_id, speakers, faces, rows, settings)
        decided = (
            each for language in languages for each in decide(language, voices_before(people, rows, language, video_id))
        )
        castings = tuple(_first_choice(each, people, rows, video_id) for each in decided)
        return entered(rows, video_id, speakers, faces, people, castings)

    change_course(place, change)
    return castings


def _first_choice(casting: Casting, people: Mapping[str, str], rows: Iterable[CourseVoice], video_id: str) -> Casting:
    """A voice that only this lecture's own rows speak for was chosen by it, in whichever of its runs."""
    person = people.get(casting.speaker_id)
    mine = [row for row in rows if row.person_id == person and row.language == casting.language]
    own = casting.why == COURSE and all(row.video_id == video_id and not row.pinned for row in mine)
    return replace(casting, why=CHOSEN) if own else casting


def recognise(
    video_id: str,
    speakers: Sequence[LectureSpeaker],
    faces: Mapping[str, tuple[float, ...]],
    rows: Sequence[CourseVoice],
    settings: CourseSettings,
) -> dict[str, str]:
    """Speaker id -> person of the course, no person twice, the surest first; who is nobody known is left out.

    A lecture that is in the course already finds its own speakers again by what it left.
    """
    before = {(row.embedding, row.face): row.person_id for row in rows if row.video_id == video_id}
    people = _people(rows)
    found: dict[str, str] = {}
    scores: list[tuple[float, str, str]] = []
    for speaker in speakers:
        left = before.get((speaker.embedding, faces.get(speaker.id, ())))
        if left is not None:
            scores.append((-2.0, speaker.id, left))
            continue
        for person_id, person in people.items():
            likeness = _likeness(speaker, faces.get(speaker.id, ()), person, settings)
            if likeness is not None:
                scores.append((-likeness, speaker.id, person_id))
    for _, speaker_id, person_id in sorted(scores):
        if speaker_id not in found and person_id not in found.values():
            found[speaker_id] = person_id
    return found


def voices_before(
    people: Mapping[str, str], rows: Iterable[CourseVoice], language: str, video_id: str
) -> dict[str, str]:
    """Speaker id -> the voice that the person has in `language` in the course so far.

    A voice pinned in this very lecture, else the one pinned last, else the first that the person had.
    """
    had: dict[str, list[CourseVoice]] = defaultdict(list)
    for row in rows:
        if row.language == language:
            had[row.person_id].append(row)

    def rank(row: CourseVoice) -> tuple[bool, bool, int]:
        late_first = -row.lecture if row.pinned else row.lecture
        return not (row.pinned and row.video_id == video_id), not row.pinned, late_first

    return {
        speaker_id: min(had[person_id], key=rank).voice_id for speaker_id, person_id in people.items() if had[person_id]
    }


def entered(
    rows: Sequence[CourseVoice],
    video_id: str,
    speakers: Sequence[LectureSpeaker],
    faces: Mapping[str, tuple[float, ...]],
    people: Mapping[str, str],
    castings: Iterable[Casting],
) -> tuple[CourseVoice, ...]:
    """`rows` with those of this lecture's `castings` in place of what it left in their languages, in a fixed order.

    Speakers that the course does not know become new people; those of whom there is neither voice nor face are left
    out, as nobody could know them again.
    """
    known = {each.id: each for each in speakers if each.embedding or faces.get(each.id)}
    numbers = [_number(row.person_id) for row in rows]
    people = dict(people)
    for speaker in speakers:
        if speaker.id in known and speaker.id not in people:
            numbers.append(max(numbers, default=0) + 1)
            people[speaker.id] = f"person{numbers[-1]}"
    lecture = next(
        (row.lecture for row in rows if row.video_id == video_id), max((row.lecture for row in rows), default=0) + 1
    )
    told = tuple(castings)
    languages = {each.language for each in told}
    old = {(row.person_id, row.language, row.voice_id) for row in rows if row.video_id == video_id and row.pinned}
    kept = [row for row in rows if row.video_id != video_id or row.language not in languages]
    new = [
        CourseVoice(
            person_id=people[each.speaker_id],
            video_id=video_id,
            lecture=lecture,
            speaker_id=each.speaker_id,
            language=each.language,
            voice_id=each.voice_id,
            pinned=each.why == PINNED or (people[each.speaker_id], each.language, each.voice_id) in old,
            gender=known[each.speaker_id].gender,
            age=known[each.speaker_id].age,
            embedding=known[each.speaker_id].embedding,
            face=faces.get(each.speaker_id, ()),
        )
        for each in told
        if each.speaker_id in known
    ]
    return tuple(sorted(kept + new, key=lambda row: (row.lecture, row.video_id, _number(row.person_id), row.language)))


def _people(rows: Iterable[CourseVoice]) -> dict[str, _Person]:
    """What the rows say of each person, a lecture counting once however many languages it has."""
    lectures: dict[str, dict[tuple[str, str], CourseVoice]] = defaultdict(dict)
    for row in rows:
        lectures[row.person_id][row.video_id, row.speaker_id] = row
    return {
        person_id: _Person(
            voice=_mean([row.embedding for row in held.values()]),
            face=_mean([row.face for row in held.values()]),
            genders=frozenset(row.gender for row in held.values()) - {"unsure"},
        )
        for person_id, held in sorted(lectures.items(), key=lambda each: _number(each[0]))
    }


def _likeness(
    speaker: LectureSpeaker, face: tuple[float, ...], person: _Person, settings: CourseSettings
) -> float | None:
    """How surely somebody is this person of the course, None where not surely enough."""
    if speaker.gender != "unsure" and person.genders and speaker.gender not in person.genders:
        return None
    by_face = _cosine(face, person.face)
    by_voice = _cosine(speaker.embedding, person.voice)
    if by_face is not None and by_face < settings.other_face:
        return None
    same_face = by_face is not None and by_face >= settings.same_face
    if by_voice is None:
        return by_face if same_face else None
    least = settings.near_voice if same_face else settings.same_voice
    return by_voice + (by_face or 0.0) if by_voice >= least else None


def _cosine(one: Sequence[float], other: Floats) -> float | None:
    """None where one of the two is not known, or they come from different networks."""
    if len(one) == 0 or len(one) != len(other):
        return None
    return float(np.dot(one, other))


def _mean(vectors: Iterable[tuple[float, ...]]) -> Floats:
    known = [np.array(each) for each in vectors if each]
    same = [each for each in known if len(each) == len(known[0])]
    return _unit(np.sum(same, axis=0)) if same else np.zeros(0)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def _number(person_id: str) -> int:
    digits = person_id.removeprefix("person")
    return int(digits) if digits.isdecimal() else 0
