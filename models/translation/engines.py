"""Translators by engine and pair of languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from manifests.errors import BadInput
from models import weights
from models.once import once
from models.translation.contract import Translator

State = Literal["packaged", "hub or path"]

ENGINES = ("ctranslate2", "transformers", "llama")
"""The first is the default; "transformers" is its slow reference, "llama" an experiment."""

EXPERIMENTAL = frozenset({"llama"})
"""Engines whose output reports must call a trial."""

LLAMA_WEIGHTS = "qwen-translator"

LLAMA_LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "pt"})
"""Between which the experiment is worth a look; its Arabic, for one, was wrong in 4 of 5 sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An OPUS-MT model. `prefix` is the token that a multilingual one wants before each sentence.

    `state` tells where its weights come from: "packaged" in a package registry too, else the model hub or a path alone.
    """

    source: str
    target: str
    weights: str
    state: State
    prefix: str | None = None


_PAIRS = (
    Pair(source="en", target="fr", weights="opus-mt-en-fr", state="packaged"),
    Pair(source="fr", target="en", weights="opus-mt-fr-en", state="packaged"),
    Pair(source="en", target="de", weights="opus-mt-en-de", state="hub or path"),
    Pair(source="en", target="es", weights="opus-mt-en-es", state="hub or path"),
    Pair(source="en", target="it", weights="opus-mt-en-it", state="hub or path"),
    Pair(source="en", target="ar", weights="opus-mt-tc-big-en-ar", state="hub or path", prefix=">>ara<<"),
)


def pairs() -> tuple[Pair, ...]:
    """The OPUS-MT models that the engines "ctranslate2" and "transformers" know."""
    return _PAIRS


def weights_of(engine: str, source: str, target: str) -> str:
    """The name of the weights that translate `source` into `target` (ISO 639-1), present or not.

    BadInput for an unknown engine, and for a pair that it does not offer, with those that it does.
    """
    _require_known(engine)
    if engine == "llama":
        if source == target or not {source, target} <= LLAMA_LANGUAGES:
            raise _no_pair(engine, source, target, LLAMA_LANGUAGES - {source} if source in LLAMA_LANGUAGES else set())
        return LLAMA_WEIGHTS
    return _pair(engine, source, target).weights


def weights_into(engine: str, target: str) -> tuple[str, ...]:
    """The names of all weights that translate into `target` (ISO 639-1), present or not; those from English first.

    BadInput for an unknown engine, and where there are none.
    """
    _require_known(engine)
    if engine == "llama":
        names = [LLAMA_WEIGHTS] if target in LLAMA_LANGUAGES else []
        targets = set(LLAMA_LANGUAGES)
    else:
        into = [pair for pair in _PAIRS if pair.target == target]
        names = [pair.weights for pair in sorted(into, key=lambda pair: pair.source != "en")]
        targets = {pair.target for pair in _PAIRS}
    if not names:
        raise BadInput(
            f"the engine {engine} has no model into {target}.",
            where="translation",
            remedy=f"It translates into: {', '.join(sorted(targets))}.",
        )
    return tuple(names)


def load(engine: str, source: str, target: str) -> Translator:
    """The translator of a pair, loaded once a process, whichever thread asks first.

    Raises as `weights_of`; MissingWeights, with the command that brings them, where the weights are not here;
    BadInput where the engine is an extra that is not installed.
    """
    name = weights_of(engine, source, target)
    return _load(engine, source, target, name)


@once
def _load(engine: str, source: str, target: str, name: str) -> Translator:
    folder = weights.locate(name)
    if engine == "llama":
        from models.translation.llama import LlamaTranslator

        return LlamaTranslator(folder, source=source, target=target)
    prefix = _pair(engine, source, target).prefix
    if engine == "transformers":
        from models.translation.marian import MarianTranslator

        return MarianTranslator(folder, source=source, target=target, prefix=prefix)
    from models.translation.ctranslate import CTranslateTranslator

    return CTranslateTranslator(folder, source=source, target=target, prefix=prefix)


def _require_known(engine: str) -> None:
    if engine not in ENGINES:
        raise BadInput(
            f"no translator is called {engine!r}.", where="translation", remedy=f"Use one of {', '.join(ENGINES)}."
        )


def _pair(engine: str, source: str, target: str) -> Pair:
    for pair in _PAIRS:
        if (pair.source, pair.target) == (source, target):
            return pair
    raise _no_pair(engine, source, target, {pair.target for pair in _PAIRS if pair.source == source})


def _no_pair(engine: str, source: str, target: str, targets: set[str] | frozenset[str]) -> BadInput:
    offered = (
        f"From {source} it offers: {', '.join(sorted(targets))}." if targets else f"It offers nothing from {source}."
    )
    return BadInput(f"the engine {engine} has no model for {source} to {target}.", where="translation", remedy=offered)
