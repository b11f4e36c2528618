"""The draft of a dub in one language, before a word is spoken: translations, and who speaks with which voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from infra.locations import Location
from manifests.records import Casting, Translation, Utterance
from models.speech import cloned, voices
from tasks import casting, course, engines, translate
from tasks.glossary import Term, terms_in
from tasks.hearing import Heard
from tasks.pool import Pool
from tasks.settings import DubSettings
from tasks.speakers import speaking_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Translations (one an utterance, in their order) and castings (one a speaker), as the machine makes them."""

    heard: Heard
    language: str
    glossary: tuple[Term, ...]
    translations: tuple[Translation, ...]
    castings: tuple[Casting, ...]


def draft_language(
    heard: Heard,
    language: str,
    glossary: tuple[Term, ...],
    pins: Mapping[str, str],
    course_file: Location | None,
    settings: DubSettings,
    pool: Pool,
) -> Draft:
    """Translate every utterance and cast every speaker.

    `pins` maps speakers' ids to voices' ids; `course_file` is the table of a course whose people keep their voices.
    BadInput for a pin to nobody; what a damaged course raises.
    """
    translations = translate_groups(heard, heard.utterances_by_chunk(), language, glossary, settings, pool)
    return Draft(
        heard=heard,
        language=language,
        glossary=glossary,
        translations=tuple(each for group in translations for each in group),
        castings=_cast(heard, language, pins, course_file, settings),
    )


def translate_groups(
    heard: Heard,
    groups: Sequence[tuple[Utterance, ...]],
    language: str,
    glossary: tuple[Term, ...],
    settings: DubSettings,
    pool: Pool,
) -> Sequence[tuple[Translation, ...]]:
    """Translations of each group of utterances; each group is a piece of work by itself."""
    weights = engines.translation_weights(settings.translate, heard.language, language)
    spans = {chunk.id: chunk.span for chunk in heard.chunks}
    work = [
        translate.TranslateWork(
            utterances=said,
            source=heard.language,
            target=language,
            settings=settings.translate,
            weights=weights,
            terms=terms_in(said, glossary),
        )
        for said in groups
    ]
    where = [spans[said[0].chunk_id] if said else heard.video.span for said in groups]
    return pool.submit(translate.TRANSLATE, work, where, language=language, instead=translate.untranslated).values()


def _cast(
    heard: Heard, language: str, pins: Mapping[str, str], course_file: Location | None, settings: DubSettings
) -> tuple[Casting, ...]:
    """A voice for each speaker; imitated ones by pin alone, and outside the course: each needs its own consent."""
    imitated = {name: voice for name, voice in pins.items() if cloned.is_clone(voice)}
    decide = partial(
        _decide,
        heard=heard,
        pins={**_one_for_all(heard, settings.speak.voice), **{n: v for n, v in pins.items() if n not in imitated}},
    )
    if course_file is None:
        cast = decide(language, {})
    else:
        faces = course.face_prints(heard.speakers, heard.tracks)
        cast = course.cast_in_course(
            course_file, heard.video.id, heard.speakers, faces, [language], decide, settings.course
        )
    return tuple(
        Casting(speaker_id=each.speaker_id, language=language, voice_id=own, why=casting.PINNED)
        if (own := imitated.get(each.speaker_id)) is not None
        else each
        for each in cast
    )


def _decide(language: str, known: Mapping[str, str], *, heard: Heard, pins: Mapping[str, str]) -> tuple[Casting, ...]:
    spoken_s = speaking_time(heard.speakers, heard.utterances)
    return casting.cast(heard.speakers, language, spoken_s=spoken_s, course=known, pins=pins)


def _one_for_all(heard: Heard, voice_id: str | None) -> dict[str, str]:
    """`--voice` is a pin of every speaker."""
    if voice_id is None:
        return {}
    voices.find(voice_id)
    return {speaker.id: voice_id for speaker in heard.speakers}
