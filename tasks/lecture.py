"""A whole lecture, from a source to dubs in several languages: the order of the work, and what can be known before it.

Runs in any `Pool`: in this process, or as Prefect tasks. `hearing` does once what all languages share, `drafting`
translates and casts, a person may then mend the drafts, `voicing` speaks them, `finishing` makes the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra import locations
from infra.locations import Location
from infra.media.probe import inspect, probe
from infra.media.splice import plan_groups
from manifests.errors import BadInput
from manifests.languages import language as known_language
from manifests.records import Edit
from models.speech import cloned, voices
from tasks import consent, engines, provenance
from tasks.casting import check_pins
from tasks.course_table import COURSE_FILE, read_course
from tasks.drafting import Draft, draft_language
from tasks.finishing import Dub, Extra, finish_language, join_languages
from tasks.glossary import Term, read_glossary
from tasks.hearing import Heard, audio_track, hear_lecture
from tasks.imitation import imitated_voices
from tasks.pool import Pool
from tasks.script import voice_called
from tasks.settings import DubSettings
from tasks.voicing import voice_language

Mend = Callable[[Sequence[Draft]], Mapping[str, Sequence[Edit]]]
"""What a person changes in the drafts, by language; asked once, when all drafts are made and nothing is spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DubJob:
    """What is asked for. `source_language` is an ISO 639-1 code, None to find it out; `audio_track` counts from 0.

    `title` is what the lecture is called, where its file is not ("").

    `glossary` is a CSV of terms (`tasks.glossary`), `course` the folder whose lectures keep their speakers' voices,
    `voices` are pairs of a speaker ("speaker1") and the voice that it has by hand, `consent` says whose own voice may
    be imitated (`tasks.consent`).
    """

    source: Path
    targets: tuple[str, ...]
    title: str = ""
    source_language: str | None
    audio_track: int | None
    settings: DubSettings
    glossary: Path | None = None
    course: Location | None = None
    voices: tuple[tuple[str, str], ...] = ()
    consent: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DubbedLecture:
    """All that a job came to. `joined` is one file of all languages and its statement, where asked for."""

    heard: Heard
    dubs: tuple[Dub, ...]
    joined: tuple[Extra, ...] = ()


def check(job: DubJob) -> None:
    """Everything about a job that can be known to fail before any work: BadInput and MissingWeights, at once."""
    if not job.targets:
        raise BadInput("no language to dub into.", remedy="Name one or more with --to, as in --to fr.")
    for code in (*job.targets, job.source_language):
        if code is not None:
            known_language(code)
    for target in job.targets:
        if job.source_language == target:
            raise BadInput(f"the source is in {target!r} already.", where="--to", remedy="Name another language.")
        engines.speaking_weights(engines.voice_for(target, job.settings.speak))
        if job.source_language is None:
            engines.require_translation_into(job.settings.translate, target)
        else:
            engines.translation_weights(job.settings.translate, job.source_language, target)
        if job.glossary is not None:
            read_glossary(job.glossary, target)
    engines.listening_weights(job.settings.listen)
    engines.voiceprint_weights()
    engines.require_lips(job.settings)
    if job.settings.lips.engine != "none":
        engines.appearance_weights()
    provenance.require_signer()
    _check_voices(job)
    if (course := _course_file(job)) is not None:
        read_course(course)


def _course_file(job: DubJob) -> Location | None:
    return locations.join(job.course, COURSE_FILE) if job.course is not None else None


def _check_voices(job: DubJob) -> None:
    """Whether the voices that were given by hand exist, may speak, and can on this machine."""
    consents(job)
    given = {speaker: voice for speaker, voice in job.voices if not cloned.is_clone(voice)}
    check_pins(given, job.targets)
    for voice_id in given.values():
        engines.speaking_weights(voices.find(voice_id))
    for _, voice_id in job.voices:
        if cloned.is_clone(voice_id):
            for target in job.targets:
                engines.speaking_weights(voice_called(voice_id, target))


def consents(job: DubJob) -> dict[str, str]:
    """The SHA-256 of the consent of each voice that is imitated, by the voice's id. BadInput where there is none."""
    today = datetime.now(UTC).date()
    return {
        voice_id: consent.require_consent(job.consent, voice_id, job.targets, today=today).sha256
        for _, voice_id in job.voices
        if cloned.is_clone(voice_id)
    }


def check_source(job: DubJob) -> None:
    """Whether the source can be dubbed as far as a look at it tells, without hashing it. BadInput where not."""
    audio_track(inspect(job.source), job.audio_track)


def as_drafted(drafts: Sequence[Draft]) -> Mapping[str, Sequence[Edit]]:  # noqa: ARG001 (a `Mend` is asked about them)
    """Nothing is mended."""
    return {}


def dub_lecture(job: DubJob, pool: Pool, mend: Mend = as_drafted) -> DubbedLecture:
    """Dub `job.source` into every target language. BadInput where there is nothing to dub."""
    check(job)
    heard = hear(job, pool)
    drafts = [draft(heard, job, target, pool) for target in job.targets]
    edits, settings = mend(drafts), job.settings
    agreed = consents(job)
    imitated = imitated_voices(heard, agreed, pool)
    # Speech of every language first: what is heard is known before the picture, which takes longest, is begun.
    voiced = [voice_language(draft, edits.get(draft.language, ()), imitated, settings, pool) for draft in drafts]
    plan = plan_groups(job.source)
    signed = tuple(sorted(set(agreed.values())))
    dubs = tuple(finish_language(each, plan, signed, settings, pool) for each in voiced)
    joined = join_languages(dubs, plan, pool) if settings.delivery.one_file else ()
    return DubbedLecture(heard=heard, dubs=dubs, joined=joined)


def hear(job: DubJob, pool: Pool) -> Heard:
    """What all languages of a job share. BadInput where there is nothing to dub."""
    video = probe(job.source)
    track, title = audio_track(video, job.audio_track), job.title or job.source.stem
    return hear_lecture(video, track, title, job.source_language, job.targets, job.settings, pool)


def draft(heard: Heard, job: DubJob, target: str, pool: Pool) -> Draft:
    """The dub of a job into `target` as the machine would make it, before a word is spoken."""
    return draft_language(heard, target, _terms(job, target), dict(job.voices), _course_file(job), job.settings, pool)


def _terms(job: DubJob, target: str) -> tuple[Term, ...]:
    return read_glossary(job.glossary, target) if job.glossary is not None else ()
