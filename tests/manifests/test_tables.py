from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from manifests.records import (
    AudioTrack,
    Blob,
    Degradation,
    Hypothesis,
    Shot,
    SyncedChunk,
    Translation,
    Utterance,
    Video,
    Word,
)
from manifests.tables import read_table, write_table
from manifests.time import Span, flicks

video = Video(
    id="0" * 64,
    uri="/lectures/a b.mp4",
    span=Span(0, flicks(3)),
    container="mp4",
    codec="h264",
    pixel_format="yuv420p",
    width=1280,
    height=720,
    rotation_deg=90,
    frame_rate=Fraction(30000, 1001),
    variable_frame_rate=False,
    frame_count=90,
    audio_tracks=(AudioTrack(index=0, codec="aac", sample_rate=48000, channels=6, language=None),),
)
utterance = Utterance(
    id="u",
    chunk_id="c",
    span=Span(3, 9),
    text="مرحبا",
    words=(Word(text="مرحبا", span=Span(3, 9), confidence=0.5),),
    language="ar",
)
translation = Translation(
    id="t", utterance_id="u", language="fr", text="salut", hypotheses=(Hypothesis(text="salut", score=-0.25),)
)
synced = SyncedChunk(
    id="s",
    chunk_id="c",
    language="fr",
    mouths=Blob("f" * 64, ".npz", 12),
    changed=(Span(0, 5), Span(7, 9)),
    frame_count=3,
    degradations=(Degradation(stage="lips", span=Span(1, 2), reason="dark"),),
)


@pytest.mark.parametrize("record", [video, utterance, translation, synced], ids=lambda record: type(record).__name__)
def test_records_survive_parquet(record: object, tmp_path: Path) -> None:
    write_table([record, record], type(record), tmp_path / "t.parquet")
    assert read_table(type(record), tmp_path / "t.parquet") == [record, record]


def test_a_reader_without_redub_sees_seconds_and_their_unit(tmp_path: Path) -> None:
    write_table([video], Video, tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.column("end_s").to_pylist() == [3.0]
    assert table.schema.metadata[b"redub.flicks_per_second"] == b"705600000"


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    write_table([], Shot, tmp_path / "t.parquet")
    assert pq.read_table(tmp_path / "t.parquet").column_names[:3] == ["id", "video_id", "index"]
    assert read_table(Shot, tmp_path / "t.parquet") == []


def test_equal_records_make_equal_files(tmp_path: Path) -> None:
    write_table([synced], SyncedChunk, tmp_path / "a.parquet")
    write_table([synced], SyncedChunk, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_another_record_is_refused(tmp_path: Path) -> None:
    write_table([video], Video, tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="holds Video"):
        read_table(Shot, tmp_path / "t.parquet")
