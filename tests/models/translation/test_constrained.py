from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MissingWeights
from manifests.records import Hypothesis
from models.translation import constrained, engines
from models.translation.constrained import lacking, with_case_of
from models.translation.contract import Constraint, Steerable, Translator


def must(sentence: str, words: str, *forms: str) -> Constraint:
    start = sentence.index(words)
    return Constraint(start=start, end=start + len(words), forms=forms or (words,))


class Scripted:
    """Stands in for trained weights: answers by a table, and cannot be led."""

    experimental = False

    def __init__(self, answer: Callable[[str], Sequence[str]], target: str = "fr") -> None:
        self.source, self.target, self.asked = "en", target, list[str]()
        self._answer = answer

    def translate(self, sentences: Sequence[str], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        self.asked += sentences
        return [
            tuple(Hypothesis(text=text, score=-at / 10) for at, text in enumerate(self._answer(each)))[:candidates]
            for each in sentences
        ]


def test_what_the_beam_has_already_costs_nothing_more() -> None:
    translator = Scripted(lambda _: ["Le noyau est petit.", "Le cœur est petit.", "le Noyau est petit."])
    sentence = "The kernel is small."
    (found,) = constrained.translate(translator, [sentence], [[must(sentence, "kernel", "noyau")]], candidates=4)
    assert [each.text for each in found] == ["Le noyau est petit.", "le noyau est petit."]
    assert translator.asked == [sentence]


def test_a_term_is_put_into_the_sentence_where_the_beam_lacks_it() -> None:
    translator = Scripted(lambda text: ["Le noyau est petit."] if "noyau" in text else ["Le cœur est petit."])
    sentence = "The kernel is small."
    (found,) = constrained.translate(translator, [sentence], [[must(sentence, "kernel", "noyau")]], candidates=2)
    assert [each.text for each in found] == ["Le noyau est petit."]
    assert translator.asked[1] == "The noyau is small."


def test_a_name_holds_the_place_where_copying_fails_and_articles_are_tried() -> None:
    def answer(text: str) -> list[str]:
        return [f"Le {text.split()[1]} est petit."] if "XQ1" in text else ["Le cœur est petit."]

    sentence = "The kernel is small."
    wanted = must(sentence, "kernel", "arête")
    (found,) = constrained.translate(Scripted(answer), [sentence], [[wanted]], candidates=4)
    assert {each.text for each in found} == {"L'arête est petit.", "Les arête est petit."}
    kept = must(sentence, "kernel")
    (found,) = constrained.translate(Scripted(answer), [sentence], [[kept]], candidates=4)
    assert [each.text for each in found] == ["Le kernel est petit."]


def test_a_name_that_the_sentence_holds_is_not_used() -> None:
    translator = Scripted(lambda _: ["rien"])
    sentence = "The XQ1 and the kernel"
    constrained.translate(translator, [sentence], [[must(sentence, "kernel", "noyau")]])
    assert not any(each.count("XQ1") > 1 for each in translator.asked)
    assert any("XQ2" in each for each in translator.asked)


def test_where_nothing_helps_the_candidates_that_lack_least_are_given() -> None:
    translator = Scripted(lambda _: ["rien", "un noyau", "encore rien"])
    sentence = "The kernel of NumPy"
    asked = [must(sentence, "kernel", "noyau"), must(sentence, "NumPy")]
    (found,) = constrained.translate(translator, [sentence], [asked], candidates=3)
    assert [each.text for each in found] == ["un noyau"]


def test_sentences_without_terms_pass_as_they_are() -> None:
    translator = Scripted(lambda text: [text.upper(), text])
    assert constrained.translate(translator, ["a", ""], [[], []], candidates=2) == translator.translate(
        ["a", ""], candidates=2
    )
    assert constrained.translate(translator, [], []) == []


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("le noyau", True),
        ("Noyau fermé", True),
        ("Oui. Noyau fermé", True),
        ("« Noyau »", True),
        ("le Noyau", False),
        ("noyaux", False),
        ("l'noyau-ci", True),
        ("", False),
    ],
)
def test_a_form_is_held_letter_by_letter_as_a_whole_word(text: str, holds: bool) -> None:
    assert (not lacking(text, [must("kernel", "kernel", "noyau")])) == holds


def test_each_term_needs_words_of_its_own() -> None:
    sentence = "the kernel and the kernel trick"
    kernel, trick = must(sentence, "kernel", "noyau"), must(sentence, "kernel trick", "astuce du noyau")
    assert lacking("l'astuce du noyau", [kernel, trick]) == (kernel,)
    assert lacking("le noyau et l'astuce du noyau", [kernel, trick]) == ()
    assert lacking("le noyau", [kernel, kernel]) == (kernel,)


def test_letter_case_hyphens_and_spaces_are_mended() -> None:
    sentence = "softmax, k means, NumPy"
    asked = [must(sentence, "softmax"), must(sentence, "k means", "k-moyennes"), must(sentence, "NumPy")]
    assert with_case_of("Softmax et le SoftMax, K moyennes, numpy", asked) == "Softmax et le softmax, k-moyennes, NumPy"


@given(st.text("ab .'-", max_size=12), st.text("ab .'-", max_size=12), st.sampled_from(["ab", "a b", "a.b()", "é-ab"]))
def test_what_holds_a_form_between_spaces_never_lacks_it(before: str, after: str, form: str) -> None:
    text = f"{before} {form} {after}"
    constraint = Constraint(start=0, end=1, forms=(form,))
    assert lacking(text, [constraint]) == ()
    assert not lacking(with_case_of(text, [constraint]), [constraint])


def test_a_constraint_without_place_or_form_is_a_mistake() -> None:
    for wrong in ({"start": 1, "end": 1, "forms": ("a",)}, {"start": 0, "end": 1, "forms": ()}):
        with pytest.raises(ValueError, match="place and forms"):
            Constraint(**wrong)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def marian() -> Translator:
    try:
        return engines.load("ctranslate2", "en", "fr")
    except MissingWeights as missing:
        pytest.skip(str(missing))


@pytest.mark.weights
def test_a_score_is_the_decoders_own_and_what_goes_on_begins_as_told(marian: Translator) -> None:
    assert isinstance(marian, Steerable)
    sentence = "The program ended with an error."
    (beam,) = marian.translate([sentence], candidates=3)
    scores = marian.score([(sentence, each.text) for each in beam])
    assert scores == pytest.approx([each.score for each in beam], abs=0.02)
    (continued,) = marian.go_on([(sentence, "Le logiciel")], candidates=2)
    assert all(each.text.startswith("Le logiciel") and len(each.text) > 15 for each in continued)
    assert marian.score([]) == []
    assert marian.go_on([]) == []


@pytest.mark.weights
@pytest.mark.parametrize(
    ("sentence", "words", "forms", "expected"),
    [
        # Copied into the sentence, which agrees with it.
        ("The eigenvalue is real and small.", "eigenvalue", ("arête",), "L'arête est réelle et petite."),
        # English leaves the article out.
        (
            "Gradient descent is slow.",
            "Gradient descent",
            ("descente de gradient",),
            "La descente de gradient est lente.",
        ),
        # Kept: no network knows it for a noun.
        ("We use dropout in every layer.", "dropout", ("dropout",), "le dropout"),
        ("Run main_loop.py twice.", "main_loop.py", ("main_loop.py",), "main_loop.py deux fois"),
    ],
)
def test_french_agrees_with_the_term(
    marian: Translator, sentence: str, words: str, forms: tuple[str, ...], expected: str
) -> None:
    constraint = must(sentence, words, *forms)
    (found,) = constrained.translate(marian, [sentence], [[constraint]], candidates=4)
    assert expected in found[0].text
    assert all(not lacking(each.text, [constraint]) for each in found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
