"""Where corpora of talking faces keep their clips, and who speaks in each.

folder    any folder of videos; the folder that a video lies in is its speaker
grid      GRID (Cooke et al., 2006): s1/*.mpg or s1/video/mpg_6000/*.mpg, or one speaker's clips in a flat folder
lombard   Lombard GRID (Alghamdi et al., 2018): front/s2_l_bbim3a.mov, sound beside it in audio/; side views left out
lrs2      LRS2-BBC (Afouras et al., 2018): main/ID/00001.mp4, pretrain/ID/..., with train.txt, val.txt and test.txt
vidtimit  VidTIMIT (Sanderson, 2002): fadg0/video/sa1/001 (JPEG files), fadg0/audio/sa1.wav
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from manifests.errors import BadInput
from tasks.splits import Split

Layout = Literal["folder", "grid", "lombard", "lrs2", "vidtimit"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv", ".ogv", ".3gp")
)
VIDTIMIT_FRAME_RATE = 25

_GRID_SENTENCE = "[blps][bgrw][abiw][a-z][z1-9][anps]"
_GRID_FILE = re.compile(_GRID_SENTENCE)
_GRID_SPEAKER = re.compile(r"s\d{1,2}")
_LOMBARD_FILE = re.compile(rf"(s\d{{1,2}})_[lp]_{_GRID_SENTENCE}")
_LRS2_PARTS = ("main", "pretrain")
_LRS2_SPLITS: dict[str, Split] = {"train": "train", "pretrain": "train", "val": "validation", "test": "test"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceClip:
    """One clip of a corpus: `picture` is a video file or a folder of numbered images, `sound` a file of its own.

    `name` is unique and the picture's path below the corpus, without its suffix where that is enough to tell it apart.
    `split` is set where the corpus says.
    """

    name: str
    picture: Path
    sound: Path | None
    speaker: str
    split: Split | None = None


def find_clips(source: Path, layout: Layout | None = None) -> tuple[Layout, list[SourceClip]]:
    """The clips of the corpus at `source`, by name, and its layout: the one given, else the one that is recognised.

    `source` may also be one video file. BadInput where it is missing or holds no clip of that layout.
    """
    if source.is_file():
        return "folder", [SourceClip(name=source.stem, picture=source, sound=None, speaker=source.stem)]
    if not source.is_dir():
        raise BadInput("there is no such file or folder;", where=str(source), remedy="check the name")
    found = layout or _recognise(source)
    clips = _FINDERS[found](source)
    if not clips:
        raise BadInput(
            f"no clip of the layout {found!r} is in this folder;" if layout else "no video is in this folder;",
            where=str(source),
            remedy=f"give a folder of videos ({', '.join(sorted(VIDEO_SUFFIXES))}), or another --layout",
        )
    return found, sorted(_named_apart(clips), key=lambda clip: clip.name)


def _recognise(source: Path) -> Layout:
    """The most particular layout of which `source` holds a clip."""
    if any((source / part).is_dir() for part in _LRS2_PARTS) and _lrs2(source):
        return "lrs2"
    if _vidtimit(source):
        return "vidtimit"
    videos = _videos(source)
    if videos and all(_LOMBARD_FILE.fullmatch(video.stem) for video in videos):
        return "lombard"
    if videos and all(_GRID_FILE.fullmatch(video.stem) for video in videos):
        return "grid"
    return "folder"


def _videos(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _clip(
    source: Path, picture: Path, speaker: str, *, sound: Path | None = None, split: Split | None = None
) -> SourceClip:
    name = picture.relative_to(source).as_posix()
    return SourceClip(name=name, picture=picture, sound=sound, speaker=speaker, split=split)


def _folder(source: Path) -> list[SourceClip]:
    return [_clip(source, video, _speaker_by_folder(source, video)) for video in _videos(source)]


def _speaker_by_folder(source: Path, video: Path) -> str:
    folder = video.parent.relative_to(source).as_posix()
    return source.resolve().name if folder == "." else folder


def _grid(source: Path) -> list[SourceClip]:
    clips = []
    for video in _videos(source):
        if _GRID_FILE.fullmatch(video.stem):
            folders = video.relative_to(source).parts[:-1]
            speaker = next((part for part in folders if _GRID_SPEAKER.fullmatch(part)), None)
            clips.append(_clip(source, video, speaker or _speaker_by_folder(source, video)))
    return clips


def _lombard(source: Path) -> list[SourceClip]:
    sounds = {path.stem: path for path in sorted(source.rglob("*.wav"))}
    clips = []
    for video in _videos(source):
        match = _LOMBARD_FILE.fullmatch(video.stem)
        if match and "side" not in (part.lower() for part in video.relative_to(source).parts):
            clips.append(_clip(source, video, match[1], sound=sounds.get(video.stem)))
    return clips


def _lrs2(source: Path) -> list[SourceClip]:
    splits = _lrs2_splits(source)
    clips = []
    for part in _LRS2_PARTS:
        for video in _videos(source / part) if (source / part).is_dir() else []:
            entry = video.relative_to(source / part).with_suffix("").as_posix()
            split = splits.get((part, entry), "train" if part == "pretrain" and splits else None)
            clips.append(_clip(source, video, video.parent.relative_to(source / part).as_posix(), split=split))
    return clips


def _lrs2_splits(source: Path) -> dict[tuple[str, str], Split]:
    """Part and entry (ID/NUMBER) -> split, of the lists that are there; a line may go on after the entry."""
    splits: dict[tuple[str, str], Split] = {}
    for name, split in _LRS2_SPLITS.items():
        list_file = source / f"{name}.txt"
        if list_file.is_file():
            for line in list_file.read_text(encoding="utf-8").splitlines():
                if words := line.split():
                    splits["pretrain" if name == "pretrain" else "main", words[0]] = split
    return splits


def _vidtimit(source: Path) -> list[SourceClip]:
    clips = []
    for pictures in sorted(source.glob("*/video/*")):
        if pictures.is_dir() and next((each for each in pictures.iterdir() if each.stem.isdecimal()), None):
            speaker = pictures.parts[-3]
            sound = source / speaker / "audio" / f"{pictures.name}.wav"
            clips.append(_clip(source, pictures, speaker, sound=sound if sound.is_file() else None))
    return clips


def _named_apart(clips: Sequence[SourceClip]) -> list[SourceClip]:
    """The same clips, without the suffix of their file wherever the name is unique without it."""
    bare = [clip.name if clip.picture.is_dir() else str(Path(clip.name).with_suffix("")) for clip in clips]
    counts = Counter(bare)
    return [
        dataclasses.replace(clip, name=name) if counts[name] == 1 else clip
        for name, clip in zip(bare, clips, strict=True)
    ]


_FINDERS: dict[Layout, Callable[[Path], list[SourceClip]]] = {
    "folder": _folder,
    "grid": _grid,
    "lombard": _lombard,
    "lrs2": _lrs2,
    "vidtimit": _vidtimit,
}
