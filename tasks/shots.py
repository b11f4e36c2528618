"""What a lecture is made of: its shots, and where somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from infra.media.audio import stream_waveform
from infra.media.frames import read_frames
from infra.store import Store
from manifests.keys import child_id
from manifests.records import Shot, Video
from manifests.time import Span
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
        for index, (start, end) in enumerate(pairwise(borders))
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
