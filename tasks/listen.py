"""Listening: which language a lecture is in, and what is said in each chunk, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.media.audio import read_waveform
from infra.store import Store
from manifests.keys import child_id
from manifests.records import Chunk, Utterance, Video, Word
from manifests.time import Flicks, Span, flicks
from models.asr import engines
from models.asr.contract import SAMPLE_RATE
from tasks.stage import Stage
from tasks.utterances import UtteranceSettings, split_into_utterances

_IDENTIFY_WINDOW_S = 30.0
_IDENTIFY_WINDOWS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenSettings:
    """Which engine transcribes ("whisper", "parakeet", "wav2vec2"), and how its words become utterances."""

    engine: str = "whisper"
    utterances: UtteranceSettings = field(default_factory=UtteranceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyWork:
    """Stretches of audio stream `track` in which somebody speaks; their language is wanted."""

    video: Video
    track: int
    windows: tuple[Span, ...]
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardLanguage:
    """An ISO 639-1 code, and how sure the identifier is of it, 0 to 1."""

    code: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenWork:
    """A chunk to transcribe. `speech` is where its voice activity is, `cuts` where its shots change."""

    video: Video
    track: int
    chunk: Chunk
    speech: tuple[Span, ...]
    cuts: tuple[Flicks, ...]
    language: str
    settings: ListenSettings
    weights: str


def identify_language(work: IdentifyWork, store: Store) -> HeardLanguage:  # noqa: ARG001
    """The language that most of the windows' probability falls on."""
    identifier = engines.load_identifier()
    total: dict[str, float] = {}
    for window in work.windows:
        waveform = read_waveform(Path(work.video.uri), sample_rate=SAMPLE_RATE, track=work.track, span=window)
        for code, probability in identifier.language_probabilities(waveform).items():
            total[code] = total.get(code, 0.0) + probability / len(work.windows)
    code = max(sorted(total), key=lambda each: total[each])
    return HeardLanguage(code=code, probability=total[code])


def identification_windows(speech: Sequence[Span], within: Span) -> tuple[Span, ...]:
    """A few windows that start with speech, spread over the lecture; none where nobody speaks."""
    if not speech:
        return ()
    picked = {speech[len(speech) * step // _IDENTIFY_WINDOWS] for step in range(_IDENTIFY_WINDOWS)}
    return tuple(Span(span.start, min(span.start + flicks(_IDENTIFY_WINDOW_S), within.end)) for span in sorted(picked))


def listen(work: ListenWork, store: Store) -> tuple[Utterance, ...]:  # noqa: ARG001
    """The utterances of a chunk, on the lecture's clock; none where nobody speaks."""
    if not work.speech:
        return ()
    transcriber = engines.load(work.settings.engine)
    waveform = read_waveform(Path(work.video.uri), sample_rate=SAMPLE_RATE, track=work.track, span=work.chunk.span)
    heard = transcriber.transcribe(waveform, work.language)
    words = [
        Word(text=word.text, span=word.span.shift(work.chunk.span.start), confidence=word.confidence) for word in heard
    ]
    groups = split_into_utterances(words, work.cuts, work.settings.utterances, punctuated=transcriber.punctuates)
    return tuple(
        Utterance(
            id=child_id(work.chunk.id, "utterance", index),
            chunk_id=work.chunk.id,
            span=Span.hull(word.span for word in group),
            text=" ".join(word.text for word in group),
            words=group,
            language=work.language,
        )
        for index, group in enumerate(groups)
    )


IDENTIFY: Stage[IdentifyWork, HeardLanguage] = Stage("identify", 1, HeardLanguage, identify_language, gpu=True)
LISTEN: Stage[ListenWork, tuple[Utterance, ...]] = Stage(
    "listen", 1, tuple[Utterance, ...], listen, alone=True, gpu=True
)
