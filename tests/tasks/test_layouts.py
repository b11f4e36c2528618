"""Is each corpus known by its folders, and every clip of it found with its speaker?"""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import BadInput
from tasks.layouts import SourceClip, find_clips


def tree(root: Path, *files: str) -> Path:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def told(clips: list[SourceClip]) -> dict[str, str]:
    return {clip.name: clip.speaker for clip in clips}


def test_grid_by_speakers_folders(tmp_path: Path) -> None:
    root = tree(tmp_path, "s1/bbaf2n.mpg", "s34/video/mpg_6000/lrak3p.mpg", "s1/align/bbaf2n.align", "readme.txt")
    layout, clips = find_clips(root)
    assert layout == "grid"
    assert told(clips) == {"s1/bbaf2n": "s1", "s34/video/mpg_6000/lrak3p": "s34"}


def test_a_flat_folder_of_grid_is_one_speaker_by_its_name(tmp_path: Path) -> None:
    layout, clips = find_clips(tree(tmp_path / "s7", "bbaf2n.mp4", "swwzza.mp4".replace("zza", "z1a")))
    assert layout == "grid"
    assert told(clips) == {"bbaf2n": "s7", "swwz1a": "s7"}


def test_lombard_takes_the_front_with_its_sound(tmp_path: Path) -> None:
    root = tree(
        tmp_path, "front/s2_l_bbim3a.mov", "front/s2_p_lrbo8p.mov", "side/s2_l_bbim3a.mov", "audio/s2_l_bbim3a.wav"
    )
    layout, clips = find_clips(root)
    assert layout == "lombard"
    assert told(clips) == {"front/s2_l_bbim3a": "s2", "front/s2_p_lrbo8p": "s2"}
    assert [clip.sound and clip.sound.name for clip in clips] == ["s2_l_bbim3a.wav", None]


def test_lrs2_goes_by_its_split_files(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        "main/55/00001.mp4",
        "main/55/00001.txt",
        "main/66/00002.mp4",
        "main/77/00003.mp4",
        "pretrain/88/00009.mp4",
    )
    (root / "val.txt").write_text("66/00002\n")
    (root / "test.txt").write_text("77/00003 NF\n\n")
    layout, clips = find_clips(root)
    assert layout == "lrs2"
    assert {clip.name: (clip.speaker, clip.split) for clip in clips} == {
        "main/55/00001": ("55", None),
        "main/66/00002": ("66", "validation"),
        "main/77/00003": ("77", "test"),
        "pretrain/88/00009": ("88", "train"),
    }


def test_vidtimit_is_folders_of_pictures_and_sound_beside(tmp_path: Path) -> None:
    root = tree(tmp_path, "fadg0/video/sa1/001", "fadg0/video/sa1/002", "fadg0/video/head/001", "fadg0/audio/sa1.wav")
    layout, clips = find_clips(root)
    assert layout == "vidtimit"
    assert told(clips) == {"fadg0/video/head": "fadg0", "fadg0/video/sa1": "fadg0"}
    assert [clip.sound is not None for clip in clips] == [False, True]


def test_any_folder_gives_its_videos_by_their_folders(tmp_path: Path) -> None:
    root = tree(tmp_path / "talks", "a.mp4", "Ada/one.MOV", "Ada/one.mkv", "Ada/notes.txt", "bbaf2n.mp4", ".hidden.mp4")
    layout, clips = find_clips(root)
    assert layout == "folder"
    assert told(clips) == {"Ada/one.MOV": "Ada", "Ada/one.mkv": "Ada", "a": "talks", "bbaf2n": "talks"}


def test_one_video_is_taken_by_itself(tmp_path: Path) -> None:
    layout, clips = find_clips(tree(tmp_path, "lecture.mp4") / "lecture.mp4")
    assert (layout, told(clips)) == ("folder", {"lecture": "lecture"})


def test_nothing_to_take_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such"):
        find_clips(tmp_path / "missing")
    with pytest.raises(BadInput, match="no video"):
        find_clips(tree(tmp_path, "notes.txt"))
    with pytest.raises(BadInput, match="lrs2"):
        find_clips(tree(tmp_path, "talk.mp4"), "lrs2")
