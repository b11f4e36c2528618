"""Training data on disk: face crops, landmarks and mel spectrograms of many clips in a few large files.

A folder of shards holds

    clips.parquet               one row a source clip, kept or dropped and why (`manifests.training.TrainingClip`)
    shard-0000/faces.bin        JPEG files one after the other: square RGB face crops of `stored_px`, quality 95, 4:4:4
    shard-0000/index.npz        offsets (N+1,) int64 into faces.bin; clip_start (C+1,) int64, the rows of each clip;
                                points (N, 202, 2) float32, landmarks `KEPT` in shares 0..1 of the crop;
                                mel (80, M) float16, the clips side by side; mel_start (C+1,) int64;
                                name, speaker and split (C,) str; stored_px () int64

Frames are 25 a second. Mel column 0 belongs to a clip's frame 0, so frame i hears from column floor(80 i / 25) on, as
in `models.wav2lip.mel.mel_windows`. The crop is wider than what a network sees by `MARGIN`, so that a picture can be
turned, moved and scaled without meeting its edge.

A shard appears whole or not at all: it is written beside its name and renamed. Equal clips give equal bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from models.landmarks.topology import KEPT

Bytes = npt.NDArray[np.uint8]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

FRAMES_PER_SECOND = 25
STORED_PX = 128
MARGIN = 1.25
"""Side of the stored crop over that of the face's crop (`models.lipsync.crop.crop_box`) about the same centre."""

QUALITY = 95
FACES_FILE, INDEX_FILE = "faces.bin", "index.npz"
PREFIX, UNFINISHED = "shard-", ".part"

_MEL_BANDS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRef:
    """One clip of a folder of shards: the `index`-th of its `shard`, counted from 0 in the order of their names."""

    shard: int
    index: int
    name: str
    speaker: str
    split: Split
    frame_count: int


class ShardWriter:
    """Writes one shard. As a context manager it is closed at the end, and left unpublished where an error passes."""

    def __init__(self, folder: Path, stored_px: int = STORED_PX) -> None:
        """`folder` is where the shard is to appear; what lies beside it unfinished, from before, is thrown away."""
        self._folder = folder
        self._part = folder.with_name(folder.name + UNFINISHED)
        self._stored_px = stored_px
        if self._part.exists():
            shutil.rmtree(self._part)
        self._part.mkdir(parents=True)
        self._faces = (self._part / FACES_FILE).open("wb")
        self._offsets = [0]
        self._clip_start, self._mel_start = [0], [0]
        self._points: list[npt.NDArray[np.float32]] = []
        self._mel: list[npt.NDArray[np.float16]] = []
        self._names: list[tuple[str, str, Split]] = []

    @property
    def clip_count(self) -> int:
        """Clips added so far: the index of the next one."""
        return len(self._names)

    @property
    def unfinished(self) -> Path:
        """The folder that becomes the shard: further files put there are published with it."""
        return self._part

    def add(
        self,
        name: str,
        speaker: str,
        split: Split,
        faces: Iterable[Bytes],
        points: npt.NDArray[np.float32],
        mel: npt.NDArray[np.float32],
    ) -> None:
        """Add a clip of F frames; ValueError where its parts do not fit together.

        `faces` (F, S, S, 3) uint8 RGB, an array or a stream of pictures; `points` (F, 202, 2) in shares of the crop;
        `mel` (80, M).
        """
        self.add_encoded(name, speaker, split, (encode(face) for face in self._checked(faces)), points, mel)

    def add_encoded(
        self,
        name: str,
        speaker: str,
        split: Split,
        faces: Iterable[bytes],
        points: npt.NDArray[np.float32],
        mel: npt.NDArray[np.float32],
    ) -> None:
        """The same for faces that `encode` has made JPEG files of."""
        count = len(points)
        if points.shape[1:] != (len(KEPT), 2) or mel.ndim != 2 or len(mel) != _MEL_BANDS or split not in SPLITS:
            raise ValueError(f"{name}: points {points.shape}, mel {mel.shape}, split {split} do not make a clip")
        before = len(self._offsets)
        for face in faces:
            self._faces.write(face)
            self._offsets.append(self._offsets[-1] + len(face))
        if len(self._offsets) - before != count:
            raise ValueError(f"{name}: {len(self._offsets) - before} faces, but points of {count}")
        self._points.append(points.astype(np.float32))
        self._mel.append(mel.astype(np.float16))
        self._clip_start.append(self._clip_start[-1] + count)
        self._mel_start.append(self._mel_start[-1] + mel.shape[1])
        self._names.append((name, speaker, split))

    def _checked(self, faces: Iterable[Bytes]) -> Iterable[Bytes]:
        wanted = (self._stored_px, self._stored_px, 3)
        for face in faces:
            if face.shape != wanted or face.dtype != np.uint8:
                raise ValueError(f"a face is {face.shape} {face.dtype}, not {wanted} uint8")
            yield face

    def close(self) -> None:
        """Publish the shard in place of one of that name."""
        self._faces.close()
        names, speakers, splits = zip(*self._names, strict=True) if self._names else ((), (), ())
        np.savez(
            self._part / INDEX_FILE,
            offsets=np.array(self._offsets, np.int64),
            clip_start=np.array(self._clip_start, np.int64),
            points=np.concatenate([np.empty((0, len(KEPT), 2), np.float32), *self._points]),
            mel=np.concatenate([np.empty((_MEL_BANDS, 0), np.float16), *self._mel], axis=1),
            mel_start=np.array(self._mel_start, np.int64),
            name=np.array(names, np.str_),
            speaker=np.array(speakers, np.str_),
            split=np.array(splits, np.str_),
            stored_px=np.array(self._stored_px, np.int64),
        )
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._part.rename(self._folder)

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._faces.close()


def encode(face: Bytes) -> bytes:
    """`face` (S, S, 3) RGB as a JPEG file of `QUALITY` whose colours are as fine as its light (4:4:4)."""
    import cv2

    options = (
        *(cv2.IMWRITE_JPEG_QUALITY, QUALITY),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    )
    done, file = cv2.imencode(".jpg", face[:, :, ::-1], options)
    if not done:
        raise ValueError(f"a face {face.shape} {face.dtype} could not be made a JPEG file")
    return file.tobytes()


def decode(file: Bytes) -> Bytes:
    """The picture (S, S, 3) RGB in the JPEG file `file` (n,) uint8. ValueError where it is none."""
    import cv2

    picture = cv2.imdecode(file, cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("not a JPEG file: the shard is damaged; make it again")
    return np.ascontiguousarray(picture[:, :, ::-1])


@dataclass(eq=False)
class _Shard:
    """The index of one shard, and its faces once they are asked for."""

    folder: Path
    arrays: dict[str, npt.NDArray[np.generic]]
    _faces: Bytes | None = field(default=None, init=False)

    def int64(self, name: str) -> npt.NDArray[np.int64]:
        return cast("npt.NDArray[np.int64]", self.arrays[name])

    @property
    def faces(self) -> Bytes:
        """faces.bin, mapped."""
        if self._faces is None:
            self._faces = np.memmap(self.folder / FACES_FILE, np.uint8, "r")
        return self._faces

    def __getstate__(self) -> dict[str, object]:
        """Without the map: a worker process maps the file itself instead of being sent its bytes."""
        return {**self.__dict__, "_faces": None}


class Shards:
    """A folder of shards, read. May be pickled to worker processes; reading is safe from several threads."""

    def __init__(self, shards: Sequence[_Shard]) -> None:
        self._shards = shards
        self.clips: Sequence[ClipRef] = [
            ClipRef(
                shard=number,
                index=index,
                name=str(name),
                speaker=str(shard.arrays["speaker"][index]),
                split=cast("Split", str(shard.arrays["split"][index])),
                frame_count=int(np.diff(shard.int64("clip_start"))[index]),
            )
            for number, shard in enumerate(shards)
            for index, name in enumerate(shard.arrays["name"])
        ]
        self.stored_px = int(shards[0].int64("stored_px"))
        """Side of the stored crops."""

    def of_split(self, split: Split) -> list[ClipRef]:
        """The clips of one split, in order."""
        return [clip for clip in self.clips if clip.split == split]

    def frames(self, clip: ClipRef, first: int, count: int) -> Bytes:
        """`count` face crops of `clip` from its frame `first` on: (count, S, S, 3) uint8 RGB. IndexError beyond it."""
        if first < 0 or count < 0 or first + count > clip.frame_count:
            raise IndexError(f"{clip.name} has frames 0..{clip.frame_count - 1}, not {first}..{first + count - 1}")
        shard = self._shards[clip.shard]
        row = int(shard.int64("clip_start")[clip.index]) + first
        edges = shard.int64("offsets")[row : row + count + 1]
        pictures = np.empty((count, self.stored_px, self.stored_px, 3), np.uint8)
        for place in range(count):
            pictures[place] = decode(np.asarray(shard.faces[edges[place] : edges[place + 1]]))
        return pictures

    def points(self, clip: ClipRef) -> npt.NDArray[np.float32]:
        """The landmarks of `clip`: (F, 202, 2) float32, x and y in shares 0..1 of the stored crop."""
        shard = self._shards[clip.shard]
        first, end = shard.int64("clip_start")[clip.index : clip.index + 2]
        return np.asarray(shard.arrays["points"][first:end], np.float32)

    def mel(self, clip: ClipRef) -> npt.NDArray[np.float32]:
        """The mel spectrogram of `clip`: (80, M) float32; frame i hears from column floor(80 i / 25) on."""
        shard = self._shards[clip.shard]
        first, end = shard.int64("mel_start")[clip.index : clip.index + 2]
        return np.asarray(shard.arrays["mel"][:, first:end], np.float32)


def shard_folder(folder: Path, number: int) -> Path:
    """Where shard `number` of `folder` lies."""
    return folder / f"{PREFIX}{number:04d}"


def open_shards(folder: Path) -> Shards:
    """The finished shards of `folder`. FileNotFoundError where there is none, ValueError where their sizes differ."""
    places = sorted(each for each in folder.glob(f"{PREFIX}*") if each.suffix != UNFINISHED and each.is_dir())
    if not places:
        raise FileNotFoundError(f"{folder} holds no shard-0000: 'redub data prepare' makes such a folder")
    shards = []
    for place in places:
        with np.load(place / INDEX_FILE, allow_pickle=False) as index:
            shards.append(_Shard(folder=place, arrays={name: index[name] for name in index.files}))
    sizes = {int(shard.int64("stored_px")) for shard in shards}
    if len(sizes) > 1:
        raise ValueError(f"{folder} holds crops of several sizes: {sorted(sizes)}")
    return Shards(shards)
