from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from infra.media.audio import write_wav
from infra.store import Store
from manifests.clock import HeldClock, Hold
from manifests.records import Chunk, Video
from manifests.time import Span, flicks
from models.wav2lip.mel import SAMPLE_RATE
from tasks.lips import LipSettings, LipWork, _heard, _speech_waveform
from tasks.mix import ChunkSpeech

START = flicks(100)


def chunk_of(seconds: float) -> Chunk:
    return Chunk(id="v/chunk00001", video_id="v", index=1, span=Span(START, START + flicks(seconds)))


def work_with(speech: tuple[ChunkSpeech, ...], clock: HeldClock) -> LipWork:
    chunk = chunk_of(4)
    video = Video(
        id="v",
        uri="",
        span=Span(0, flicks(200)),
        container="mp4",
        codec="h264",
        pixel_format="yuv420p",
        width=64,
        height=64,
        rotation_deg=0,
        frame_rate=Fraction(25),
        variable_frame_rate=False,
        frame_count=5000,
        audio_tracks=(),
    )
    return LipWork(
        video=video,
        chunk=chunk,
        language="fr",
        tracks=(),
        speaking=(),
        meshes=(),
        libraries=(),
        original_speech=(),
        speech=speech,
        settings=LipSettings(),
        weights=None,
        clock=clock,
    )


@pytest.fixture
def ramp(tmp_path: Path) -> tuple[Store, ChunkSpeech]:
    """Speech over a chunk of four seconds and a hold of two, whose sample says when it is heard."""
    store = Store(tmp_path / "store")
    with store.scratch() as folder:
        file = folder / "speech.wav"
        write_wav(file, np.arange(6 * SAMPLE_RATE, dtype=np.float32) / (8 * SAMPLE_RATE), SAMPLE_RATE)
        audio = store.put(file)
    span = Span(START, START + flicks(6))
    return store, ChunkSpeech(span=span, heard=(span,), audio=audio)


def test_lips_hear_what_is_heard_while_the_picture_moves(ramp: tuple[Store, ChunkSpeech]) -> None:
    store, speech = ramp
    clock = HeldClock((Hold(START + flicks(1), flicks(2)),))
    heard = _speech_waveform(work_with((speech,), clock), store) * 8
    assert len(heard) == 4 * SAMPLE_RATE
    assert heard[SAMPLE_RATE // 2] == pytest.approx(0.5, abs=1e-3)
    assert heard[2 * SAMPLE_RATE] == pytest.approx(4, abs=1e-3), "two seconds of the speech went by while it waited"
    assert _heard(work_with((speech,), clock)) == (Span(START, START + flicks(4)),)


def test_without_a_hold_nothing_is_cut(ramp: tuple[Store, ChunkSpeech]) -> None:
    store, speech = ramp
    heard = _speech_waveform(work_with((speech,), HeldClock()), store) * 8
    assert heard[3 * SAMPLE_RATE] == pytest.approx(3, abs=1e-3)
