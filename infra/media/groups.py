"""Which groups of pictures (GOPs) a source is made of, and which of them must be rendered for a given change.

A group is read from packets alone, nothing is decoded. A copied group may follow a rendered one only where it starts
with an IDR picture; an open group there would refer to pictures that are gone, so the run is drawn out up to the next
IDR.
"""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.stream import VideoStream

from infra.media import nal
from infra.media.streams import base_of, clock_of, open_media, picture_stream
from manifests.errors import BadInput
from manifests.time import Flicks, Span

# What libx264 and libx265 write in the source's own sampling and depth.
_ENCODABLE = {
    "h264": frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p",
                       "yuv420p10le", "yuv422p10le", "yuv444p10le"}),
    "hevc": frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p",
                       "yuv420p10le", "yuv422p10le", "yuv444p10le"}),
}  # fmt: skip
_PROGRESSIVE = (0, 1)  # AVFieldOrder: unknown, progressive


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOfPictures:
    """One group as its packets tell: from a keyframe to before the next.

    `span` runs from its first frame shown to the next group's, on the clock of `infra.media.streams`; `frame_times`
    are its frames in the order shown, `packet_pts` its timestamps (source ticks) in stream order, the first one the
    keyframe's. `closed` says that it starts with an IDR picture; `copyable` that its packets can stand as they are.
    Times and timestamps are arrays of 64-bit numbers where a file was read: half a million each in six hours.
    """

    index: int
    span: Span
    frame_times: Sequence[Flicks]
    first_packet: int
    packet_pts: Sequence[int]
    closed: bool
    copyable: bool = True

    @property
    def packet_count(self) -> int:
        """How many packets it takes."""
        return len(self.packet_pts)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRun:
    """Neighbouring groups to render as one: numbers `first` to before `end`, shown during `span`."""

    first: int
    end: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """A source cut into groups.

    `obstacle` says why it cannot be spliced and must be rendered whole (`render.reencode_picture`); None where it can.
    `parameter_sets` are all that occur in the source, in order.
    """

    codec: str
    time_base: Fraction
    groups: tuple[GroupOfPictures, ...]
    parameter_sets: tuple[bytes, ...] = ()
    obstacle: str | None = None

    @property
    def reorder_depth(self) -> int:
        """By how many places a packet may come after its frame's place in the order shown."""
        return max((reorder_depth(group.packet_pts) for group in self.groups), default=0)  # none overlaps another

    def frame_count(self, runs: Sequence[GroupRun]) -> int:
        """How many frames `runs` render; the others are copied."""
        return sum(len(group.frame_times) for run in runs for group in self.groups[run.first : run.end])


def plan_groups(path: Path) -> GroupPlan:
    """The groups of the picture in `path`; a plan with an `obstacle` and no groups where it cannot be spliced."""
    with open_media(path) as container:
        stream = picture_stream(container, path)
        codec = stream.codec_context.codec.canonical_name
        base = base_of(stream)
        obstacle = _obstacle_of_stream(stream, codec)
        if obstacle is None:
            try:
                scan = _Scan(stream, codec)
                for packet in container.demux(stream):
                    scan.add(packet)
                groups = scan.finish()
            except av.error.FFmpegError as error:
                raise BadInput(f"its packets cannot be read ({error.strerror});", where=str(path)) from error
            except _CannotSpliceError as error:
                obstacle = str(error)
            else:
                return GroupPlan(codec=codec, time_base=base, groups=groups, parameter_sets=tuple(scan.parameter_sets))
        return GroupPlan(codec=codec, time_base=base, groups=(), obstacle=obstacle)


def groups_to_render(groups: Sequence[GroupOfPictures], changed: Sequence[Span]) -> list[GroupRun]:
    """The runs of groups that hold a frame within `changed`, drawn out to where copying may resume.

    In order, disjoint and never adjacent, so that every run can be rendered by itself. Groups whose packets cannot
    stand as they are always belong to a run.
    """
    runs: list[GroupRun] = []
    at = 0
    while at < len(groups):
        if groups[at].copyable and not _holds(groups[at], changed):
            at += 1
            continue
        first = at
        at += 1
        while at < len(groups) and (not groups[at].closed or not groups[at].copyable or _holds(groups[at], changed)):
            at += 1
        runs.append(GroupRun(first=first, end=at, span=Span.hull(group.span for group in groups[first:at])))
    return runs


def _holds(group: GroupOfPictures, changed: Sequence[Span]) -> bool:
    """Whether any frame of the group is within any of `changed`."""
    times = group.frame_times
    for span in changed:
        at = bisect_left(times, span.start)
        if at < len(times) and times[at] < span.end:
            return True
    return False


def reorder_depth(pts: npt.ArrayLike) -> int:
    """By how many places at most a timestamp in stream order comes later than in sorted order."""
    order = np.asarray(pts, np.int64)
    rank = np.searchsorted(np.sort(order), order)
    return int((np.arange(len(order)) - rank).max(initial=0))


def decode_times(pts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Decoding timestamps (N,) for frames in stream order: strictly rising, none after its presentation timestamp.

    They are the presentation timestamps themselves, sorted and delayed by the reordering depth of the whole stream,
    so they stay right across the borders of groups that came from different encoders. ValueError for equal `pts`.
    """
    shown = np.sort(np.asarray(pts, np.int64))
    if (np.diff(shown) <= 0).any():
        raise ValueError("two frames have one timestamp")
    depth = reorder_depth(pts)
    step = int(shown[1] - shown[0]) if len(shown) > 1 else 1
    before = shown[:1] - step * np.arange(depth, 0, -1)
    return np.concatenate([before, shown])[: len(shown)]


class _CannotSpliceError(Exception):
    """The packets do not allow splicing; the message says why."""


def _obstacle_of_stream(stream: VideoStream, codec: str) -> str | None:
    context = stream.codec_context
    if codec not in nal.SYNTAXES:
        return f"{codec} is rendered whole: only H.264 and HEVC are spliced"
    if context.pix_fmt not in _ENCODABLE[codec]:
        return f"{context.pix_fmt} cannot be encoded beside the source's own groups"
    if stream.container.format.name == "avi":
        return "AVI keeps no presentation timestamps"
    if context.field_order not in _PROGRESSIVE:
        return "interlaced pictures are rendered whole"
    return None


class _Scan:
    """Gathers packets into groups, one pass, in stream order."""

    def __init__(self, stream: VideoStream, codec: str) -> None:
        self._clock = clock_of(stream)
        self._syntax = nal.SYNTAXES[codec]
        extradata = bytes(stream.codec_context.extradata or b"")
        self._prefix = nal.length_size(codec, extradata)
        self.parameter_sets: list[bytes] = nal.extradata_units(codec, extradata)
        self._groups: list[_Draft] = []
        self._count = 0
        self._end = 0

    def add(self, packet: Packet[VideoStream]) -> None:
        if not packet.size:
            return
        if packet.pts is None:
            raise _CannotSpliceError("its packets carry no presentation timestamps")
        if packet.is_keyframe:
            units = nal.split(bytes(packet), self._prefix)
            for unit in self._syntax.parameter_sets(units):
                if unit not in self.parameter_sets:
                    self.parameter_sets.append(unit)
            self._groups.append(_Draft(self._count, self._syntax.starts_closed(units)))
        self._count += 1
        if not self._groups:
            return  # before the first keyframe nothing can be decoded
        group = self._groups[-1]
        group.pts.append(packet.pts)
        if packet.is_discard or packet.is_corrupt:
            group.copyable = False
        if not packet.is_discard:
            group.shown.append(packet.pts)
        self._end = max(self._end, packet.pts + max(packet.duration or 0, 1))

    def finish(self) -> tuple[GroupOfPictures, ...]:
        drafts = [draft for draft in _joined(self._groups) if draft.shown]
        if not drafts:
            raise _CannotSpliceError("it has no keyframe")
        # Drafts that overlap were joined, so equal timestamps lie in one draft or where two of them meet.
        borders = itertools.pairwise(drafts)
        if any(len(set(each.pts)) != len(each.pts) for each in drafts) or any(
            max(before.pts) == min(after.pts) for before, after in borders
        ):
            raise _CannotSpliceError("several of its packets share one timestamp")
        starts = [self._clock.time(min(draft.shown)) for draft in drafts]
        ends = [*starts[1:], self._clock.time(self._end)]
        return tuple(
            GroupOfPictures(
                index=index,
                span=Span(start, end),
                frame_times=array("q", (self._clock.time(pts) for pts in sorted(draft.shown))),
                first_packet=draft.first_packet,
                packet_pts=draft.pts,
                closed=draft.closed,
                copyable=draft.copyable,
            )
            for index, (draft, start, end) in enumerate(zip(drafts, starts, ends, strict=True))
        )


@dataclass(slots=True)
class _Draft:
    first_packet: int
    closed: bool
    pts: array[int] = field(default_factory=partial(array, "q"))
    shown: array[int] = field(default_factory=partial(array, "q"))
    copyable: bool = True


def _joined(drafts: Sequence[_Draft]) -> Iterator[_Draft]:
    """Drafts, with those joined to the one before that show a frame before it has ended."""
    held: _Draft | None = None
    for draft in drafts:
        if held is not None and min(draft.pts) < max(held.pts):
            held.pts += draft.pts
            held.shown += draft.shown
            held.copyable &= draft.copyable
            continue
        if held is not None:
            yield held
        held = draft
    if held is not None:
        yield held
