from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import BadInput
from manifests.keys import fingerprint
from manifests.records import Utterance
from manifests.time import Span
from models.speech.contract import Pronunciation
from tasks import glossary
from tasks.glossary import Term, constraints, occurrences, read_glossary, sentences, terms_in

HEADER = "source,target,keep,pronunciation,language,note\n"


def term(source: str, target: str = "", pronunciation: str = "") -> Term:
    return Term(source=source, target=target, keep=not target, pronunciation=pronunciation)


def said(*texts: str) -> tuple[Utterance, ...]:
    return tuple(
        Utterance(id=f"u{at}", chunk_id="c", span=Span(at, at + 1), text=text, words=(), language="en")
        for at, text in enumerate(texts)
    )


def sheet(tmp_path: Path, rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "terms.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def found(text: str, *terms: Term) -> list[str]:
    return [text[each.start : each.end] for each in occurrences(text, terms, "en")]


def test_rows_become_terms_and_a_row_for_the_language_wins(tmp_path: Path) -> None:
    rows = (
        "kernel,noyau,,,fr,\n"
        "Kernel,Kern,no,,de,\n"
        "kernel,kernel function,,,,for all others\n"
        "NumPy,,yes,/numpaj/,,\n"
        "softmax,,X,soft max,,\n"
        "kernel,noyau,,,FR,said twice\n"
    )
    path = sheet(tmp_path, rows)
    numpy, softmax = term("NumPy", "", "/numpaj/"), term("softmax", "", "soft max")
    assert read_glossary(path, "fr") == (term("kernel", "noyau"), numpy, softmax)
    assert read_glossary(path, "es") == (term("kernel", "kernel function"), numpy, softmax)


def test_the_issues_own_column_names_are_read(tmp_path: Path) -> None:
    path = sheet(tmp_path, "NumPy;;yes;\n", header="Source;Target;keep-as-is;Pronunciation\n")
    assert read_glossary(path, "fr") == (term("NumPy"),)


@pytest.mark.parametrize(
    ("row", "column", "told"),
    [
        (",noyau,,,,", "source", "missing"),
        ("...,noyau,,,,", "source", "missing"),
        ("kernel,noyau,yes,,,", "target", "kept and to become 'noyau'"),
        ("kernel,,,,,", "target", "nothing says what 'kernel' becomes"),
        ("kernel,--,,,,", "target", "no letter"),
        ("kernel,,maybe,,,", "keep", "neither yes nor no"),
        ("known,,yes,,,", "target", "another target in row 2"),
        ("Known,bekannt,,,,", "target", "another target in row 2"),
        ("known,connu,,/kɔny/,,", "pronunciation", "another pronunciation in row 2"),
        ("kernel,noyau,,,klingon,", "language", "unknown language 'klingon'"),
        ("kernel,noyau,,/nwajo,,", "pronunciation", "ends in a slash"),
        ("kernel,noyau,,nwajo/,,", "pronunciation", "begins with a slash"),
        ("kernel,noyau,,/n4/,,", "pronunciation", "'4' is no sound"),
        ("kernel,noyau,,?!,,", "pronunciation", "letters to speak"),
        (f"{'kernel ' * 20},noyau,,,,", "source", "too long"),
        ('"ker\nnel",noyau,,,,', "source", "U+000A"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_row_and_column(tmp_path: Path, row: str, column: str, told: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_glossary(sheet(tmp_path, f"known,connu,,,,\n{row}\n"), "fr")
    assert raised.value.where.endswith(f"terms.csv, row 3, column {column}")
    assert told in str(raised.value)
    assert raised.value.remedy


def test_a_mistake_in_a_row_for_another_language_is_not_left_for_later(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="row 2, column target"):
        read_glossary(sheet(tmp_path, "kernel,,,,de,\n"), "fr")
    with pytest.raises(BadInput, match="column target is missing"):
        read_glossary(sheet(tmp_path, "kernel\n", header="source\n"), "fr")


def test_terms_are_whole_words_the_longest_first() -> None:
    kernel, trick = term("kernel", "noyau"), term("kernel trick", "astuce du noyau")
    assert found("The kernel trick needs a kernel, not a subkernel.", kernel, trick) == ["kernel trick", "kernel"]
    assert found("Gradient-descent, gradient descent", term("gradient descent", "x")) == [
        "Gradient-descent",
        "gradient descent",
    ]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("eigenvalue", "Eigenvalues and the eigenvalue's sign", ["Eigenvalues", "eigenvalue"]),
        ("matrix", "matrices and matrix", ["matrices", "matrix"]),
        ("library", "two libraries", ["libraries"]),
        ("basis", "bases", ["bases"]),
        ("loss", "losses, and the loss' sign", ["losses", "loss"]),
        ("GPU", "GPUs, a GPU and a gpu", ["GPUs", "GPU"]),
        ("R", "R and r", ["R"]),
        ("C++", "C++ is not C", ["C++"]),
        ("Bayes' rule", "by Bayes' rule", ["Bayes' rule"]),
        ("softmax", "Softmax, SOFTMAX", ["Softmax", "SOFTMAX"]),
    ],
)
def test_plurals_possessives_and_case(source: str, text: str, expected: list[str]) -> None:
    assert found(text, term(source, "x")) == expected


def test_a_plural_asks_for_a_plural_and_what_is_kept_for_itself() -> None:
    text = "Eigenvalues of a pull request, GPUs and pull requests"
    asked = constraints(text, [term("eigenvalue", "valeur propre"), term("pull request"), term("GPU")], "en", "fr")
    assert [each.forms for each in asked] == [
        ("valeurs propres",),
        ("pull request",),
        ("GPUs", "GPU"),
        ("pull requests", "pull request"),
    ]


words = st.lists(
    st.sampled_from(["kernel", "kernels", "trick", "the", "GPU", "gpu", "a-kernel", "kernel's"]), max_size=9
)


@given(words)
def test_places_are_in_order_apart_and_hold_their_term(said_words: list[str]) -> None:
    text = " ".join(said_words)
    places = occurrences(text, [term("kernel", "x"), term("kernel trick", "y"), term("GPU", "z")], "en")
    assert all(one.end <= other.start for one, other in pairwise(places))
    for each in places:
        assert text[each.start : each.end].casefold().startswith(each.term.source.casefold())
        assert each.plural == text[each.start : each.end].endswith("s")


def test_a_term_that_a_pause_cuts_goes_to_the_utterance_that_says_more_of_it() -> None:
    terms = [term("gradient descent", "descente de gradient"), term("singular value decomposition", "x")]
    assert sentences(said("We minimise it with gradient", "descent, which is slow."), terms) == (
        "We minimise it with gradient descent",
        "which is slow.",
    )
    assert sentences(said("And the singular", "value decomposition exists."), terms) == (
        "And the",
        "singular value decomposition exists.",
    )
    # Neither is left without a word, and where a sentence ends no term goes on.
    assert sentences(said("gradient", "descent is slow"), terms) == ("gradient descent", "is slow")
    assert sentences(said("We use gradient", "descent."), terms) == ("We use", "gradient descent.")
    assert sentences(said("gradient", "descent."), terms) == ("gradient", "descent.")
    assert sentences(said("We saw the gradient.", "Descent is another word."), terms) == (
        "We saw the gradient.",
        "Descent is another word.",
    )


def test_only_the_terms_that_are_said_enter_a_chunks_work_in_one_order() -> None:
    one, two, three = term("kernel", "noyau"), term("gradient descent", "x"), term("rank", "rang")
    utterances = said("We use gradient", "descent on the kernels")
    assert terms_in(utterances, [one, two, three]) == terms_in(utterances, [two, three, one]) == (two, one)
    assert terms_in((), [one]) == ()


def test_how_a_term_is_said_is_nothing_to_its_translation() -> None:
    assert fingerprint(term("NumPy", "", "/numpaj/")) == fingerprint(term("NumPy"))
    assert fingerprint(term("NumPy", "x")) != fingerprint(term("NumPy"))


def test_pronunciations_are_of_what_stands_in_the_translation() -> None:
    terms = [
        term("rank", "rang", "ran"),
        term("NumPy", "", "/numpaj/"),
        term("kernel", "noyau"),
        term("a", "canal", "k"),
    ]
    assert glossary.pronunciations(terms, "fr") == (
        Pronunciation(term="rang", spoken="ran"),
        Pronunciation(term="rangs", spoken="ran"),
        Pronunciation(term="NumPy", spoken="/numpaj/"),
        Pronunciation(term="NumPys", spoken="/numpaj/"),
        Pronunciation(term="canal", spoken="k"),
        Pronunciation(term="canals", spoken="k"),
    )
    assert len(glossary.pronunciations(terms, "de")) == 3
