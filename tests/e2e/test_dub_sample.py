"""A lecture dubbed by the real command, and every promise about the files that it leaves."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import av
import pysubs2
import pytest
from changed_picture import drawn_mouths, rendered_frames
from media_checks import decoded_frames, duration_s, groups, loudness, picture_duration_s, slices
from redub_command import Dubbed, sha256_of

from manifests.records import (
    Appearance,
    Casting,
    Chunk,
    DubbedVideo,
    FaceTrack,
    LectureSpeaker,
    Placement,
    SheetRow,
    Shot,
    SpeechClip,
    SyncedChunk,
    Translation,
    Utterance,
    Video,
    VoiceSample,
)
from manifests.report import LineReport
from manifests.time import FLICKS_PER_SECOND
from tasks.subtitles import CHARACTERS_PER_SECOND, SHORTEST

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1800)]

TABLES = {
    "videos": Video,
    "shots": Shot,
    "chunks": Chunk,
    "face_tracks": FaceTrack,
    "utterances": Utterance,
    "voice_samples": VoiceSample,
    "appearances": Appearance,
    "speakers": LectureSpeaker,
    "castings": Casting,
    "sheet.fr": SheetRow,
    "report_lines.fr": LineReport,
    "translations": Translation,
    "speech_clips": SpeechClip,
    "placements": Placement,
    "synced_chunks": SyncedChunk,
    "dubbed_videos": DubbedVideo,
}
STAGES = (
    "shots", "speech", "faces", "identify", "listen", "voice_samples", "background", "meshes", "speaking", "library",
    "appearances", "translate", "speak", "mix", "voice", "heard_back", "lips", "render", "assemble", "sign",
    "real_lips", "dubbed_lips", "levels",
)  # fmt: skip
MILLISECOND = FLICKS_PER_SECOND // 1000
FRAME_S = 1 / 25


def test_the_command_tells_machines_what_it_does(sample_dub: Dubbed) -> None:
    ended = sample_dub.ended
    assert ended.code == 0, ended.errors
    assert ended.errors == ""
    (server,) = ended.of_kind("server")
    assert server["embedded"]
    assert urlparse(server["page"]).hostname == "127.0.0.1"

    began: Counter[tuple[str, str | None]] = Counter()
    for event in ended.of_kind("began"):
        began[event["stage"], event["language"]] += event["pieces"]
    performed = Counter((e["stage"], e["language"]) for e in ended.of_kind("performed"))
    assert performed == began
    assert {stage for stage, _ in began} == set(STAGES)
    # Each round of speaking finds what the one before has spoken, where it would speak it again.
    assert not any(event["hit"] for event in ended.of_kind("performed") if event["stage"] != "speak")

    result = ended.result
    assert result["pieces"] == sum(began.values())
    assert result["hits"] == sum(event["hit"] for event in ended.of_kind("performed"))
    files = [Path(file) for file in result["files"]["fr"]]
    assert files[0] == sample_dub.video
    assert {file.suffix for file in files} == {".mp4", ".srt", ".vtt", ".c2pa"}
    assert all(file.stat().st_size for file in files)
    beside = {sample_dub.manifests.name, sample_dub.video.with_suffix(".csv").name, "course.parquet"}
    assert {path.name for path in sample_dub.out.iterdir()} == {*(f.name for f in files), *beside}


def test_the_file_holds_both_languages(sample_dub: Dubbed) -> None:
    with av.open(str(sample_dub.video)) as container:
        kinds = [(s.type, s.metadata.get("language"), bool(s.disposition & av.stream.Disposition.default))
                 for s in container.streams if s.type in {"video", "audio", "subtitle"}]  # fmt: skip
        codecs = [s.codec_context.name for s in container.streams if s.type in {"video", "audio"}]
        chapters = container.chapters()
        comment = container.metadata["comment"]
    assert kinds[0][0] == "video"
    assert kinds[1:] == [
        ("audio", "fra", True),
        ("audio", "eng", False),
        ("subtitle", "fra", kinds[3][2]),
        ("subtitle", "eng", False),
    ]
    assert codecs == ["h264", "aac", "aac"]
    assert "synthetic" in comment

    # The talking head goes on with the slide before it.
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["Slide 1", "Slide 2"]
    ends = [(float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"])) for c in chapters if c["time_base"]]
    assert ends[0][0] == 0
    assert ends[0][1] == ends[1][0]
    assert ends[1][1] == pytest.approx(duration_s(sample_dub.source), abs=FRAME_S)


def test_the_picture_is_the_sources_frame_by_frame_where_no_lips_move(sample_dub: Dubbed) -> None:
    source, dubbed = decoded_frames(sample_dub.source), decoded_frames(sample_dub.video)
    assert [frame.time for frame in dubbed] == [frame.time for frame in source]
    mouths = drawn_mouths(sample_dub)
    rendered = rendered_frames(groups(sample_dub.source), mouths)
    assert mouths
    assert len(rendered) < len(source)
    differ = {index for index, (one, other) in enumerate(zip(source, dubbed, strict=True)) if one != other}
    assert differ <= rendered
    (record,) = sample_dub.rows(DubbedVideo, "dubbed_videos")
    assert (record.rendered_frames, record.copied_frames) == (len(rendered), len(source) - len(rendered))


def test_the_picture_is_the_sources_packet_by_packet_where_no_lips_move(sample_dub: Dubbed) -> None:
    (record,) = sample_dub.rows(DubbedVideo, "dubbed_videos")
    given, made = slices(sample_dub.source), slices(sample_dub.video)
    assert len(made) == len(given)
    assert sum(one == other for one, other in zip(given, made, strict=True)) == record.copied_frames


def test_the_length_is_the_sources(sample_dub: Dubbed) -> None:
    assert duration_s(sample_dub.video) == pytest.approx(duration_s(sample_dub.source), abs=FRAME_S)
    assert picture_duration_s(sample_dub.video) == picture_duration_s(sample_dub.source)
    with av.open(str(sample_dub.video)) as container:
        for sound in container.streams.audio:
            assert sound.time_base is not None
            assert sound.duration is not None
            assert sound.start_time is not None
            end = float((sound.start_time + sound.duration) * sound.time_base)
            # A dub lasts as long as the picture; an encoder's last frame of sound may pass it by 1024 samples.
            assert end == pytest.approx(picture_duration_s(sample_dub.source), abs=max(FRAME_S, 1024 / sound.rate))


def test_the_dub_is_as_loud_as_promised(sample_dub: Dubbed) -> None:
    measured = loudness(sample_dub.video)
    assert measured.integrated_lufs == pytest.approx(-16, abs=0.5)
    assert measured.true_peak_dbtp <= -1.0


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_subtitles_of_the_dub_lie_on_its_speech(sample_dub: Dubbed, suffix: str) -> None:
    cues = pysubs2.load(str(sample_dub.video.with_suffix(f".{suffix}")))
    placements = sample_dub.rows(Placement, "placements")
    for cue in cues:
        # It starts with its speech, and may last into the silence after it as long as it takes to read; two short
        # sentences may share a cue.
        reading = max(1000 * len(cue.plaintext) / CHARACTERS_PER_SECOND, 1000 * SHORTEST / FLICKS_PER_SECOND)
        assert any(p.span.start_s * 1000 - 1 <= cue.start < p.span.end_s * 1000 for p in placements)
        heard = [p.span.end_s * 1000 for p in placements if p.span.start_s * 1000 < cue.end]
        assert cue.end <= max(*heard, cue.start + reading) + 1, f"{cue} outlasts its speech"
    assert all(before.end < after.start for before, after in pairwise(cues))
    said = " ".join(t.text for t in sample_dub.rows(Translation, "translations"))
    assert " ".join(cue.plaintext for cue in cues).split() == said.split()


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_subtitles_of_the_source_lie_on_its_words(sample_dub: Dubbed, suffix: str) -> None:
    cues = list(pysubs2.load(str(sample_dub.out / f"{sample_dub.source.stem}.en.{suffix}")))
    utterances = sample_dub.rows(Utterance, "utterances")
    words = [word for utterance in utterances for word in utterance.words]
    for cue, following in zip(cues, [*cues[1:], None], strict=True):
        count = len(cue.plaintext.split())
        mine, words = words[:count], words[count:]
        assert [word.text for word in mine] == cue.plaintext.split()
        assert abs(mine[0].span.start / MILLISECOND - cue.start) <= 1
        # Cues are two frames apart, even where the speaker does not pause.
        last = mine[-1].span.end / MILLISECOND
        assert cue.end >= (last if following is None else min(last, following.start - 2000 * FRAME_S)) - 1
    assert not words


def test_the_subtitles_inside_are_those_beside(sample_dub: Dubbed) -> None:
    with av.open(str(sample_dub.video)) as container:
        inside: dict[str, list[tuple[int, str]]] = {"fra": [], "eng": []}
        for packet in container.demux(*container.streams.subtitles):
            text = bytes(packet)[2:].decode("utf-8") if packet.size > 2 else ""  # 3GPP timed text: length, then text
            if text and packet.pts is not None and packet.time_base is not None:
                inside[packet.stream.metadata["language"]].append((round(packet.pts * packet.time_base * 1000), text))
    for language, code in (("fra", "fr"), ("eng", "en")):
        beside = pysubs2.load(str(sample_dub.out / f"{sample_dub.source.stem}.{code}.srt"))
        assert inside[language] == [(cue.start, cue.plaintext) for cue in beside]


def test_what_was_heard_and_said_is_what_the_sample_says(sample_dub: Dubbed) -> None:
    heard = " ".join(u.text for u in sample_dub.rows(Utterance, "utterances")).lower()
    said = " ".join(t.text for t in sample_dub.rows(Translation, "translations")).lower()
    assert all(word in heard for word in ("lecture", "moon", "sea", "tides", "sun", "earth"))
    assert all(word in said for word in ("lune", "mer", "marée", "soleil", "terre"))


def test_every_manifest_reads_back(sample_dub: Dubbed) -> None:
    assert {path.stem for path in sample_dub.manifests.glob("*.parquet")} == set(TABLES)
    rows: dict[str, list[Any]] = {name: sample_dub.rows(kind, name) for name, kind in TABLES.items()}
    assert {name for name, records in rows.items() if not records} == set()
    (video,) = rows["videos"]
    (dub,) = rows["dubbed_videos"]
    assert video.id == sha256_of(sample_dub.source)
    assert dub.sha256 == sha256_of(sample_dub.video)
    assert dub.copied_frames + dub.rendered_frames == video.frame_count == len(decoded_frames(sample_dub.source))
    for name in ("shots", "chunks"):  # both cover the lecture without a gap
        spans = [each.span for each in rows[name]]
        assert [spans[0].start, *(span.end for span in spans)] == [*(span.start for span in spans), video.span.end]
    chunks, utterances = {c.id for c in rows["chunks"]}, {u.id for u in rows["utterances"]}
    assert {u.chunk_id for u in rows["utterances"]} | {f.chunk_id for f in rows["face_tracks"]} <= chunks
    assert {t.utterance_id for t in rows["translations"]} == utterances
    assert [p.clip_id for p in rows["placements"]] == [c.id for c in rows["speech_clips"]]


def test_the_lips_of_the_one_who_speaks_are_moved(sample_dub: Dubbed) -> None:
    (dub,) = sample_dub.rows(DubbedVideo, "dubbed_videos")
    assert dub.degradations == ()
    assert sample_dub.ended.result["degraded"] == {"fr": 0}
    synced = sample_dub.rows(SyncedChunk, "synced_chunks")
    assert sample_dub.ended.result["lip_frames"] == {"fr": sum(chunk.frame_count for chunk in synced)}
    faces = sample_dub.rows(FaceTrack, "face_tracks")
    changed = [span for chunk in synced for span in chunk.changed]
    assert all(any(face.span.intersection(span) == span for face in faces) for span in changed)
    # She speaks the second utterance; in French she must be seen to speak while the dub of it is heard.
    spoken = [word.span for each in sample_dub.rows(Utterance, "utterances") for word in each.words]
    while_seen = [span for span in spoken if any(face.span.intersection(span) == span for face in faces)]
    assert while_seen
    assert all(any(span.overlaps(each) for each in changed) for span in while_seen)


def test_the_run_can_be_shown(sample_dub: Dubbed) -> None:
    name = sample_dub.ended.result["run"]
    by_name = sample_dub.redub.run("show", name).result
    assert by_name["name"] == name
    assert by_name["outcome"] == "finished"
    assert by_name["source_duration_s"] == pytest.approx(duration_s(sample_dub.source), abs=FRAME_S)
    assert len(by_name["entries"]) == sample_dub.ended.result["pieces"]
    assert by_name["languages"][0]["files"] == sample_dub.ended.result["files"]["fr"]


def test_the_same_command_again_does_nothing_twice(sample_dub: Dubbed) -> None:
    before = sample_dub.hashes()
    again = sample_dub.redub.dub(sample_dub.source, sample_dub.out).ended
    assert again.result["hits"] == again.result["pieces"] == sample_dub.ended.result["pieces"]
    assert sample_dub.hashes() == before
    assert again.result["run"] != sample_dub.ended.result["run"]
    assert sample_dub.redub.run("show", sample_dub.manifests).result["name"] == again.result["run"]
    assert sample_dub.redub.servers() == []
