"""What became of each clip that training data was made from."""

from __future__ import annotations

from dataclasses import dataclass

from manifests.time import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingClip:
    """One stretch of a source video: kept in a shard, or dropped and why.

    `path` is relative to the source folder and `span` the stretch used of it, on its own clock. `split` is train,
    validation or test, `split_by` what was told apart: "speaker", "clip" where there is one speaker alone, or "corpus"
    where the corpus itself says. `frame_count` are frames at 25/s; `frame_rate` is that of the source, in frames/s, and
    `face_px` the median height of the face in it, both 0 where unknown. `offset_frames` is by how much the sound lagged
    behind the lips (already mended in the shard) and `offset_confidence` how far its peak stands out (see
    `models.training.offset`). `shard` and `index` say where a kept clip lies.
    """

    name: str
    path: str
    span: Span
    speaker: str
    split: str
    split_by: str
    kept: bool
    reason: str
    frame_count: int
    frame_rate: float
    face_px: float
    offset_frames: int | None
    offset_confidence: float | None
    shard: int | None
    index: int | None
