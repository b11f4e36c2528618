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
import numpy.typing as npt

from infra.media.audio import read_waveform
from infra.store import Store
from manifests.records import Chunk, FaceTrack, MeshTrack, SpeakingFace, Video
from manifests.time import FLICKS_PER_SECOND, Span, flicks, merge
from models.articulation import engines
from models.articulation.agreement import agreement
from models.articulation.contract import SAMPLE_RATE, Articulator
from models.articulation.shapes import openings
from tasks.arrays import get_arrays
from tasks.moments import within
from tasks.stage import Stage


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
    articulator = engines.load()
    waveform = read_waveform(Path(work.video.uri), sample_rate=SAMPLE_RATE, track=work.track, span=work.chunk.span)
    faces = {face.id: face for face in work.faces}
    candidates = []
    for mesh in work.meshes:
        candidate = _candidate(mesh, faces[mesh.track_id], waveform, articulator, work, store)
        if candidate is not None:
            candidates.append(candidate)
    return tuple(
        SpeakingFace(track_id=each.track_id, spans=(each.span,), agreement=each.agreement)
        for each in choose(candidates, work.settings)
    )


def _candidate(
    mesh: MeshTrack,
    face: FaceTrack,
    waveform: npt.NDArray[np.float32],
    articulator: Articulator,
    work: SpeakingWork,
    store: Store,
) -> Candidate | None:
    """The face as it is while the voice is heard; None where it does not show then."""
    seen = get_arrays(store, mesh.meshes)
    margin = flicks(0.2)
    spoken = merge(span.widen(margin) for span in work.speech)
    during = within(seen["time"], spoken)
    if not during.any():
        return None
    model = articulator.mouth
    mouths = model.mouths(seen["points"])
    gaps = openings(mouths)[during]
    times_s = (seen["time"][during] - work.chunk.span.start) / FLICKS_PER_SECOND
    heard = articulator.listen(waveform, times_s)
    gap_of_shape = model.gap_of_shapes
    usual = float(np.linalg.norm(gap_of_shape))
    return Candidate(
        track_id=face.id,
        span=face.span,
        height_px=face.median_height_px,
        agreement=agreement(gaps, np.asarray(heard.shapes @ gap_of_shape, np.float32)),
        motion=float(gaps.std()) / max(usual, 1e-6),
    )


SPEAKING: Stage[SpeakingWork, tuple[SpeakingFace, ...]] = Stage(
    "speaking", 1, tuple[SpeakingFace, ...], find_speaking, alone=True
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
