"""What each stage would come to, made up: records as many and as large as a talking head's lecture gives.

Only what a record says of the lecture's shape is made with care (how many lines, words, candidates, faces, prints),
because that is what the orchestration carries. Sound and pictures are one small blob each: nobody looks at them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from infra.media.audio import read_waveform, write_wav
from infra.store import Store
from manifests.embedding import Embedding
from manifests.keys import child_id
from manifests.records import (
    Appearance,
    Blob,
    FaceTrack,
    Hypothesis,
    MeshTrack,
    Shot,
    SpeakingFace,
    SpeechClip,
    SyncedChunk,
    Translation,
    Utterance,
    VoiceSample,
    Word,
)
from manifests.time import Flicks, Span, flicks
from tasks.arrays import put_arrays
from tasks.assemble import DubFiles
from tasks.background import ChunkBackground
from tasks.heard_back import HeardLine
from tasks.levels import Levels
from tasks.library import SpeakerLibrary
from tasks.lip_scores import LipScore
from tasks.listen import HeardLanguage
from tasks.mix import ChunkSpeech, VoiceTrack
from tasks.render import RenderedRun

SAID_S, PAUSE_S, SHOT_S = 6.0, 0.5, 90.0
_ENGLISH = (
    "so what we see on this slide is how the error falls when we give the network more to read",
    "and the reason for that is not the size of the model but what it was shown before",
    "let me write this down because you will need it again when we come to the proof",
)
_FRENCH = (
    "ce que nous voyons ici, c'est que l'erreur baisse quand le réseau lit davantage",
    "et la raison n'en est pas la taille du modèle, mais ce qu'on lui a montré avant",
    "je vais l'écrire, car vous en aurez besoin quand nous arriverons à la démonstration",
)
_ENDINGS = ("", ", voilà", ", bien sûr", ", donc", ", en somme", ", alors", ", je crois", ", enfin")
_SECONDS_A_LETTER = 0.062
_LISTENED_HZ = 16_000


def shots(work: Any, store: Store) -> tuple[Shot, ...]:  # noqa: ARG001 (every stage takes the store)
    """A cut every minute and a half."""
    video, step = work.video, flicks(SHOT_S)
    starts = range(video.span.start, video.span.end, step)
    return tuple(
        Shot(
            id=child_id(video.id, "shot", index),
            video_id=video.id,
            index=index,
            span=Span(start, min(start + step, video.span.end)),
        )
        for index, start in enumerate(starts)
    )


def speech(work: Any, store: Store) -> tuple[Span, ...]:  # noqa: ARG001
    """A sentence of six seconds, half a second's pause, and so on."""
    video, said, pause = work.video, flicks(SAID_S), flicks(PAUSE_S)
    starts = range(video.span.start, video.span.end - said, said + pause)
    return tuple(Span(start, start + said) for start in starts)


def identify(work: Any, store: Store) -> HeardLanguage:  # noqa: ARG001
    """English."""
    return HeardLanguage(code="en", probability=0.99)


def listen(work: Any, store: Store) -> tuple[Utterance, ...]:  # noqa: ARG001
    """A sentence for each stretch of speech. The chunk's sound is read, as a recogniser would have it read."""
    read_waveform(Path(work.video.uri), sample_rate=_LISTENED_HZ, track=work.track, span=work.chunk.span)
    return tuple(_utterance(work, index, span) for index, span in enumerate(work.speech))


def _utterance(work: Any, index: int, span: Span) -> Utterance:
    text = _ENGLISH[(work.chunk.index + index) % len(_ENGLISH)]
    words = text.split()
    step = span.duration // len(words)
    return Utterance(
        id=child_id(work.chunk.id, "utterance", index),
        chunk_id=work.chunk.id,
        span=span,
        text=text,
        words=tuple(
            Word(text=word, span=Span(span.start + at * step, span.start + (at + 1) * step), confidence=0.9)
            for at, word in enumerate(words)
        ),
        language="en",
    )


def voice_samples(work: Any, store: Store) -> tuple[VoiceSample, ...]:  # noqa: ARG001
    """One person's prints, each a little off."""
    return tuple(
        VoiceSample(
            utterance_id=each.id,
            embedding=Embedding(_print(256, seed)),
            speech_s=5.0,
            pitch_hz=118.0 + seed % 5,
            voiced_s=3.5,
            loudness_dbfs=-22.0 - seed % 3,
        )
        for seed, each in enumerate(work.utterances, work.chunk.index)
    )


def _print(length: int, seed: int) -> tuple[float, ...]:
    person = np.random.default_rng(1).normal(size=length)
    off = np.random.default_rng(seed).normal(size=length) * 0.3
    both = person + off
    return tuple(float(each) for each in both / np.linalg.norm(both))


def background(work: Any, store: Store) -> ChunkBackground:  # noqa: ARG001
    """A quiet room."""
    return ChunkBackground(
        span=work.chunk.span,
        heard=work.chunk.span,
        kind="speech only",
        audio=None,
        channels=1,
        level_dbfs=-62.0,
        speech_lufs=-21.0,
        room=None,
    )


def faces(work: Any, store: Store) -> tuple[FaceTrack, ...]:
    """One face, in every frame."""
    return (
        FaceTrack(
            id=child_id(work.chunk.id, "track", 0),
            chunk_id=work.chunk.id,
            span=work.chunk.span,
            observations=_arrays(store),
            median_height_px=210.0,
            embedding=_print(128, work.chunk.index),
        ),
    )


def meshes(work: Any, store: Store) -> tuple[MeshTrack, ...]:
    """The landmarks of that face."""
    return tuple(
        MeshTrack(
            id=child_id(track.id, "mesh", 0),
            track_id=track.id,
            chunk_id=track.chunk_id,
            span=track.span,
            meshes=_arrays(store),
        )
        for track in work.tracks
    )


def speaking(work: Any, store: Store) -> tuple[SpeakingFace, ...]:  # noqa: ARG001
    """It speaks."""
    return tuple(SpeakingFace(track_id=face.id, spans=(face.span,), agreement=0.7) for face in work.faces)


def library(work: Any, store: Store) -> tuple[SpeakerLibrary, ...]:
    """As many frames of it as are kept at most."""
    return (SpeakerLibrary(identity=work.identity, frames=_arrays(store), frame_count=work.settings.most_frames),)


def appearances(work: Any, store: Store) -> tuple[Appearance, ...]:  # noqa: ARG001
    """A man of fifty."""
    return tuple(Appearance(track_id=each.id, female=0.1, age_years=50.0, frame_count=12) for each in work.tracks)


def translate(work: Any, store: Store) -> tuple[Translation, ...]:  # noqa: ARG001
    """As many candidates as are asked for, each a little longer."""
    return tuple(_translation(work, each, number) for number, each in enumerate(work.utterances))


def _translation(work: Any, said: Utterance, number: int) -> Translation:
    text = _FRENCH[number % len(_FRENCH)]
    offered = [f"{text}{ending}." for ending in _ENDINGS[: work.settings.candidates]]
    return Translation(
        id=child_id(said.id, work.target, 0),
        utterance_id=said.id,
        language=work.target,
        text=offered[0],
        hypotheses=tuple(Hypothesis(text=each, score=-0.3 - 0.1 * rank) for rank, each in enumerate(offered)),
    )


def speak(work: Any, store: Store) -> tuple[SpeechClip, ...]:
    """A clip a line, as long as its text takes."""
    return tuple(
        SpeechClip(
            id=child_id(line.translation.id, "clip", 0),
            translation_id=line.translation.id,
            utterance_id=line.translation.utterance_id,
            voice=line.voice.id,
            audio=_sound(store),
            sample_rate=line.voice.sample_rate,
            duration=_spoken_for(line.translation.text),
            rate=round(line.rate, 3),
        )
        for line in work.lines
    )


def _spoken_for(text: str) -> Flicks:
    return flicks(len(text) * _SECONDS_A_LETTER)


def mix(work: Any, store: Store) -> tuple[ChunkSpeech, ...]:
    """The clips of a chunk as one."""
    if not work.placements:
        return ()
    spans = tuple(each.span for each in work.placements)
    return (ChunkSpeech(span=Span.hull(spans), heard=spans, audio=_sound(store)),)


def voice(work: Any, store: Store) -> VoiceTrack:  # noqa: ARG001
    """The sound of the dub."""
    return VoiceTrack(audio=_sound(store), loudness_lufs=-16.0, true_peak_dbtp=-1.9)


def lips(work: Any, store: Store) -> SyncedChunk:
    """New mouths while somebody speaks."""
    changed = tuple(span for said in work.speech for span in said.heard)
    return SyncedChunk(
        id=f"{work.chunk.id}/{work.language}",
        chunk_id=work.chunk.id,
        language=work.language,
        mouths=_arrays(store),
        changed=changed,
        frame_count=round(float(work.video.frame_rate) * sum(each.duration_s for each in changed)),
    )


def render(work: Any, store: Store) -> RenderedRun:
    """The groups that show them."""
    frames = sum(len(each.frame_times) for each in work.plan.groups[work.run.first : work.run.end])
    return RenderedRun(run=work.run, picture=_arrays(store), frame_count=frames)


def assemble(work: Any, store: Store) -> DubFiles:
    """The source's own bytes as the dub: what is published is as large as a dub."""
    with store.scratch() as folder:
        file = folder / "lecture.mp4"
        shutil.copyfile(work.video.uri, file)
        video = store.put(file)
        texts = {}
        for name, lines in (("source", work.utterances), ("target", work.translations)):
            for suffix in ("srt", "vtt"):
                text = folder / f"{name}.{suffix}"
                text.write_text("\n".join(each.text for each in lines), encoding="utf-8")
                texts[f"{name}_{suffix}"] = store.put(text)
    rendered = sum(each.frame_count for each in work.rendered)
    return DubFiles(
        video=video,
        copied_frames=max(work.video.frame_count - rendered, 0),
        rendered_frames=rendered,
        loudness_lufs=-16.0,
        **texts,
    )


def levels(work: Any, store: Store) -> Levels:  # noqa: ARG001
    """As loud as it should be."""
    picture = Span(0, max((each.end for each in work.lines), default=0))
    return Levels(picture=picture, loudness_lufs=-16.0, true_peak_dbtp=-1.2, lines=(-16.0,) * len(work.lines))


def heard_back(work: Any, store: Store) -> tuple[HeardLine, ...]:  # noqa: ARG001
    """Understood."""
    return tuple(HeardLine(utterance_id=each.utterance_id, text=each.text, cer=0.02) for each in work.lines)


def lip_scores(work: Any, store: Store) -> tuple[LipScore, ...]:  # noqa: ARG001
    """Lips that follow."""
    return tuple(LipScore(utterance_id=each.utterance_id, agreement=0.6, frames=120) for each in work.lines)


def _arrays(store: Store) -> Blob:
    return put_arrays(store, {"time": np.zeros(1, np.int64)})


def _sound(store: Store) -> Blob:
    with store.scratch() as folder:
        file = folder / "sound.wav"
        write_wav(file, np.zeros(480, np.float32), 24_000)
        return store.put(file)


COMES_TO: dict[str, Callable[[Any, Store], Any]] = {
    "shots": shots,
    "speech": speech,
    "identify": identify,
    "faces": faces,
    "listen": listen,
    "voice_samples": voice_samples,
    "background": background,
    "meshes": meshes,
    "speaking": speaking,
    "library": library,
    "appearances": appearances,
    "translate": translate,
    "speak": speak,
    "mix": mix,
    "voice": voice,
    "lips": lips,
    "render": render,
    "assemble": assemble,
    "levels": levels,
    "heard_back": heard_back,
    "real_lips": lip_scores,
    "dubbed_lips": lip_scores,
}
"""By the stage's name. What is not here (`sign`) is done for real."""
