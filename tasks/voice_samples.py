"""Voice samples: how each utterance of a chunk sounds, by which speakers are told apart over the lecture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infra.media.audio import Waveform, read_waveform
from infra.store import Store
from manifests.embedding import Embedding
from manifests.records import Chunk, Utterance, Video, VoiceSample
from manifests.time import Flicks, Span, flicks, merge
from models.voiceprint import engines
from models.voiceprint.contract import SAMPLE_RATE
from models.voiceprint.pauses import without_pauses
from models.voiceprint.pitch import median_pitch
from tasks.stage import Stage

_AROUND: Flicks = flicks(0.05)
"""A word's sound starts before and ends after the recogniser's times by about this."""
_APART: Flicks = flicks(0.3)
_LEAST_PRINT_S = 0.5
_LONGEST_PRINT_S = 15.0
"""More of one voice adds nothing to its print but work."""
_QUIETEST_DBFS = -120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSampleWork:
    """A chunk's utterances, heard in audio stream `track` of the video."""

    video: Video
    track: int
    chunk: Chunk
    utterances: tuple[Utterance, ...]
    weights: str


def sample_voices(work: VoiceSampleWork, store: Store) -> tuple[VoiceSample, ...]:  # noqa: ARG001
    """One sample an utterance, in their order; none where nobody speaks."""
    if not work.utterances:
        return ()
    heard = read_waveform(Path(work.video.uri), sample_rate=SAMPLE_RATE, track=work.track, span=work.chunk.span)
    return tuple(_sample(utterance, _said(utterance, heard, work.chunk.span)) for utterance in work.utterances)


def _said(utterance: Utterance, heard: Waveform, within: Span) -> Waveform:
    """The stretches of `heard` (a chunk's sound) in which the words of `utterance` are said, joined."""
    spans = [word.span for word in utterance.words] or [utterance.span]
    pieces: list[Waveform] = []
    for span in merge((span.widen(_AROUND) for span in spans), gap=_APART):
        inside = span.intersection(within)
        if inside is not None:
            first, end = inside.shift(-within.start).samples(SAMPLE_RATE)
            pieces.append(heard[first:end])
    return np.concatenate(pieces) if pieces else heard[:0]


def _sample(utterance: Utterance, said: Waveform) -> VoiceSample:
    speech = without_pauses(said)
    speech_s = len(speech) / SAMPLE_RATE
    level = float(np.sqrt(np.mean(np.square(speech, dtype=np.float64)))) if len(speech) else 0.0
    pitch = median_pitch(said)
    return VoiceSample(
        utterance_id=utterance.id,
        embedding=_print(speech) if speech_s >= _LEAST_PRINT_S else Embedding(),
        speech_s=speech_s,
        pitch_hz=pitch.median_hz,
        voiced_s=pitch.voiced_s,
        loudness_dbfs=max(20 * float(np.log10(level)), _QUIETEST_DBFS) if level > 0 else _QUIETEST_DBFS,
    )


def _print(speech: Waveform) -> Embedding:
    longest = round(_LONGEST_PRINT_S * SAMPLE_RATE)
    return Embedding(float(value) for value in engines.load().embed(speech[:longest]))


VOICE_SAMPLES: Stage[VoiceSampleWork, tuple[VoiceSample, ...]] = Stage(
    "voice_samples", 1, tuple[VoiceSample, ...], sample_voices
)
