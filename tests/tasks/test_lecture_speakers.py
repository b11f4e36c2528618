"""Who speaks: utterances told apart by voice and face."""

from __future__ import annotations

import dataclasses
import random
import tracemalloc
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_voices import direction, looks, sample, speaks, track, utterance

from manifests.embedding import Embedding
from manifests.records import Appearance, FaceTrack, LectureSpeaker, SpeakingFace, Utterance, VoiceSample
from tasks.speakers import SpeakerSettings, link, speaking_time, tell_apart

SETTINGS = SpeakerSettings()


def told(
    utterances: list[Utterance],
    samples: list[VoiceSample],
    tracks: list[FaceTrack] | None = None,
    appearances: list[Appearance] | None = None,
    speaking: list[SpeakingFace] | None = None,
) -> tuple[LectureSpeaker, ...]:
    shown = tracks or []
    found = speaks(*shown) if speaking is None else speaking
    return tell_apart(utterances, samples, shown, found, appearances or [], SETTINGS)


def talk(*turns: tuple[str, float]) -> tuple[list[Utterance], list[VoiceSample]]:
    """(person, seconds of speech) in turn, 5 s apart; of less than half a second there is no print."""
    utterances = [utterance(f"u{index}", 5.0 * index, seconds) for index, (_, seconds) in enumerate(turns)]
    samples = [
        sample(f"u{index}", person if seconds >= 0.5 else None, speech_s=seconds)
        for index, (person, seconds) in enumerate(turns)
    ]
    return utterances, samples


def grouped(speakers: tuple[LectureSpeaker, ...]) -> list[list[str]]:
    return [list(each.utterance_ids) for each in speakers]


def test_nobody_speaks_where_nothing_is_said() -> None:
    assert told([], []) == ()


def test_two_voices_are_two_speakers_in_the_order_in_which_they_are_heard() -> None:
    speakers = told(*talk(("eve", 4), ("adam", 4), ("eve", 4), ("adam", 4)))
    assert grouped(speakers) == [["u0", "u2"], ["u1", "u3"]]
    assert [each.id for each in speakers] == ["speaker1", "speaker2"]
    assert all(np.linalg.norm(each.embedding) == pytest.approx(1) for each in speakers)


def test_a_monologue_is_one_speaker() -> None:
    assert len(told(*talk(*[("eve", 3)] * 40))) == 1


def test_one_odd_sentence_does_not_become_a_person() -> None:
    utterances, samples = talk(*[("eve", 3)] * 6)
    mean = np.mean([each.embedding for each in samples if each.utterance_id != "u3"], axis=0)
    length = float(np.linalg.norm(mean))
    across = direction("somewhere else")
    across -= (across @ mean) * mean / length**2
    least = SETTINGS.same_voice - SETTINGS.brief_margin / 2  # just under what would join two long groups
    along = least / length
    odd = along * mean / length + np.sqrt(1 - along**2) * across / np.linalg.norm(across)
    samples[3] = dataclasses.replace(samples[3], embedding=Embedding(odd))
    assert len(told(utterances, samples)) == 1
    samples[3] = dataclasses.replace(samples[3], speech_s=SETTINGS.brief_s)
    assert len(told(utterances, samples)) == 2


def test_a_short_word_goes_to_who_speaks_around_it() -> None:
    speakers = told(*talk(("eve", 4), ("eve", 0.3), ("eve", 4), ("adam", 4), ("adam", 0.3), ("adam", 4)))
    assert grouped(speakers) == [["u0", "u1", "u2"], ["u3", "u4", "u5"]]


def test_a_short_word_in_another_voice_goes_to_that_voice() -> None:
    speakers = told(*talk(("eve", 4), ("adam", 1.2), ("eve", 4), ("adam", 4)))
    assert grouped(speakers) == [["u0", "u2"], ["u1", "u3"]]


def test_nothing_but_one_word_utterances() -> None:
    speakers = told(*talk(("eve", 0.3), ("adam", 0.3), ("eve", 0.2)))
    assert grouped(speakers) == [["u0", "u1", "u2"]], "without a print and a face nothing tells them apart"
    assert speakers[0].embedding == ()
    seen = [track("t0", "eve", 0, 4.9), track("t1", "adam", 4.9, 9.9), track("t2", "eve", 9.9, 15)]
    assert grouped(told(*talk(("eve", 0.3), ("adam", 0.3), ("eve", 0.2)), seen)) == [["u0", "u2"], ["u1"]]


def test_utterances_without_any_sample_are_somebodys() -> None:
    utterances, samples = talk(("eve", 4), ("eve", 4), ("eve", 4))
    assert grouped(told(utterances, samples[:1])) == [["u0", "u1", "u2"]]
    assert grouped(told(utterances, [])) == [["u0", "u1", "u2"]]


def test_a_speaker_who_never_shows_a_face_has_none() -> None:
    utterances, samples = talk(("narrator", 4), ("eve", 4), ("narrator", 4))
    speakers = told(utterances, samples, [track("t1", "person0", 5, 9)], [looks("t1", 0.98)])
    assert [each.identity for each in speakers] == [None, "person0"]
    assert [each.gender for each in speakers] == ["male", "unsure"], "120 Hz against a woman's face"


def test_one_face_holds_utterances_together_that_sound_less_alike() -> None:
    utterances, samples = talk(("eve", 4), ("eve with a cold", 4))
    samples = [
        dataclasses.replace(each, embedding=tuple(vector))
        for each, vector in zip(samples, ((1.0, 0.0), (0.6, 0.8)), strict=True)
    ]
    assert len(told(utterances, samples)) == 2
    assert len(told(utterances, samples, [track("t0", "person0", 0, 10)])) == 1


def test_a_voice_over_a_talking_face_is_another_speaker() -> None:
    """Voices contradict clearly what the face says."""
    utterances, samples = talk(("eve", 4), ("narrator", 4), ("eve", 4))
    speakers = told(utterances, samples, [track("t0", "person0", 0, 20)])
    assert grouped(speakers) == [["u0", "u2"], ["u1"]]
    assert [each.identity for each in speakers] == ["person0", None], "the face is that of whom it speaks most with"


def test_two_faces_keep_alike_voices_apart() -> None:
    utterances, samples = talk(("eve", 4), ("eve", 4), ("eve", 4), ("eve", 4))
    twins = [track(f"t{index}", f"person{index % 2}", 5 * index, 5 * index + 4) for index in range(4)]
    close = [
        dataclasses.replace(each, embedding=tuple(vector))
        for each, vector in zip(samples, ((1.0, 0.0), (0.8, 0.6)) * 2, strict=True)
    ]
    assert len(told(utterances, close)) == 1
    assert grouped(told(utterances, close, twins)) == [["u0", "u2"], ["u1", "u3"]]


def test_two_people_at_once_are_one_utterance_of_one_of_them() -> None:
    utterances, samples = talk(("eve", 4), ("adam", 4), ("eve", 4))
    both = np.array(samples[0].embedding) + np.array(samples[1].embedding)
    samples[2] = dataclasses.replace(samples[2], embedding=Embedding(both / np.linalg.norm(both)))
    speakers = told(utterances, samples)
    assert sorted(chain(*grouped(speakers))) == ["u0", "u1", "u2"]
    assert len(speakers) <= 3


def test_a_face_that_could_not_be_embedded_keeps_nobody_apart() -> None:
    utterances, samples = talk(("eve", 4), ("eve", 4))
    shown = [track("t0", "person0", 0, 4), track("t1", "person1", 5, 9)]
    unknown = [dataclasses.replace(each, embedding=(0.0,) * len(each.embedding)) for each in shown]
    assert len(told(utterances, samples, unknown)) == 1


turns = st.lists(
    st.tuples(st.sampled_from(["eve", "adam", "ada"]), st.sampled_from([0.2, 0.8, 2.0, 4.0])), min_size=1, max_size=14
)


@settings(deadline=None, max_examples=60)
@given(turns=turns, shown=st.lists(st.booleans(), min_size=14, max_size=14), seed=st.integers(0, 99))
def test_each_utterance_is_one_speakers_whatever_the_order(
    turns: list[tuple[str, float]], shown: list[bool], seed: int
) -> None:
    utterances, samples = talk(*turns)
    tracks = [
        track(f"t{index}", person, 5.0 * index, 5.0 * index + 5)
        for index, (person, _) in enumerate(turns)
        if shown[index]
    ]
    speakers = told(utterances, samples, tracks, [looks(each.id, 0.9) for each in tracks])
    assert sorted(chain(*grouped(speakers))) == sorted(each.id for each in utterances)
    assert [each.id for each in speakers] == [f"speaker{number}" for number in range(1, len(speakers) + 1)]
    firsts = [min(int(name[1:]) for name in each.utterance_ids) for each in speakers]
    assert firsts == sorted(firsts)
    faces = [each.identity for each in speakers if each.identity is not None]
    assert len(faces) == len(set(faces))
    mixer = random.Random(seed)
    for mixed in (utterances, samples, tracks):
        mixer.shuffle(mixed)
    assert told(utterances, samples, tracks, [looks(each.id, 0.9) for each in tracks]) == speakers


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(0, 12),
    least=st.floats(-0.5, 1),
    seed=st.integers(0, 999),
)
def test_linked_groups_are_as_far_apart_as_asked(count: int, least: float, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    vectors = drawn.normal(size=(count, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = drawn.uniform(0.5, 5, count)
    affinity = vectors @ vectors.T
    groups = link(affinity, weights, least)
    assert sorted(chain(*groups)) == list(range(count))
    for one in range(len(groups)):
        for other in range(one):
            shared = np.outer(weights[groups[one]], weights[groups[other]])
            mean = (affinity[np.ix_(groups[one], groups[other])] * shared).sum() / shared.sum()
            assert mean < least + 1e-9


def test_an_hour_of_utterances_is_told_apart_in_seconds() -> None:
    people = ("eve", "adam", "ada")
    utterances, samples = talk(*[(people[index // 10 % 3], 4.0 if index % 2 else 0.8) for index in range(700)])
    assert len(told(utterances, samples)) == 3


def test_six_hours_are_told_apart_in_little_memory() -> None:
    """The third person is first heard when the others were grouped already, and each must be found in every part."""
    people = [
        ("eve", "adam")[index // 10 % 2] if index < 1500 else ("ada", "eve")[index // 7 % 2] for index in range(3300)
    ]
    utterances, samples = talk(*[(person, 4.0) for person in people])
    tracemalloc.start()
    speakers = told(utterances, samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    said = [{people[int(name[1:])] for name in group} for group in grouped(speakers)]
    assert said == [{"eve"}, {"adam"}, {"ada"}]
    assert peak < 3300**2 * 8  # all pairs once


def test_how_long_each_speaks() -> None:
    utterances, samples = talk(("eve", 4), ("adam", 2), ("eve", 3))
    speakers = told(utterances, samples)
    assert speaking_time(speakers, utterances) == pytest.approx({"speaker1": 7, "speaker2": 2})
