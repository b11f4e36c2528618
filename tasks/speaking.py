"""Who speaks: of the faces in a chunk, the one whose mouth moves as the voice does.

A listener's face, and a narrator's absence, are told from the sound: the articulation network hears how a mouth must
have moved, and only a face that did move so is given new lips. A voice laid over footage of somebody talking fits no
mouth; where such a face is alone in the picture and does talk, it is taken for the speaker: a viewer takes it so too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infra.media.audio import read_waveform
from infra.store import Store
from manifests.records import Chunk, FaceTrack, MeshTrack, SpeakingFace, Video
from manifests.time import FLICKS_PER_SECOND, Span, flicks, merge
from models.articulation import engines
from models.articulation.agreement import agreement
from models.articulation.contract import SAMPLE_RATE
from models.articulation.shapes import Floats, MouthModel, openings
from tasks.arrays import get_arrays
from tasks.moments import within
from tasks.stage import Stage

_MARGIN_S = 0.2
"""A mouth moves for this long before and after it is heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakingSettings:
    """`min_agreement` is the correlation of mouth and voice from which a face speaks.

    A face that is alone in the picture speaks too where its mouth, while the voice is heard, moves by at least
    `min_motion` of what a speaking mouth does.
    """

    min_agreement: float = 0.35
    min_motion: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakingWork:
    """A chunk's faces and meshes, and where its voice (audio stream `track` of the video) is heard."""

    video: Video
    track: int
    chunk: Chunk
    faces: tuple[FaceTrack, ...]
    meshes: tuple[MeshTrack, ...]
    speech: tuple[Span, ...]
    settings: SpeakingSettings
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A face while the voice is heard: when it shows, its size, and how it fits. `motion`: 1 for a usual speaker."""

    track_id: str
    span: Span
    height_px: float
    agreement: float
    motion: float


def choose(candidates: Sequence[Candidate], settings: SpeakingSettings) -> list[Candidate]:
    """Those that speak: no two at one time, the best agreement first, where none agrees a lone moving face."""
    chosen: list[Candidate] = []
    for each in sorted(candidates, key=lambda one: (-one.agreement, -one.height_px)):
        alone = not any(each.span.overlaps(other.span) for other in candidates if other is not each)
        speaks = each.agreement >= settings.min_agreement or (alone and each.motion >= settings.min_motion)
        if speaks and not any(each.span.overlaps(other.span) for other in chosen):
            chosen.append(each)
    return sorted(chosen, key=lambda each: each.span)


def find_speaking(work: SpeakingWork, store: Store) -> tuple[SpeakingFace, ...]:
    """The faces of a chunk that speak, by their start."""
    if not work.meshes or not work.speech:
        return ()
    margin = flicks(_MARGIN_S)
    spoken = merge(span.widen(margin) for span in work.speech)
    model = engines.mouth_model()
    shown = {}
    for mesh in work.meshes:
        seen = get_arrays(store, mesh.meshes)
        during = within(seen["time"], spoken)
        if during.any():
            shown[mesh.track_id] = seen["time"][during], openings(model.mouths(seen["points"]))[during]
    if not shown:
        return ()
    # The encoder under the articulator is by far the dearest part: all faces share what it hears.
    times = np.unique(np.concatenate([own for own, _ in shown.values()]))
    waveform = read_waveform(Path(work.video.uri), sample_rate=SAMPLE_RATE, track=work.track, span=work.chunk.span)
    heard = engines.load().listen(waveform, (times - work.chunk.span.start) / FLICKS_PER_SECOND).shapes
    faces = {face.id: face for face in work.faces}
    candidates = [
        _candidate(faces[track_id], gaps, heard[np.searchsorted(times, own)], model)
        for track_id, (own, gaps) in shown.items()
    ]
    return tuple(
        SpeakingFace(track_id=each.track_id, spans=(each.span,), agreement=each.agreement)
        for each in choose(candidates, work.settings)
    )


def _candidate(face: FaceTrack, gaps: Floats, shapes: Floats, model: MouthModel) -> Candidate:
    """The face while the voice is heard: its inner lips were `gaps` (N,) apart, and `shapes` (N, K) were heard."""
    usual = float(np.linalg.norm(model.gap_of_shapes))
    return Candidate(
        track_id=face.id,
        span=face.span,
        height_px=face.median_height_px,
        agreement=agreement(gaps, np.asarray(shapes @ model.gap_of_shapes, np.float32)),
        motion=float(gaps.std()) / max(usual, 1e-6),
    )


SPEAKING: Stage[SpeakingWork, tuple[SpeakingFace, ...]] = Stage(
    "speaking", 1, tuple[SpeakingFace, ...], find_speaking, alone=True, gpu=True
)


def largest(tracks: Sequence[FaceTrack], min_face_px: float) -> tuple[SpeakingFace, ...]:
    """The faces taken to speak where no sound can tell: of several at one time the largest, none that is too small."""
    large = sorted((t for t in tracks if t.median_height_px >= min_face_px), key=lambda t: -t.median_height_px)
    chosen: list[FaceTrack] = []
    for track in large:
        if not any(track.span.overlaps(other.span) for other in chosen):
            chosen.append(track)
    return tuple(
        SpeakingFace(track_id=track.id, spans=(track.span,), agreement=0.0)
        for track in sorted(chosen, key=lambda track: track.span)
    )
