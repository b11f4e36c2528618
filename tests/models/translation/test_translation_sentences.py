from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from manifests.records import Hypothesis
from models.translation.sentences import has_words, is_loop, joined, normalise, split_to_fit, unique

letters = st.text(alphabet="ab ,.;!\t\n’…é", max_size=120)
hypotheses = st.lists(
    st.builds(Hypothesis, text=st.sampled_from(["a", "b", "c", ""]), score=st.floats(-9, 0)), min_size=1, max_size=6
)


@given(letters, st.integers(1, 20))
def test_parts_fit_and_give_the_sentence_back(sentence: str, longest: int) -> None:
    parts = split_to_fit(sentence, lambda part: len(part) <= longest)
    assert all(0 < len(part) <= longest for part in parts)
    assert "".join("".join(parts).split()) == "".join(sentence.split())


def test_a_long_sentence_is_cut_at_a_clause_near_its_middle_not_inside_one() -> None:
    sentence = "When the water boils we lower the heat, and the bubbles that rose before, one by one, come to rest"
    first, second = split_to_fit(sentence, lambda part: len(part) < 70)
    assert first == "When the water boils we lower the heat,"
    assert second.startswith("and the bubbles")


def test_a_sentence_end_inside_is_preferred_to_a_comma() -> None:
    sentence = "He asks, then he waits. She answers, then she leaves the room"
    assert split_to_fit(sentence, lambda part: len(part) < 50)[0] == "He asks, then he waits."


def test_a_word_without_spaces_is_cut_all_the_same() -> None:
    assert split_to_fit("a" * 10, lambda part: len(part) <= 3) == ["aa", "aaa", "aa", "aaa"]


@given(st.text(max_size=60))
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()
    assert "  " not in once


def test_typography_becomes_what_the_corpora_hold() -> None:
    assert normalise("  it’s\u00a0“so”\x00 e\u0301…\n") == 'it\'s "so" é...'


def test_numbers_are_words_and_marks_are_not() -> None:
    assert has_words("42")
    assert has_words("的")
    assert not has_words("— … !")
    assert not has_words("  ")


def test_loops_are_seen_but_not_what_the_speaker_repeats() -> None:
    assert is_loop("le nombre de le nombre de le nombre de le nombre de", "the number")
    assert is_loop("hahahahahahahahahaha", "laughter")
    assert not is_loop("non, non, non, non", "no, no, no, no")
    assert not is_loop("très très grand, et très beau", "very very big, and very beautiful")


@given(hypotheses, st.integers(1, 5))
def test_unique_keeps_the_best_of_each_text_in_order(given_: list[Hypothesis], candidates: int) -> None:
    kept = unique(given_, candidates)
    assert 1 <= len(kept) <= candidates
    assert len({each.text for each in kept}) == len(kept)
    assert [each.score for each in kept] == sorted((each.score for each in kept), reverse=True)
    assert kept[0].score == max(each.score for each in given_)
    for each in kept:
        assert each.score == max(other.score for other in given_ if other.text == each.text)


@given(st.lists(hypotheses, min_size=1, max_size=4), st.integers(1, 5))
def test_joined_parts_are_ranked_candidates_whose_score_lies_among_the_parts(
    parts: list[list[Hypothesis]], candidates: int
) -> None:
    whole = joined(parts, candidates)
    assert 1 <= len(whole) <= candidates
    assert len({each.text for each in whole}) == len(whole)
    scores = [each.score for part in parts for each in part]
    assert all(min(scores) - 1e-9 <= each.score <= max(scores) + 1e-9 for each in whole)


def test_a_part_with_fewer_candidates_gives_its_last() -> None:
    long = [Hypothesis(text="a", score=-1.0), Hypothesis(text="b", score=-2.0)]
    short = [Hypothesis(text="c", score=-1.0)]
    assert [each.text for each in joined([long, short], 4)] == ["a c", "b c"]
