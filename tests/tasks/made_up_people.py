"""People of whom there are only meshes, in a video of noise: what the stages between looking and painting work on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from talking_heads import FRONTAL, mouths_with, posed, walk

from infra.media.probe import probe
from infra.media.still import write_video
from infra.store import Store
from manifests.records import Chunk, FaceTrack, MeshTrack, Video
from manifests.time import Flicks, Span, flicks
from models.articulation import engines
from models.landmarks.pose import HeadPose
from tasks.arrays import put_arrays

FPS = 25
FRAME: Flicks = flicks(Fraction(1, FPS))
SIZE = (320, 288)


def noise_video(file: Path, frame_count: int) -> Video:
    """Soft noise, `SIZE` wide and high."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(60, 200, (SIZE[1] // 8, SIZE[0] // 8, 3)).astype(np.uint8)
    picture = coarse.repeat(8, axis=0).repeat(8, axis=1)

    def frames() -> Iterator[tuple[Flicks, npt.NDArray[np.uint8]]]:
        for index in range(frame_count):
            yield index * FRAME, np.roll(picture, index % 5, axis=1)

    write_video(frames(), file, rate=Fraction(FPS))
    return probe(file)


def meshes(frame_count: int, seed: int = 0, *, spread: float = 1.0, yaw_rad: float = 0.0) -> npt.NDArray[np.float32]:
    """(N, 202, 3) of somebody who talks, turned by `yaw_rad`; with `spread` 0, of a picture."""
    model = engines.mouth_model()
    shapes = walk(frame_count, model.size, seed, spread=spread) if spread else np.zeros((frame_count, model.size))
    cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
    about_y = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    held = HeadPose(rotation=about_y, scale=FRONTAL.scale, shift=FRONTAL.shift)
    return posed(model, mouths_with(model, shapes.astype(np.float32)), held)


def chunk_of(video: Video, first: int, end: int, index: int = 0) -> Chunk:
    return Chunk(id=f"chunk-{index}", video_id=video.id, index=index, span=Span(first * FRAME, end * FRAME))


def face_of(
    store: Store, name: str, first: int, count: int, *, chunk: str = "chunk-0", person: str = "eve"
) -> FaceTrack:
    nothing = put_arrays(store, {"time": np.zeros(0, np.int64)})
    return FaceTrack(
        id=name,
        chunk_id=chunk,
        span=Span(first * FRAME, (first + count) * FRAME),
        observations=nothing,
        median_height_px=150,
        embedding=(1.0,),
        identity=person,
    )


def meshes_of(
    store: Store,
    face: FaceTrack,
    points: npt.NDArray[np.float32],
    *,
    score: npt.NDArray[np.float32] | None = None,
    sharpness: npt.NDArray[np.float32] | None = None,
) -> MeshTrack:
    """The mesh track of `face`, whose frames follow each other from its start."""
    count = len(points)
    arrays = {
        "time": face.span.start + np.arange(count, dtype=np.int64) * FRAME,
        "points": points,
        "score": np.ones(count, np.float32) if score is None else score,
        "sharpness": np.ones(count, np.float32) if sharpness is None else sharpness,
        "light": np.full((count, 3), 140, np.float32),
    }
    return MeshTrack(
        id=f"{face.id}-mesh",
        track_id=face.id,
        chunk_id=face.chunk_id,
        span=face.span,
        meshes=put_arrays(store, arrays),
    )
