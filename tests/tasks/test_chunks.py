from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from manifests.keys import child_id
from manifests.records import Shot, Video
from manifests.time import Span, flicks
from tasks.chunks import ChunkSettings, plan_chunks

SETTINGS = ChunkSettings()


def video_of(duration_s: float) -> Video:
    return Video(
        id="v",
        uri="",
        span=Span.of_seconds(0, duration_s),
        container="mp4",
        codec="h264",
        pixel_format="yuv420p",
        width=64,
        height=64,
        rotation_deg=0,
        frame_rate=Fraction(25),
        variable_frame_rate=False,
        frame_count=1,
        audio_tracks=(),
    )


def shots_of(duration_s: float, cuts_s: list[float]) -> list[Shot]:
    borders = [0.0, *sorted({c for c in cuts_s if 0 < c < duration_s}), duration_s]
    return [
        Shot(id=child_id("v", "shot", i), video_id="v", index=i, span=Span.of_seconds(a, b))
        for i, (a, b) in enumerate(pairwise(borders))
    ]


durations = st.floats(0.2, 400)
moments = st.lists(st.floats(0, 400), max_size=40)


@given(durations, moments, st.lists(st.tuples(st.floats(0, 400), st.floats(0.1, 20)), max_size=30))
def test_chunks_cover_the_lecture_and_are_bounded(
    duration_s: float, cuts_s: list[float], speech_s: list[tuple[float, float]]
) -> None:
    video = video_of(duration_s)
    speech = sorted(Span.of_seconds(start, start + length) for start, length in speech_s)
    chunks = plan_chunks(video, shots_of(duration_s, cuts_s), speech, SETTINGS)
    assert chunks[0].span.start == video.span.start
    assert chunks[-1].span.end == video.span.end
    assert all(a.span.end == b.span.start for a, b in pairwise(chunks))
    assert all(0 < chunk.span.duration <= flicks(SETTINGS.max_s) for chunk in chunks)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))


def ends_s(duration_s: float, cuts_s: list[float], speech_s: list[tuple[float, float]]) -> list[float]:
    speech = [Span.of_seconds(*each) for each in speech_s]
    chunks = plan_chunks(video_of(duration_s), shots_of(duration_s, cuts_s), speech, SETTINGS)
    return [chunk.span.end_s for chunk in chunks]


def test_a_cut_in_a_pause_is_preferred_to_a_nearer_pause() -> None:
    assert ends_s(50, [30.0], [(0, 24.8), (25.4, 29.8), (30.2, 50)]) == [30.0, 50.0]


def test_a_pause_is_preferred_to_a_cut_in_speech() -> None:
    assert ends_s(50, [25.0], [(0, 27.5), (28.5, 50)]) == [28.0, 50.0]


def test_speech_without_a_pause_is_cut_at_the_limit() -> None:
    assert ends_s(100, [], [(0, 100)]) == [45.0, 90.0, 100.0]


def test_a_short_lecture_is_one_chunk() -> None:
    assert ends_s(12, [3.0], [(0, 2.5), (3.5, 12)]) == [12.0]
