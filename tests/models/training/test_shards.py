"""Do shards give back what was put in, whole or not at all, and always as the same bytes?"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.training.shards import Shards, ShardWriter, encode, open_shards, shard_folder

SIDE = 32


def smooth_faces(count: int, seed: int) -> npt.NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(40, 215, (count, 2, 2, 3))
    return np.kron(coarse, np.ones((1, SIDE // 2, SIDE // 2, 1))).astype(np.uint8)


def clip(count: int, seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    mel = random.uniform(-4, 4, (80, 4 * count)).astype(np.float32)
    return smooth_faces(count, seed), random.random((count, 202, 2), np.float32), mel


def write(folder: Path, number: int, lengths: list[int]) -> None:
    with ShardWriter(shard_folder(folder, number), SIDE) as shard:
        for index, count in enumerate(lengths):
            shard.add(f"clip{number}{index}", f"s{number}", "train", *clip(count, 10 * number + index))


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    write(tmp_path, 0, [3, 5])
    write(tmp_path, 1, [4])
    write(tmp_path, 2, [])
    return open_shards(tmp_path)


def test_each_clip_comes_back(shards: Shards) -> None:
    assert [(each.name, each.speaker, each.frame_count) for each in shards.clips] == [
        ("clip00", "s0", 3),
        ("clip01", "s0", 5),
        ("clip10", "s1", 4),
    ]
    for each, seed in zip(shards.clips, (0, 1, 10), strict=True):
        faces, points, mel = clip(each.frame_count, seed)
        read = shards.frames(each, 0, each.frame_count).astype(int)
        assert np.abs(read - faces).mean() < 3  # JPEG
        assert np.array_equal(shards.points(each), points)
        assert np.abs(shards.mel(each) - mel).max() < 0.002  # half precision up to 4


def test_a_part_of_a_clip_is_that_part(shards: Shards) -> None:
    clip01 = shards.clips[1]
    assert np.array_equal(shards.frames(clip01, 2, 2), shards.frames(clip01, 0, 5)[2:4])
    assert shards.frames(clip01, 5, 0).shape == (0, SIDE, SIDE, 3)
    for first, count in ((4, 2), (-1, 1)):
        with pytest.raises(IndexError, match="clip01"):
            shards.frames(clip01, first, count)


def test_another_process_may_read(shards: Shards) -> None:
    wanted = shards.frames(shards.clips[2], 1, 2)
    sent = pickle.dumps(shards)
    assert len(sent) < 200_000
    assert np.array_equal(pickle.loads(sent).frames(shards.clips[2], 1, 2), wanted)  # noqa: S301


def test_equal_clips_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, 0, [4, 2])
    for file in ("faces.bin", "index.npz"):
        first, second = ((tmp_path / name / "shard-0000" / file).read_bytes() for name in ("a", "b"))
        assert first == second


def test_a_shard_that_failed_is_not_there_and_may_be_written_again(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ShardWriter(shard_folder(tmp_path, 0), SIDE) as shard:
        shard.add("a", "s", "train", *clip(3, 1))
        raise RuntimeError
    with pytest.raises(FileNotFoundError):
        open_shards(tmp_path)
    write(tmp_path, 0, [2])
    assert [each.frame_count for each in open_shards(tmp_path).clips] == [2]


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    faces, points, mel = clip(3, 1)
    wrong = [
        (faces[:2], points, mel),
        (faces, points[:, :100], mel),
        (faces, points, mel[:79]),
        (faces[:, :16], points, mel),
    ]
    for each in wrong:
        with pytest.raises(ValueError), ShardWriter(shard_folder(tmp_path, 0), SIDE) as shard:  # noqa: PT011
            shard.add("a", "s", "train", *each)


def test_colour_is_stored_as_finely_as_light() -> None:
    """A red and a blue column of equal light: with halved colour they would run into each other."""
    from models.training.shards import decode

    face = np.zeros((SIDE, SIDE, 3), np.uint8)
    face[:, 0::2], face[:, 1::2] = (180, 60, 60), (60, 95, 200)
    read = decode(np.frombuffer(encode(face), np.uint8)).astype(int)
    assert np.abs(read - face).max() < 30
