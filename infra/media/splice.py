"""Splicing: the groups of pictures that nothing changed are copied packet for packet, the rendered ones stand between.

The result goes straight into MP4 with the source's own time base, on the source's clock or on a dub's that holds it.
It decodes because the header lists the parameter sets of both encoders (H.264: each under its own id), they are
repeated before every IDR, and decoding timestamps are made anew for the whole stream from its presentation timestamps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from infra.files import published
from infra.media import nal
from infra.media.groups import (
    GroupOfPictures,
    GroupPlan,
    GroupRun,
    groups_to_render,
    plan_groups,
)
from infra.media.pixels import FrameView, Patch
from infra.media.render import Change, RenderSettings, reencode_picture, render_run, run_lead
from infra.media.retime import PacketTimes, packet_times
from infra.media.streams import (
    Clock,
    base_of,
    clock_of,
    decode_packets,
    display_matrix,
    media_url,
    open_media,
    picture_stream,
)
from manifests.clock import HeldClock

__all__ = [
    "Change",
    "FrameView",
    "GroupOfPictures",
    "GroupPlan",
    "GroupRun",
    "Patch",
    "RenderSettings",
    "assemble_picture",
    "groups_to_render",
    "hold_picture",
    "plan_groups",
    "reencode_picture",
    "render_run",
]


def assemble_picture(
    path: Path, plan: GroupPlan, rendered: Mapping[GroupRun, Path], out: Path, holds: HeldClock | None = None
) -> None:
    """Write the picture of `path` to `out` (MP4), with the groups of each run taken from its rendered file.

    Frames, their number and their timestamps are the source's, the first at 0; rotation, sample aspect ratio and
    colour tags too. Where `holds` wait, the frame before lasts longer; no packet changes. ValueError where `plan` has
    an obstacle or runs overlap; NoSpace where `out` cannot be written.
    """
    if plan.obstacle is not None:
        raise ValueError(f"this picture cannot be spliced: {plan.obstacle}")
    runs = sorted(rendered, key=lambda run: run.first)
    if any(before.end > after.first for before, after in itertools.pairwise(runs)):
        raise ValueError("two rendered runs share a group")
    with open_media(path) as container, published(out) as draft:
        source = picture_stream(container, path)
        times = packet_times(_stream_order(plan, runs, rendered), clock_of(source), holds or HeldClock())
        with _picture_file(draft, source) as target:
            stream = _stream_like(source, plan, [rendered[run] for run in runs], target)
            _write(_packets(source, plan, runs, rendered), times, _display_matrix_of(path), stream, target)


def hold_picture(path: Path, holds: HeldClock, out: Path) -> None:
    """Write the picture of `path`, a file that `reencode_picture` made, to `out` (MP4) on the dub's clock.

    Its packets are copied. NoSpace where `out` cannot be written.
    """
    with open_media(path) as container:
        order = [packet.pts for packet in container.demux(picture_stream(container, path)) if packet.pts is not None]
    with open_media(path) as container, published(out) as draft:
        source = picture_stream(container, path)
        times = packet_times(order, Clock(Fraction(0), base_of(source)), holds)
        with _picture_file(draft, source) as target:
            stream = target.add_stream_from_template(source, opaque=True)
            stream.time_base = base_of(source)
            _write(container.demux(source), times, _display_matrix_of(path), stream, target)


def _picture_file(draft: Path, source: VideoStream) -> OutputContainer:
    options = {
        "fflags": "+bitexact",
        "movflags": "+faststart",
        "video_track_timescale": str(base_of(source).denominator),
    }
    return av.open(media_url(draft), "w", format="mp4", container_options=options)


def _write(
    packets: Iterable[Packet[VideoStream]],
    times: PacketTimes,
    matrix: tuple[int, ...] | None,
    stream: VideoStream,
    target: OutputContainer,
) -> None:
    if matrix is not None:
        stream.set_display_matrix(matrix)
    base = base_of(stream)  # what the muxer makes of it is not what the timestamps count
    for packet in packets:
        if packet.pts is None or not packet.size:
            continue
        time = times[packet.pts]
        packet.stream = stream
        packet.time_base = base
        packet.pts, packet.dts, packet.duration = time.pts, time.dts, time.duration
        target.mux_one(packet)


def _display_matrix_of(path: Path) -> tuple[int, ...] | None:
    # Opened by itself: seeking back need not lead to the very first packet.
    with open_media(path) as container:
        first = next(decode_packets(container, picture_stream(container, path)), None)
        return None if first is None else display_matrix(first)


def _stream_like(
    source: VideoStream, plan: GroupPlan, rendered: Sequence[Path], target: OutputContainer
) -> VideoStream:
    """A stream for copied packets whose header holds the source's parameter sets and the encoder's."""
    stream = target.add_stream_from_template(source, opaque=True)
    units = list(plan.parameter_sets)
    if plan.codec == "h264" and rendered:
        with open_media(rendered[0]) as container:
            units += nal.extradata_units("h264", bytes(container.streams.video[0].codec_context.extradata or b""))
    stream.codec_context.extradata = nal.annex_b(units)
    stream.time_base = base_of(source)
    if plan.codec == "hevc":
        # "hev1" allows parameter sets between pictures; Apple's players want "hvc1".
        stream.codec_context.codec_tag = "hev1" if rendered else "hvc1"
    return stream


def _stream_order(plan: GroupPlan, runs: Sequence[GroupRun], rendered: Mapping[GroupRun, Path]) -> Iterator[int]:
    """The presentation timestamps (source ticks) of the result, in stream order."""
    at = 0
    for run in runs:
        for group in plan.groups[at : run.first]:
            yield from group.packet_pts
        yield from (pts for packet in _rendered_packets(plan, rendered[run]) if (pts := packet.pts) is not None)
        at = run.end
    for group in plan.groups[at:]:
        yield from group.packet_pts


def _packets(
    source: VideoStream, plan: GroupPlan, runs: Sequence[GroupRun], rendered: Mapping[GroupRun, Path]
) -> Iterator[Packet[VideoStream]]:
    """Every packet of the result, in stream order, with start codes and with `pts` in source ticks."""
    pending = list(runs)
    after_rendered = False
    for group, copied in _source_groups(source, plan):
        if pending and group.index == pending[0].first:
            yield from _rendered_packets(plan, rendered[pending[0]])
            after_rendered = True
        if pending and group.index >= pending[0].first:
            if group.index == pending[0].end - 1:
                pending.pop(0)
            for _ in copied:
                pass
            continue
        for packet in copied:
            yield _with_parameter_sets(packet, plan) if after_rendered else packet
            after_rendered = False


def _source_groups(
    source: VideoStream, plan: GroupPlan
) -> Iterator[tuple[GroupOfPictures, Iterator[Packet[VideoStream]]]]:
    """Each group with its packets, which must be used up before the next group is asked for."""
    packets = _annex_b_packets(source, plan)
    for _ in range(plan.groups[0].first_packet):
        next(packets)
    for group in plan.groups:
        yield group, (next(packets) for _ in range(group.packet_count))


def _annex_b_packets(source: VideoStream, plan: GroupPlan) -> Iterator[Packet[VideoStream]]:
    to_start_codes = BitStreamFilterContext(f"{plan.codec}_mp4toannexb", source)
    container = source.container
    if not isinstance(container, InputContainer):
        raise TypeError("packets are read from an input")
    for packet in container.demux(source):
        if packet.size:
            yield from to_start_codes.filter(packet)


def _with_parameter_sets(packet: Packet[VideoStream], plan: GroupPlan) -> Packet[VideoStream]:
    """The first packet copied after rendered ones, led by the source's parameter sets where it lacks them."""
    syntax = nal.SYNTAXES[plan.codec]
    units = nal.split(bytes(packet), None)
    if syntax.parameter_sets(units):
        return packet
    led: Packet[Any] = Packet(nal.annex_b([*plan.parameter_sets, *units]))
    led.pts, led.dts, led.is_keyframe = packet.pts, packet.dts, True
    return led


def _rendered_packets(plan: GroupPlan, path: Path) -> Iterator[Packet[VideoStream]]:
    with open_media(path) as container:
        stream = container.streams.video[0]
        scale = base_of(stream) / plan.time_base
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None:
                packet.pts = round(packet.pts * scale) - run_lead(plan.time_base)
                yield packet
