"""The recording that a voice is imitated from: the speaker alone, at most so long."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infra.media.audio import read_wav, write_wav
from infra.store import Store
from manifests.records import Video
from manifests.time import Span, flicks
from models.speech.cloned import REFERENCE_S, SAMPLE_RATE
from tasks.voice_reference import REFERENCE, ReferenceWork, choose_spans

spans = st.lists(
    st.tuples(st.integers(0, 600), st.integers(1, 30)).map(lambda at: Span(flicks(at[0]), flicks(at[0] + at[1]))),
    max_size=12,
)


@given(spoken=spans, others=spans)
def test_the_speaker_is_heard_alone_and_not_for_longer_than_needed(spoken: list[Span], others: list[Span]) -> None:
    chosen = choose_spans(spoken, others)
    assert sum(span.duration for span in chosen) <= flicks(REFERENCE_S)
    assert list(chosen) == sorted(chosen, key=lambda span: span.start)
    for span in chosen:
        assert any(each.start == span.start and span.end <= each.end for each in spoken)
        assert not any(span.overlaps(other) for other in others)


def test_the_longest_come_first() -> None:
    spoken = [Span(flicks(start), flicks(end)) for start, end in ((0, 2), (10, 20), (30, 33), (40, 49))]
    assert choose_spans(spoken) == (spoken[1], Span(flicks(40), flicks(45)))


def test_it_is_cut_from_the_lecture(tmp_path: Path) -> None:
    lecture = tmp_path / "lecture.wav"
    seconds = np.repeat(np.array([0.1, 0.5, 0.2, 0.8], np.float32), SAMPLE_RATE)
    write_wav(lecture, seconds, SAMPLE_RATE)
    made_up = Video(
        id="v",
        uri=str(lecture),
        span=Span(0, flicks(4)),
        container="wav",
        codec="",
        pixel_format="",
        width=0,
        height=0,
        rotation_deg=0,
        frame_rate=Fraction(25),
        variable_frame_rate=False,
        frame_count=0,
        audio_tracks=(),
    )
    work = ReferenceWork(video=made_up, track=0, spans=(Span(flicks(1), flicks(2)), Span(flicks(3), flicks(4))))
    store = Store(tmp_path / "store")
    samples, rate = read_wav(store.path(REFERENCE.perform(work, store).value))
    assert rate == SAMPLE_RATE
    assert len(samples) == round(2.2 * SAMPLE_RATE)
    assert [round(float(samples[round(at * rate)]), 2) for at in (0.5, 1.1, 1.7)] == [0.5, 0.0, 0.8]
