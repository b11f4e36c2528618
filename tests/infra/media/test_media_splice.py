from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_recipes import Make, ffmpeg, frame_hashes

from infra.files import no_space_told
from infra.media.frames import read_frames
from infra.media.pixels import FrameView, Patch, Rgb, apply_patch, copy_of, plane_array
from infra.media.probe import probe
from infra.media.splice import (
    Change,
    GroupRun,
    RenderSettings,
    assemble_picture,
    groups_to_render,
    plan_groups,
    reencode_picture,
    render_run,
)
from infra.media.streams import Orientation
from manifests.errors import BadInput, NoSpace
from manifests.time import Span

CHANGED = (Span.of_seconds(1.7, 1.9),)
BOX = (slice(40, 100), slice(31, 121))  # rows, columns; odd on purpose


RAMP = np.stack(
    [*np.meshgrid(np.linspace(40, 220, BOX[1].stop - BOX[1].start), np.linspace(60, 200, BOX[0].stop - BOX[0].start)),
     np.full((BOX[0].stop - BOX[0].start, BOX[1].stop - BOX[1].start), 128.0)], axis=2,
).astype(np.uint8)  # fmt: skip
"""Colours that tell the place of every pixel, and that subsampled chroma can hold."""


def ramped(view: FrameView) -> Patch | None:
    """The frames of `CHANGED` with a ramp in one rectangle."""
    return Patch(BOX[1].start, BOX[0].start, RAMP) if any(view.time in span for span in CHANGED) else None


def error_in_box(rgb: Rgb) -> float:
    inner = slice(2, -2), slice(2, -2)  # chroma is shared across the edge
    return float(np.abs(rgb[BOX].astype(int) - RAMP)[inner].mean())


def spliced(path: Path, folder: Path, change: Change = ramped, changed: tuple[Span, ...] = CHANGED) -> Path:
    plan = plan_groups(path)
    rendered: dict[GroupRun, Path] = {}
    for number, run in enumerate(groups_to_render(plan.groups, changed)):
        rendered[run] = folder / f"run{number}.nut"
        assert render_run(path, plan, run, change, rendered[run]) == plan.frame_count([run])
    out = folder / "picture.mp4"
    assemble_picture(path, plan, rendered, out)
    return out


@pytest.mark.parametrize(
    "name",
    [
        "h264_b.mp4",
        "h264_no_b.mp4",
        "h264_b.mkv",
        "h264_b.mov",
        "h264_b.ts",
        "h264_open.mp4",
        "h264_10bit.mkv",
        "h264_422.mp4",
        "h264_444_odd.mp4",
        "h264_full_range.mp4",
        "h264_vfr.mp4",
        "h264_sar.mp4",
        "h264_ntsc.mp4",
        "hevc.mp4",
        "hevc.ts",
        "hevc_open.mkv",
    ],
)
def test_frames_outside_the_rendered_groups_are_bit_identical(media: Make, tmp_path: Path, name: str) -> None:
    source = media(name)
    changed = (Span.of_seconds(0.5, 0.6),) if name == "h264_444_odd.mp4" else CHANGED
    plan = plan_groups(source)
    runs = groups_to_render(plan.groups, changed)
    out = spliced(source, tmp_path, lambda view: None, changed)
    before, after = probe(source), probe(out)
    assert (after.codec, after.pixel_format, after.width, after.height, after.frame_count, after.rotation_deg) == (
        before.codec, before.pixel_format, before.width, before.height, before.frame_count, before.rotation_deg,
    )  # fmt: skip
    assert abs(after.span.duration_s - before.span.duration_s) < 0.045
    times = [time for time, _ in read_frames(source)]
    assert [time for time, _ in read_frames(out)] == times
    made = frame_hashes(out)
    hashes = [row[1] for row in frame_hashes(source)], [row[1] for row in made]
    outside = [not any(time in run.span for run in runs) for time in times]
    assert [h for h, keep in zip(hashes[0], outside, strict=True) if keep] == [
        h for h, keep in zip(hashes[1], outside, strict=True) if keep
    ]
    assert 0 < sum(outside) < len(outside)
    assert made[0][0] == "0"  # the first frame is at 0, not merely moved there by the reader
    with av.open(str(source)) as one, av.open(str(out)) as other:
        old, new = one.streams.video[0], other.streams.video[0]
        assert (old.sample_aspect_ratio or 1) == (new.sample_aspect_ratio or 1)
        # Untagged means limited range; Matroska tags it, MP4 need not.
        assert (max(old.color_range, 1), old.colorspace) == (max(new.color_range, 1), new.colorspace)


@pytest.mark.parametrize("name", ["h264_b.mp4", "h264_10bit.mkv", "h264_422.mp4", "h264_full_range.mp4", "hevc.mp4"])
def test_a_patch_shows_where_it_was_put_and_leaves_the_rest(media: Make, tmp_path: Path, name: str) -> None:
    out = spliced(media(name), tmp_path)
    for (time, before), (_, after) in zip(read_frames(media(name)), read_frames(out), strict=True):
        wanted = before.astype(int)
        if any(time in span for span in CHANGED):
            assert error_in_box(after) < 4
            border = slice(BOX[0].start - 2, BOX[0].stop + 2), slice(BOX[1].start - 2, BOX[1].stop + 2)
            wanted[border] = after[border]  # chroma is shared across the edge
        error = np.square(after - wanted.astype(float)).mean()
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > 38  # in RGB; testsrc2 is harder than any lecture


def test_a_patch_on_a_rotated_video_lands_upright(rotated: Path, tmp_path: Path) -> None:
    out = spliced(rotated, tmp_path)
    assert probe(out).rotation_deg == 90
    _, after = next(iter(read_frames(out, CHANGED[0])))
    assert after.shape == (320, 180, 3)
    assert error_in_box(after) < 4


def test_the_first_and_the_last_group_can_be_rendered(media: Make, tmp_path: Path) -> None:
    ends = (Span.of_seconds(0, 0.1), Span.of_seconds(3.9, 4))
    for name in ("h264_b.mp4", "hevc.mp4"):
        out = spliced(media(name), tmp_path, lambda view: None, ends)
        made, source = frame_hashes(out), frame_hashes(media(name))
        assert [row[0] for row in made] == [row[0] for row in source]
        assert made[20:80] == source[20:80]


def test_every_group_can_be_entered_by_seeking(media: Make, tmp_path: Path) -> None:
    out = spliced(media("h264_b.mp4"), tmp_path)
    everything = dict(read_frames(out))
    for start in (0.84, 1.62, 1.8, 2.42, 3.3):
        for time, rgb in read_frames(out, Span.of_seconds(start, start + 0.2)):
            assert np.array_equal(rgb, everything[time])


def test_the_same_input_gives_the_same_bytes(media: Make, tmp_path: Path) -> None:
    for name in ("h264_b.mp4", "hevc.mp4"):
        one, other = tmp_path / "1", tmp_path / "2"
        first, second = spliced(media(name), one), spliced(media(name), other)
        assert (one / "run0.nut").read_bytes() == (other / "run0.nut").read_bytes()
        assert first.read_bytes() == second.read_bytes()


def test_nothing_changed_copies_everything(media: Make, tmp_path: Path) -> None:
    out = spliced(media("h264_b.mkv"), tmp_path, changed=())
    assert frame_hashes(out) == frame_hashes(media("h264_b.mkv"))


def test_a_source_trimmed_by_an_edit_list_keeps_its_shown_frames(media: Make, tmp_path: Path) -> None:
    trimmed = tmp_path / "trimmed.mp4"
    ffmpeg("-ss", "0.4", "-i", media("h264_b.mp4"), "-c", "copy", "-map", "0:v", trimmed)
    out = spliced(trimmed, tmp_path)
    before, after = list(read_frames(trimmed)), list(read_frames(out))
    assert [time for time, _ in after] == [time for time, _ in before]
    assert np.abs(after[0][1].astype(int) - before[0][1]).mean() < 3
    assert len(frame_hashes(out)) == len(before)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("vp9_odd.webm", (162, 92)),
        ("mpeg1.mpg", (320, 180)),
        ("prores.mov", (160, 90)),
        ("h264_b.avi", (320, 180)),
        ("h264_interlaced.mp4", (320, 180)),
    ],
)
def test_what_cannot_be_spliced_is_rendered_whole(
    media: Make, tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    out = tmp_path / "whole.mp4"
    count = reencode_picture(media(name), lambda view: Patch(0, 0, np.zeros((10, 10, 3), np.uint8)), out)
    after = probe(out)
    assert len(frame_hashes(out)) == count
    assert (after.codec, after.pixel_format, after.width, after.height) == ("h264", "yuv420p", *size)
    assert after.frame_count == count
    times = [time for time, _ in read_frames(media(name))]
    made = list(read_frames(out))
    # AVI's first frame is one frame late on its own clock; in MP4 it is the first.
    assert [time for time, _ in made] == [time - times[0] for time in times]
    assert made[3][1][2:8, 2:8].max() < 24
    step = max(1, count // 8)
    for (_, before), (_, whole) in list(zip(read_frames(media(name)), made, strict=True))[::step]:
        difference = whole[: before.shape[0], : before.shape[1]].astype(int)[12:, 12:] - before[12:, 12:]
        assert np.abs(difference.mean(axis=2)).mean() < 4


def test_bad_plans_are_refused(media: Make, tmp_path: Path) -> None:
    plan = plan_groups(media("vp9_odd.webm"))
    with pytest.raises(ValueError, match="cannot be spliced"):
        assemble_picture(media("vp9_odd.webm"), plan, {}, tmp_path / "x.mp4")
    plan = plan_groups(media("h264_b.mp4"))
    overlapping = {
        GroupRun(first=0, end=2, span=Span(0, 1)): tmp_path / "a",
        GroupRun(first=1, end=3, span=Span(0, 1)): tmp_path / "b",
    }
    with pytest.raises(ValueError, match="share a group"):
        assemble_picture(media("h264_b.mp4"), plan, overlapping, tmp_path / "x.mp4")


def test_a_failed_render_leaves_nothing_behind(media: Make, tmp_path: Path) -> None:
    plan = plan_groups(media("h264_b.mp4"))
    (run,) = groups_to_render(plan.groups, CHANGED)

    def broken(view: FrameView) -> Patch | None:
        raise BadInput("no mouth")

    with pytest.raises(BadInput, match="no mouth"):
        render_run(media("h264_b.mp4"), plan, run, broken, tmp_path / "run.nut")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(media: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full to stand for a full disk")

    @contextmanager
    def onto_full_disk(target: Path) -> Iterator[Path]:
        with no_space_told(target.parent):
            yield full

    monkeypatch.setattr("infra.media.splice.published", onto_full_disk)
    plan = plan_groups(media("h264_b.mp4"))
    with pytest.raises(NoSpace, match="full"):
        assemble_picture(media("h264_b.mp4"), plan, {}, tmp_path / "picture.mp4")


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from(["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"]), st.integers(0, 3))
def test_a_patch_touches_only_the_samples_that_it_changes(data: st.DataObject, pixels: str, turns: int) -> None:
    width, height = data.draw(st.integers(8, 40)), data.draw(st.integers(8, 40))
    frame = av.VideoFrame(width, height, pixels)
    noise = np.random.default_rng(width * 100 + height)
    for index in range(3):
        plane = plane_array(frame, index)
        scale = 4 if "10" in pixels else 1
        plane[:] = noise.integers(60 * scale, 180 * scale, plane.shape)
    orientation = Orientation(turns)
    view = FrameView(0, frame, orientation, av.video.reformatter.VideoReformatter())
    seen = view.rgb()
    x, y = data.draw(st.integers(-3, view.width - 1)), data.draw(st.integers(-3, view.height - 1))
    w, h = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
    patch = np.zeros((h, w, 3), np.uint8)
    before = [plane_array(copy_of(frame), index).copy() for index in range(3)]
    changed = apply_patch(frame, view, Patch(x, y, patch), orientation)
    assert all(np.array_equal(plane_array(frame, index), before[index]) for index in range(3))
    touched = np.zeros(seen.shape[:2], np.uint8)
    touched[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = 1
    coded = orientation.coded(np.repeat(touched[:, :, None], 3, axis=2))[:, :, 0].astype(bool)
    luma = plane_array(changed, 0)
    assert np.array_equal(luma[~coded], before[0][~coded])
    assert (luma[coded] <= 17 * (4 if "10" in pixels else 1)).all()


def test_an_unchanged_patch_leaves_the_native_samples(media: Make, tmp_path: Path) -> None:
    with av.open(str(media("h264_b.mp4"))) as container:
        frame = next(container.decode(video=0))
        view = FrameView(0, frame, Orientation(), av.video.reformatter.VideoReformatter())
        assert apply_patch(frame, view, Patch(10, 10, view.rgb()[10:50, 10:70]), Orientation()) is frame


@pytest.mark.shared_data
def test_a_real_lecture_keeps_its_quality_in_rendered_groups(tmp_path: Path) -> None:
    lecture = Path(__file__).parents[4] / "shared" / "data" / "lecture" / "lecture_en.mp4"
    if not lecture.exists():
        pytest.skip("the team's sample lecture is not beside this repository")
    plan = plan_groups(lecture)
    (run,) = groups_to_render(plan.groups, [Span.of_seconds(27, 27.1)])
    out = spliced(lecture, tmp_path, lambda view: None, (Span.of_seconds(27, 27.1),))
    ratios = []
    with av.open(str(lecture)) as one, av.open(str(out)) as other:
        for before, after in zip(one.decode(video=0), other.decode(video=0), strict=True):
            squares = [
                np.square(plane_array(before, index).astype(np.int16) - plane_array(after, index)).mean()
                for index in range(3)
            ]
            if before.time is not None and run.span.start_s <= before.time < run.span.end_s:
                ratios.append(10 * np.log10(255**2 / max(squares)))
            else:
                assert squares == [0, 0, 0]
    assert len(ratios) == plan.frame_count([run])
    assert min(ratios) >= 45


def test_settings_reach_the_encoder(media: Make, tmp_path: Path) -> None:
    plan = plan_groups(media("h264_b.mp4"))
    (run,) = groups_to_render(plan.groups, CHANGED)
    sizes = []
    for crf in (10, 30):
        out = tmp_path / f"{crf}.nut"
        render_run(media("h264_b.mp4"), plan, run, lambda view: None, out, RenderSettings(crf=crf))
        sizes.append(out.stat().st_size)
    assert sizes[0] > 2 * sizes[1]
