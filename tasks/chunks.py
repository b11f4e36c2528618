"""Shots, speech, and the plan of chunks that reconciles them.

Two cuttings of one timeline meet by span: pictures want shots, speech wants sentences. A chunk ends at a shot cut that
falls in a pause of the speech, else in the middle of a long pause, so that each can be worked on by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.media.audio import stream_waveform

from infra.media.frames import read_frames
from infra.store import Store
from manifests.keys import child_id
from manifests.records import Chunk, Shot, Video
from manifests.time import Flicks, Span, flicks, gaps
from models.shots import engines as shot_engines
from models.vad import engines as vad_engines
from models.vad.contract import SAMPLE_RATE
from tasks.stage import Stage

_AUDIO_BLOCK_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotSettings:
    """Which detector finds the cuts: "content" (PySceneDetect) or "transnetv2"."""

    detector: str = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSettings:
    """How long chunks are. `min_pause_s`: a shorter silence is no place to end one."""

    target_s: float = 25.0
    max_s: float = 45.0
    min_pause_s: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotWork:
    """A video whose cuts are wanted."""

    video: Video
    settings: ShotSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechWork:
    """A video whose speech is to be found in audio stream `track`."""

    video: Video
    track: int
    detector: str = "silero"


def detect_shots(work: ShotWork, store: Store) -> tuple[Shot, ...]:  # noqa: ARG001 (every stage takes the store)
    """The shots of a video, in order; they cover it without a gap."""
    detector = shot_engines.load(work.settings.detector)
    video = work.video
    cuts = detector.cuts(read_frames(Path(video.uri), None, width=min(detector.frame_width, video.width)))
    borders = [video.span.start, *(cut for cut in cuts if cut in video.span and cut > video.span.start), video.span.end]
    return tuple(
        Shot(id=child_id(video.id, "shot", index), video_id=video.id, index=index, span=Span(start, end))
        for index, (start, end) in enumerate(zip(borders, borders[1:], strict=False))
    )


def detect_speech(work: SpeechWork, store: Store) -> tuple[Span, ...]:  # noqa: ARG001
    """Where somebody speaks, on the video's clock; empty for a silent track."""
    detector = vad_engines.load(work.detector)
    blocks = stream_waveform(
        Path(work.video.uri), sample_rate=SAMPLE_RATE, track=work.track, block=_AUDIO_BLOCK_S * SAMPLE_RATE
    )
    within = work.video.span
    spans = (span.intersection(within) for span in detector.speech(blocks))
    return tuple(span for span in spans if span is not None)


SHOTS: Stage[ShotWork, tuple[Shot, ...]] = Stage("shots", 1, tuple[Shot, ...], detect_shots)
SPEECH: Stage[SpeechWork, tuple[Span, ...]] = Stage("speech", 1, tuple[Span, ...], detect_speech)


def plan_chunks(video: Video, shots: Sequence[Shot], speech: Sequence[Span], settings: ChunkSettings) -> list[Chunk]:
    """Cut the lecture into chunks that cover it without a gap or an overlap.

    Each border is chosen as the best candidate between a half and the whole of the way from `target_s` to `max_s`:
    a shot cut in a pause, else the middle of the longest pause, else a shot cut; where there is none of these, speech
    is cut at `max_s`. The nearer to the target, the better among equals.
    """
    candidates = _border_candidates(video.span, shots, speech, flicks(settings.min_pause_s))
    target, longest = flicks(settings.target_s), flicks(settings.max_s)
    borders = [video.span.start]
    while video.span.end - borders[-1] > longest:
        start = borders[-1]
        window = Span(start + target // 2, start + longest)
        inside = [c for c in candidates if c.time in window]
        if inside:
            best = max(inside, key=lambda c: (c.rank, c.pause, -abs(c.time - (start + target))))
            borders.append(best.time)
        else:
            borders.append(start + longest)
    # One more cut where the rest is longer than a chunk should be and a good place offers itself.
    start = borders[-1]
    rest = Span(start + target // 2, max(start + target // 2, video.span.end - target // 4))
    inside = [c for c in candidates if c.time in rest and c.rank > 0]
    if video.span.end - start > target and inside:
        borders.append(max(inside, key=lambda c: (c.rank, -abs(c.time - (start + target)))).time)
    borders.append(video.span.end)
    return [
        Chunk(id=child_id(video.id, "chunk", index), video_id=video.id, index=index, span=Span(a, b))
        for index, (a, b) in enumerate(zip(borders, borders[1:], strict=False))
    ]


@dataclass(frozen=True, slots=True)
class _Border:
    time: Flicks
    rank: int
    pause: Flicks


def _border_candidates(span: Span, shots: Sequence[Shot], speech: Sequence[Span], min_pause: Flicks) -> list[_Border]:
    pauses = [pause for pause in gaps(speech, span) if pause.duration >= min_pause]
    starts = [pause.start for pause in pauses]
    borders = []
    for cut in (shot.span.start for shot in shots if shot.index > 0):
        at = bisect_left(starts, cut + 1) - 1
        # Cuts are often a frame or two off the breath they stand for; a pause this near still counts.
        pause = next((p for p in pauses[max(at, 0) : at + 2] if cut in p.widen(flicks(0.08))), None)
        borders.append(_Border(cut, 2 if pause else 0, pause.duration if pause else 0))
    middles = [
        _Border((p.start + p.end) // 2, 1, p.duration) for p in pauses if p.start > span.start and p.end < span.end
    ]
    return sorted([*borders, *middles], key=lambda border: border.time)


def within(spans: Sequence[Span], window: Span) -> tuple[Span, ...]:
    """The parts of `spans` that lie in `window`."""
    parts = (span.intersection(window) for span in spans)
    return tuple(part for part in parts if part is not None)


def cuts_within(shots: Sequence[Shot], window: Span) -> tuple[Flicks, ...]:
    """The times strictly inside `window` at which a shot begins."""
    return tuple(shot.span.start for shot in shots if window.start < shot.span.start < window.end)
