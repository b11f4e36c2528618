"""Translating utterances: terms as the glossary says, code and numbers whole, and the beam's other candidates.

The candidates are kept for whoever times the speech, so each of them must be fit to be spoken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.store import Store
from manifests.keys import child_id
from manifests.records import Hypothesis, Translation, Utterance
from models.translation import constrained, engines
from models.translation.contract import Constraint, Translator
from tasks import glossary, integrity
from tasks.glossary import Term
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslateSettings:
    """Which engine translates ("ctranslate2", "transformers", "llama"), and how many candidates it keeps at most."""

    engine: str = "ctranslate2"
    candidates: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslateWork:
    """The utterances of one chunk, and the language they are wanted in; `terms` are those that they say alone."""

    utterances: tuple[Utterance, ...]
    source: str
    target: str
    settings: TranslateSettings
    weights: str
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    """A candidate and what it lacks of the sentence."""

    hypothesis: Hypothesis
    losses: tuple[str, ...]


def translate(work: TranslateWork, store: Store) -> tuple[Translation, ...]:  # noqa: ARG001
    """One translation an utterance, in their order: the best of the candidates that lose nothing, and all such.

    Where every candidate loses a number, a unit, code or a term, those that lose least are kept, with a warning.
    """
    if not work.utterances:
        return ()
    translator = engines.load(work.settings.engine, work.source, work.target)
    sentences = glossary.sentences(work.utterances, work.terms)
    judged = translated(translator, sentences, work.terms, candidates=work.settings.candidates)
    return tuple(
        Translation(
            id=child_id(utterance.id, work.target, 0),
            utterance_id=utterance.id,
            language=work.target,
            text=best[0].hypothesis.text,
            hypotheses=tuple(each.hypothesis for each in best),
            warnings=best[0].losses,
        )
        for utterance, best in zip(work.utterances, judged, strict=True)
    )


def untranslated(work: TranslateWork) -> tuple[Translation, ...]:
    """Lines that say nothing, where the chunk could not be translated: a person may write them in the sheet."""
    return tuple(unsaid(each, work.target) for each in work.utterances)


def unsaid(utterance: Utterance, language: str) -> Translation:
    """A line of `language` that says nothing."""
    return Translation(
        id=child_id(utterance.id, language, 0), utterance_id=utterance.id, language=language, text="", hypotheses=()
    )


def translated(
    translator: Translator, sentences: Sequence[str], terms: Sequence[Term], *, candidates: int
) -> list[tuple[_Judged, ...]]:
    """For each of `sentences` the candidates that lose least, best first.

    Sentences whose every candidate loses a number are translated once more, with their numbers held as terms are.
    """
    asked = [_constraints(sentence, terms, translator) for sentence in sentences]
    answers = constrained.translate(translator, sentences, asked, candidates=candidates)
    judged = [_judge(*each, translator) for each in zip(sentences, asked, answers, strict=True)]
    damaged = [at for at, best in enumerate(judged) if best[0].losses]
    stricter = [_with_numbers(sentences[at], asked[at], translator) for at in damaged]
    again = constrained.translate(translator, [sentences[at] for at in damaged], stricter, candidates=candidates)
    for at, answer in zip(damaged, again, strict=True):
        judged[at] = _least_lost((*judged[at], *_judge(sentences[at], asked[at], answer, translator)))[:candidates]
    return judged


def _constraints(sentence: str, terms: Sequence[Term], translator: Translator) -> tuple[Constraint, ...]:
    """What the glossary asks, and what is protected; where they overlap, the longer, the glossary's if as long."""
    told = glossary.constraints(sentence, terms, translator.source, translator.target)
    kept = [
        Constraint(start=start, end=end, forms=(sentence[start:end],)) for start, end in integrity.protected(sentence)
    ]
    return _apart((*told, *kept))


def _with_numbers(sentence: str, asked: Sequence[Constraint], translator: Translator) -> tuple[Constraint, ...]:
    numbers = []
    for start, end in integrity.numbers_of(sentence):
        number = sentence[start:end]
        forms = dict.fromkeys((integrity.written(number, translator.source, translator.target), number))
        numbers.append(Constraint(start=start, end=end, forms=tuple(forms)))
    return _apart((*asked, *numbers))


def _apart(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    chosen: list[Constraint] = []
    for each in sorted(constraints, key=lambda each: each.start - each.end):
        if all(each.end <= other.start or other.end <= each.start for other in chosen):
            chosen.append(each)
    return tuple(sorted(chosen, key=lambda each: each.start))


def _judge(
    sentence: str, asked: Sequence[Constraint], answer: Sequence[Hypothesis], translator: Translator
) -> tuple[_Judged, ...]:
    languages = translator.source, translator.target
    return _least_lost(
        [
            _Judged(
                each,
                (
                    *(f"{constraint.forms[0]!r} is lost" for constraint in constrained.lacking(each.text, asked)),
                    *integrity.losses(sentence, each.text, languages),
                ),
            )
            for each in answer
        ]
    )


def _least_lost(judged: Sequence[_Judged]) -> tuple[_Judged, ...]:
    fewest = min(len(each.losses) for each in judged)
    best = sorted((each for each in judged if len(each.losses) == fewest), key=lambda each: -each.hypothesis.score)
    return tuple({each.hypothesis.text: each for each in reversed(best)}.values())[::-1]


TRANSLATE: Stage[TranslateWork, tuple[Translation, ...]] = Stage(
    "translate", 2, tuple[Translation, ...], translate, gpu=True
)
