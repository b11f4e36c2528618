"""Rendering: decode, change, encode, one frame at a time.

A frame stays in the planes it was decoded to; only the samples under a patch go through RGB. What is encoded takes
after the source: sampling and depth, colour tags, sample aspect ratio, time base and timestamps, reordering depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from infra.files import published
from infra.media import nal
from infra.media.frames import decode_span
from infra.media.groups import GroupPlan, GroupRun
from infra.media.pixels import EXACT, FrameView, Patch, apply_patch, copy_of, matrix_of
from infra.media.streams import (
    Orientation,
    base_of,
    clock_of,
    display_matrix,
    media_url,
    open_media,
    orientation_of,
    picture_stream,
)
from infra.media.x264 import REPEATABLE
from manifests.errors import BadInput
from manifests.time import Flicks, Span

Change: TypeAlias = Callable[[FrameView], Patch | None]
"""What to do to a frame: the new pixels of one rectangle, or None to leave it as it is."""

RUN_SUFFIX = ".nut"
"""What a rendered run is kept in: NUT holds any time base exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """How rendered groups are encoded. `crf`: lower is finer; `threads` is fixed because it changes the bytes."""

    crf: int = 14
    preset: str = "veryfast"
    threads: int = 4


def render_run(
    path: Path, plan: GroupPlan, run: GroupRun, change: Change, out: Path, settings: RenderSettings | None = None
) -> int:
    """Render one run of groups to `out` (NUT) for `splice.assemble_picture`, and return its number of frames.

    `change` is called once a frame, in the order shown. The same input gives the same bytes. BadInput where the
    source cannot be decoded, NoSpace where `out` cannot be written.
    """
    settings = settings or RenderSettings()
    with open_media(path) as container, published(out) as draft:
        stream = picture_stream(container, path)
        # An open group shows frames that refer to the group before it, so decoding starts there.
        lead_in = run.first
        while lead_in > 0 and not plan.groups[lead_in].closed and run.first - lead_in < 2:
            lead_in -= 1
        decoded = decode_span(container, stream, Span(plan.groups[lead_in].span.start, run.span.end), path)
        frames = ((time, frame) for time, frame in decoded if time in run.span)
        with av.open(media_url(draft), "w", format="nut", container_options={"fflags": "+bitexact"}) as target:
            return _encode(stream, frames, target, _twin_options(plan, settings), change, _twin_codec(plan))


def run_lead(time_base: Fraction) -> int:
    """By how many ticks timestamps in a rendered run are late: NUT holds none below 0, and decoding comes before 0."""
    return int(1000 / time_base)


def reencode_picture(path: Path, change: Change, out: Path, settings: RenderSettings | None = None) -> int:
    """Render the whole picture to H.264 4:2:0 8 bit in an MP4, for sources that cannot be spliced; returns its frames.

    An odd width or height grows by one, its last column or row shown twice (4:2:0 has no half chroma sample).
    Timestamps, colour tags, sample aspect ratio and rotation are kept.
    """
    settings = settings or RenderSettings()
    with open_media(path) as container, published(out) as draft:
        stream = picture_stream(container, path)
        options = _x264_options(settings, bframes=2)
        mp4 = {"movflags": "+faststart", "fflags": "+bitexact"}
        with av.open(media_url(draft), "w", format="mp4", container_options=mp4) as target:
            return _encode(stream, decode_span(container, stream, None, path), target, options, change, "libx264")


def _encode(
    source: VideoStream,
    frames: Iterator[tuple[Flicks, VideoFrame]],
    target: OutputContainer,
    options: Mapping[str, str],
    change: Change,
    encoder: str,
) -> int:
    reformatter = VideoReformatter()
    stream: VideoStream | None = None
    orientation: Orientation | None = None
    spliced = target.format.name == "nut"
    count = 0
    clock = clock_of(source)
    for time, frame in frames:
        orientation = orientation or orientation_of(frame)
        view = FrameView(time, frame, orientation, reformatter)
        patch = change(view)
        changed = frame if patch is None else apply_patch(frame, view, patch, orientation)
        pts = frame.pts if frame.pts is not None else frame.dts
        prepared = changed if spliced else _as_420(changed)
        if stream is None:
            stream = _video_stream(target, encoder, source, frame, prepared, options)
            if not spliced and (matrix := display_matrix(frame)) is not None:
                stream.set_display_matrix(matrix)
        if (prepared.width, prepared.height) != (stream.width, stream.height):
            raise BadInput("the picture changes its size midway", where=source.container.name)
        # The source's frame types are no advice for the encoder.
        prepared.pict_type = PictureType.NONE
        prepared.time_base = base_of(source)
        if pts is not None:
            prepared.pts = pts + run_lead(prepared.time_base) if spliced else clock.since_origin(pts)
        target.mux(stream.encode(prepared))
        count += 1
    if stream is None:
        raise BadInput("none of its frames can be decoded here", where=source.container.name)
    target.mux(stream.encode(None))
    return count


def _as_420(frame: VideoFrame) -> VideoFrame:
    """`frame` as even-sized yuv420p with limited range, or the full range it is tagged with."""
    name = frame.format.name
    if name not in ("yuv420p", "yuvj420p"):
        matrix = matrix_of(frame)
        frame = VideoReformatter().reformat(
            frame, format="yuv420p", src_colorspace=matrix, dst_colorspace=matrix, interpolation=EXACT, threads=1
        )
    width, height = frame.width + frame.width % 2, frame.height + frame.height % 2
    return frame if (width, height) == (frame.width, frame.height) else copy_of(frame, width, height)


def _video_stream(
    target: OutputContainer,
    encoder: str,
    source: VideoStream,
    tagged: VideoFrame,
    prepared: VideoFrame,
    options: Mapping[str, str],
) -> VideoStream:
    """A stream that encodes frames like `prepared`, tagged as the source is."""
    rate = Fraction(source.average_rate or source.guessed_rate or 25).limit_denominator(1_000_000)
    stream = target.add_stream(encoder, rate=rate, options=dict(options))
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{encoder} is no video encoder")
    context = stream.codec_context
    context.width, context.height = prepared.width, prepared.height
    context.pix_fmt = prepared.format.name
    context.time_base = stream.time_base = base_of(source)
    context.color_primaries, context.color_trc = tagged.color_primaries, tagged.color_trc
    context.colorspace, context.color_range = tagged.colorspace, tagged.color_range
    if source.sample_aspect_ratio:
        context.sample_aspect_ratio = source.sample_aspect_ratio
    context.thread_count = int(options["threads"])
    return stream


def _twin_codec(plan: GroupPlan) -> str:
    return "libx264" if plan.codec == "h264" else "libx265"


def _twin_options(plan: GroupPlan, settings: RenderSettings) -> dict[str, str]:
    """Options that keep the rendered groups decodable beside the source's own.

    Their reordering depth stays within the source's, which players size their output delay by. Parameter sets are
    repeated before every IDR, those of H.264 under an id of their own, so that one header can list both kinds.
    """
    bframes = min(plan.reorder_depth, 2)
    if plan.codec == "h264":
        taken = nal.h264_set_ids(plan.parameter_sets)
        free = next(number for number in range(1, 32) if number not in taken)
        options = _x264_options(settings, bframes=bframes)
        options["x264-params"] += f":repeat-headers=1:sps-id={free}"
        return options
    pyramid = int(bframes > 1)
    return {
        "crf": str(settings.crf),
        "preset": settings.preset,
        "threads": str(settings.threads),
        "x265-params": f"repeat-headers=1:open-gop=0:bframes={bframes}:b-pyramid={pyramid}:frame-threads=1"
        ":log-level=error:info=0",
    }


def _x264_options(settings: RenderSettings, *, bframes: int) -> dict[str, str]:
    pyramid = "normal" if bframes > 1 else "none"
    return {
        "crf": str(settings.crf),
        "preset": settings.preset,
        "threads": str(settings.threads),
        "x264-params": f"open-gop=0:bframes={bframes}:b-pyramid={pyramid}:{REPEATABLE}",
    }
