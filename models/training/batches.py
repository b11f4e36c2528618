"""Batches as arrays: windows decoded from the shards, pictures and sounds changed, ready for the networks.

`ExpertBatches` and `GeneratorBatches` are pure functions of the step, so they may run ahead in another thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.training import augment, sampling
from models.training.augment_sound import change_sound
from models.training.config import ExpertSettings, LipsyncSettings, PictureAugment, SoundAugment, weakened
from models.training.sampling import WINDOW_FRAMES, GeneratorRow, Stream, generator
from models.training.shape import mirrored, mouth_shapes
from models.training.shards import FRAMES_PER_SECOND, ClipRef, Shards
from models.wav2lip.mel import COLUMNS, COLUMNS_PER_SECOND

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ExpertBatch:
    """B face windows and M mel windows of several clips.

    `faces` (B, 5, S/2, S, 3) uint8 BGR, the lower halves; `mels` (M, 80, 16); `kinds` (B, M), see
    `sampling.pair_kinds`; `face_shapes` (B, 5 * SIZE) and `sound_shapes` (M, 5 * SIZE), see `shape`.
    """

    faces: Bytes
    mels: Floats
    kinds: npt.NDArray[np.int8]
    face_shapes: Floats
    sound_shapes: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GeneratorBatch:
    """B windows to draw, with references of another moment.

    `targets` and `references` (B, 5, S, S, 3) uint8 BGR; `mels` (B, 5, 80, 16), one a frame, the first of which is
    that of the window.
    """

    targets: Bytes
    references: Bytes
    mels: Floats


def mel_window(mel: Floats, frame: int) -> Floats:
    """The (80, 16) window of `mel` (80, n) that belongs to `frame`, as `models.wav2lip.mel.mel_windows` takes it."""
    start = _start(mel, frame)
    return _filled(mel[:, start : start + COLUMNS], COLUMNS)


def changed_windows(mel: Floats, first: int, random: np.random.Generator, settings: SoundAugment) -> Floats:
    """The (5, 80, 16) windows of the frames from `first` on, cut from one stretch of `mel` changed as a whole."""
    starts = [_start(mel, first + place) for place in range(WINDOW_FRAMES)]
    stretch = change_sound(mel[:, starts[0] : starts[-1] + COLUMNS], random, settings)
    stretch = _filled(stretch, starts[-1] - starts[0] + COLUMNS)
    return np.stack([stretch[:, start - starts[0] : start - starts[0] + COLUMNS] for start in starts])


def _filled(mel: Floats, columns: int) -> Floats:
    """`mel` (80, n), its last column repeated where it has fewer than `columns`."""
    missing = columns - mel.shape[1]
    return np.pad(mel, ((0, 0), (0, missing)), mode="edge") if missing > 0 else mel


def _start(mel: Floats, frame: int) -> int:
    return int(max(0, min(frame * COLUMNS_PER_SECOND // FRAMES_PER_SECOND, mel.shape[1] - COLUMNS)))


def usable(clips: Sequence[ClipRef], least_frames: int) -> list[ClipRef]:
    """Those clips that are long enough to be sampled from."""
    return [clip for clip in clips if clip.frame_count >= least_frames]


class ExpertBatches:
    """The expert's batches: several clips, several windows of each, so that shifted pairs lie beside strange ones."""

    def __init__(self, shards: Shards, clips: Sequence[ClipRef], settings: ExpertSettings) -> None:
        self._shards, self._clips, self._settings = shards, clips, settings
        self._counts = [clip.frame_count for clip in clips]

    def __call__(self, step: int) -> ExpertBatch:
        """The batch of `step`."""
        settings = self._settings
        rows = sampling.expert_rows(
            self._counts,
            clips=settings.clips,
            windows=settings.windows,
            extra_sounds=settings.extra_sounds,
            seed=settings.seed,
            step=step,
        )
        strength = min(1.0, step / max(1, settings.augment_steps))
        for_pictures, for_sounds = weakened(settings.pictures, strength), weakened(settings.sounds, strength)
        faces, mels, face_shapes, sound_shapes = [], [], [], []
        for row, chosen in enumerate(rows):
            clip = self._clips[chosen.clip]
            pictures = generator(settings.seed, Stream.PICTURES, step, row)
            sounds = generator(settings.seed, Stream.SOUNDS, step, row)
            points, mel = self._shards.points(clip), self._shards.mel(clip)
            shapes = mouth_shapes(points)
            for first in chosen.faces:
                moments = slice(first, first + WINDOW_FRAMES)
                stored = self._shards.frames(clip, first, WINDOW_FRAMES)
                face, flipped = lower_faces(stored, points[moments], pictures, for_pictures, face_px=settings.face_px)
                faces.append(face)
                face_shapes.append(mirrored(shapes[moments]) if flipped else shapes[moments])
            for first in chosen.sounds:
                mels.append(change_sound(mel_window(mel, first), sounds, for_sounds))
                sound_shapes.append(shapes[first : first + WINDOW_FRAMES])
        return ExpertBatch(
            faces=np.stack(faces),
            mels=np.stack(mels),
            kinds=sampling.pair_kinds(
                np.array([row.clip for row in rows for _ in row.faces]),
                np.array([first for row in rows for first in row.faces]),
                np.array([row.clip for row in rows for _ in row.sounds]),
                np.array([first for row in rows for first in row.sounds]),
            ),
            face_shapes=np.stack(face_shapes).reshape(len(faces), -1),
            sound_shapes=np.stack(sound_shapes).reshape(len(mels), -1),
        )


class GeneratorBatches:
    """The generator's batches: a window and its reference of one clip a row, changed alike."""

    def __init__(self, shards: Shards, clips: Sequence[ClipRef], settings: LipsyncSettings) -> None:
        self._shards, self._clips, self._settings = shards, clips, settings
        self._counts = [clip.frame_count for clip in clips]

    def __call__(self, step: int) -> GeneratorBatch:
        """The batch of `step`."""
        settings = self._settings
        rows = sampling.generator_rows(
            self._counts,
            windows=settings.windows,
            reference_gap=settings.reference_gap,
            seed=settings.seed,
            step=step,
        )
        randoms = [
            tuple(generator(settings.seed, stream, step, row) for stream in (Stream.PICTURES, Stream.SOUNDS))
            for row in range(len(rows))
        ]
        return generator_batch(
            self._shards, self._clips, rows, randoms, settings.pictures, settings.sounds, settings.face_px
        )


def generator_batch(
    shards: Shards,
    clips: Sequence[ClipRef],
    rows: Sequence[GeneratorRow],
    randoms: Sequence[tuple[np.random.Generator, ...]],
    pictures: PictureAugment,
    sounds: SoundAugment,
    face_px: int,
) -> GeneratorBatch:
    """The windows `rows` of `clips`, each changed with two sources of random numbers: for pictures, for sounds."""
    targets, references, mels = [], [], []
    for row, (for_pictures, for_sounds) in zip(rows, randoms, strict=True):
        clip = clips[row.clip]
        stored = np.concatenate([shards.frames(clip, first, WINDOW_FRAMES) for first in (row.target, row.reference)])
        faces = whole_faces(stored, for_pictures, pictures, face_px=face_px)
        targets.append(faces[:WINDOW_FRAMES])
        references.append(faces[WINDOW_FRAMES:])
        mels.append(changed_windows(shards.mel(clip), row.target, for_sounds, sounds))
    return GeneratorBatch(targets=np.stack(targets), references=np.stack(references), mels=np.stack(mels))


def whole_faces(stored: Bytes, random: np.random.Generator, settings: PictureAugment, *, face_px: int) -> Bytes:
    """Stored crops (n, S', S', 3) RGB of one clip as faces (n, S, S, 3) BGR, all changed alike."""
    geometry = augment.draw_geometry(random, settings, stored_px=stored.shape[1], face_px=face_px)
    colours = augment.draw_colours(random, settings, shape=(face_px, face_px))
    return augment.recolour(augment.warp(stored, geometry), colours)


def lower_faces(
    stored: Bytes, points: Floats, random: np.random.Generator, settings: PictureAugment, *, face_px: int
) -> tuple[Bytes, bool]:
    """The frames of a window, stored crops (n, S', S', 3) RGB with their landmarks, as lower halves (n, S/2, S, 3) BGR.

    Also whether left and right changed places.
    """
    first_row, stored_px = face_px // 2, stored.shape[1]
    geometry = augment.draw_geometry(random, settings, stored_px=stored_px, face_px=face_px, first_row=first_row)
    jitter = augment.draw_jitter(random, settings, stored_px=stored_px, count=len(stored))
    colours = augment.draw_colours(random, settings, shape=(face_px - first_row, face_px))
    faces = augment.recolour(augment.warp(stored, geometry, jitter), colours)
    lips = augment.lips_in_face(points, geometry, stored_px=stored_px, first_row=first_row)
    return augment.degrade(faces, random, settings, lips), geometry.flipped
