"""People of whom there are only voice prints, pitches and faces: what telling speakers apart works on.

A voice print is a unit vector. Two people's are at a cosine of about 0.5, two of one person's at 0.9, as with the real
encoder's on long utterances.
"""

from __future__ import annotations

import zlib

import numpy as np

from manifests.embedding import Embedding
from manifests.records import (
    Appearance,
    Blob,
    CourseVoice,
    FaceTrack,
    LectureSpeaker,
    SpeakingFace,
    Utterance,
    VoiceSample,
)
from manifests.time import Span

NOTHING = Blob(sha256="0" * 64, suffix=".npz", size_bytes=0)
SIZE = 64


def direction(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The same for the same name, at right angles to others as nearly as chance has it."""
    drawn = np.random.default_rng(zlib.crc32(name.encode())).normal(size=SIZE)
    return np.asarray(drawn / np.linalg.norm(drawn))


def voice_print(person: str, take: str = "", *, like: float = 0.9) -> tuple[float, ...]:
    """Of `person`; two takes are at a cosine of about `like`, two people at about 0.5."""
    own = np.sqrt(0.5) * direction("everybody") + np.sqrt(0.5) * direction(f"voice {person}")
    own /= np.linalg.norm(own)
    mixed = np.sqrt(like) * own + np.sqrt(1 - like) * direction(f"take {person} {take}")
    return tuple(float(value) for value in mixed / np.linalg.norm(mixed))


def utterance(name: str, start_s: float, seconds: float = 4.0) -> Utterance:
    return Utterance(
        id=name,
        chunk_id="chunk",
        span=Span.of_seconds(start_s, start_s + seconds),
        text=name,
        words=(),
        language="en",
    )


def sample(
    name: str, person: str | None, *, speech_s: float = 3.5, pitch_hz: float | None = 120.0, voiced_s: float = 2.0
) -> VoiceSample:
    """Of the utterance called `name`, in the voice of `person` (None: too short for a print)."""
    return VoiceSample(
        utterance_id=name,
        embedding=Embedding(voice_print(person, name) if person is not None else ()),
        speech_s=speech_s,
        pitch_hz=pitch_hz,
        voiced_s=voiced_s if pitch_hz is not None else 0.0,
        loudness_dbfs=-20.0,
    )


def track(name: str, person: str, start_s: float, end_s: float) -> FaceTrack:
    return FaceTrack(
        id=name,
        chunk_id="chunk",
        span=Span.of_seconds(start_s, end_s),
        observations=NOTHING,
        median_height_px=120,
        embedding=tuple(float(value) for value in direction(f"face {person}")),
        identity=person,
    )


def speaks(*tracks: FaceTrack) -> list[SpeakingFace]:
    return [SpeakingFace(track_id=each.id, spans=(each.span,), agreement=0.7) for each in tracks]


def looks(track_id: str, female: float, age_years: float = 35, frame_count: int = 12) -> Appearance:
    return Appearance(track_id=track_id, female=female, age_years=age_years, frame_count=frame_count)


def speaker(name: str, person: str, *, gender: str = "unsure", age: str = "adult", take: str = "") -> LectureSpeaker:
    return LectureSpeaker(
        id=name,
        utterance_ids=(f"{name} says",),
        identity=None,
        gender=gender,
        age=age,
        female=0.5,
        evidence="made up",
        embedding=voice_print(person, take, like=0.98),
    )


def course_voice(person_id: str, person: str, video_id: str, lecture: int, voice_id: str) -> CourseVoice:
    return CourseVoice(
        person_id=person_id,
        video_id=video_id,
        lecture=lecture,
        speaker_id="speaker1",
        language="fr",
        voice_id=voice_id,
        pinned=False,
        gender="unsure",
        age="adult",
        embedding=voice_print(person, video_id, like=0.98),
        face=(),
    )
