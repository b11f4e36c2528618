from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import BadInput
from tasks.evaluation_pairs import choose_pairs, read_words


def clips(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_cross_takes_face_and_sound_from_different_speakers(tmp_path: Path) -> None:
    folder = clips(tmp_path, *(f"{who}/{take}" for who in ("ann", "bob", "cho") for take in ("x", "y")))
    pairs = choose_pairs([folder], "cross", limit=None, seed=4)
    assert sorted(pair.face for pair in pairs) == sorted(folder.rglob("*.mp4"))
    assert all(pair.face.parent != pair.audio.parent for pair in pairs)
    assert all(pair.truth == pair.audio == pair.other for pair in pairs)
    sounds = [pair.audio for pair in pairs]
    assert len(set(sounds)) == len(sounds)


def test_the_seed_draws_the_pairs(tmp_path: Path) -> None:
    folder = clips(tmp_path, *"abcdefgh")
    first, again, other = (choose_pairs([folder], "cross", limit=4, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert choose_pairs([folder], "cross", limit=2, seed=1) == first[:2]
    assert all(pair.face != pair.audio for pair in first)


def test_speakers_of_a_flat_folder_are_told_by_their_names(tmp_path: Path) -> None:
    folder = clips(tmp_path, "s2_a", "s2_b", "s2_c", "s3-d")
    for pair in choose_pairs([folder], "cross", limit=None, seed=0):
        assert ("s3" in pair.face.stem) != ("s3" in pair.audio.stem)


def test_reconstruction_gives_each_face_its_own_sound_back(tmp_path: Path) -> None:
    for pair in choose_pairs([clips(tmp_path, "a", "b", "c")], "reconstruction", limit=None, seed=0):
        assert pair.face == pair.audio == pair.truth
        assert pair.other != pair.face


def test_dubbed_takes_files_in_twos(tmp_path: Path) -> None:
    clips(tmp_path, "talk", "talk.fr")
    source, dub = tmp_path / "talk.mp4", tmp_path / "talk.fr.mp4"
    (pair,) = choose_pairs([source, dub], "dubbed", limit=None, seed=0)
    assert (pair.face, pair.audio, pair.dubbed, pair.truth) == (source, dub, dub, None)
    with pytest.raises(BadInput, match="in twos"):
        choose_pairs([source], "dubbed", limit=None, seed=0)
    with pytest.raises(BadInput, match="no such file"):
        choose_pairs([source, tmp_path / "gone.mp4"], "dubbed", limit=None, seed=0)


def test_one_clip_is_no_pair(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two clips"):
        choose_pairs([clips(tmp_path, "only")], "cross", limit=None, seed=0)
    with pytest.raises(BadInput, match="limit"):
        choose_pairs([tmp_path], "cross", limit=0, seed=0)


def test_word_times_are_read_without_their_pauses(tmp_path: Path) -> None:
    table = tmp_path / "words.tsv"
    table.write_text("clip\tstart_s\tend_s\tword\na\t0\t0.5\tsil\na\t0.5\t1.0\tbin\nb\t0\t1\tsp\n", encoding="utf-8")
    words = read_words(table)
    assert [word.text for word in words["a"]] == ["bin"]
    assert words["a"][0].span.end_s == pytest.approx(1)
    assert words["b"] == ()
    table.write_text("word,start\nbin,0\n", encoding="utf-8")
    with pytest.raises(BadInput, match="no list of words"):
        read_words(table)
