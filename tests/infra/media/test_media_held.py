"""The picture and the sound on a dub's clock: held, not changed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_recipes import Make, ffmpeg, frame_hashes

from infra.media.audio import Channels, read_channels, read_waveform, write_wav
from infra.media.binary import run_ffmpeg
from infra.media.frames import read_frames
from infra.media.mux import AudioOut, mux
from infra.media.retime import held_audio, held_blocks, packet_times
from infra.media.splice import (
    GroupRun,
    assemble_picture,
    groups_to_render,
    hold_picture,
    plan_groups,
    reencode_picture,
    render_run,
)
from infra.media.streams import Clock
from manifests.clock import HeldClock, Hold
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks, sample_index

SECOND = FLICKS_PER_SECOND
TICKS = 12_800
CLOCK = Clock(Fraction(0), Fraction(1, TICKS))


def shown(path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds, exact."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base
        return [f.pts * stream.time_base for f in container.decode(stream) if f.pts is not None]


def length_of_movie(path: Path) -> float:
    """What the movie header says, in seconds (ISO/IEC 14496-12, 8.2.2): the longest track by its edit list."""
    data = path.read_bytes()
    at = data.index(b"mvhd") + 16
    return int.from_bytes(data[at + 4 : at + 8], "big") / int.from_bytes(data[at : at + 4], "big")


def complaints(path: Path) -> str:
    log = run_ffmpeg(["-v", "warning", "-i", str(path), "-fps_mode", "passthrough", "-f", "null", "-"], where=path)
    return log.strip()


def held(path: Path, folder: Path, clock: HeldClock, changed: tuple[Span, ...] = ()) -> Path:
    plan = plan_groups(path)
    rendered: dict[GroupRun, Path] = {}
    for number, run in enumerate(groups_to_render(plan.groups, changed)):
        rendered[run] = folder / f"run{number}.nut"
        render_run(path, plan, run, lambda view: None, rendered[run])
    out = folder / "held.mp4"
    assemble_picture(path, plan, rendered, out, clock)
    return out


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("h264_b.mp4", (Span.of_seconds(1.7, 1.9),)),
        pytest.param("h264_b.ts", (), marks=pytest.mark.slow),
        ("h264_open.mp4", ()),
        ("h264_vfr.mp4", (Span.of_seconds(1.7, 1.9),)),
        pytest.param("h264_ntsc.mp4", (), marks=pytest.mark.slow),
        ("hevc.mp4", (Span.of_seconds(1.7, 1.9),)),
    ],
)
def test_frames_wait_and_nothing_else_changes(
    media: Make, tmp_path: Path, name: str, changed: tuple[Span, ...]
) -> None:
    source = media(name)
    times = [time for time, _ in read_frames(source)]
    step = times[1] - times[0]
    # At the first frame, inside a group, at a group's border, twice running, at the last frame, and at the very end.
    places = (0, 7, 20, 21, 50, len(times) - 1)
    clock = HeldClock.of(
        [*(Hold(times[place], (number + 2) * 11 * step) for number, place in enumerate(places)),
         Hold(times[-1] + step, 5 * step)]
    )  # fmt: skip
    out = held(source, tmp_path, clock, changed)
    wanted = [Fraction(0), *(Fraction(clock.dub_time(time), SECOND) for time in times[1:])]
    assert shown(out) == wanted
    assert complaints(out) == ""
    plain = tmp_path / "plain"
    assert [row[1] for row in frame_hashes(out)] == [
        row[1] for row in frame_hashes(held(source, plain, HeldClock(), changed))
    ]
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.time_base
        packets = [packet for packet in container.demux(stream) if packet.size]
        decoded = [packet.dts for packet in packets if packet.dts is not None]
        assert decoded == sorted(set(decoded))
        assert all(p.dts <= p.pts for p in packets if p.dts is not None and p.pts is not None)
        assert stream.duration
        # Reordered pictures: decoding times and durations add up to at most the reordering more.
        over = stream.duration * stream.time_base - wanted[-1] - Fraction(6 * step, SECOND)
        assert 0 <= over <= Fraction(3 * step, SECOND)
    assert length_of_movie(out) == pytest.approx(float(wanted[-1] + Fraction(6 * step, SECOND)), abs=0.001)
    mux(picture=out, audio=[], out=tmp_path / "muxed.mp4")
    assert length_of_movie(tmp_path / "muxed.mp4") == pytest.approx(length_of_movie(out), abs=0.001)


def test_a_held_picture_is_still_entered_by_seeking(media: Make, tmp_path: Path) -> None:
    clock = HeldClock((Hold(SECOND, 2 * SECOND), Hold(3 * SECOND, SECOND)))
    out = held(media("h264_b.mp4"), tmp_path, clock)
    everything = dict(read_frames(out))
    for start in (0.84, 2.9, 3.0, 5.5, 6.2):
        inside = dict(read_frames(out, Span.of_seconds(start, start + 0.5)))
        assert set(inside) == {time for time in everything if time in Span.of_seconds(start, start + 0.5)}
        assert all(np.array_equal(rgb, everything[time]) for time, rgb in inside.items())


def test_muxing_keeps_the_held_times(media: Make, tmp_path: Path) -> None:
    clock = HeldClock(
        (Hold(flicks(Fraction(28, 25)), 3 * SECOND), Hold(flicks(Fraction(36, 25)), flicks(Fraction(1, 25))))
    )
    picture = held(media("h264_b.mp4"), tmp_path, clock)
    mux(picture=picture, audio=[AudioOut(source=media("tone.wav"))], out=tmp_path / "out.mp4")
    assert shown(tmp_path / "out.mp4") == shown(picture)
    assert frame_hashes(tmp_path / "out.mp4") == frame_hashes(picture)
    assert complaints(tmp_path / "out.mp4") == ""


@pytest.mark.parametrize("name", ["vp9_odd.webm", pytest.param("h264_b.avi", marks=pytest.mark.slow)])
def test_a_picture_encoded_whole_is_held_too(media: Make, tmp_path: Path, name: str) -> None:
    whole, out = tmp_path / "whole.mp4", tmp_path / "held.mp4"
    reencode_picture(media(name), lambda view: None, whole)
    times = [time for time, _ in read_frames(media(name))]
    clock = HeldClock((Hold(times[5], 2 * SECOND), Hold(times[11], SECOND)))
    hold_picture(whole, clock, out)
    assert shown(out) == [Fraction(clock.dub_time(time), SECOND) for time in times]
    assert [row[1] for row in frame_hashes(out)] == [row[1] for row in frame_hashes(whole)]
    assert complaints(out) == ""


def test_a_turned_picture_stays_turned(rotated: Path, media: Make, tmp_path: Path) -> None:
    out = held(rotated, tmp_path, HeldClock((Hold(SECOND, SECOND),)))
    _, frame = next(iter(read_frames(out)))
    assert frame.shape == (320, 180, 3)


orders = st.lists(st.integers(1, 40), min_size=1, max_size=40).flatmap(
    lambda steps: st.permutations(np.cumsum(steps).tolist())
)
hold_lists = st.lists(st.builds(Hold, st.integers(0, SECOND // 8), st.integers(1, SECOND)), max_size=6)


@given(orders, hold_lists)
def test_times_of_packets_leave_no_gap_and_do_not_drift(order: list[int], given_holds: list[Hold]) -> None:
    holds = HeldClock.of(given_holds)
    times = packet_times(order, CLOCK, holds)
    in_order = [times[pts] for pts in sorted(order)]
    assert all(a.pts + a.duration == b.pts for a, b in pairwise(in_order) if a != times[order[-1]])
    assert in_order[0].pts == min(order)
    for pts in sorted(order)[1:]:
        exact = Fraction(holds.dub_time(CLOCK.time(pts)), SECOND) * TICKS
        assert abs(times[pts].pts - exact) <= Fraction(1, 2) + Fraction(TICKS, SECOND)
    decoded = [times[pts].dts for pts in order]
    assert decoded == sorted(set(decoded))
    assert all(time.dts <= time.pts for time in in_order)
    steps = sorted(order)
    step = steps[-1] - steps[-2] if len(steps) > 1 else 1
    end = steps[-1] + step + round(Fraction(holds.held, SECOND) * TICKS)
    assert max(time.pts + time.duration for time in in_order) == end


def cut(samples: Channels, size: int) -> Iterator[Channels]:
    for start in range(0, samples.shape[1], size):
        yield samples[:, start : start + size]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.builds(Hold, st.integers(0, 2 * SECOND), st.integers(1, SECOND)), max_size=5),
    st.integers(1, 3000),
    st.integers(0, 3000),
)
def test_every_sample_comes_once_and_holds_are_as_long_as_they_should_be(
    given_holds: list[Hold], block: int, count: int
) -> None:
    rate, holds = 1000, HeldClock.of(given_holds)
    samples = np.stack([np.arange(1, count + 1, dtype=np.float32), -np.arange(1, count + 1, dtype=np.float32)])
    made = np.concatenate([np.zeros((2, 0), np.float32), *held_blocks(cut(samples, block), rate, holds)], axis=1)
    wait: Flicks = 0
    at = 0
    for hold in [*holds.holds, None]:
        border = count if hold is None else min(sample_index(hold.at, rate), count)
        lag = sample_index(wait, rate)
        assert np.array_equal(made[:, at + lag : border + lag], samples[:, at:border])
        at = border
        if hold is not None and sample_index(hold.at, rate) <= count and count:
            wait += hold.duration
    assert made.shape[1] == count + sample_index(wait, rate)


def test_in_a_hold_the_room_is_heard_and_nothing_clicks() -> None:
    rate = 16_000
    noise = np.random.default_rng(4).normal(0, 0.01, (2, 6 * rate)).astype(np.float32)
    speech = 0.5 * np.sin(np.arange(rate) * 0.1).astype(np.float32)
    noise[:, 2 * rate : 3 * rate] += speech  # it ends just where the picture waits
    made = np.concatenate(list(held_blocks(cut(noise, 777), rate, HeldClock((Hold(3 * SECOND, 2 * SECOND),)))), axis=1)
    waiting = made[:, 3 * rate : 5 * rate]
    inner = waiting[:, 200:-200]
    assert np.std(inner) == pytest.approx(0.01, rel=0.15)
    assert np.abs(np.diff(made)).max() <= np.abs(np.diff(noise)).max() * 1.05


def test_original_sound_waits_with_its_picture_in_all_its_channels(media: Make, tmp_path: Path) -> None:
    clicks = np.zeros((2, 4 * 48_000), np.float32)
    clicks[0, 24_000], clicks[1, 3 * 48_000] = 0.8, 0.8
    write_wav(tmp_path / "clicks.wav", clicks, 48_000)
    source = tmp_path / "clicks.mkv"
    ffmpeg("-i", media("h264_b.mp4"), "-i", tmp_path / "clicks.wav", "-map", "0:v", "-map", "1:a", "-c:v", "copy",
           "-c:a", "flac", source)  # fmt: skip
    clock = HeldClock((Hold(SECOND, 2 * SECOND), Hold(2 * SECOND, SECOND // 2)))
    held_audio(source, 0, clock, tmp_path / "held.m4a")
    picture = held(source, tmp_path, clock)
    out = tmp_path / "out.mp4"
    mux(picture=picture, audio=[AudioOut(source=tmp_path / "held.m4a", language="en")], out=out)
    sound = read_channels(out, sample_rate=48_000, channels=2)
    assert int(np.abs(sound[0]).argmax()) == pytest.approx(24_000, abs=2)
    assert int(np.abs(sound[1]).argmax()) == pytest.approx(round(5.5 * 48_000), abs=2)
    assert complaints(out) == ""
    held_audio(media("surround.mkv"), 0, clock, tmp_path / "surround.m4a")
    with av.open(str(tmp_path / "surround.m4a")) as container:
        assert container.streams.audio[0].codec_context.layout.name == "5.1"
    held_audio(source, 0, clock, tmp_path / "again.m4a")
    assert (tmp_path / "again.m4a").read_bytes() == (tmp_path / "held.m4a").read_bytes()


def test_sound_that_starts_late_or_on_a_clock_of_its_own_keeps_its_place(media: Make, tmp_path: Path) -> None:
    clock = HeldClock((Hold(SECOND, SECOND),))
    held_audio(media("late_sound.mkv"), 0, clock, tmp_path / "late.m4a")
    sound = read_waveform(tmp_path / "late.m4a", sample_rate=16_000)
    assert int(np.argmax(np.abs(sound) > 0.02)) / 16_000 == pytest.approx(2.5, abs=0.01)
    held_audio(media("h264_b.ts"), 0, HeldClock(), tmp_path / "ts.m4a")
    direct, moved = (read_waveform(path, sample_rate=16_000) for path in (media("h264_b.ts"), tmp_path / "ts.m4a"))
    length = min(len(direct), len(moved))
    lags = [float(np.dot(direct[100 : length - 100], moved[100 + lag : length - 100 + lag])) for lag in range(-9, 10)]
    assert abs(int(np.argmax(lags)) - 9) <= 1


def test_memory_does_not_grow_with_the_track() -> None:
    def hour() -> Iterator[Channels]:
        for _ in range(3600):
            yield np.zeros((2, 8000), np.float32)

    clock = HeldClock(tuple(Hold(minute * 60 * SECOND, SECOND) for minute in range(1, 60)))
    tracemalloc.start()
    count = sum(block.shape[1] for block in held_blocks(hour(), 8000, clock))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == (3600 + 59) * 8000
    assert peak < 8 * 2**20
