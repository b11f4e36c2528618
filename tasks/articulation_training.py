"""Teaching the articulation network from a folder of talking videos: meshes and sound of each, then the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.files import published
from infra.media.audio import read_waveform
from infra.media.frames import read_frames
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND
from models.articulation import articulator
from models.articulation.features import SAMPLE_RATE, load_features
from models.articulation.training import ArticulationClip, ArticulationTraining, Validation, train
from models.articulation.voices import in_other_voices
from models.faces import engines as faces
from models.landmarks import engines as landmarks
from models.landmarks.following import LEAST_SCORE, MeshFollower
from models.landmarks.topology import KEPT
from tasks.layouts import VIDEO_SUFFIXES

Report = Callable[[str, int, int], None]

_TOGETHER = 8
"""Clips whose sounds share windows of the encoder."""
_LOOK_EVERY = 10
_LEAST_FRAMES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedArticulation:
    """What a training came to."""

    weights: Path
    clips: int
    dropped: tuple[str, ...]
    validation: Validation


def train_articulation(
    source: Path, out: Path, settings: ArticulationTraining, about: dict[str, str], report: Report
) -> TrainedArticulation:
    """Teach from the videos of `source` into `out`/articulation.safetensors; `out`/clips keeps what was seen and heard.

    `report` is told (what, done, in all). BadInput where there are no videos, or none shows a talking face. What was
    seen before is not looked at again.
    """
    videos = sorted(path for path in source.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    if not videos:
        raise BadInput("there are no videos in it;", where=str(source), remedy="name a folder of talking faces")
    kept = out / "clips"
    kept.mkdir(parents=True, exist_ok=True)
    dropped: list[str] = []
    for start in range(0, len(videos), _TOGETHER):
        group = [path for path in videos[start : start + _TOGETHER] if not _file(kept, path, source).exists()]
        if group:
            dropped += _gather(group, start, kept, source)
        report("looking and listening", min(start + _TOGETHER, len(videos)), len(videos))
    clips = [_read(file) for path in videos if (file := _file(kept, path, source)).exists()]
    if len(clips) < 2:
        raise BadInput("fewer than two of its videos show a face that talks;", where=str(source))
    network, mouth, validation = train(clips, settings, lambda step, _: report("teaching", step, settings.steps))
    weights = out / "articulation.safetensors"
    with published(weights) as part:
        articulator.save(part, network, mouth, about)
    return TrainedArticulation(weights=weights, clips=len(clips), dropped=tuple(dropped), validation=validation)


def _file(kept: Path, video: Path, source: Path) -> Path:
    return kept / (video.relative_to(source).as_posix().replace("/", "-") + ".npz")


def _gather(videos: Sequence[Path], seed: int, kept: Path, source: Path) -> list[str]:
    """Look at and listen to some videos; those that show no face are named in what comes back."""
    dropped: list[str] = []
    seen: list[tuple[Path, npt.NDArray[np.float32], npt.NDArray[np.float64]]] = []
    sounds: list[npt.NDArray[np.float32]] = []
    for index, path in enumerate(videos):
        try:
            points, times_s = see_face(path)
            sound = read_waveform(path, sample_rate=SAMPLE_RATE)
        except BadInput as error:
            dropped.append(f"{path.name}: {error}")
            continue
        if len(points) < _LEAST_FRAMES:
            dropped.append(f"{path.name}: shows no face for a second")
            continue
        seen.append((path, points, times_s))
        sounds.extend(in_other_voices(sound[: 30 * SAMPLE_RATE], seed + index))
    features = load_features().extract_many(sounds)
    voices = len(sounds) // max(len(seen), 1)
    for index, (path, points, times_s) in enumerate(seen):
        own = features[index * voices : (index + 1) * voices]
        arrays = {f"voice{number}": rows.astype(np.float16) for number, rows in enumerate(own)}
        with published(_file(kept, path, source)) as part, part.open("wb") as stream:
            np.savez(stream, allow_pickle=False, points=points, times_s=times_s, **arrays)
    return dropped


def see_face(path: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """The meshes of the largest face, and their times in seconds; frames that show none are left out."""
    detector, follower = faces.load_detector(), MeshFollower(landmarks.load_detector())
    points: list[npt.NDArray[np.float32]] = []
    times: list[int] = []
    face = None
    for number, (time, frame) in enumerate(read_frames(path)):
        if face is None or number % _LOOK_EVERY == 0:
            found = detector.detect(frame)
            face = found[0] if found else None
        if face is None:
            continue
        mesh = follower.follow(frame, face.box, face.landmarks)
        if mesh.score >= LEAST_SCORE:
            points.append(mesh.points[list(KEPT)])
            times.append(time)
    stacked = np.stack(points) if points else np.zeros((0, len(KEPT), 3), np.float32)
    return stacked, np.array(times, np.float64) / FLICKS_PER_SECOND


def _read(file: Path) -> ArticulationClip:
    with np.load(file, allow_pickle=False) as arrays:
        voices = sorted(name for name in arrays.files if name.startswith("voice"))
        return ArticulationClip(
            points=arrays["points"],
            times_s=arrays["times_s"],
            features=tuple(arrays[name] for name in voices),
        )


__all__ = ["TrainedArticulation", "see_face", "train_articulation"]
