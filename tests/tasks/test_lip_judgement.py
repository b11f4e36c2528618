"""Which faces speak, when their lips must change, and where the picture is cut for rendering."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from infra.media.splice import GroupOfPictures, GroupRun
from manifests.records import Blob, FaceTrack, Shot
from manifests.time import Span, flicks
from tasks.assemble import chapters
from tasks.lips import spans_to_change
from tasks.render import split_runs
from tasks.speaking import largest


def track(start_s: float, end_s: float, height_px: float) -> FaceTrack:
    return FaceTrack(
        id=f"{start_s}-{height_px}",
        chunk_id="c",
        span=Span.of_seconds(start_s, end_s),
        observations=Blob("0" * 64, ".npz", 1),
        median_height_px=height_px,
        embedding=(1.0,),
    )


def test_the_largest_of_several_faces_speaks_and_a_small_one_never() -> None:
    small, large, later = track(0, 5, 80), track(1, 4, 200), track(4, 6, 90)
    chosen = largest([small, large, later, track(7, 9, 30)], 64.0)
    assert [(each.track_id, each.spans) for each in chosen] == [(each.id, (each.span,)) for each in (large, later)]


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0.1, 20), st.floats(10, 400)), max_size=12))
def test_at_most_one_face_speaks_at_a_time(faces: list[tuple[float, float, float]]) -> None:
    tracks = [track(start, start + length, height) for start, length, height in faces]
    chosen = [span for each in largest(tracks, 64.0) for span in each.spans]
    assert all(a.end <= b.start for a, b in pairwise(chosen))
    assert all(any(t.span.overlaps(span) for span in chosen) for t in tracks if t.median_height_px >= 64.0)


def test_lips_change_while_either_voice_is_heard() -> None:
    within = Span.of_seconds(0, 10)
    changed = spans_to_change(
        [Span.of_seconds(1, 2)], [Span.of_seconds(1.5, 3), Span.of_seconds(9.5, 12)], within, flicks(0.1)
    )
    assert changed == (
        Span(flicks(1) - flicks(0.1), flicks(3) + flicks(0.1)),
        Span(flicks(9.5) - flicks(0.1), flicks(10)),
    )


@st.composite
def groups(draw: st.DrawFn) -> list[GroupOfPictures]:
    made, at = [], 0
    for index in range(draw(st.integers(1, 20))):
        end = at + flicks(draw(st.floats(0.2, 9)))
        closed = index == 0 or draw(st.booleans())
        made.append(
            GroupOfPictures(
                index=index,
                span=Span(at, end),
                frame_times=(at,),
                first_packet=index,
                packet_pts=(index,),
                closed=closed,
            )
        )
        at = end
    return made


@given(groups(), st.integers(1, 20))
def test_long_runs_are_split_only_where_a_group_stands_by_itself(made: list[GroupOfPictures], longest_s: int) -> None:
    whole = GroupRun(first=0, end=len(made), span=Span.hull(group.span for group in made))
    pieces = split_runs(made, [whole], flicks(longest_s))
    assert pieces[0].first == 0
    assert pieces[-1].end == len(made)
    assert all(a.end == b.first and made[b.first].closed for a, b in pairwise(pieces))
    for piece in pieces:
        inner_closed = any(made[at].closed for at in range(piece.first + 1, piece.end))
        assert piece.span.duration <= flicks(longest_s) or not inner_closed or piece.end - piece.first > 1
    assert split_runs(made, pieces, flicks(10_000)) == pieces


def test_chapters_start_at_slides_and_cover_the_lecture() -> None:
    borders = [0.0, 8, 16, 17, 25, 40]
    shots = [
        Shot(id=str(i), video_id="v", index=i, span=Span.of_seconds(a, b)) for i, (a, b) in enumerate(pairwise(borders))
    ]
    # The second shot shows a face, the third is too short to be a chapter.
    marks = chapters(shots, [track(8, 16, 200)])
    assert [mark.span.start_s for mark in marks] == [0, 17, 25]
    assert marks[-1].span.end_s == 40
    assert all(a.span.end == b.span.start for a, b in pairwise(marks))
    assert len({mark.title for mark in marks}) == len(marks)
