from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.store import Store
from manifests.errors import MissingWeights
from manifests.records import Hypothesis, Translation, Utterance
from manifests.time import Span
from models.translation import engines
from tasks import translate
from tasks.glossary import Term
from tasks.translate import TRANSLATE, TranslateSettings, TranslateWork


class Scripted:
    """Stands in for trained weights: the same candidates for whatever is asked."""

    source, target, experimental = "en", "fr", False

    def __init__(self, *texts: str) -> None:
        self._texts, self.asked = texts, list[str]()

    def translate(self, sentences: Sequence[str], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        self.asked += sentences
        found = tuple(Hypothesis(text=text, score=-at / 10) for at, text in enumerate(self._texts))
        return [found[:candidates] for _ in sentences]


def utterance(index: int, text: str) -> Utterance:
    return Utterance(id=f"u{index}", chunk_id="c", span=Span(index, index + 1), text=text, words=(), language="en")


def work(*texts: str, terms: tuple[Term, ...] = ()) -> TranslateWork:
    return TranslateWork(
        utterances=tuple(utterance(*each) for each in enumerate(texts)),
        source="en",
        target="fr",
        settings=TranslateSettings(),
        weights="w",
        terms=terms,
    )


def done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, translator: Scripted, asked: TranslateWork
) -> tuple[Translation, ...]:
    monkeypatch.setattr(translate.engines, "load", lambda *_: translator)
    return translate.translate(asked, Store(tmp_path))


def test_candidates_that_lose_something_are_dropped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    translator = Scripted("Il pèse 35 kg.", "Il pèse 3,5 g.", "Il pèse 3,5 kg.", "Ça pèse 3,5 kg.")
    (one,) = done(monkeypatch, tmp_path, translator, work("It weighs 3.5 kg."))
    assert one.text == "Il pèse 3,5 kg."
    assert [each.text for each in one.hypotheses] == ["Il pèse 3,5 kg.", "Ça pèse 3,5 kg."]
    assert one.warnings == ()


def test_what_all_candidates_lose_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    translator = Scripted("Il en appelle deux.", "Il appelle.")
    (one,) = done(monkeypatch, tmp_path, translator, work("It calls np.sum(x) with 35 rows."))
    assert one.text == "Il en appelle deux."
    assert one.warnings == ("'np.sum(x)' is lost", "the number 35 is lost")


def test_code_is_kept_though_the_glossary_translates_a_word_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    terms = (Term(source="kernel", target="noyau", keep=False),)
    translator = Scripted("Le noyau est dans kernel.py.", "Le noyau est dans noyau.py.")
    (one,) = done(monkeypatch, tmp_path, translator, work("The kernel is in kernel.py.", terms=terms))
    assert [each.text for each in one.hypotheses] == ["Le noyau est dans kernel.py."]


def test_a_chunk_without_speech_loads_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(translate.engines, "load", None)
    assert translate.translate(work(), Store(tmp_path)) == ()


def test_only_terms_change_the_key_not_how_they_are_said() -> None:
    kernel = Term(source="kernel", target="noyau", keep=False)
    plain, with_term = TRANSLATE.key(work("The kernel")), TRANSLATE.key(work("The kernel", terms=(kernel,)))
    said = Term(source="kernel", target="noyau", keep=False, pronunciation="nwayo")
    assert plain != with_term
    assert with_term == TRANSLATE.key(work("The kernel", terms=(said,)))


@pytest.mark.weights
def test_a_chunk_with_terms_code_numbers_and_a_sentence_cut_in_two(tmp_path: Path) -> None:
    try:
        engines.load("ctranslate2", "en", "fr")
    except MissingWeights as missing:
        pytest.skip(str(missing))
    terms = (
        Term(source="gradient descent", target="descente de gradient", keep=False),
        Term(source="dropout", target="", keep=True),
    )
    asked = work(
        "We train it with gradient", "descent for 25 minutes.", "", "Then call fit(x) with dropout.", terms=terms
    )
    found = translate.translate(asked, Store(tmp_path))
    assert [each.utterance_id for each in found] == ["u0", "u1", "u2", "u3"]
    assert found[2].text == ""
    for each, needed in zip(found, (["descente de gradient"], ["25"], [], ["fit(x)", "dropout"]), strict=True):
        assert each.text == each.hypotheses[0].text
        assert each.warnings == ()
        assert len(each.hypotheses) <= 8
        assert all(word in hypothesis.text for hypothesis in each.hypotheses for word in needed)
