from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.translation.agreement import ARTICLES, definite, plurals, variants


@pytest.mark.parametrize(
    ("noun", "language", "expected"),
    [
        ("matrix", "en", "matrices"),
        ("index", "en", "indices"),
        ("basis", "en", "bases"),
        ("library", "en", "libraries"),
        ("loss function", "en", "loss functions"),
        ("valeur propre", "fr", "valeurs propres"),
        ("descente de gradient", "fr", "descentes de gradient"),
        ("fonction d'activation", "fr", "fonctions d'activation"),
        ("réseau de neurones", "fr", "réseaux de neurones"),
        ("canal", "fr", "canaux"),
        ("processus", "fr", "processus"),
        ("función de pérdida", "es", "funciones de pérdida"),
        ("valor propio", "es", "valores propios"),
        ("autovalore", "it", "autovalori"),
        ("Eigenwert", "de", "Eigenwerte"),
    ],
)
def test_the_first_plural_offered_is_the_usual_one(noun: str, language: str, expected: str) -> None:
    assert plurals(noun, language)[0] == expected


def test_nothing_is_made_up_for_a_language_without_rules() -> None:
    assert plurals("نواة", "ar") == ()
    assert variants("في ", "نواة", "ar") == ("في ",)
    assert definite("", "نواة", "ar") == ()


@pytest.mark.parametrize(
    ("before", "term", "expected"),
    [
        ("Le ", "arête", {"L'", "Les "}),
        ("L'", "noyau", {"Le ", "La ", "Les "}),
        ("taille de la ", "arête", {"taille de l'", "taille des "}),
        ("Il vient du ", "entropie", {"Il vient de l'", "Il vient des "}),
        ("beaucoup de ", "arêtes", {"beaucoup d'"}),
        ("Ce ", "arbre", {"Cet ", "Cette ", "Ces "}),
        ("le ", "hachage", {"le ", "la ", "l'", "les "}),
        ("nous utilisons ", "dropout", {"nous utilisons "}),
        ("modèle ", "noyau", {"modèle "}),
        ("", "noyau", {""}),
    ],
)
def test_articles_before_a_french_term(before: str, term: str, expected: set[str]) -> None:
    assert set(variants(before, term, "fr")) == expected


def test_a_definite_article_starts_a_sentence_with_a_capital() -> None:
    assert definite("", "noyau", "fr") == ("Le ", "La ", "Les ")
    assert definite("nous utilisons ", "entropie", "fr") == ("nous utilisons l'", "nous utilisons les ")
    assert definite("", "núcleo", "es")[0] == "El "


articles = st.sampled_from(
    [(language, each) for language in ARTICLES for group in ARTICLES[language] for each in group]
)


@given(articles, st.sampled_from(["noyau", "arête", "hash", "Eigenwert"]), st.booleans())
def test_variants_keep_what_stands_before_the_article(given_: tuple[str, str], term: str, start: bool) -> None:
    language, article = given_
    head = "" if start else "sagt x, "
    before = head + article + ("" if article.endswith("'") else " ")
    found = variants(before, term, language)
    assert found
    assert all(each.startswith(head) and (each.endswith(("'", " "))) for each in found)
    assert len(set(found)) == len(found)
