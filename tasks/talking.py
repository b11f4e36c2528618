"""Making a face speak: text or a recording, with an image or a video. The picture lasts as long as the speech."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from infra.media.audio import read_waveform, stream_waveform, wav_duration, write_wav, write_wav_stream
from infra.media.loudness import measure
from infra.media.probe import probe
from infra.media.splice import plan_groups
from infra.media.still import fit_duration, read_image, video_from_image
from infra.store import Store, sha256_of
from manifests.errors import BadInput
from manifests.keys import child_id, fingerprint
from manifests.languages import language as known_language
from manifests.records import Blob, Degradation, FaceTrack, Hypothesis, Placement, Translation, Video
from manifests.time import Flicks, Span, flicks
from models.vad import engines as vad_engines
from models.vad.contract import SAMPLE_RATE as VAD_RATE
from tasks import assemble, chunks, engines, faces, lips, mix, render, shots, speak
from tasks.pool import Pool
from tasks.settings import DubSettings, lecture
from tasks.stage import Stage

_PAUSE_S = 0.35
_TAIL_S = 0.4
_BLOCK_S = 10
_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_SENTENCE_END = re.compile(r"(?<=[.!?…؟。])\s+|\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkJob:
    """What is asked for: a `face` (video or image), and either an `audio` file or a `text` in `language`."""

    face: Path
    out: Path
    audio: Path | None = None
    text: str | None = None
    language: str | None = None
    voice: str | None = None
    settings: DubSettings = field(default_factory=lecture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What a job came to."""

    video: Video
    files: assemble.DubFiles
    lip_frames: int
    degradations: tuple[Degradation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundWork:
    """A recording to be said by the face; `content` is its SHA-256."""

    content: str
    uri: str = field(metadata={"key": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureWork:
    """A face to be shown for `duration`; `content` is the SHA-256 of the image or video."""

    content: str
    uri: str = field(metadata={"key": False})
    duration: Flicks
    moving: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CutWork:
    """The part of a voice track that is heard during `span`."""

    voice: Blob
    span: Span


def check(job: TalkJob) -> None:
    """Everything that can be known to fail before any work."""
    if (job.text is None) == (job.audio is None):
        raise BadInput("one of a text and a recording is needed.", remedy="Give --text or --audio.")
    if job.text is not None:
        if not job.text.strip():
            raise BadInput("the text is empty.", where="--text")
        if job.language is None:
            raise BadInput("the language of the text is needed.", remedy="Give --lang.")
        known_language(job.language)
        engines.speaking_weights(engines.voice_for(job.language, _speak_settings(job)))
    if job.out.suffix.lower() != ".mp4":
        raise BadInput("the result is an MP4 file.", where=str(job.out), remedy="Name it .mp4.")
    if job.face.suffix.lower() in _IMAGE_SUFFIXES:
        read_image(job.face)
    engines.face_weights(job.settings.faces)


def make_talk(job: TalkJob, pool: Pool, store: Store) -> Talk:
    """Make the face speak. BadInput where the face, the text or the recording cannot be worked with."""
    check(job)
    said = _say_text(job, pool) if job.text is not None else _take_recording(job, pool)
    moving = job.face.suffix.lower() not in _IMAGE_SUFFIXES
    picture = PictureWork(content=sha256_of(job.face), uri=str(job.face), duration=said.duration, moving=moving)
    prepared = pool.submit(PREPARE, [picture], [Span(0, said.duration)]).values()[0]
    video = probe(store.path(prepared))
    found = pool.submit(shots.SHOTS, [shots.ShotWork(video=video, settings=job.settings.shots)], [video.span])
    cut_shots = found.values()[0]
    planned = chunks.plan_chunks(video, cut_shots, [each.span for each in said.placements], job.settings.chunks)
    spans = [chunk.span for chunk in planned]
    tracks = pool.submit(
        faces.FACES,
        [
            faces.FaceWork(
                video=video,
                chunk=chunk,
                cuts=chunks.cuts_within(cut_shots, chunk.span),
                settings=job.settings.faces,
                weights=engines.face_weights(job.settings.faces),
            )
            for chunk in planned
        ],
        spans,
    ).values()
    speech = pool.submit(CUT, [CutWork(voice=said.voice.audio, span=span) for span in spans], spans).values()
    tracks_of: dict[str, tuple[FaceTrack, ...]] = defaultdict(tuple)
    tracks_of.update({chunk.id: found for chunk, found in zip(planned, tracks, strict=True)})
    code = job.language or "und"
    synced = pool.submit(
        lips.LIPS,
        [
            lips.LipWork(
                video=video,
                chunk=chunk,
                language=code,
                tracks=tracks_of[chunk.id],
                original_speech=(chunk.span,),  # whatever the face did before, it now follows the new speech throughout
                speech=heard,
                settings=job.settings.lips,
                weights=engines.lip_weights(job.settings.lips),
            )
            for chunk, heard in zip(planned, speech, strict=True)
        ],
        spans,
    ).values()
    plan = plan_groups(Path(video.uri))
    rendered = render.submit_runs(video, plan, synced, job.settings.render, code, pool)
    work = assemble.AssembleWork(
        video=video,
        plan=plan,
        track=None,
        source_language=None,
        target_language=job.language,
        utterances=(),
        translations=said.translations,
        placements=said.placements,
        voice=said.voice,
        disclosures=(
            *((assemble.SPEECH_DISCLOSURE,) if job.text is not None else ()),
            *((assemble.LIP_DISCLOSURE,) if any(each.mouths for each in synced) else ()),
        ),
        rendered=tuple(rendered.values()) if rendered else (),
        chapters=(),
        settings=job.settings.assemble,
    )
    files = pool.submit(assemble.ASSEMBLE, [work], [video.span]).values()[0]
    unseen: tuple[Degradation, ...] = ()
    if not any(tracks):
        reason = "no face was found in the picture: it passes untouched"
        unseen = (Degradation(stage="faces", span=video.span, reason=reason),)
    degradations = (*unseen, *(each for chunk in synced for each in chunk.degradations), *files.degradations)
    lip_frames = sum(chunk.frame_count for chunk in synced)
    return Talk(video=video, files=files, lip_frames=lip_frames, degradations=degradations)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What the face is to say."""

    voice: mix.VoiceTrack
    duration: Flicks
    translations: tuple[Translation, ...] = ()
    placements: tuple[Placement, ...] = ()


def _speak_settings(job: TalkJob) -> speak.SpeakSettings:
    return speak.SpeakSettings(voice=job.voice)


def _say_text(job: TalkJob, pool: Pool) -> _Said:
    text, code = job.text or "", job.language or ""
    parent = fingerprint("text", text, code)
    sentences = tuple(
        Translation(
            id=child_id(parent, "sentence", index),
            utterance_id=child_id(parent, "sentence", index),
            language=code,
            text=sentence,
            hypotheses=(Hypothesis(text=sentence, score=0.0),),
        )
        for index, sentence in enumerate(split_sentences(text))
    )
    voice = engines.voice_for(code, _speak_settings(job))
    work = speak.SpeakWork(translations=sentences, voice=voice, weights=engines.speaking_weights(voice))
    clips = pool.submit(speak.SPEAK, [work], [Span(0, 0)], language=code).values()[0]
    if not clips:
        raise BadInput("there is nothing to say in it.", where="--text")
    pause = flicks(_PAUSE_S)
    starts = accumulate((clip.duration + pause for clip in clips), initial=pause // 2)
    placements = tuple(
        Placement(
            clip_id=clip.id,
            utterance_id=clip.utterance_id,
            span=Span(start, start + clip.duration),
            rate=1.0,
            overrun=0,
        )
        for clip, start in zip(clips, starts, strict=False)
    )
    span = Span(0, placements[-1].span.end + flicks(_TAIL_S))
    mixed = pool.submit(mix.MIX, [mix.MixWork(clips=clips, placements=placements)], [span], language=code).values()[0]
    settings = job.settings.assemble
    track = mix.VoiceTrackWork(
        span=span, speech=mixed, target_lufs=settings.target_lufs, true_peak_dbtp=settings.true_peak_dbtp
    )
    laid = pool.submit(mix.VOICE_TRACK, [track], [span], language=code).values()[0]
    return _Said(voice=laid, duration=span.end, translations=sentences, placements=placements)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, white space folded; none empty."""
    return [folded for part in _SENTENCE_END.split(text) if (folded := " ".join(part.split()))]


def _take_recording(job: TalkJob, pool: Pool) -> _Said:
    audio = job.audio or Path()
    work = SoundWork(content=sha256_of(audio), uri=str(audio))
    sound = pool.submit(SOUND, [work], [Span(0, 0)]).values()[0]
    return _Said(voice=sound.track, duration=sound.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A recording as a voice track, and how long it is."""

    track: mix.VoiceTrack
    duration: Flicks


def take_sound(work: SoundWork, store: Store) -> Sound:
    """The recording as a mono WAV at the mixing rate, its loudness left as it is."""
    rate = mix.SAMPLE_RATE
    with store.scratch() as folder:
        file = folder / "voice.wav"
        blocks = stream_waveform(Path(work.uri), sample_rate=rate, track=0, block=_BLOCK_S * rate)
        write_wav_stream(file, blocks, rate)
        duration = wav_duration(file)
        if duration == 0:
            raise BadInput("there is no sound in it.", where=work.uri)
        loudness = measure(file).integrated_lufs
        audio = store.put(file)
    return Sound(track=mix.VoiceTrack(audio=audio, loudness_lufs=loudness), duration=duration)


def prepare_picture(work: PictureWork, store: Store) -> Blob:
    """A picture of the wanted length: the image held, or the video cut off or played back and forth."""
    with store.scratch() as folder:
        file = folder / "picture.mp4"
        if work.moving:
            fit_duration(Path(work.uri), work.duration, file)
        else:
            video_from_image(Path(work.uri), work.duration, file)
        return store.put(file)


def cut_speech(work: CutWork, store: Store) -> tuple[mix.ChunkSpeech, ...]:
    """The voice during one chunk, and where in it somebody speaks."""
    track = store.path(work.voice)
    waveform = read_waveform(track, sample_rate=mix.SAMPLE_RATE, track=0, span=work.span)
    quiet = read_waveform(track, sample_rate=VAD_RATE, track=0, span=work.span)
    heard = tuple(span.shift(work.span.start) for span in vad_engines.load("silero").speech([quiet]))
    with store.scratch() as folder:
        file = folder / "speech.wav"
        write_wav(file, waveform, mix.SAMPLE_RATE)
        return (mix.ChunkSpeech(span=work.span, heard=heard, audio=store.put(file)),)


SOUND: Stage[SoundWork, Sound] = Stage("sound", 1, Sound, take_sound)
PREPARE: Stage[PictureWork, Blob] = Stage("prepare", 1, Blob, prepare_picture)
CUT: Stage[CutWork, tuple[mix.ChunkSpeech, ...]] = Stage("cut", 1, tuple[mix.ChunkSpeech, ...], cut_speech)
