"""Speaking translations: one clip an utterance, each remembered by itself, so that an edited line speaks one clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.media.audio import read_waveform, write_wav
from infra.store import Store
from manifests.errors import BadInput
from manifests.keys import child_id
from manifests.records import Blob, SpeechClip, Translation
from manifests.time import Flicks, samples_duration
from models.speech import cloned, engines
from models.speech.contract import Pronunciation, Speaker, SpeechRequest, Voice
from models.speech.waveform import Waveform
from tasks.stage import Stage

_RATE_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakSettings:
    """`voice` pins a voice of the table by its id; None takes the table's first choice for the language."""

    voice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClonedVoice:
    """What a person's own voice is imitated from: a recording of it (WAV), and the hash of the consent to do so."""

    reference: Blob
    consent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineToSpeak:
    """A translation, who speaks it with which weights, and how fast (above 1: faster than the voice's own rate).

    `clone` goes with a voice of `models.speech.cloned`, which speaks at its own rate whatever `rate` is.
    """

    translation: Translation
    voice: Voice
    weights: str
    rate: float = 1.0
    clone: ClonedVoice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakWork:
    """The lines of one chunk, and how the terms in them are said."""

    lines: tuple[LineToSpeak, ...]
    pronunciations: tuple[Pronunciation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipWork:
    """What one clip's sound hangs on: `spoken` has numbers, terms and vowels as they are said (`engines.spoken`)."""

    spoken: str
    voice: Voice
    weights: str
    rate: float
    clone: ClonedVoice | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A spoken text: a mono 16-bit WAV blob and how long it is; no audio where there was nothing to say."""

    audio: Blob | None
    duration: Flicks


def speak(work: SpeakWork, store: Store) -> tuple[SpeechClip, ...]:
    """One clip a line that has something to say, in their order. What is not remembered is spoken several at once."""
    wanted = [_clip_work(line, work.pronunciations) for line in work.lines]

    def speak_missing(missing: Sequence[ClipWork]) -> Iterator[Clip]:
        for each, waveform in zip(missing, _speak_all(missing, store), strict=True):
            yield _put(each, waveform, store)

    clips = CLIP.finish_together(wanted, store, speak_missing)
    spoken = zip(work.lines, wanted, strict=True)
    return tuple(
        SpeechClip(
            id=child_id(line.translation.id, "clip", 0),
            translation_id=line.translation.id,
            utterance_id=line.translation.utterance_id,
            voice=line.voice.id,
            audio=audio,
            sample_rate=line.voice.sample_rate,
            duration=clips[said].duration,
            rate=said.rate,
        )
        for line, said in spoken
        if (audio := clips[said].audio) is not None
    )


def _clip_work(line: LineToSpeak, pronunciations: Sequence[Pronunciation]) -> ClipWork:
    return clip_work(line.translation.text, line.voice, line.weights, pronunciations, rate=line.rate, clone=line.clone)


def clip_work(
    text: str,
    voice: Voice,
    weights: str,
    pronunciations: Sequence[Pronunciation],
    *,
    rate: float = 1.0,
    clone: ClonedVoice | None = None,
) -> ClipWork:
    """The work of one clip, as the lines of a dub come to it: `rate` counts where the engine can speak at one."""
    return ClipWork(
        spoken=engines.spoken(text, voice, pronunciations),
        voice=voice,
        weights=weights,
        rate=round(rate, _RATE_DIGITS) if engines.paces(voice) else 1.0,
        clone=clone,
    )


def speak_clip(work: ClipWork, store: Store) -> Clip:
    """One clip."""
    return _put(work, next(_speak_all([work], store)), store)


def _speak_all(work: Sequence[ClipWork], store: Store) -> Iterator[Waveform]:
    requests = [SpeechRequest(text=each.spoken, voice=each.voice, rate=each.rate) for each in work]
    return engines.speak_all(requests, others=_cloned_speakers(work, store))


def _cloned_speakers(work: Sequence[ClipWork], store: Store) -> dict[str, Speaker]:
    speakers: dict[str, Speaker] = {}
    for each in work:
        if each.clone is None and cloned.is_clone(each.voice.id):
            raise BadInput("nobody is imitated without a recording and a consent;", where=each.voice.id)
        if each.clone is not None and each.voice.id not in speakers:
            reference = read_waveform(store.path(each.clone.reference), sample_rate=cloned.SAMPLE_RATE)
            speakers[each.voice.id] = cloned.load(each.voice.language, reference)
    return speakers


def _put(work: ClipWork, waveform: Waveform, store: Store) -> Clip:
    rate = work.voice.sample_rate
    if not len(waveform):
        return Clip(audio=None, duration=0)
    with store.scratch() as folder:
        file = folder / "clip.wav"
        write_wav(file, waveform, rate)
        return Clip(audio=store.put(file), duration=samples_duration(len(waveform), rate))


CLIP: Stage[ClipWork, Clip] = Stage("clip", 1, Clip, speak_clip)
SPEAK: Stage[SpeakWork, tuple[SpeechClip, ...]] = Stage("speak", 2, tuple[SpeechClip, ...], speak, alone=True)
