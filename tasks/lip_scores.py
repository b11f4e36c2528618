"""How well a mouth follows a voice, line by line: the dubbed mouth its dub, beside the real mouth its own sound.

What is compared is how far the inner lips are apart in the picture (the landmarks of the frames as they were rendered)
with how far the articulation network hears them open. The same network moves the lips of `--lips rewrite`, so a dub may
agree with it better than a real mouth does; a ratio above 1 says no more than that the lips do what was heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.media.audio import read_wav, read_waveform, resample
from infra.media.frames import read_frames
from infra.store import Store
from manifests.clock import HeldClock
from manifests.records import Chunk, FaceTrack, MeshTrack, SpeakingFace, Video
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks, sample_index
from models.articulation import engines
from models.articulation.agreement import agreement
from models.articulation.contract import SAMPLE_RATE
from models.articulation.shapes import Floats, openings
from models.landmarks import engines as landmark_engines
from models.landmarks.following import LEAST_SCORE, MeshFollower
from models.landmarks.topology import KEPT
from tasks.arrays import get_arrays
from tasks.mix import ChunkSpeech
from tasks.moments import within
from tasks.render import RenderedRun
from tasks.stage import Stage

Times = npt.NDArray[np.int64]

_KEPT = list(KEPT)
_LEAST_FRAMES = 20
"""Fewer frames of a face tell nothing about whether it follows a voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LipScoreSettings:
    """`most_s`: of each line no more than the first seconds are looked at."""

    most_s: float = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineToScore:
    """A line, and when it is heard."""

    utterance_id: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RealLipsWork:
    """A chunk's speaking faces as they were filmed, its own voice (audio stream `track`), and its lines."""

    video: Video
    track: int
    chunk: Chunk
    speaking: tuple[SpeakingFace, ...]
    meshes: tuple[MeshTrack, ...]
    lines: tuple[LineToScore, ...]
    settings: LipScoreSettings
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DubbedLipsWork:
    """The same chunk in another language: the runs that show its new mouths, and its dubbed speech.

    `changed` (`SyncedChunk.changed`), faces and meshes are on the source's clock; `speech` and `lines` on the clock of
    the chunk, which `clock` makes of it. `weights` are the revisions of the articulation and the landmark network.
    """

    video: Video
    chunk: Chunk
    tracks: tuple[FaceTrack, ...]
    speaking: tuple[SpeakingFace, ...]
    meshes: tuple[MeshTrack, ...]
    changed: tuple[Span, ...]
    rendered: tuple[RenderedRun, ...]
    speech: tuple[ChunkSpeech, ...]
    clock: HeldClock
    lines: tuple[LineToScore, ...]
    settings: LipScoreSettings
    weights: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LipScore:
    """The agreement, -1..1, of mouth and voice during a line, over `frames` frames that show the speaking face."""

    utterance_id: str
    agreement: float
    frames: int


def score_real_lips(work: RealLipsWork, store: Store) -> tuple[LipScore, ...]:
    """One score a line in which a speaking face shows for long enough."""
    shown = _as_filmed(work.speaking, work.meshes, store)
    wanted = {line.utterance_id: _beginning(line.span, work.settings) for line in work.lines}
    if not _seen_enough(shown, list(wanted.values())):
        return ()
    waveform = read_waveform(Path(work.video.uri), sample_rate=SAMPLE_RATE, track=work.track, span=work.chunk.span)
    return _scores(shown, wanted, waveform, work.chunk.span.start, HeldClock())


def score_dubbed_lips(work: DubbedLipsWork, store: Store) -> tuple[LipScore, ...]:
    """One score a line in which a speaking face shows for long enough, as rendered where it was changed."""
    shown = _as_filmed(work.speaking, work.meshes, store)
    wanted = {line.utterance_id: _beginning(line.span, work.settings) for line in work.lines}
    on_source = [_source_span(span, work.clock) for span in wanted.values()]
    if not _seen_enough(shown, on_source):
        return ()
    looked_at = [part for span in on_source for each in work.changed if (part := span.intersection(each)) is not None]
    for face in work.tracks:
        if face.id in shown:
            shown[face.id] = _as_rendered(shown[face.id], face, looked_at, work.rendered, store)
    waveform = _dubbed_waveform(work, store)
    return _scores(shown, wanted, waveform, work.chunk.span.start, work.clock)


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A face while it speaks: `gaps` (N,) between its inner lips at `times` (N,) of the source's clock."""

    times: Times
    gaps: Floats


def _as_filmed(speaking: Sequence[SpeakingFace], meshes: Sequence[MeshTrack], store: Store) -> dict[str, _Shown]:
    model = engines.mouth_model()
    spans = {each.track_id: each.spans for each in speaking}
    shown = {}
    for mesh in meshes:
        if mesh.track_id not in spans:
            continue
        seen = get_arrays(store, mesh.meshes)
        kept = within(seen["time"], spans[mesh.track_id]) & (seen["score"] >= LEAST_SCORE)
        shown[mesh.track_id] = _Shown(seen["time"][kept], openings(model.mouths(seen["points"][kept])))
    return shown


def _as_rendered(
    filmed: _Shown, face: FaceTrack, spans: Sequence[Span], runs: Sequence[RenderedRun], store: Store
) -> _Shown:
    """`filmed` with what the rendered frames within `spans` show instead; a frame without a face in them goes."""
    replaced = within(filmed.times, spans)
    if not replaced.any():
        return filmed
    seen = get_arrays(store, face.observations)
    row_of = {int(time): row for row, time in enumerate(seen["time"])}
    follower = MeshFollower(landmark_engines.load_detector())
    step: Flicks = int(np.median(np.diff(filmed.times))) if len(filmed.times) > 1 else 1
    wanted = filmed.times[replaced]
    times, points = [], []
    for shown_at, frame in _rendered_frames(runs, Span(int(wanted[0]), int(wanted[-1]) + 1), store):
        # A rendered run keeps the source's timestamps, to the rounding of its time base.
        time = int(wanted[np.abs(wanted - shown_at).argmin()])
        if abs(time - shown_at) > step // 2 or time not in row_of:
            continue
        mesh = follower.follow(frame, seen["box"][row_of[time]], seen["landmarks"][row_of[time]])
        if mesh.score >= LEAST_SCORE:
            times.append(time)
            points.append(mesh.points[_KEPT])
    model = engines.mouth_model()
    gaps = openings(model.mouths(np.stack(points))) if points else np.zeros(0, np.float32)
    joined = np.concatenate([filmed.times[~replaced], np.array(times, np.int64)])
    order = np.argsort(joined, kind="stable")
    return _Shown(joined[order], np.concatenate([filmed.gaps[~replaced], gaps])[order])


def _rendered_frames(
    runs: Sequence[RenderedRun], within_span: Span, store: Store
) -> Iterator[tuple[Flicks, npt.NDArray[np.uint8]]]:
    """The frames of `runs` that are shown in `within_span`, at their times on the source's clock."""
    for run in runs:
        start = 0 if run.run is None else run.run.span.start
        if run.run is not None and not run.run.span.overlaps(within_span):
            continue
        part = Span(max(within_span.start - start, 0), within_span.end - start)
        for time, frame in read_frames(store.path(run.picture), part):
            yield start + time, frame


def _scores(
    shown: dict[str, _Shown], wanted: dict[str, Span], waveform: Floats, begins: Flicks, clock: HeldClock
) -> tuple[LipScore, ...]:
    """The scores of the lines `wanted` (their spans on the clock of `waveform`, which begins at `begins`)."""
    model = engines.mouth_model()
    heard_at = {
        track: np.array([clock.dub_time(int(time)) for time in each.times], np.int64) for track, each in shown.items()
    }
    picked: dict[str, tuple[Times, Floats]] = {}
    for name, span in wanted.items():
        during = {track: within(times, [span]) for track, times in heard_at.items()}
        track = max(sorted(during), key=lambda each: int(during[each].sum()))
        if during[track].sum() >= _LEAST_FRAMES:
            picked[name] = heard_at[track][during[track]], shown[track].gaps[during[track]]
    if not picked:
        return ()
    times = np.unique(np.concatenate([own for own, _ in picked.values()]))
    shapes = engines.load().listen(waveform, (times - begins) / FLICKS_PER_SECOND).shapes
    opens = np.asarray(shapes @ model.gap_of_shapes, np.float32)
    return tuple(
        LipScore(utterance_id=name, agreement=agreement(gaps, opens[np.searchsorted(times, own)]), frames=len(own))
        for name, (own, gaps) in picked.items()
    )


def _seen_enough(shown: dict[str, _Shown], spans: Sequence[Span]) -> bool:
    return any(int(within(each.times, [span]).sum()) >= _LEAST_FRAMES for each in shown.values() for span in spans)


def _beginning(span: Span, settings: LipScoreSettings) -> Span:
    return Span(span.start, min(span.end, span.start + flicks(settings.most_s)))


def _source_span(span: Span, clock: HeldClock) -> Span:
    return Span(clock.source_time(span.start), clock.source_time(span.end))


def _dubbed_waveform(work: DubbedLipsWork, store: Store) -> Floats:
    """What is heard during the chunk on its own clock, mono at the network's rate."""
    span = Span(work.chunk.span.start, work.chunk.span.end + work.clock.held)
    heard = np.zeros(sample_index(span.duration, SAMPLE_RATE), np.float32)
    for speech in work.speech:
        samples, rate = read_wav(store.path(speech.audio))
        waveform = resample(samples, rate, SAMPLE_RATE)
        at = sample_index(speech.span.start - span.start, SAMPLE_RATE)
        first, last = max(at, 0), min(at + len(waveform), len(heard))
        if first < last:
            heard[first:last] += waveform[first - at : last - at]
    return heard


REAL_LIPS: Stage[RealLipsWork, tuple[LipScore, ...]] = Stage(
    "real_lips", 1, tuple[LipScore, ...], score_real_lips, alone=True, gpu=True
)
DUBBED_LIPS: Stage[DubbedLipsWork, tuple[LipScore, ...]] = Stage(
    "dubbed_lips", 1, tuple[LipScore, ...], score_dubbed_lips, alone=True, gpu=True
)
