"""Mending: edits laid over records, what they touch, and the rows that say what deserves a look."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.clock import HeldClock, Hold
from manifests.errors import BadInput
from manifests.records import (
    Casting,
    Chunk,
    Edit,
    Hypothesis,
    LectureSpeaker,
    Placement,
    SheetRow,
    Translation,
    Utterance,
    Video,
    Word,
)
from manifests.time import Span, flicks
from tasks.mending import (
    affected,
    mended_speakers,
    mended_translations,
    mended_utterances,
    pinned_spans,
    pinned_voices,
    require_current,
    told,
)
from tasks.retiming import retimed
from tasks.sheet_rows import sheet_rows
from tasks.split_lines import cut_again, gains_of, speakers_of

VIDEO = Video(
    id="5f" * 32,
    uri="lecture.mp4",
    span=Span(0, flicks(60)),
    container="mp4",
    codec="h264",
    pixel_format="yuv420p",
    width=640,
    height=360,
    rotation_deg=0,
    frame_rate=25,  # type: ignore[arg-type]
    variable_frame_rate=False,
    frame_count=1500,
    audio_tracks=(),
)
CHUNKS = tuple(
    Chunk(
        id=f"{VIDEO.id}/chunk{index:05d}",
        video_id=VIDEO.id,
        index=index,
        span=Span.of_seconds(20 * index, 20 * index + 20),
    )
    for index in range(3)
)


def said(chunk: int, index: int, text: str, confidence: float = 0.95) -> Utterance:
    start, words = 20 * chunk + 5 * index, text.split()
    return Utterance(
        id=f"{CHUNKS[chunk].id}/utterance{index:05d}",
        chunk_id=CHUNKS[chunk].id,
        span=Span.of_seconds(start, start + len(words)),
        text=text,
        words=tuple(
            Word(text=word, span=Span.of_seconds(start + at, start + at + 1), confidence=confidence)
            for at, word in enumerate(words)
        ),
        language="en",
    )


SAID = (
    said(0, 0, "We begin."),
    said(0, 1, "See figure two."),
    said(1, 0, "The curl is zero."),
    said(2, 0, "Thank you."),
)
TRANSLATED = tuple(
    Translation(
        id=f"{each.id}/fr00000",
        utterance_id=each.id,
        language="fr",
        text=f"FR {each.text}",
        hypotheses=(Hypothesis(text=f"FR {each.text}", score=-0.2), Hypothesis(text=f"{each.text}", score=-0.4)),
    )
    for each in SAID
)


def speaker(name: str, *utterances: Utterance) -> LectureSpeaker:
    return LectureSpeaker(
        id=name,
        utterance_ids=tuple(each.id for each in utterances),
        identity=None,
        gender="unsure",
        age="unsure",
        female=0.5,
        evidence="",
        embedding=(),
    )


SPEAKERS = (speaker("speaker1", SAID[0], SAID[1], SAID[3]), speaker("speaker2", SAID[2]))
CASTINGS = tuple(
    Casting(speaker_id=each.id, language="fr", voice_id=voice, why="chosen")
    for each, voice in zip(SPEAKERS, ("fr-kokoro-ff-siwis", "fr-kokoro-em-alex"), strict=True)
)


def edit(index: int, column: str, value: str, span: Span | None = None) -> Edit:
    return Edit(
        utterance_id=SAID[index].id, language="fr", column=column, value=value, heard=SAID[index].text, span=span
    )


def rows(edits: tuple[Edit, ...] = (), **given: object) -> tuple[SheetRow, ...]:
    return sheet_rows(
        video=VIDEO,
        language="fr",
        utterances=SAID,
        translations=TRANSLATED,
        speakers=SPEAKERS,
        castings=CASTINGS,
        edits=edits,
        **given,  # type: ignore[arg-type]
    )


def placed(index: int, start: float, end: float, **given: object) -> Placement:
    fields: dict[str, object] = {"rate": 1.0, "overrun": 0, **given}
    return Placement(
        clip_id="c",
        utterance_id=SAID[index].id,
        span=Span.of_seconds(start, end),
        **fields,  # type: ignore[arg-type]
    )


def test_without_edits_nothing_changes_not_even_the_keys() -> None:
    other = (edit(0, "note", "look here"),)
    assert mended_utterances(SAID, other) == SAID
    assert mended_translations(TRANSLATED, other) == TRANSLATED
    assert mended_speakers(SPEAKERS, other) == SPEAKERS
    assert (pinned_voices(other), pinned_spans(other)) == ({}, {})


def test_a_translation_that_a_person_wrote_is_the_only_reading() -> None:
    mended = mended_translations(TRANSLATED, [edit(1, "translation", "Voir la figure 2."), edit(2, "translation", "-")])
    assert mended[0] == TRANSLATED[0]
    assert (mended[1].id, mended[1].text) == (TRANSLATED[1].id, "Voir la figure 2.")
    assert [each.text for each in mended[1].hypotheses] == ["Voir la figure 2."]
    assert (mended[2].text, mended[2].hypotheses) == ("", ())


def test_a_mended_source_keeps_the_times_of_the_words_that_stayed() -> None:
    mended = mended_utterances(SAID, [edit(2, "source", "The whole curl is near zero.")])[2]
    assert mended.text == "The whole curl is near zero."
    by_text = {word.text: word for word in mended.words}
    assert by_text["curl"] == SAID[2].words[1]
    assert by_text["near"].span.start == SAID[2].words[2].span.end
    assert by_text["near"].confidence == 1.0


@given(st.lists(st.sampled_from("abcd"), max_size=6), st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=8))
def test_mended_words_stand_in_order_within_the_utterance(old: list[str], new: list[str]) -> None:
    words = tuple(Word(text=text, span=Span(10 * at + 3, 10 * at + 9), confidence=0.5) for at, text in enumerate(old))
    span = Span(3, max(10 * len(old) - 1, 20))
    timed = retimed(words, " ".join(new), span)
    assert [word.text for word in timed] == new
    starts = [word.span.start for word in timed]
    assert starts == sorted(starts)
    assert all(span.start <= word.span.start and word.span.end <= span.end for word in timed)


def test_a_line_is_given_to_another_speaker() -> None:
    mended = mended_speakers(SPEAKERS, [edit(1, "speaker", "speaker2"), edit(2, "speaker", "speaker1")])
    assert mended[0].utterance_ids == (SAID[0].id, SAID[2].id, SAID[3].id)
    assert mended[1].utterance_ids == (SAID[1].id,)
    assert mended_speakers(SPEAKERS, [edit(2, "speaker", "speaker1")])[1].utterance_ids == ()


def test_edits_of_another_sentence_or_recording_are_refused() -> None:
    good = edit(1, "translation", "Oui.")
    require_current([good, edit(1, "speaker", "speaker2")], SAID, SPEAKERS, "lecture.fr.csv")
    stale = dataclasses.replace(good, heard="See figure ten.")
    with pytest.raises(BadInput, match=r"'See figure ten\.' was edited, and 'See figure two\.' is heard"):
        require_current([stale], SAID, SPEAKERS, "lecture.fr.csv")
    with pytest.raises(BadInput, match="another recording"):
        require_current([dataclasses.replace(good, utterance_id="a/b/c")], SAID, SPEAKERS, "lecture.fr.csv")
    gone = dataclasses.replace(good, utterance_id=f"{CHUNKS[0].id}/utterance00007")
    with pytest.raises(BadInput, match="nothing is heard there now"):
        require_current([gone], SAID, SPEAKERS, "lecture.fr.csv")
    with pytest.raises(BadInput, match=r"no such speaker now.*speaker1, speaker2"):
        require_current([edit(1, "speaker", "speaker3")], SAID, SPEAKERS, "lecture.fr.csv")


def test_one_edited_line_is_one_clip_and_the_chunks_that_hear_it() -> None:
    change = affected((), [edit(1, "translation", "Oui.")], SAID, CHUNKS)
    assert told(change) == "1 line changed: 1 clip spoken again, 1 chunk rendered"
    assert (change.spoken, change.translated, change.rendered) == ((SAID[1].id,), (), (CHUNKS[0].id,))

    late = {SAID[1].id: Span.of_seconds(15, 21)}
    assert affected((), [edit(1, "voice", "x")], SAID, CHUNKS, late).rendered == (CHUNKS[0].id, CHUNKS[1].id)

    pinned = edit(1, "times", "", Span.of_seconds(39, 41))
    assert affected((), [pinned], SAID, CHUNKS).rendered == tuple(each.id for each in CHUNKS)
    assert affected([pinned], (), SAID, CHUNKS) == affected((), [pinned], SAID, CHUNKS)

    source = affected((), [edit(2, "source", "The curl?")], SAID, CHUNKS)
    assert source.translated == (CHUNKS[1].id,)
    assert (
        told(affected([pinned], [pinned, edit(0, "note", "!")], SAID, CHUNKS)) == "1 line changed: nothing to do again"
    )
    assert told(affected([pinned], [pinned], SAID, CHUNKS)) == "no line changed"
    both = [edit(1, "translation", "Oui."), edit(3, "voice", "x"), edit(3, "note", "y")]
    assert told(affected((), both, SAID, CHUNKS)) == "2 lines changed: 2 clips spoken again, 2 chunks rendered"


def test_a_split_line_is_two_clips_and_so_is_the_line_that_it_was() -> None:
    words = len(SAID[1].text.split())
    split = edit(1, "split", str(words - 1))
    change = affected((), [split], SAID, CHUNKS)
    assert change.lines == change.spoken == (f"{SAID[1].id}.1", f"{SAID[1].id}.2")
    assert (change.translated, change.rendered) == ((CHUNKS[0].id,), (CHUNKS[0].id,))
    back = affected([split], (), SAID, CHUNKS)
    assert (back.spoken, back.rendered) == ((SAID[1].id,), (CHUNKS[0].id,))
    own = dataclasses.replace(edit(1, "translation", "Oui."), utterance_id=f"{SAID[1].id}.2")
    assert affected([split], [split, own], SAID, CHUNKS).spoken == (f"{SAID[1].id}.2",)


def test_edits_of_a_split_line_are_refused_where_it_is_another_sentence_now() -> None:
    split = edit(1, "split", "1")
    part = SAID[1].text.split()[0]
    own = dataclasses.replace(edit(1, "source", "Look!"), utterance_id=f"{SAID[1].id}.1", heard=part)
    require_current([split, own], SAID, SPEAKERS, "lecture.fr.csv")
    with pytest.raises(BadInput, match="is heard there now"):
        require_current([dataclasses.replace(split, heard="another"), own], SAID, SPEAKERS, "lecture.fr.csv")
    with pytest.raises(BadInput, match="nothing is heard there now"):
        require_current([own], SAID, SPEAKERS, "lecture.fr.csv")


def test_parts_are_said_by_who_says_the_whole_and_may_be_given_away() -> None:
    split = edit(1, "split", "1")
    lines = cut_again(SAID, [split])
    speakers = speakers_of(SPEAKERS, lines)
    owner = next(each for each in SPEAKERS if SAID[1].id in each.utterance_ids)
    (now,) = [each for each in speakers if each.id == owner.id]
    assert {f"{SAID[1].id}.1", f"{SAID[1].id}.2"} <= set(now.utterance_ids)
    assert [each for each in speakers if each.id != owner.id] == [each for each in SPEAKERS if each.id != owner.id]
    moved = dataclasses.replace(edit(1, "speaker", "speaker2"), utterance_id=f"{SAID[1].id}.2")
    second = next(each for each in mended_speakers(speakers, [split, moved]) if each.id == "speaker2")
    assert f"{SAID[1].id}.2" in second.utterance_ids
    assert gains_of({SAID[1].id: -3.0}, lines) == {f"{SAID[1].id}.1": -3.0, f"{SAID[1].id}.2": -3.0}


def test_rows_show_what_is_spoken_where_and_keep_the_machines_own() -> None:
    clock = HeldClock.of([Hold(flicks(7), flicks(2))])
    edits = (edit(0, "translation", "Allons-y."), edit(1, "speaker", "speaker2"), edit(2, "voice", "fr-kokoro-pm-alex"))
    first, second, third, _ = rows(edits, placements=[placed(0, 0, 2), placed(1, 5, 11, reading=1)], clock=clock)
    assert (first.translation, first.machine_translation, first.edited) == (
        "Allons-y.",
        "FR We begin.",
        ("translation",),
    )
    assert second.translation == second.machine_translation == "See figure two."
    assert second.span == Span.of_seconds(5, 9)
    assert (second.speaker, second.machine_speaker, second.voice) == ("speaker2", "speaker1", "fr-kokoro-em-alex")
    assert (third.voice, third.machine_voice) == ("fr-kokoro-pm-alex", "fr-kokoro-em-alex")
    assert third.span == SAID[2].span


def test_a_pinned_line_remembers_where_it_would_stand() -> None:
    pin = (edit(1, "times", "", Span.of_seconds(6, 9)),)
    before = rows(placements=[placed(1, 5.5, 8)])
    after = rows(pin, placements=[placed(1, 6, 9)], earlier=before)
    assert (after[1].span, after[1].machine_span) == (Span.of_seconds(6, 9), Span.of_seconds(5.5, 8))
    assert rows(pin, placements=[placed(1, 6, 9)], earlier=after)[1].machine_span == Span.of_seconds(5.5, 8)


def test_what_deserves_a_look_says_why() -> None:
    unsure = said(0, 0, "We begin.", confidence=0.3)
    worst = dataclasses.replace(
        TRANSLATED[0], hypotheses=(Hypothesis(text="FR", score=-1.5),), warnings=("the number 2 is lost",)
    )
    common = {"video": VIDEO, "language": "fr", "speakers": SPEAKERS, "castings": CASTINGS}
    checked = sheet_rows(
        utterances=(unsure, *SAID[1:]),
        translations=(worst, *TRANSLATED[1:]),
        placements=[placed(0, 0, 2, rate=1.28, overrun=flicks(0.4)), placed(1, 5, 8, rate=0.8)],
        **common,  # type: ignore[arg-type]
    )
    assert "heard unsurely" in checked[0].check
    assert "translated unsurely" in checked[0].check
    assert "the number 2 is lost" in checked[0].check
    assert "fast: 1.28 x" in checked[0].check
    assert "runs over by 0.4 s" in checked[0].check
    assert checked[1].check == "slow: 0.80 x"
    assert checked[2].check == ""
    assert checked[0].worry > checked[1].worry > checked[2].worry > 0
    mended = rows((edit(0, "translation", "-"),))
    assert (mended[0].check, mended[0].worry) == ("", 0.0)
