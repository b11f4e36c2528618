"""Casting: which voice each speaker of a lecture has in a language.

A pin by hand comes first, then the voice that the person has in the course already, then a choice: the right gender
and age, nobody else's, the best of them to whoever speaks most. Who is of no sure gender chooses last, among the best
voices that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from manifests.errors import BadInput, MissingWeights
from manifests.records import Casting, LectureSpeaker
from models.speech import engines, voices
from models.speech.contract import AgeBand, Gender, Voice

PINNED, COURSE, CHOSEN = "pinned", "course", "chosen"

_GENDERS = {"female": Gender.FEMALE, "male": Gender.MALE}
_AGES = {"child": AgeBand.CHILD, "senior": AgeBand.SENIOR}

Unavailable = Callable[[Voice], str | None]


def check_pins(pins: Mapping[str, str], languages: Collection[str]) -> None:
    """Whether every pinned voice exists and speaks one of `languages`; told before any work. BadInput where not."""
    for speaker_id, voice_id in sorted(pins.items()):
        voice = voices.find(voice_id)
        if voice.language not in languages:
            near = ", ".join(each.id for code in sorted(languages) for each in voices.voices_for(code)) or "none"
            raise BadInput(
                f"{speaker_id} is given {voice_id}, which speaks {voice.language};", remedy=f"voices that fit: {near}."
            )


def cast(
    speakers: Sequence[LectureSpeaker],
    language: str,
    *,
    spoken_s: Mapping[str, float],
    course: Mapping[str, str],
    pins: Mapping[str, str],
    unavailable: Unavailable = engines.available,
) -> tuple[Casting, ...]:
    """A voice of `language` for each of `speakers`, in their order.

    `spoken_s` is how long each speaks, `course` the voice that each has in the course, `pins` the voice given by hand;
    all by the speaker's id, and pins of other languages are passed over. `unavailable` says why a voice cannot speak
    here, or None. The same arguments give the same voices. BadInput for a pin to nobody or to no voice; MissingWeights
    for a pinned voice that is not on this machine, or a language without any.
    """
    known = {each.id for each in speakers}
    given: dict[str, Casting] = {}
    for speaker_id, voice_id in sorted(pins.items()):
        voice = voices.find(voice_id)
        if voice.language != language:
            continue
        if speaker_id not in known:
            raise BadInput(
                f"{voice_id} is given to {speaker_id!r}, who does not speak;",
                remedy=f"there are: {', '.join(each.id for each in speakers) or 'no speakers'}.",
            )
        if (reason := unavailable(voice)) is not None:
            raise MissingWeights(f"the voice {voice_id} of {speaker_id} cannot speak on this machine:", remedy=reason)
        given[speaker_id] = Casting(speaker_id=speaker_id, language=language, voice_id=voice_id, why=PINNED)
    for speaker_id, voice_id in sorted(course.items()):
        if speaker_id in known and speaker_id not in given and _usable(voice_id, language, unavailable):
            given[speaker_id] = Casting(speaker_id=speaker_id, language=language, voice_id=voice_id, why=COURSE)
    for speaker in _in_turn(speakers, spoken_s):
        if speaker.id not in given:
            taken = [each.voice_id for each in given.values()]
            voice = _choose(speaker, language, taken, unavailable)
            given[speaker.id] = Casting(speaker_id=speaker.id, language=language, voice_id=voice.id, why=CHOSEN)
    return tuple(given[each.id] for each in speakers)


def _usable(voice_id: str, language: str, unavailable: Unavailable) -> bool:
    """Whether a voice of the course still exists and speaks here: another machine may have made the course."""
    return any(each.id == voice_id and unavailable(each) is None for each in voices.voices_for(language))


def _in_turn(speakers: Iterable[LectureSpeaker], spoken_s: Mapping[str, float]) -> list[LectureSpeaker]:
    """Who chooses first: those of a sure gender, among them those who speak longest."""
    return sorted(speakers, key=lambda each: (_gender(each) is None, -spoken_s.get(each.id, 0.0), each.id))


def _gender(speaker: LectureSpeaker) -> Gender | None:
    """The gender to look for. A child's voice is nearer to a woman's, so that stands for one of no sure gender."""
    if speaker.gender not in _GENDERS and speaker.age == "child":
        return Gender.FEMALE
    return _GENDERS.get(speaker.gender)


def _choose(speaker: LectureSpeaker, language: str, taken: Sequence[str], unavailable: Unavailable) -> Voice:
    """The table's choice among the voices of the speaker's age, where one of the right gender is of that age."""
    gender, age = _gender(speaker), _AGES.get(speaker.age, AgeBand.ADULT)

    def of_another_age(voice: Voice) -> str | None:
        return unavailable(voice) if voice.age is age else f"it is no voice of a {age.value}"

    fits = [
        voice
        for voice in voices.voices_for(language)
        if voice.age is age and (gender is None or voice.gender is gender) and unavailable(voice) is None
    ]
    return voices.choose(language, gender, taken, unavailable=of_another_age if fits else unavailable)
