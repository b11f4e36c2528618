"""Translating utterances, with the candidates of the beam kept for whoever times the speech."""

from __future__ import annotations

from dataclasses import dataclass

from infra.store import Store
from manifests.keys import child_id
from manifests.records import Translation, Utterance
from models.translation import engines
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslateSettings:
    """Which engine translates ("ctranslate2", "transformers", "llama"), and how many candidates it keeps."""

    engine: str = "ctranslate2"
    candidates: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslateWork:
    """The utterances of one chunk, and the language they are wanted in."""

    utterances: tuple[Utterance, ...]
    source: str
    target: str
    settings: TranslateSettings
    weights: str


def translate(work: TranslateWork, store: Store) -> tuple[Translation, ...]:  # noqa: ARG001
    """One translation an utterance, in their order: the decoder's best, and its other candidates."""
    if not work.utterances:
        return ()
    translator = engines.load(work.settings.engine, work.source, work.target)
    answers = translator.translate(
        [utterance.text for utterance in work.utterances], candidates=work.settings.candidates
    )
    return tuple(
        Translation(
            id=child_id(utterance.id, work.target, 0),
            utterance_id=utterance.id,
            language=work.target,
            text=hypotheses[0].text,
            hypotheses=hypotheses,
        )
        for utterance, hypotheses in zip(work.utterances, answers, strict=True)
    )


TRANSLATE: Stage[TranslateWork, tuple[Translation, ...]] = Stage("translate", 1, tuple[Translation, ...], translate)
