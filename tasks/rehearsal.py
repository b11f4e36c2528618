"""One line spoken at once, as it will sound in the dub: for whoever edits it and wants to hear it before a run.

A line is spoken under the key that the dub's own stage gives it, so that the run after it finds it spoken. What the
first rounds of a dub found is recalled when a rehearsal is opened; then a line costs its own speech, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.store import Store
from manifests.errors import BadInput
from manifests.records import Edit
from manifests.time import seconds
from models.speech.contract import Pronunciation
from tasks import engines, imitation, lecture, script, speak, speaking_rounds, timing
from tasks.drafting import Draft
from tasks.lecture import DubJob
from tasks.mending import require_current
from tasks.pool import InProcessPool
from tasks.settings import DubSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A line's sound: `audio` is a mono 16-bit WAV in the store. `rate` was asked of the voice, 1 for its own.

    `recalled`: it had been spoken before.
    """

    audio: Path
    duration_s: float
    rate: float
    text: str
    recalled: bool


def say(
    text: str,
    voice_id: str,
    language: str,
    store: Store,
    *,
    rate: float = 1.0,
    pronunciations: Sequence[Pronunciation] = (),
) -> Spoken:
    """`text` by a voice of the table. BadInput where there is no such voice or nothing to say; MissingWeights."""
    voice = script.voice_called(voice_id, language)
    weights = engines.speaking_weights(voice)
    work = speak.clip_work(text, voice, weights, pronunciations, rate=timing.rate_to_speak(rate))
    return _said(text, work, store)


class Rehearsal:
    """A dub in one language, its draft at hand. Not for several threads at once."""

    def __init__(
        self,
        draft: Draft,
        cast: speaking_rounds.Cast,
        durations: script.Durations,
        settings: DubSettings,
        pool: InProcessPool,
    ) -> None:
        self._draft, self._cast, self._durations = draft, cast, durations
        self._settings, self._pool = settings, pool

    @classmethod
    def open(cls, job: DubJob, language: str, pool: InProcessPool) -> Rehearsal:
        """Recall what the dub's lines hang on. What was never made is made now: open it for a finished dub.

        Raises what a dub raises.
        """
        lecture.check(job)
        heard = lecture.hear(job, pool)
        draft = lecture.draft(heard, job, language, pool)
        imitated = imitation.imitated_voices(heard, lecture.consents(job), pool)
        cast = speaking_rounds.cast_of(draft, imitated)
        durations = speaking_rounds.first_round(draft, cast, frozenset(), job.settings, pool)
        return cls(draft, cast, durations, job.settings, pool)

    def say(self, edits: Sequence[Edit], utterance_id: str) -> Spoken:
        """The line as the dub with `edits` will speak it: its reading, its rate, its pronunciations.

        BadInput where the edits are about another lecture, there is no such line, or it says nothing.
        """
        heard = self._draft.heard
        require_current(edits, heard.utterances, heard.speakers, "the sheet")
        planned = speaking_rounds.plan_lines(
            self._draft, edits, self._durations, self._cast, frozenset(), self._settings, self._pool
        )
        line = next((each for group in planned.lines for each in group if each.utterance.id == utterance_id), None)
        if line is None:
            raise BadInput("nothing is said in this line;", where=utterance_id, remedy="write a translation for it.")
        work = speak.clip_work(
            line.translation.text,
            line.voice,
            engines.speaking_weights(line.voice),
            self._cast.pronunciations,
            rate=timing.rate_to_speak(planned.rates.get(utterance_id, 1.0)),
            clone=self._cast.imitated.get(line.voice.id),
        )
        return _said(line.translation.text, work, self._pool.store)


def _said(text: str, work: speak.ClipWork, store: Store) -> Spoken:
    done = speak.CLIP.perform(work, store)
    if done.value.audio is None:
        raise BadInput("there is nothing in it that can be said;", where=text, remedy="write words.")
    return Spoken(
        audio=store.path(done.value.audio),
        duration_s=round(seconds(done.value.duration), 3),
        rate=work.rate,
        text=text,
        recalled=done.hit,
    )
