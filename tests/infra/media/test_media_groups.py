from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_recipes import Make

from infra.media import nal
from infra.media.frames import read_frames
from infra.media.groups import GroupOfPictures, decode_times, groups_to_render, plan_groups, reorder_depth
from manifests.time import Span

STEP = 10


@st.composite
def groupings(draw: st.DrawFn) -> list[GroupOfPictures]:
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=12))
    groups: list[GroupOfPictures] = []
    at = 0
    for index, length in enumerate(lengths):
        times = tuple(range(at * STEP, (at + length) * STEP, STEP))
        groups.append(
            GroupOfPictures(
                index=index,
                span=Span(times[0], times[-1] + STEP),
                frame_times=times,
                first_packet=at,
                packet_pts=times,
                closed=draw(st.booleans()) if index else True,
                copyable=draw(st.integers(0, 9)) > 0,
            )
        )
        at += length
    return groups


spans = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)).map(lambda p: Span(p[0], p[0] + p[1])), max_size=5)


@given(groupings(), spans)
def test_what_must_be_rendered_is_and_nothing_else(groups: list[GroupOfPictures], changed: list[Span]) -> None:
    runs = groups_to_render(groups, changed)
    rendered = {index for run in runs for index in range(run.first, run.end)}
    holds = {g.index for g in groups if any(time in span for span in changed for time in g.frame_times)}
    forced = {g.index for g in groups if not g.copyable}
    assert holds | forced <= rendered
    for group in groups:
        # Copying after a rendered group resumes at an IDR.
        if group.index not in rendered and group.index - 1 in rendered:
            assert group.closed
        # A group is rendered without need of its own only to reach the next IDR.
        if group.index in rendered - holds - forced:
            assert not group.closed
            assert group.index - 1 in rendered


@given(groupings(), spans)
def test_runs_are_in_order_disjoint_and_apart(groups: list[GroupOfPictures], changed: list[Span]) -> None:
    runs = groups_to_render(groups, changed)
    assert all(run.first < run.end <= len(groups) for run in runs)
    assert all(before.end < after.first for before, after in pairwise(runs))
    for run in runs:
        assert run.span == Span(groups[run.first].span.start, groups[run.end - 1].span.end)


@given(groupings())
def test_no_change_renders_nothing_that_can_be_copied(groups: list[GroupOfPictures]) -> None:
    if all(group.copyable for group in groups):
        assert groups_to_render(groups, []) == []
        assert groups_to_render(groups, [Span(5, 5)]) == []


@given(st.lists(st.integers(-1000, 1000), unique=True, min_size=1, max_size=40))
def test_decoding_times_rise_and_never_pass_presentation(pts: list[int]) -> None:
    dts = decode_times(pts).tolist()
    assert len(dts) == len(pts)
    assert all(before < after for before, after in pairwise(dts))
    assert all(decoded <= shown for decoded, shown in zip(dts, pts, strict=True))
    # And no later than need be: some frame is decoded at the very moment it is shown.
    assert any(decoded == shown for decoded, shown in zip(dts, pts, strict=True))


def test_decoding_times_of_a_known_order() -> None:
    order = [0, 3, 1, 2, 6, 4, 5]  # I P B B P B B
    assert reorder_depth(order) == 1
    assert decode_times(order).tolist() == [-1, 0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="one timestamp"):
        decode_times([1, 1])


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        ("h264_b.mp4", [True] * 5),
        ("h264_b.ts", [True] * 5),
        ("h264_open.mp4", [True, False, False, False, False]),
        ("hevc.mp4", [True] * 5),
        ("hevc.ts", [True] * 5),
        ("hevc_open.mkv", [True, False, False, False, False]),
    ],
)
def test_groups_are_read_without_decoding(media: Make, name: str, closed: list[bool]) -> None:
    plan = plan_groups(media(name))
    assert plan.obstacle is None
    assert [group.closed for group in plan.groups] == closed
    times = [time for group in plan.groups for time in group.frame_times]
    assert times == [time for time, _ in read_frames(media(name))]
    assert all(before.span.end == after.span.start for before, after in pairwise(plan.groups))
    assert plan.reorder_depth > 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vp9_odd.webm", "vp9"),
        ("mpeg1.mpg", "mpeg1video"),
        ("h264_b.avi", "timestamps"),
        ("h264_interlaced.mp4", "interlaced"),
    ],
)
def test_what_cannot_be_spliced_says_why(media: Make, name: str, reason: str) -> None:
    plan = plan_groups(media(name))
    assert plan.groups == ()
    assert plan.obstacle is not None
    assert reason in plan.obstacle


def test_nal_units_by_length_and_by_start_code() -> None:
    units = [b"\x67\x42\x00\x1e\xab", b"\x68\xce\x01", b"\x65\x88" + b"\x07" * 300]
    by_length = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
    assert nal.split(by_length, 4) == nal.split(nal.annex_b(units), None) == units
    assert nal.split(b"\0\0\1" + b"\0\0\1".join(units), None) == units
    assert nal.SYNTAXES["h264"].starts_closed(units)
    assert not nal.SYNTAXES["h264"].starts_closed([*units[:2], b"\x41\x9a"])
    assert nal.SYNTAXES["h264"].parameter_sets(units) == units[:2]
    assert not nal.SYNTAXES["hevc"].starts_closed([b"\x2a\x01\xaf"])  # a CRA picture
    assert nal.SYNTAXES["hevc"].starts_closed([b"\x28\x01\xaf"])


@given(st.integers(0, 31), st.integers(0, 31))
def test_parameter_set_ids(sps: int, pps: int) -> None:
    def coded(number: int) -> bytes:
        bits = f"{number + 1:b}"
        bits = "0" * (len(bits) - 1) + bits + "1"
        return int(bits.ljust(24, "0"), 2).to_bytes(3, "big")

    units = [b"\x67\x64\x00\x1f" + coded(sps), b"\x68" + coded(pps)]
    assert nal.h264_set_ids(units) == {sps, pps}
