"""Gender and age of a voice, from face and pitch; "unsure" where they do not say enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_voices import looks, sample

from manifests.records import Appearance
from tasks.voice_character import Character, CharacterSettings, Glimpse, child_by_pitch, judge, pitch_odds, pitch_of

SETTINGS = CharacterSettings()


def judged(
    *seen: Appearance, pitch_hz: float | None = None, voiced_s: float = 3.0, shown_share: float = 1.0
) -> Character:
    samples = (sample("u", None, pitch_hz=pitch_hz, voiced_s=voiced_s),)
    return judge(Glimpse(looks=seen, shown_share=shown_share if seen else 0.0, samples=samples), SETTINGS)


@pytest.mark.parametrize(
    ("pitch_hz", "gender"),
    [(85, "male"), (120, "male"), (135, "male"), (159, "unsure"), (180, "female"), (230, "female")],
)
def test_a_voice_alone(pitch_hz: float, gender: str) -> None:
    assert judged(pitch_hz=pitch_hz).gender == gender


def test_a_child_like_pitch_alone_is_a_childs_and_of_no_sure_gender() -> None:
    found = judged(pitch_hz=340)
    assert found.age == "child"
    assert found.gender == "unsure"


def test_a_low_voice_says_nothing_of_age() -> None:
    assert judged(pitch_hz=95).age == "unsure"


def test_nothing_known_is_unsure() -> None:
    found = judged()
    assert (found.gender, found.age, found.female) == ("unsure", "unsure", 0.5)
    assert found.evidence == "no face; no pitch"


def test_the_face_decides_where_the_pitch_is_between() -> None:
    assert judged(looks("t", 0.99), pitch_hz=158).gender == "female"
    assert judged(looks("t", 0.02), pitch_hz=158).gender == "male"


def test_a_face_against_the_voice_is_unsure() -> None:
    assert judged(looks("t", 0.99), pitch_hz=105).gender == "unsure"
    assert judged(looks("t", 0.01), pitch_hz=220).gender == "unsure"


def test_a_face_that_hardly_shows_gives_way_to_the_voice() -> None:
    assert judged(looks("t", 0.99), pitch_hz=105, shown_share=0.03).gender == "male"


def test_one_bad_track_and_one_bad_frame_do_not_matter() -> None:
    assert judged(looks("a", 0.98), looks("b", 0.97), looks("c", 0.01, frame_count=2)).gender == "female"
    assert judged(looks("a", 0.98, frame_count=1)).gender in {"female", "unsure"}


def test_two_utterances_count_as_what_lies_between() -> None:
    two = (sample("u0", None, pitch_hz=140, voiced_s=1), sample("u1", None, pitch_hz=170, voiced_s=1))
    assert pitch_of(two) == (pytest.approx(155), 2)
    assert pitch_of((*two, sample("u2", None, pitch_hz=480, voiced_s=0.2)))[0] == pytest.approx(158, abs=1)
    assert pitch_of((sample("u", None, pitch_hz=None),)) == (None, 0)


@pytest.mark.parametrize(
    ("age_years", "age"), [(7, "child"), (13, "unsure"), (25, "adult"), (45, "adult"), (61, "unsure"), (72, "senior")]
)
def test_the_face_tells_the_age(age_years: float, age: str) -> None:
    assert judged(looks("t", 0.9, age_years), pitch_hz=210).age == age


@given(st.floats(60, 500), st.floats(0, 600), st.floats(0, 1), st.floats(0, 80), st.integers(0, 12), st.floats(0, 1))
def test_gender_follows_the_probability(
    pitch_hz: float, voiced_s: float, female: float, age_years: float, frames: int, shown: float
) -> None:
    found = judged(looks("t", female, age_years, frames), pitch_hz=pitch_hz, voiced_s=voiced_s, shown_share=shown)
    assert 0 < found.female < 1
    wanted = "female" if found.female >= 0.85 else "male" if found.female <= 0.15 else "unsure"
    assert found.gender == wanted or found.female == pytest.approx(0.15)


@given(st.floats(60, 195), st.floats(0.1, 100))
def test_a_higher_voice_is_more_likely_a_womans(pitch_hz: float, voiced_s: float) -> None:
    """Up to a woman's usual pitch; beyond it children make it less sure."""
    assert pitch_odds(pitch_hz + 5, voiced_s, 99) >= pitch_odds(pitch_hz, voiced_s, 99) - 0.2
    assert child_by_pitch(pitch_hz, voiced_s) < 0.5
