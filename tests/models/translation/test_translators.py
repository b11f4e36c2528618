"""What every translator does, with the trained weights of this machine."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from difflib import SequenceMatcher
from statistics import fmean

import pytest

from manifests.errors import MissingWeights
from manifests.records import Hypothesis
from models.translation import engines
from models.translation.contract import Translator
from models.translation.ctranslate import CTranslateTranslator

pytestmark = pytest.mark.weights

SENTENCES = (
    "Good morning, and welcome to this course.",
    "Today we will look at the second law of thermodynamics.",
    "The temperature of the water is 25 degrees.",
    "Please read chapter three before the next lecture.",
    "What happens if we double the pressure?",
    "This is one of the most important results in mathematics.",
    "Let me show you an example.",
    "He was not an ill-disposed young man.",
    "The function is continuous, but it has no derivative at this point.",
    "I will answer your questions at the end.",
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """OpenMP's threads wait for each other at every layer, which on a shared machine costs more than they win."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def loaded(engine: str) -> Translator:
    try:
        return engines.load(engine, "en", "fr")
    except MissingWeights as missing:
        pytest.skip(str(missing))


@pytest.fixture(
    params=["ctranslate2", "transformers", pytest.param("llama", marks=pytest.mark.slow)],
)
def translator(request: pytest.FixtureRequest) -> Translator:
    if request.param == "llama" and importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp, the extra llama, is not installed")
    return loaded(request.param)


def test_candidates_are_distinct_ranked_and_no_more_than_asked_for(translator: Translator) -> None:
    (found,) = translator.translate(SENTENCES[6:7], candidates=4)
    assert 1 <= len(found) <= 4
    assert len(found) > 1 or translator.experimental
    assert len({each.text for each in found}) == len(found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert all(each.score < 0 for each in found)


def test_it_is_french_and_the_same_again_whatever_else_is_in_the_batch(translator: Translator) -> None:
    alone = translator.translate(SENTENCES[:1])
    assert len(alone[0]) == 1
    assert "bienvenue" in alone[0][0].text.lower()
    together = translator.translate((SENTENCES[7], "", SENTENCES[0]))
    assert together[2] == alone[0]
    assert together[1] == (Hypothesis(text="", score=0.0),)


def test_blank_gives_blank_and_marks_give_themselves(translator: Translator) -> None:
    assert translator.translate(["", " \n\t", "..."], candidates=3) == [
        (Hypothesis(text="", score=0.0),),
        (Hypothesis(text="", score=0.0),),
        (Hypothesis(text="...", score=0.0),),
    ]
    assert translator.translate([]) == []
    with pytest.raises(ValueError, match="at least 1"):
        translator.translate(["a"], candidates=0)


def test_int8_says_what_full_precision_says() -> None:
    quick = [found[0] for found in loaded("ctranslate2").translate(SENTENCES)]
    reference = [found[0] for found in loaded("transformers").translate(SENTENCES)]
    pairs = list(zip(quick, reference, strict=True))
    assert sum(ours.text == theirs.text for ours, theirs in pairs) >= 7
    assert fmean(SequenceMatcher(None, ours.text, theirs.text).ratio() for ours, theirs in pairs) >= 0.9
    # Rounding costs a little probability, a wrong normalisation by length would cost much.
    assert all(abs(ours.score - theirs.score) < 0.15 for ours, theirs in pairs)


def test_speech_without_capitals_and_marks_is_understood() -> None:
    (found,) = loaded("ctranslate2").translate(["he was not an ill disposed young man"])
    assert "pas un jeune homme mal disposé" in found[0].text


def test_a_sentence_beyond_the_networks_length_loses_nothing() -> None:
    numbers = range(100, 150)
    sentence = ", ".join(f"in room {number} there is a chair" for number in numbers) + "."
    (found,) = loaded("ctranslate2").translate([sentence], candidates=2)
    said = sum(str(number) in found[0].text for number in numbers)
    assert said >= 0.95 * len(numbers)


def test_batches_of_every_size_agree() -> None:
    translator = loaded("ctranslate2")
    many = translator.translate(SENTENCES[:5] * 3, candidates=2)
    assert many == translator.translate(SENTENCES[:5], candidates=2) * 3
    one_by_one = [translator.translate([sentence], candidates=2)[0] for sentence in SENTENCES[:4]]
    assert [[each.text for each in found] for found in one_by_one] == [
        [each.text for each in found] for found in many[:4]
    ]


def test_a_prefix_reaches_the_network_as_one_token(monkeypatch: pytest.MonkeyPatch) -> None:
    translator = loaded("ctranslate2")
    assert isinstance(translator, CTranslateTranslator)
    sent: list[list[str]] = []

    class Recording:
        def translate_batch(self, tokens: list[list[str]], **_: object) -> list[object]:
            sent.extend(tokens)
            return []

    monkeypatch.setattr(translator, "_model", Recording())
    monkeypatch.setattr(translator, "_head", [">>ara<<"])
    translator._beam(["Good morning"], 1)
    assert sent[0][0] == ">>ara<<"
    assert sent[0][-1] == "</s>"
    assert "".join(sent[0][1:-1]) == "▁Good▁morning"


def test_a_loop_is_translated_again_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    translator = loaded("ctranslate2")
    assert isinstance(translator, CTranslateTranslator)
    asked: list[int] = []

    def beam(parts: list[str], candidates: int, *, no_repeat_ngram_size: int = 0) -> list[tuple[Hypothesis, ...]]:
        asked.append(no_repeat_ngram_size)
        text = "bien" if no_repeat_ngram_size else "non non non non non"
        return [(Hypothesis(text=text, score=-1.0),) for _ in parts]

    monkeypatch.setattr(translator, "_beam", beam)
    assert translator.translate(["Good."])[0][0].text == "bien"
    assert asked == [0, 3]
