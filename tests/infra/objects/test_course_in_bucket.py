"""A course whose table lies in a bucket of a real S3 server: lectures that run at one time lose nobody's rows."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tasks"))
from fault_proxy import FaultProxy, lost_answer
from made_up_voices import speaker

from infra.objects.uri import ObjectUri
from infra.objects.writing import upload_bytes
from manifests.errors import BadInput
from manifests.records import Casting, LectureSpeaker
from tasks.casting import cast
from tasks.course import CourseSettings, cast_in_course
from tasks.course_table import COURSE_FILE, read_course


def enter(
    place: ObjectUri, video_id: str, people: list[LectureSpeaker], meanwhile: Callable[[], object] = lambda: None
) -> dict[str, str]:
    """Cast a lecture; `meanwhile` happens between reading and writing the table. Speaker -> voice."""

    def decide(language: str, course: Mapping[str, str]) -> tuple[Casting, ...]:
        meanwhile()
        return cast(people, language, spoken_s={}, course=course, pins={}, unavailable=lambda voice: None)

    return {
        each.speaker_id: each.voice_id
        for each in cast_in_course(place, video_id, people, {}, ["fr"], decide, CourseSettings())
    }


def test_who_comes_second_knows_whom_the_first_has_entered(bucket: ObjectUri) -> None:
    place, entered = bucket.child(COURSE_FILE), []

    def another_enters() -> None:
        if not entered:
            entered.append(None)
            entered.append(enter(place, "two", [speaker("speaker1", "eve", take="b")]))

    mine = enter(place, "one", [speaker("speaker1", "eve"), speaker("speaker2", "adam")], another_enters)
    rows = read_course(place)
    assert [(row.video_id, row.lecture, row.person_id) for row in rows] == [
        ("two", 1, "person1"),
        ("one", 2, "person1"),
        ("one", 2, "person2"),
    ]
    assert entered[1] == {"speaker1": mine["speaker1"]}, "eve has one voice, whoever came first"


def test_many_at_one_time_lose_nobody(bucket: ObjectUri) -> None:
    place, start = bucket.child(COURSE_FILE), threading.Barrier(6)

    def lecture(number: int) -> None:
        start.wait()
        enter(place, f"lecture {number}", [speaker("speaker1", "eve", take=str(number))])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lecture, range(6)))
    rows = read_course(place)
    assert sorted(row.lecture for row in rows) == [1, 2, 3, 4, 5, 6]
    assert len({(row.person_id, row.voice_id) for row in rows}) == 1


def test_a_lecture_entered_again_writes_nothing(bucket: ObjectUri, proxy: FaultProxy) -> None:
    place, people = bucket.child(COURSE_FILE), [speaker("speaker1", "eve")]
    proxy.fault(lost_answer(), method="PUT")
    first = enter(place, "one", people)
    proxy.clear()
    assert enter(place, "one", people) == first
    assert proxy.count("PUT", COURSE_FILE) == 0


def test_an_object_that_is_no_course_is_told_and_left(bucket: ObjectUri) -> None:
    place = bucket.child(COURSE_FILE)
    before = upload_bytes(b"nothing of the kind", place)
    with pytest.raises(BadInput, match=COURSE_FILE):
        enter(place, "one", [speaker("speaker1", "eve")])
    from infra.objects.reading import head

    assert head(place).etag == before.etag
