"""A recording of one speaker of the lecture, for an engine that imitates a voice: their longest utterances, joined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infra.media.audio import read_waveform, write_wav
from infra.store import Store
from manifests.records import Blob, Video
from manifests.time import Span, flicks
from models.speech.cloned import REFERENCE_S, SAMPLE_RATE
from tasks.stage import Stage

_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceWork:
    """Where in audio track `track` of `video` one speaker, and nobody else, is heard."""

    video: Video
    track: int
    spans: tuple[Span, ...]


def choose_spans(spoken: Iterable[Span], others: Iterable[Span] = ()) -> tuple[Span, ...]:
    """The longest of `spoken` that make up `REFERENCE_S` seconds, in their order; none that one of `others` overlaps.

    The last one is cut where that is enough. Empty where the speaker is never heard alone.
    """
    disturbing = tuple(others)
    alone = [span for span in spoken if not any(span.overlaps(other) for other in disturbing)]
    wanted = flicks(REFERENCE_S)
    chosen: list[Span] = []
    for span in sorted(alone, key=lambda span: (-span.duration, span.start)):
        if wanted <= 0:
            break
        chosen.append(Span(span.start, min(span.end, span.start + wanted)))
        wanted -= span.duration
    return tuple(sorted(chosen, key=lambda span: span.start))


def cut_reference(work: ReferenceWork, store: Store) -> Blob:
    """The spans one after another with short pauses between, as a mono WAV."""
    pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE), np.float32)
    pieces: list[np.ndarray] = []
    for span in work.spans:
        pieces += [
            read_waveform(Path(work.video.uri), sample_rate=SAMPLE_RATE, track=work.track, span=span),
            pause,
        ]
    with store.scratch() as folder:
        file = folder / "reference.wav"
        write_wav(file, np.concatenate(pieces[:-1]) if pieces else pause[:0], SAMPLE_RATE)
        return store.put(file)


REFERENCE: Stage[ReferenceWork, Blob] = Stage("reference", 1, Blob, cut_reference)
