"""The records that flow between stages, each one a row of a Parquet manifest (see `manifests.tables`).

Video -> Shot -> Chunk -> FaceTrack -> Utterance -> Translation -> SpeechClip -> Placement -> SyncedChunk
-> DubbedVideo. Records are frozen, carry ids derived from their parent, a `Span` of time and a `Blob` in place of
bytes, so two runs over the same content agree on every row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from manifests.embedding import Embedding
from manifests.time import Flicks, Span


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in the content-addressed store: named by their SHA-256, with the suffix that tells their format."""

    sha256: str
    suffix: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """A span where a stage kept the original, and why; a person reads `reason` in the report.

    `failed`: the work on it failed, again and again, where otherwise there was a reason not to do it.
    """

    stage: str
    span: Span
    reason: str
    failed: bool = field(default=False, metadata={"key": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack:
    """One audio stream of a container. `index` counts audio streams from 0; `language` is as tagged, or None."""

    index: int
    codec: str
    sample_rate: int
    channels: int
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A source as probed. `id` is the SHA-256 of the file's bytes; `uri` is where it was read, no part of any key.

    `width` and `height` are of the picture as shown, upright; `rotation_deg` (0, 90, 180, 270, counter-clockwise)
    is what the container asks a player to turn the coded picture by. `span` is the picture's time on its own clock.
    """

    id: str
    uri: str = field(metadata={"key": False})
    span: Span
    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation_deg: int
    frame_rate: Fraction
    variable_frame_rate: bool
    frame_count: int
    audio_tracks: tuple[AudioTrack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A run of frames between two cuts."""

    id: str
    video_id: str
    index: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A stretch of lecture that is worked on by itself; it ends in a pause, at a shot cut where one falls there."""

    id: str
    video_id: str
    index: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceTrack:
    """One face followed through one shot of a chunk.

    `observations` is an .npz blob, one row a frame: `time` (N,) int64 flicks, `box` (N, 4) float32 x, y, width,
    height in upright pixels, smoothed, `landmarks` (N, 5, 2) float32 (right eye, left eye, nose tip, right and left
    corner of the mouth, as YuNet orders them), `score` (N,) float32, `detected` (N,) bool (False inside a gap
    that was bridged). `embedding` is the unit-length SFace identity, averaged over the track; `identity` joins
    tracks of one person over the lecture.
    """

    id: str
    chunk_id: str
    span: Span
    observations: Blob
    median_height_px: float
    embedding: tuple[float, ...]
    identity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshTrack:
    """The dense landmarks of one face track, frame by frame.

    `meshes` is an .npz blob, one row a frame: `time` (N,) int64 flicks, `points` (N, 202, 3) float32 in upright pixels
    (`models.landmarks.topology.KEPT`), `score` (N,) float32 0..1 (how surely a face is there), `sharpness` (N,)
    and `light` (N, 3) float32, mean RGB of the skin around the mouth.
    """

    id: str
    track_id: str
    chunk_id: str
    span: Span
    meshes: Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakingFace:
    """Where the face of a track is the one that speaks. `agreement` is the correlation of its mouth with the voice."""

    track_id: str
    spans: tuple[Span, ...]
    agreement: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A recognised word with its time on the lecture's clock and the recogniser's confidence, 0 to 1."""

    text: str
    span: Span
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A sentence, or the part of one between two pauses, as heard. `language` is ISO 639-1."""

    id: str
    chunk_id: str
    span: Span
    text: str
    words: tuple[Word, ...]
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """How the face of a track looks, voted over its frames: `female` is a probability 0..1, `age_years` the median."""

    track_id: str
    female: float
    age_years: float
    frame_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSample:
    """How the voice of an utterance sounds in the source.

    `embedding` is the unit-length voice print of its `speech_s` seconds without pauses, empty where they are less than
    half a second. `pitch_hz` is the median fundamental frequency of the `voiced_s` seconds that are voiced, None where
    hardly any are. `loudness_dbfs` is the root mean square of the speech.
    """

    utterance_id: str
    embedding: Embedding
    speech_s: float
    pitch_hz: float | None
    voiced_s: float
    loudness_dbfs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LectureSpeaker:
    """One person who speaks in a lecture, told apart by voice and face.

    `id` is "speaker1", "speaker2", ... in the order in which they are first heard. `gender` is "female", "male" or
    "unsure", `age` "child", "adult", "senior" or "unsure"; `female` is the joint probability that they rest on, and
    `evidence` says in words what spoke for it. `identity` is the face's (`FaceTrack.identity`), None for a voice whose
    face never shows. `embedding` is the mean voice print.
    """

    id: str
    utterance_ids: tuple[str, ...]
    identity: str | None
    gender: str
    age: str
    female: float
    evidence: str
    embedding: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """The voice that a speaker has in a language, and why: "pinned", "course" (as before) or "chosen"."""

    speaker_id: str
    language: str
    voice_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseVoice:
    """Who spoke in a lecture of a course, and with which voice in one language: a row of `course.parquet`.

    `person_id` is "person1", "person2", ... over the course; `lecture` numbers its lectures from 1 in the order in
    which they were first cast. `embedding` (voice print) and `face` (identity) are means over the lecture, of unit
    length, empty where there is none. `pinned`: a person chose this voice by hand, here or in a lecture before.
    """

    person_id: str
    video_id: str
    lecture: int
    speaker_id: str
    language: str
    voice_id: str
    pinned: bool
    gender: str
    age: str
    embedding: tuple[float, ...]
    face: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One candidate translation; `score` is the length-normalised log probability of the decoder."""

    text: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """An utterance in another language: the chosen text, and every candidate the decoder offered, best first.

    `warnings` say what of the source even the best candidate lacks or changes: a number, a unit, code, a kept term.
    """

    id: str
    utterance_id: str
    language: str
    text: str
    hypotheses: tuple[Hypothesis, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechClip:
    """A translation as spoken. `audio` is a mono 16-bit WAV blob.

    `rate` is the rate that was asked of the engine, 1 for the voice's own; `duration` is what it came to.
    """

    id: str
    translation_id: str
    utterance_id: str
    voice: str
    audio: Blob
    sample_rate: int
    duration: Flicks
    rate: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a clip is heard: its `span` on the dub's clock and the `rate` it is spoken at (above 1: faster).

    `overrun` is the time by which it passes what it was allowed, 0 where it fits; speech is never cut off. The levers
    that made it fit: `reading` (index of the candidate translation that is spoken), `lead` (how much before the source
    it starts) and `slack` (how much past the source's end it ends), `held` (how long the picture waits for it).
    """

    clip_id: str
    utterance_id: str
    span: Span
    rate: float
    overrun: Flicks
    reading: int = 0
    lead: Flicks = 0
    slack: Flicks = 0
    held: Flicks = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedChunk:
    """The new mouths of a chunk in one language; `mouths` is None where no speaking face shows.

    `mouths` is an .npz blob, one row a changed frame, with `time` (N,) int64 flicks and what `tasks.painting` makes
    the frame from: faces that a generator drew, or rows of a speaker's library and the shapes to bring them to.
    `changed` are the spans whose frames differ.
    """

    id: str
    chunk_id: str
    language: str
    mouths: Blob | None
    changed: tuple[Span, ...]
    frame_count: int
    degradations: tuple[Degradation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DubbedVideo:
    """A finished dub: the file and the subtitles beside it, as published."""

    id: str
    video_id: str
    language: str
    uri: str = field(metadata={"key": False})
    sha256: str
    span: Span
    copied_frames: int
    rendered_frames: int
    loudness_lufs: float | None
    degradations: tuple[Degradation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """An utterance as the machine heard it, of which a row of a sheet is a part, or which is a part of that row."""

    utterance_id: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """A line of the editable sheet of a dub, as it was last written, with the machine's own values beside it.

    `id` is what the sheet calls the utterance, `span` is where the dubbed line is heard, on the source's clock.
    `machine_...` is what the cell would hold had nobody edited it, `edited` names the cells that a person did ("times"
    for start and end). `check` says why the line deserves a look, `worry` how much (0: not at all). `lecture` is the
    span of the whole source. `made_of` are the utterances that a person split or joined into this line, none elsewhere.
    """

    id: str
    utterance_id: str
    video_id: str
    language: str
    lecture: Span
    span: Span
    speaker: str
    voice: str
    source: str
    translation: str
    check: str
    note: str
    worry: float
    machine_span: Span
    machine_speaker: str
    machine_voice: str
    machine_source: str
    machine_translation: str
    edited: tuple[str, ...] = ()
    made_of: tuple[SourceLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A cell of a sheet that a person changed: `value` is what it holds, `span` the pinned times for column "times".

    `heard` is what the machine understood of the utterance when it was edited: where it now understands another
    sentence there, the edit is about something else.
    """

    utterance_id: str
    language: str
    column: str
    value: str
    heard: str
    span: Span | None = None
