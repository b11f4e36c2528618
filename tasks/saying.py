"""What a face is to say, as a voice track: a text spoken sentence by sentence, or a recording as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.media.audio import read_waveform, stream_waveform, wav_duration, write_wav, write_wav_stream
from infra.media.loudness import measure
from infra.store import Store
from manifests.errors import BadInput
from manifests.keys import child_id, fingerprint
from manifests.records import Blob, Hypothesis, Placement, SpeechClip, Translation
from manifests.time import Flicks, Span, flicks
from models.speech.contract import Voice
from models.vad import engines as vad_engines
from models.vad.contract import SAMPLE_RATE as VAD_RATE
from tasks import assemble, engines, mix, speak
from tasks.pool import Pool
from tasks.stage import Stage

_PAUSE_S = 0.35
_TAIL_S = 0.4
_BLOCK_S = 10
_SENTENCES_A_PIECE = 8
_SENTENCE_END = re.compile(r"(?<=[.!?…؟。！？])\s+|(?<=[。！？])|\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A voice track, how long it is, and where in it somebody speaks.

    `recording` is the file that it was taken from, None for a text, which comes with its sentences and their places.
    """

    voice: mix.VoiceTrack
    duration: Flicks
    speech: tuple[Span, ...]
    recording: assemble.Recording | None = None
    translations: tuple[Translation, ...] = ()
    placements: tuple[Placement, ...] = ()


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, white space folded; none empty."""
    return [folded for part in _SENTENCE_END.split(text) if (folded := " ".join(part.split()))]


def say_text(text: str, language: str, voice: Voice, loudness: assemble.AssembleSettings, pool: Pool) -> Said:
    """`text` spoken by `voice`, sentence after sentence with a pause between. BadInput where nothing in it is said."""
    sentences = _sentences(text, language)
    pieces = [sentences[at : at + _SENTENCES_A_PIECE] for at in range(0, len(sentences), _SENTENCES_A_PIECE)]
    weights = engines.speaking_weights(voice)
    work = [
        speak.SpeakWork(
            lines=tuple(speak.LineToSpeak(translation=each, voice=voice, weights=weights) for each in piece)
        )
        for piece in pieces
    ]
    clips = pool.submit(speak.SPEAK, work, [Span(0, 0)] * len(work), language=language).values()
    placed = _one_after_the_other(clips)
    if not any(placed):
        raise BadInput("there is nothing to say in the text;", where="--text", remedy="give it some words")
    placements = tuple(placement for piece in placed for placement in piece)
    span = Span(0, placements[-1].span.end + flicks(_TAIL_S))
    mixed = pool.submit(
        mix.MIX,
        [mix.MixWork(clips=said, placements=where) for said, where in zip(clips, placed, strict=True)],
        [Span.hull(placement.span for placement in piece) if piece else Span(0, 0) for piece in placed],
        language=language,
    ).values()
    track = mix.VoiceTrackWork(
        span=span,
        speech=tuple(each for piece in mixed for each in piece),
        target_lufs=loudness.target_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
    )
    laid = pool.submit(mix.VOICE_TRACK, [track], [span], language=language).values()[0]
    return Said(
        voice=laid,
        duration=span.end,
        speech=tuple(placement.span for placement in placements),
        translations=sentences,
        placements=placements,
    )


def _sentences(text: str, language: str) -> tuple[Translation, ...]:
    parent = fingerprint("text", text, language)
    ids = (child_id(parent, "sentence", index) for index in range(len(text)))
    return tuple(
        Translation(
            id=name,
            utterance_id=name,
            language=language,
            text=sentence,
            hypotheses=(Hypothesis(text=sentence, score=0.0),),
        )
        for name, sentence in zip(ids, split_sentences(text), strict=False)
    )


def _one_after_the_other(clips: Sequence[tuple[SpeechClip, ...]]) -> list[tuple[Placement, ...]]:
    placed = []
    pause = flicks(_PAUSE_S)
    at = pause // 2
    for piece in clips:
        placements = []
        for clip in piece:
            span = Span(at, at + clip.duration)
            placements.append(
                Placement(clip_id=clip.id, utterance_id=clip.utterance_id, span=span, rate=1.0, overrun=0)
            )
            at = span.end + pause
        placed.append(tuple(placements))
    return placed


def say_recording(recording: assemble.Recording, pool: Pool) -> Said:
    """The sound of a file. BadInput where it has none."""
    sound = pool.submit(SOUND, [recording], [Span(0, 0)]).values()[0]
    return Said(voice=sound.track, duration=sound.duration, speech=sound.speech, recording=recording)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A recording as a voice track to work on, how long it is, and where in it somebody speaks."""

    track: mix.VoiceTrack
    duration: Flicks
    speech: tuple[Span, ...]


def take_sound(recording: assemble.Recording, store: Store) -> Sound:
    """The recording mixed down to a mono WAV at the mixing rate, its loudness left as it is."""
    rate = mix.SAMPLE_RATE
    with store.scratch() as folder:
        file = folder / "voice.wav"
        blocks = stream_waveform(Path(recording.uri), sample_rate=rate, track=recording.track, block=_BLOCK_S * rate)
        write_wav_stream(file, blocks, rate)
        duration = wav_duration(file)
        if duration == 0:
            raise BadInput("there is no sound in it;", where=recording.uri, remedy="check that it plays")
        quiet = stream_waveform(file, sample_rate=VAD_RATE, track=0, block=_BLOCK_S * VAD_RATE)
        speech = tuple(vad_engines.load().speech(quiet))
        loudness = measure(file).integrated_lufs
        track = mix.VoiceTrack(audio=store.put(file), loudness_lufs=loudness)
        return Sound(track=track, duration=duration, speech=speech)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutWork:
    """The part of a voice track that is heard during `span`; somebody speaks in `heard`."""

    voice: Blob
    span: Span
    heard: tuple[Span, ...]


def cut_speech(work: CutWork, store: Store) -> mix.ChunkSpeech:
    """The voice during one chunk."""
    waveform = read_waveform(store.path(work.voice), sample_rate=mix.SAMPLE_RATE, track=0, span=work.span)
    with store.scratch() as folder:
        file = folder / "speech.wav"
        write_wav(file, waveform, mix.SAMPLE_RATE)
        return mix.ChunkSpeech(span=work.span, heard=work.heard, audio=store.put(file))


SOUND: Stage[assemble.Recording, Sound] = Stage("sound", 2, Sound, take_sound)
CUT: Stage[CutWork, mix.ChunkSpeech] = Stage("cut", 2, mix.ChunkSpeech, cut_speech)
