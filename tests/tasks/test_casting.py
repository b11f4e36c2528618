"""Which voice each speaker has: pinned, as in the course, or chosen."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_voices import speaker

from manifests.errors import BadInput, MissingWeights
from manifests.records import Casting, LectureSpeaker
from models.speech import voices
from models.speech.contract import AgeBand, Gender, Voice
from tasks.casting import cast, check_pins

FEMALE, MALE = "female", "male"


def everything(voice: Voice) -> str | None:
    return None


def only(*ids: str) -> object:
    return lambda voice: None if voice.id in ids else "pull it"


def voices_of(
    speakers: list[LectureSpeaker],
    spoken_s: dict[str, float] | None = None,
    *,
    language: str = "fr",
    course: dict[str, str] | None = None,
    pins: dict[str, str] | None = None,
    unavailable: object = everything,
) -> dict[str, Casting]:
    castings = cast(
        speakers,
        language,
        spoken_s=spoken_s or {},
        course=course or {},
        pins=pins or {},
        unavailable=unavailable,  # type: ignore[arg-type]
    )
    assert [each.speaker_id for each in castings] == [each.id for each in speakers]
    return {each.speaker_id: each for each in castings}


def test_nobody_needs_no_voice() -> None:
    assert voices_of([]) == {}


def test_each_has_a_voice_of_their_gender_and_nobody_elses() -> None:
    people = [speaker(f"speaker{n}", f"p{n}", gender=FEMALE if n % 2 else MALE) for n in range(1, 6)]
    found = voices_of(people)
    assert len({each.voice_id for each in found.values()}) == 5
    for each in people:
        assert voices.find(found[each.id].voice_id).gender.value == each.gender
        assert found[each.id].why == "chosen"


def test_the_native_voice_goes_to_the_woman_who_speaks_most() -> None:
    people = [speaker("speaker1", "eve", gender=FEMALE), speaker("speaker2", "ada", gender=FEMALE)]
    assert voices_of(people, {"speaker1": 10, "speaker2": 600})["speaker2"].voice_id == "fr-kokoro-ff-siwis"


def test_who_is_of_no_sure_gender_takes_the_best_that_is_left() -> None:
    people = [speaker("speaker1", "x"), speaker("speaker2", "eve", gender=FEMALE)]
    found = voices_of(people, {"speaker1": 600, "speaker2": 10})
    assert found["speaker2"].voice_id == "fr-kokoro-ff-siwis"
    assert found["speaker1"].voice_id == voices.voices_for("fr")[1].id
    assert voices_of(people[:1])["speaker1"].voice_id == "fr-kokoro-ff-siwis"


def test_a_child_of_no_sure_gender_has_a_womans_voice_where_there_are_no_childrens() -> None:
    found = voices_of([speaker("speaker1", "kid", age="child"), speaker("speaker2", "eve", gender=FEMALE)])
    assert voices.find(found["speaker1"].voice_id).gender is Gender.FEMALE
    assert found["speaker1"].voice_id != found["speaker2"].voice_id


def test_the_right_age_comes_before_the_better_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Voice(
        id="fr-old", language="fr", gender=Gender.MALE, age=AgeBand.SENIOR, engine="kokoro", name="o", sample_rate=1
    )
    table = (*voices.VOICES, old)
    monkeypatch.setattr(voices, "VOICES", table)
    monkeypatch.setattr(voices, "_BY_ID", {each.id: each for each in table})
    found = voices_of(
        [
            speaker("speaker1", "adam", gender=MALE, age="senior"),
            speaker("speaker2", "bob", gender=MALE, age="unsure"),
            speaker("speaker3", "eve", gender=FEMALE, age="senior"),
        ]
    )
    assert found["speaker1"].voice_id == "fr-old"
    assert found["speaker2"].voice_id == "fr-kokoro-em-alex"
    assert found["speaker3"].voice_id == "fr-kokoro-ff-siwis", "the right gender goes before the right age"


def test_more_men_than_voices_share_men_s_voices_evenly() -> None:
    people = [speaker(f"speaker{n}", f"p{n}", gender=MALE) for n in range(1, 9)]
    used = Counter(each.voice_id for each in voices_of(people).values())
    assert all(voices.find(name).gender is Gender.MALE for name in used)
    assert max(used.values()) - min(used.values()) <= 1


def test_a_pin_goes_before_the_course_and_the_course_before_a_choice() -> None:
    people = [speaker(f"speaker{n}", f"p{n}", gender=FEMALE) for n in (1, 2, 3)]
    found = voices_of(
        people,
        course={"speaker1": "fr-kokoro-ff-siwis", "speaker2": "fr-kokoro-if-sara"},
        pins={"speaker1": "fr-kokoro-em-alex", "speaker2": "de-kokoro-if-sara"},
    )
    assert (found["speaker1"].voice_id, found["speaker1"].why) == ("fr-kokoro-em-alex", "pinned")
    assert (found["speaker2"].voice_id, found["speaker2"].why) == ("fr-kokoro-if-sara", "course")
    assert (found["speaker3"].voice_id, found["speaker3"].why) == ("fr-kokoro-ff-siwis", "chosen")


@pytest.mark.parametrize("gone", ["fr-kokoro-no-more", "de-kokoro-if-sara", "fr-piper-siwis"])
def test_a_voice_of_the_course_that_cannot_speak_here_is_chosen_anew(gone: str) -> None:
    found = voices_of(
        [speaker("speaker1", "eve", gender=FEMALE)],
        course={"speaker1": gone},
        unavailable=only("fr-kokoro-ff-siwis", "fr-kokoro-em-alex"),
    )
    assert found["speaker1"] == Casting(
        speaker_id="speaker1", language="fr", voice_id="fr-kokoro-ff-siwis", why="chosen"
    )


def test_bad_pins_are_told() -> None:
    people = [speaker("speaker1", "eve")]
    with pytest.raises(BadInput, match="no voice is called"):
        voices_of(people, pins={"speaker1": "fr-kokoro-nobody"})
    with pytest.raises(BadInput, match="there are: speaker1"):
        voices_of(people, pins={"speaker7": "fr-kokoro-ff-siwis"})
    with pytest.raises(MissingWeights, match="pull it"):
        voices_of(people, pins={"speaker1": "fr-piper-siwis"}, unavailable=only())
    with pytest.raises(BadInput, match=r"speaks de; voices that fit: fr-kokoro-ff-siwis"):
        check_pins({"speaker1": "de-kokoro-if-sara"}, ["fr"])
    check_pins({"speaker1": "de-kokoro-if-sara"}, ["fr", "de"])


def test_a_language_without_a_voice_is_told() -> None:
    with pytest.raises(BadInput, match="no voice speaks"):
        voices_of([speaker("speaker1", "eve")], language="xx")
    with pytest.raises(MissingWeights):
        voices_of([speaker("speaker1", "eve")], unavailable=only())


@given(
    genders=st.lists(st.sampled_from([FEMALE, MALE, "unsure"]), max_size=6),
    lengths=st.lists(st.floats(0, 1000), min_size=6, max_size=6),
)
def test_distinct_while_voices_last_and_of_the_right_gender(genders: list[str], lengths: list[float]) -> None:
    people = [speaker(f"speaker{n}", f"p{n}", gender=gender) for n, gender in enumerate(genders, 1)]
    found = voices_of(people, {each.id: length for each, length in zip(people, lengths, strict=False)})
    for each in people:
        if each.gender != "unsure":
            assert voices.find(found[each.id].voice_id).gender.value == each.gender
    if max(Counter(genders).values(), default=0) <= 3:
        assert len({each.voice_id for each in found.values()}) == len(people)
