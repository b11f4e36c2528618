from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import BadInput, MissingWeights
from manifests.records import Hypothesis
from models import weights
from models.translation import engines
from models.translation.llama import read_answer


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path))


def test_an_unknown_pair_says_what_the_source_can_become() -> None:
    with pytest.raises(BadInput) as raised:
        engines.weights_of("ctranslate2", "en", "ja")
    assert all(code in raised.value.remedy for code in ("ar", "de", "es", "fr"))
    with pytest.raises(BadInput, match="nothing from ja"):
        engines.weights_of("transformers", "ja", "en")


def test_the_trial_does_not_offer_what_it_gets_wrong() -> None:
    assert engines.weights_of("llama", "en", "de") == "qwen-translator"
    with pytest.raises(BadInput, match="From en it offers: de, es, fr"):
        engines.weights_of("llama", "en", "ar")
    with pytest.raises(BadInput):
        engines.weights_of("llama", "en", "en")


def test_an_unknown_engine_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="ctranslate2, transformers, llama"):
        engines.load("babelfish", "en", "fr")


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("engine", ["ctranslate2", "transformers"])
def test_absent_weights_come_with_the_command_that_brings_them(engine: str) -> None:
    assert engines.weights_of(engine, "en", "de") == "opus-mt-en-de"
    with pytest.raises(MissingWeights, match="redub weights pull opus-mt-en-de"):
        engines.load(engine, "en", "de")


def test_every_pair_names_weights_of_the_catalogue() -> None:
    for pair in engines.pairs():
        assert weights.find(pair.weights).capability == "translation"


def test_the_default_engine_needs_neither_torch_nor_transformers() -> None:
    script = (
        "import sys; from models.translation import ctranslate, engines, llama;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'ctranslate2', 'sentencepiece')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def completion(content: str, *log_probabilities: float) -> dict[str, object]:
    told = {"content": [{"logprob": each} for each in log_probabilities]}
    return {"choices": [{"message": {"content": content}, "logprobs": told}]}


@pytest.mark.parametrize(
    "content",
    [
        "Guten Tag.",
        '"Guten Tag."',
        "\n German: Guten Tag.\n\nThis means hello.",
        "Translation: „Guten Tag.“",
        "«Guten Tag.»",
    ],
)
def test_of_a_language_models_answer_the_translation_is_kept(content: str) -> None:
    assert read_answer(completion(content, -0.5, -1.5), "German") == Hypothesis(text="Guten Tag.", score=-1.0)


def test_quotation_marks_within_an_answer_stay() -> None:
    assert read_answer(completion('"Ja", sagte er, "und nein"'), "German").text == '"Ja", sagte er, "und nein"'
