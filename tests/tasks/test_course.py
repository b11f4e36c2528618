"""A course: its people keep their voices from lecture to lecture, whoever runs when."""

from __future__ import annotations

import dataclasses
import multiprocessing
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_voices import course_voice, direction, speaker, track

from manifests.errors import BadInput
from manifests.records import Casting, CourseVoice, LectureSpeaker
from manifests.tables import read_table, write_table
from tasks.casting import cast
from tasks.course import CourseSettings, cast_in_course, entered, face_prints, recognise, voices_before
from tasks.course_table import COURSE_FILE, read_course

SETTINGS = CourseSettings()
PEOPLE = st.lists(st.sampled_from(["eve", "adam", "ada"]), min_size=1, max_size=3, unique=True)


def run(
    path: Path,
    video_id: str,
    speakers: list[LectureSpeaker],
    *,
    pins: dict[str, str] | None = None,
    languages: tuple[str, ...] = ("fr",),
    faces: dict[str, tuple[float, ...]] | None = None,
) -> dict[tuple[str, str], Casting]:
    """Cast a lecture in the course, every voice being there; by speaker and language."""

    def decide(language: str, course: Mapping[str, str]) -> tuple[Casting, ...]:
        return cast(speakers, language, spoken_s={}, course=course, pins=pins or {}, unavailable=lambda voice: None)

    castings = cast_in_course(path, video_id, speakers, faces or {}, languages, decide, SETTINGS)
    return {(each.speaker_id, each.language): each for each in castings}


def test_a_person_keeps_the_voice_in_the_next_lecture(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    first = run(path, "one", [speaker("speaker1", "eve", gender="female"), speaker("speaker2", "ada", gender="female")])
    second = run(
        path,
        "two",
        [
            speaker("speaker1", "adam", gender="male", take="b"),
            speaker("speaker2", "ada", gender="female", take="b"),
            speaker("speaker3", "eve", gender="unsure", take="b"),
        ],
    )
    assert second["speaker2", "fr"].voice_id == first["speaker2", "fr"].voice_id
    assert second["speaker3", "fr"].voice_id == first["speaker1", "fr"].voice_id
    assert [second[f"speaker{n}", "fr"].why for n in (1, 2, 3)] == ["chosen", "course", "course"]
    rows = read_course(path)
    assert [(row.person_id, row.lecture) for row in rows] == [
        ("person1", 1),
        ("person2", 1),
        ("person1", 2),
        ("person2", 2),
        ("person3", 2),
    ]


def test_a_lecture_run_twice_leaves_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    people = [speaker("speaker1", "eve", gender="female"), speaker("speaker2", "adam", gender="male")]
    run(path, "one", people, languages=("fr", "de"))
    run(path, "two", [speaker("speaker1", "adam", gender="male", take="b")])
    before = path.read_bytes()
    again = run(path, "one", people, languages=("fr", "de"))
    assert path.read_bytes() == before
    # Eve's voice was chosen by this very lecture, in whichever of its runs; Adam's is in another one too.
    assert {each.why for each in again.values()} == {"chosen", "course"}
    run(path, "one", people, languages=("de",))
    assert path.read_bytes() == before, "languages that are not run again stay"


def test_a_lecture_cut_anew_replaces_what_it_left(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    run(path, "one", [speaker("speaker1", "eve"), speaker("speaker2", "adam")])
    run(path, "one", [speaker("speaker1", "adam", take="b")])
    assert [(row.person_id, row.speaker_id) for row in read_course(path)] == [("person2", "speaker1")]


def test_a_pin_holds_for_later_lectures_and_for_its_own(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    eve = [speaker("speaker1", "eve", gender="female")]
    assert run(path, "one", eve)["speaker1", "fr"].voice_id == "fr-kokoro-ff-siwis"
    run(path, "two", eve, pins={"speaker1": "fr-kokoro-if-sara"})
    assert run(path, "three", eve)["speaker1", "fr"].voice_id == "fr-kokoro-if-sara"
    before = path.read_bytes()
    assert run(path, "two", eve)["speaker1", "fr"].voice_id == "fr-kokoro-if-sara"
    assert path.read_bytes() == before
    run(path, "four", eve, pins={"speaker1": "fr-kokoro-ef-dora"})
    assert run(path, "five", eve)["speaker1", "fr"].voice_id == "fr-kokoro-ef-dora"
    assert run(path, "two", eve)["speaker1", "fr"].voice_id == "fr-kokoro-if-sara", "pinned in this very lecture"


def test_who_cannot_be_known_again_is_not_entered(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    nobody = dataclasses.replace(speaker("speaker1", "x"), embedding=())
    assert run(path, "one", [nobody])["speaker1", "fr"].why == "chosen"
    assert read_course(path) == ()
    assert run(path, "two", []) == {}


def test_a_person_seen_but_too_short_to_be_heard_is_known_by_the_face(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    seen = {"speaker1": tuple(float(value) for value in direction("face eve"))}
    mute = dataclasses.replace(speaker("speaker1", "eve", gender="female"), embedding=())
    run(path, "one", [mute], faces=seen)
    assert run(path, "two", [speaker("speaker1", "eve", gender="female")], faces=seen)["speaker1", "fr"].why == "course"


def test_another_face_or_gender_is_another_person() -> None:
    face = {name: tuple(float(value) for value in direction(f"face {name}")) for name in ("eve", "twin")}
    row = dataclasses.replace(course_voice("person1", "eve", "one", 1, "v"), gender="female", face=face["eve"])
    same = speaker("speaker1", "eve", gender="female", take="b")

    def known(who: LectureSpeaker, faces: dict[str, tuple[float, ...]]) -> dict[str, str]:
        return recognise("two", [who], faces, [row], SETTINGS)

    assert known(same, {}) == {"speaker1": "person1"}
    assert known(same, {"speaker1": face["eve"]}) == {"speaker1": "person1"}
    assert known(same, {"speaker1": face["twin"]}) == {}
    assert known(dataclasses.replace(same, gender="male"), {}) == {}
    assert known(dataclasses.replace(same, gender="unsure"), {}) == {"speaker1": "person1"}


def test_no_person_is_two_speakers_of_one_lecture() -> None:
    rows = [course_voice("person1", "eve", "one", 1, "v")]
    twins = [speaker("speaker1", "eve", take="b"), speaker("speaker2", "eve", take="c")]
    assert len(recognise("two", twins, {}, rows, SETTINGS)) == 1


def test_the_first_voice_stays_the_persons_voice() -> None:
    rows = [course_voice("person1", "eve", name, number, f"v{number}") for number, name in enumerate("abc", 1)]
    assert voices_before({"speaker4": "person1"}, rows, "fr", "d") == {"speaker4": "v1"}
    assert voices_before({"speaker4": "person1"}, rows, "de", "d") == {}


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.lists(st.sampled_from(["eve", "adam", "ada"]), min_size=1, max_size=3, unique=True),
        ),
        max_size=6,
    )
)
def test_people_are_numbered_without_gaps_and_keep_their_numbers(lectures: list[tuple[str, list[str]]]) -> None:
    rows: tuple[CourseVoice, ...] = ()
    of: dict[str, str] = {}
    for video_id, people in lectures:
        speakers = [speaker(f"speaker{n}", name, take=video_id) for n, name in enumerate(people, 1)]
        known = recognise(video_id, speakers, {}, rows, SETTINGS)
        castings = [Casting(speaker_id=each.id, language="fr", voice_id="v", why="chosen") for each in speakers]
        again = entered(rows, video_id, speakers, {}, known, castings)
        rows = entered(again, video_id, speakers, {}, recognise(video_id, speakers, {}, again, SETTINGS), castings)
        assert rows == again
        for each, name in zip(speakers, people, strict=True):
            row = next(row for row in rows if (row.video_id, row.speaker_id) == (video_id, each.id))
            if any(other.person_id == of.get(name) and other.video_id != video_id for other in rows):
                assert row.person_id == of[name]
            of[name] = row.person_id
        # The number of somebody who left with a lecture's earlier run is free again.
        there = {row.person_id for row in rows}
        of = {name: person_id for name, person_id in of.items() if person_id in there}
    assert len({(row.video_id, row.person_id, row.language) for row in rows}) == len(rows)


@pytest.mark.parametrize("content", [b"", b"speaker,voice\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_file_that_is_no_course_is_told_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / COURSE_FILE
    path.write_bytes(content)
    with pytest.raises(BadInput, match=COURSE_FILE):
        run(path, "one", [speaker("speaker1", "eve")])
    assert path.read_bytes() == content


def test_another_table_is_no_course(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    write_table([Casting(speaker_id="s", language="fr", voice_id="v", why="chosen")], Casting, path)
    with pytest.raises(BadInput, match="CourseVoice"):
        read_course(path)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / COURSE_FILE).mkdir()
    with pytest.raises(BadInput, match=COURSE_FILE):
        read_course(tmp_path / COURSE_FILE)


def test_what_fails_leaves_the_course_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    run(path, "one", [speaker("speaker1", "eve")])
    before = path.read_bytes()
    with pytest.raises(BadInput):
        run(path, "two", [speaker("speaker1", "adam")], pins={"speaker9": "fr-kokoro-ff-siwis"})
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [COURSE_FILE], "no draft and no lock stay behind"


def _lecture(path: Path, number: int) -> None:
    speakers = [speaker("speaker1", "eve", take=str(number)), speaker("speaker2", f"guest {number}")]
    try:
        run(path, f"lecture {number}", speakers)
    except BaseException:
        path.with_name(f"fault of {number}").write_text(traceback.format_exc())
        raise


def test_lectures_that_run_at_one_time_do_not_lose_each_other(tmp_path: Path) -> None:
    path = tmp_path / COURSE_FILE
    # Not forked off this process: its threads (a server's client, Arrow's) may hold locks that nobody would let go of.
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=_lecture, args=(path, number)) for number in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0, [fault.read_text() for fault in tmp_path.glob("fault of *")]
    rows = read_table(CourseVoice, path)
    assert {row.video_id for row in rows} == {f"lecture {number}" for number in range(8)}
    assert sorted(row.lecture for row in rows if row.speaker_id == "speaker1") == list(range(1, 9))
    assert len({(row.person_id, row.voice_id) for row in rows if row.speaker_id == "speaker1"}) == 1, "eve stays eve"
    assert len({row.person_id for row in rows}) == 9


def test_faces_of_speakers_are_means_over_their_tracks() -> None:
    tracks = [track("a", "person0", 0, 4), track("b", "person0", 5, 6), track("c", "person1", 7, 9)]
    shown = dataclasses.replace(speaker("speaker1", "eve"), identity="person0")
    found = face_prints([shown, speaker("speaker2", "adam")], tracks)
    assert found == {"speaker1": pytest.approx(tracks[0].embedding)}
